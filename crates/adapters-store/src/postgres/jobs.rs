//! Jobs and campaigns in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Change, Claim, ClaimLimits, JobId, JobProgress, JobStoreError, Lease, Renewed, WorkerId,
};
use futures_util::stream::BoxStream;

use super::claims::claim_by;
use super::database::{PostgresDatabase, nanoseconds};
use super::error::Failure;
use super::statements::{CLAIM, PROGRESS, RENEW, TAKE_OVER};
use crate::columns::number_column;
use crate::database::{SqlDatabase as _, Tx};
use crate::failure::PortError;
use crate::jobs::{FailureOf, JobEngine, SqlJobStore};
use crate::rows::read_renewed;
use crate::work::Work;

/// The jobs and campaigns of a [`PostgresDatabase`].
pub type PostgresJobStore = SqlJobStore<PostgresJobs>;

/// What PostgreSQL does for them.
pub struct PostgresJobs {
    database: PostgresDatabase,
}

impl PostgresJobStore {
    /// The jobs of this database. Who watches hears of changes that any process makes.
    pub fn new(database: &PostgresDatabase) -> Self {
        let database = database.clone();
        Self {
            engine: PostgresJobs { database },
        }
    }
}

#[async_trait]
impl JobEngine for PostgresJobs {
    type Database = PostgresDatabase;

    fn database(&self) -> &PostgresDatabase {
        &self.database
    }

    async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<FailureOf<PostgresDatabase, E>> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, PostgresDatabase>) -> Work<'c, T, FailureOf<PostgresDatabase, E>>
            + Send
            + 'static,
    {
        Ok(self.database.transact(step).await?)
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: Option<ClaimLimits>,
    ) -> Result<Option<Claim>, JobStoreError> {
        let statement = if limits.is_some() { CLAIM } else { TAKE_OVER };
        claim_by(&self.database, statement, worker, term, limits).await
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        let ids: Vec<&str> = held.iter().map(|lease| lease.job.as_str()).collect();
        let tokens: Vec<&str> = held.iter().map(|lease| lease.token.as_str()).collect();
        let statement = sqlx::query(RENEW)
            .bind(self.database.given_now())
            .bind(nanoseconds(term))
            .bind(ids)
            .bind(tokens);
        // Whoever renews has to know in time that it cannot.
        let rows = self.database.urgent_rows(term / 4, statement).await;
        read_renewed(&rows.map_err(Failure::from)?).map_err(JobStoreError::Unavailable)
    }

    async fn record_progress(&self, runs: &[(Lease, JobProgress)]) -> Result<(), JobStoreError> {
        let json = runs
            .iter()
            .map(|(_, progress)| serde_json::to_string(progress));
        let json: Vec<String> = json.collect::<Result<_, _>>().map_err(Failure::from)?;
        let leases = runs.iter().map(|(lease, _)| lease);
        let ids: Vec<&str> = leases.clone().map(|lease| lease.job.as_str()).collect();
        let tokens: Vec<&str> = leases.map(|lease| lease.token.as_str()).collect();
        let bytes = runs.iter().map(|(_, progress)| progress.bytes());
        let bytes: Vec<i64> = bytes.map(number_column).collect();
        let statement = sqlx::query(PROGRESS)
            .bind(ids)
            .bind(tokens)
            .bind(json)
            .bind(bytes);
        let recorded = statement.execute(&self.database.pool).await;
        recorded.map_err(Failure::from)?;
        Ok(())
    }

    fn notify(&self, job: &JobId) {
        self.database.signals.notify(Change::Job(job.clone()));
    }

    async fn notify_now(&self, job: &JobId) {
        let (change, pool) = (Change::Job(job.clone()), &self.database.pool);
        self.database.signals.notify_now(change, pool).await;
    }

    async fn notify_campaign(&self, _: &[JobId]) {
        let (signals, pool) = (&self.database.signals, &self.database.pool);
        signals.notify_now(Change::Resync, pool).await;
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.database.signals.watch()
    }
}
