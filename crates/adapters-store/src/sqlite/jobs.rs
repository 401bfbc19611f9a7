//! Jobs in SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{
    Admitted, Change, Claim, ClaimLimits, Ending, Job, JobId, JobPage, JobProgress, JobStateName,
    JobStore, JobStoreError, Lease, Pause, Renewed, Shares, StoredJob, Transfer, Version, Whose,
    Wish, WorkerId,
};
use domain::model::UserId;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, SqliteConnection};

use super::changes::Changes;
use super::claims::{self, claim, give_back, renew, take_over};
use super::database::Database;
use super::error::Failure;
use super::free_pages;
use super::statements::{GIVEN_UP, OVERDUE};
use super::transaction::SqliteTransaction;
use super::writer::{Statement, Work};
use crate::columns::{count_column, wish_name};
use crate::failure::{Failure as EngineFailure, PortError, conflict, unknown};
use crate::moments::to_column;
use crate::rows::{Columns as _, read_counts, read_ids, read_jobs, read_owned};
use crate::statements::{COUNT, JOB, JOB_OF, JOBS, REPORT, SIGNED_IN, UNFINISHED, VOID, WISH};
use crate::steps::{self, Written};

/// The jobs of a [`Database`].
pub struct SqliteJobStore {
    pub(super) database: Database,
    changes: Changes,
}

impl SqliteJobStore {
    /// The jobs of this database. Who watches hears of changes that are made through this store.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            changes: Changes::default(),
        }
    }

    pub(super) fn notify(&self, id: &JobId) {
        self.changes.notify(id);
    }

    /// One step: one transaction.
    pub(super) async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<EngineFailure<Sqlite, E>> + Send + 'static,
        F: for<'c> FnOnce(SqliteTransaction<'c>) -> Work<'c, T, EngineFailure<Sqlite, E>>
            + Send
            + 'static,
    {
        let clock = Arc::clone(&self.database.clock);
        self.write(move |connection| step(SqliteTransaction::new(connection, clock.now())))
            .await
    }

    async fn write<T, E, F>(&self, work: F) -> Result<T, E>
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

    pub(super) async fn rows(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<SqliteRow>, JobStoreError> {
        let rows = statement.fetch_all(&self.database.readers).await;
        Ok(rows.map_err(Failure::from)?)
    }

    pub(super) async fn read(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<StoredJob>, JobStoreError> {
        let rows = self.rows(statement).await?;
        Ok(read_jobs(&rows).map_err(Failure::from)?)
    }

    /// A job as it stands now: who watches it hears of it, and what was deleted with it is in no file any more.
    async fn written(&self, written: Written) -> StoredJob {
        let stored = written.stored;
        self.notify(&stored.job.id);
        if written.forgot_credentials {
            self.forget_deleted().await;
        }
        stored
    }

    /// One step of a run that ends it or interrupts it.
    async fn leave<F>(
        &self,
        lease: &Lease,
        notes: Vec<String>,
        report: Option<Bytes>,
        step: F,
    ) -> Result<StoredJob, JobStoreError>
    where
        F: FnOnce(&mut Job, Option<Wish>, Timestamp) -> bool + Send + 'static,
    {
        let lease = lease.clone();
        let written = self
            .step(move |mut rows| {
                Box::pin(async move { steps::leave(&mut rows, &lease, notes, report, step).await })
            })
            .await?;
        Ok(self.written(written).await)
    }

    /// Changed by one statement: its rows have the ids.
    async fn change(&self, statement: Statement<'static>) -> Result<u64, JobStoreError> {
        let rows = self.database.writer.rows(statement).await;
        let rows = rows.map_err(Failure::from)?;
        for id in read_ids(&rows).map_err(Failure::from)? {
            self.notify(&id);
        }
        Ok(rows.len() as u64)
    }

    /// What had the credentials is over, whether their bytes can be removed at once or not.
    pub(super) async fn forget_deleted(&self) {
        if let Err(error) = self.database.truncate_log().await {
            tracing::warn!(%error, "the write-ahead log could not be emptied: the next time it is");
        }
    }
}

#[async_trait]
impl JobStore for SqliteJobStore {
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError> {
        let shares = shares.clone();
        let admitted = self
            .step(move |mut rows| {
                Box::pin(async move { steps::admit(&mut rows, job, &shares).await })
            })
            .await?;
        if let Admitted::New(stored) = &admitted {
            self.notify(&stored.job.id);
        }
        Ok(admitted)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query(JOB_OF).bind(id.as_str()).bind(owner.as_str());
        let found = self.read(statement).await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
    }

    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query(JOB).bind(id.as_str());
        let found = self.read(statement).await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
    }

    async fn list(&self, whose: &Whose, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError> {
        let owner = match whose {
            Whose::Of(owner) => Some(owner.to_string()),
            Whose::Everybodys => None,
        };
        if let Some(after) = &page.after {
            match whose {
                Whose::Of(owner) => self.get(owner, after).await?,
                Whose::Everybodys => self.find(after).await?,
            };
        }
        let statement = sqlx::query(JOBS)
            .bind(owner)
            .bind(page.after.as_ref().map(JobId::as_str))
            .bind(count_column(page.limit));
        self.read(statement).await
    }

    async fn report(&self, id: &JobId) -> Result<Option<Bytes>, JobStoreError> {
        let rows = self.rows(sqlx::query(REPORT).bind(id.as_str())).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        let report: Option<Vec<u8>> = row.try_get("report").map_err(Failure::from)?;
        Ok(report.map(Bytes::from))
    }

    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError> {
        let rows = self.rows(sqlx::query(COUNT)).await?;
        Ok(read_counts(&rows).map_err(Failure::from)?)
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError> {
        let rows = self.rows(sqlx::query(UNFINISHED)).await?;
        Ok(read_owned(&rows).map_err(Failure::from)?)
    }

    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError> {
        if job.state.name() == JobStateName::Running {
            // Only a claim makes a job run.
            return Err(conflict(&job.id));
        }
        let written = self
            .step(move |mut rows| {
                Box::pin(async move { steps::replace(&mut rows, seen, &job).await })
            })
            .await?;
        Ok(self.written(written).await)
    }

    async fn record_transfer(&self, id: &JobId, transfer: Transfer) -> Result<(), JobStoreError> {
        let job = id.clone();
        self.step(move |mut rows| {
            Box::pin(async move { steps::add_transfer(&mut rows, &job, &transfer).await })
        })
        .await?;
        self.notify(id);
        Ok(())
    }

    async fn overdue(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let now = to_column(self.database.now());
        self.read(sqlx::query(OVERDUE).bind(now)).await
    }

    async fn given_up(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let now = to_column(self.database.now());
        self.read(sqlx::query(GIVEN_UP).bind(now)).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, JobStoreError> {
        let claim = claim(&self.database, worker, term, limits).await?;
        if let Some(claim) = &claim {
            self.notify(&claim.job.id);
        }
        Ok(claim)
    }

    async fn take_over(
        &self,
        worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError> {
        let claim = take_over(&self.database, worker, term).await?;
        if let Some(claim) = &claim {
            self.notify(&claim.job.id);
        }
        Ok(claim)
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        Ok(renew(&self.database, held, term).await?)
    }

    async fn give_back(&self, lease: &Lease) -> Result<(), JobStoreError> {
        give_back(&self.database, lease).await?;
        self.notify(&lease.job);
        Ok(())
    }

    async fn pause(
        &self,
        lease: &Lease,
        pause: Pause,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        self.leave(lease, notes, None, move |job, wish, now| {
            pause.apply(job, wish, now).is_ok()
        })
        .await
    }

    async fn settle(
        &self,
        lease: &Lease,
        ending: Ending,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        let report = ending.report().cloned();
        self.leave(lease, notes, report, move |job, _, now| {
            ending.apply(job, now).is_ok()
        })
        .await
    }

    async fn signed_in(&self, owner: &UserId) -> Result<u64, JobStoreError> {
        self.change(sqlx::query(SIGNED_IN).bind(owner.to_string()))
            .await
    }

    async fn wish(
        &self,
        owner: &UserId,
        id: &JobId,
        wish: Wish,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        let statement = sqlx::query(WISH)
            .bind(id.as_str().to_owned())
            .bind(owner.to_string())
            .bind(wish_name(wish))
            .bind(by.to_string());
        if self.change(statement).await? > 0 {
            return Ok(());
        }
        // Somebody else's job is unknown.
        self.get(owner, id).await?;
        Err(conflict(id))
    }

    async fn record_progress(
        &self,
        progress: &[(Lease, JobProgress)],
    ) -> Result<(), JobStoreError> {
        let runs = progress.to_vec();
        self.write(move |connection| {
            Box::pin(async move { claims::record_progress(connection, runs).await })
        })
        .await?;
        for (lease, _) in progress {
            self.notify(&lease.job);
        }
        Ok(())
    }

    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError> {
        let statement = sqlx::query("SELECT progress, progress_serial FROM jobs WHERE id = $1");
        let rows = self.rows(statement.bind(id.as_str())).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        let json: Option<String> = row.try_get("progress").map_err(Failure::from)?;
        let Some(json) = json else {
            return Ok(None);
        };
        let serial = row.number("progress_serial").map_err(Failure::from)?;
        let progress = serde_json::from_str(&json).map_err(Failure::from)?;
        Ok(Some((serial, progress)))
    }

    async fn void_leases(&self) -> Result<u64, JobStoreError> {
        self.change(sqlx::query(VOID)).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.changes.watch()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now())
    }
}
