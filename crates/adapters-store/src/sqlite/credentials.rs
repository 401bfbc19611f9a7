//! Sealed credentials in SQLite.

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, SealedCredentials, SealedCredentialsError};
use sqlx::Row as _;

use super::database::Database;
use super::rows::{RowError, read_id};

struct Failure(SealedCredentialsError);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(SealedCredentialsError(Box::new(error)))
    }
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        Self(SealedCredentialsError(error))
    }
}

impl From<Failure> for SealedCredentialsError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// The sealed credentials of a [`Database`]. Those of a job go with its end, whoever ends it.
pub struct SqliteCredentials {
    database: Database,
}

impl SqliteCredentials {
    /// The sealed credentials of this database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

#[async_trait]
impl SealedCredentials for SqliteCredentials {
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError> {
        let job = job.to_string();
        let put = self.database.writer.run(move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO sealed_credentials (job, sealed) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET sealed = excluded.sealed")
                    .bind(job)
                    .bind(sealed.to_vec())
                    .execute(connection)
                    .await?;
                Ok::<_, Failure>(())
            })
        });
        Ok(put.await?)
    }

    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError> {
        let statement = sqlx::query("SELECT sealed FROM sealed_credentials WHERE job = ?");
        let row = statement.bind(job.as_str());
        let row = row.fetch_optional(&self.database.readers).await;
        let sealed = row.map_err(Failure::from)?;
        let sealed = sealed.map(|row| row.try_get::<Vec<u8>, _>("sealed"));
        Ok(sealed.transpose().map_err(Failure::from)?.map(Bytes::from))
    }

    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError> {
        let job = job.to_string();
        let deleted = self.database.writer.run(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query("DELETE FROM sealed_credentials WHERE job = ?");
                statement.bind(job).execute(connection).await?;
                Ok::<_, Failure>(())
            })
        });
        deleted.await?;
        // Also where nothing was deleted now: the log may not have been emptied then.
        Ok(self.database.truncate_log().await.map_err(Failure::from)?)
    }

    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError> {
        let rows = sqlx::query("SELECT job FROM sealed_credentials ORDER BY job");
        let rows = rows.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(Failure::from)?;
        let ids = rows.iter().map(|row| read_id(row, "job"));
        Ok(ids.collect::<Result<_, _>>().map_err(Failure::from)?)
    }
}
