//! Jobs and campaigns in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Change, Claim, ClaimLimits, JobId, JobProgress, JobStoreError, Lease, Renewed, WorkerId,
};
use futures_util::stream::BoxStream;

use super::changes::Changes;
use super::claims::{claim, record_progress, renew};
use super::database::Database;
use super::free_pages;
use crate::database::{SqlDatabase as _, Tx};
use crate::failure::{Failure, PortError};
use crate::jobs::{FailureOf, JobEngine, SqlJobStore};
use crate::work::Work;

/// The jobs and campaigns of a [`Database`].
pub type SqliteJobStore = SqlJobStore<SqliteJobs>;

/// What SQLite does for them.
pub struct SqliteJobs {
    database: Database,
    changes: Changes,
}

impl SqliteJobStore {
    /// The jobs of this database. Who watches hears of changes that are made through this store.
    pub fn new(database: &Database) -> Self {
        let engine = SqliteJobs {
            database: database.clone(),
            changes: Changes::default(),
        };
        Self { engine }
    }
}

#[async_trait]
impl JobEngine for SqliteJobs {
    type Database = Database;

    fn database(&self) -> &Database {
        &self.database
    }

    async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<FailureOf<Database, E>> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Database>) -> Work<'c, T, FailureOf<Database, E>> + Send + 'static,
    {
        let done = self.database.transact(step).await;
        if done.as_ref().is_err_and(Failure::is_full) {
            // Whoever tries again may have some then.
            let _ = free_pages::use_log_again(&self.database.writer).await;
        }
        Ok(done?)
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: Option<ClaimLimits>,
    ) -> Result<Option<Claim>, JobStoreError> {
        let claim = claim(&self.database, worker, term, limits).await?;
        if let Some(claim) = &claim {
            self.notify(&claim.job.id);
        }
        Ok(claim)
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        Ok(renew(&self.database, held, term).await?)
    }

    async fn record_progress(&self, runs: &[(Lease, JobProgress)]) -> Result<(), JobStoreError> {
        let runs = runs.to_vec();
        self.step(move |tx| Box::pin(async move { record_progress(tx, runs).await }))
            .await
    }

    fn notify(&self, job: &JobId) {
        self.changes.notify(job);
    }

    async fn notify_now(&self, job: &JobId) {
        self.notify(job);
    }

    async fn notify_campaign(&self, jobs: &[JobId]) {
        for job in jobs {
            self.notify(job);
        }
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.changes.watch()
    }
}
