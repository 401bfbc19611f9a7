//! Sealed credentials in PostgreSQL.

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, SealedCredentials, SealedCredentialsError};
use sqlx::Row as _;

use super::database::PostgresDatabase;
use crate::rows::read_id;

/// The sealed credentials of a [`PostgresDatabase`]. Those of a job go with its end, whoever ends it. What was deleted may stay in the
/// database's own files for a while, sealed.
pub struct PostgresCredentials {
    database: PostgresDatabase,
}

fn failure(error: sqlx::Error) -> SealedCredentialsError {
    SealedCredentialsError(Box::new(error))
}

impl PostgresCredentials {
    /// The sealed credentials of this database.
    pub fn new(database: &PostgresDatabase) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

#[async_trait]
impl SealedCredentials for PostgresCredentials {
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError> {
        sqlx::query(
            "INSERT INTO sealed_credentials (job, sealed) VALUES ($1, $2) ON CONFLICT (job) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(job.as_str())
        .bind(sealed.to_vec())
        .execute(&self.database.pool)
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError> {
        let row = sqlx::query("SELECT sealed FROM sealed_credentials WHERE job = $1")
            .bind(job.as_str())
            .fetch_optional(&self.database.pool)
            .await
            .map_err(failure)?;
        let sealed = row.map(|row| row.try_get::<Vec<u8>, _>("sealed"));
        Ok(sealed.transpose().map_err(failure)?.map(Bytes::from))
    }

    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError> {
        sqlx::query("DELETE FROM sealed_credentials WHERE job = $1")
            .bind(job.as_str())
            .execute(&self.database.pool)
            .await
            .map_err(failure)?;
        Ok(())
    }

    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError> {
        let rows = sqlx::query("SELECT job FROM sealed_credentials ORDER BY job")
            .fetch_all(&self.database.pool)
            .await
            .map_err(failure)?;
        let ids = rows.iter().map(|row| read_id(row, "job"));
        let ids: Result<_, _> = ids.collect();
        ids.map_err(SealedCredentialsError)
    }
}
