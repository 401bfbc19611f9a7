//! Jobs and campaigns in SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Change, Claim, ClaimLimits, JobId, JobProgress, JobStoreError, Lease, Renewed, WorkerId,
};
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection};

use super::changes::Changes;
use super::claims::{claim, record_progress, renew};
use super::database::Database;
use super::error::Failure;
use super::free_pages;
use super::transaction::SqliteTransaction;
use crate::failure::{Failure as EngineFailure, PortError};
use crate::jobs::{JobEngine, SqlJobStore, Tx};
use crate::statement::Statement;
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

impl SqliteJobs {
    async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<EngineFailure<Sqlite, E>> + Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, EngineFailure<Sqlite, E>>
            + Send
            + 'static,
    {
        let writer = &self.database.writer;
        let done = writer.transaction(work).await;
        if done.as_ref().is_err_and(EngineFailure::is_full) {
            // Whoever tries again may have some then.
            let _ = free_pages::use_log_again(writer).await;
        }
        Ok(done?)
    }
}

#[async_trait]
impl JobEngine for SqliteJobs {
    type Engine = Sqlite;
    type Row = SqliteRow;

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now())
    }

    async fn read(&self, statement: Statement) -> Result<Vec<SqliteRow>, JobStoreError> {
        let query = statement.query::<Sqlite>();
        let rows = query.fetch_all(&self.database.readers).await;
        Ok(rows.map_err(Failure::from)?)
    }

    async fn write(&self, statement: Statement) -> Result<Vec<SqliteRow>, JobStoreError> {
        let rows = self.database.writer.rows(statement.query()).await;
        Ok(rows.map_err(Failure::from)?)
    }

    async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<EngineFailure<Sqlite, E>> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self>) -> Work<'c, T, EngineFailure<Sqlite, E>> + Send + 'static,
    {
        let clock = Arc::clone(&self.database.clock);
        self.transaction(move |connection| {
            Box::pin(async move {
                let mut transaction = SqliteTransaction::new(connection, clock.now());
                step(&mut transaction).await
            })
        })
        .await
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
        self.transaction(move |connection| {
            Box::pin(async move { record_progress(connection, runs).await })
        })
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

    async fn forget_deleted(&self) {
        if let Err(error) = self.database.truncate_log().await {
            tracing::warn!(%error, "the write-ahead log could not be emptied: the next time it is");
        }
    }
}
