//! Sealed credentials in the tables of any engine. Those of a job go with its end, whoever ends it.

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, SealedCredentials, SealedCredentialsError};

use crate::database::SqlDatabase;
use crate::failure::said_once;
use crate::rows::{Columns as _, read_id};
use crate::statement::Statement;
use crate::statements::DELETE_CREDENTIALS;

const PUT: &str = "INSERT INTO sealed_credentials (job, sealed) VALUES ($1, $2) \
    ON CONFLICT (job) DO UPDATE SET sealed = excluded.sealed";

const GET: &str = "SELECT sealed FROM sealed_credentials WHERE job = $1";

const LIST: &str = "SELECT job FROM sealed_credentials ORDER BY job";

/// The sealed credentials in the tables of an engine.
pub struct SqlCredentials<D> {
    database: D,
}

impl<D: Clone> SqlCredentials<D> {
    /// The sealed credentials of this database.
    pub fn new(database: &D) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

fn failed(error: sqlx::Error) -> SealedCredentialsError {
    SealedCredentialsError(said_once(error))
}

#[async_trait]
impl<D: SqlDatabase> SealedCredentials for SqlCredentials<D> {
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError> {
        let statement = Statement::of(PUT).bind(job.as_str()).bind(sealed.to_vec());
        let put = self.database.write(statement).await;
        put.map(drop).map_err(failed)
    }

    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError> {
        let statement = Statement::of(GET).bind(job.as_str());
        let rows = self.database.read(statement).await.map_err(failed)?;
        let sealed = rows.first().map(|row| row.some_bytes("sealed"));
        let sealed = sealed.transpose().map_err(SealedCredentialsError)?;
        Ok(sealed.flatten().map(Bytes::from))
    }

    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError> {
        let statement = Statement::of(DELETE_CREDENTIALS).bind(job.as_str());
        self.database.write(statement).await.map_err(failed)?;
        // Also where nothing was deleted now: the files may not have been cleaned then.
        self.database.forget_deleted().await.map_err(failed)
    }

    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError> {
        let rows = self.database.read(Statement::of(LIST)).await;
        let rows = rows.map_err(failed)?;
        let ids = rows.iter().map(|row| read_id(row, "job"));
        let ids: Result<_, _> = ids.collect();
        ids.map_err(SealedCredentialsError)
    }
}
