//! Jobs in SQLite.

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
use sqlx::{Row as _, SqliteConnection};

use super::changes::Changes;
use super::claims::{claim, give_back, renew, take_over};
use super::database::Database;
use super::error::Failure;
use super::free_pages;
use super::rows::{RowError, Statement, read_id, read_job, read_name, read_number};
use super::statements::{GIVEN_UP, LIST, OVERDUE, SIGNED_IN, UNFINISHED, VOID};
use super::steps::{self, add_transfer, admit, leave, replace};
use super::writer::Work;
use crate::columns::in_order;
use crate::failure::{conflict, unknown};
use crate::moments::to_column;

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

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, JobStoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, Failure> + Send + 'static,
    {
        let writer = &self.database.writer;
        let done = writer.transaction(work).await.map_err(JobStoreError::from);
        if let Err(JobStoreError::NoSpace(_)) = done {
            // Whoever tries again may have some then.
            let _ = free_pages::use_log_again(writer).await;
        }
        done
    }

    pub(super) async fn read(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<StoredJob>, JobStoreError> {
        let rows = statement.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(Failure::from)?;
        let jobs = rows.iter().map(read_job).collect::<Result<_, _>>();
        Ok(jobs.map_err(Failure::from)?)
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
        F: FnOnce(&mut Job, Option<Wish>) -> bool + Send + 'static,
    {
        let lease = lease.clone();
        let (stored, had_credentials) = self
            .write(move |connection| {
                Box::pin(async move { leave(connection, &lease, notes, report, step).await })
            })
            .await?;
        self.notify(&stored.job.id);
        if had_credentials {
            self.forget_deleted(&stored.job.id).await;
        }
        Ok(stored)
    }

    /// Changed by one statement: its rows have the ids.
    async fn change(&self, statement: Statement<'static>) -> Result<u64, JobStoreError> {
        let rows = self.database.writer.rows(statement).await;
        let rows = rows.map_err(Failure::from)?;
        for row in &rows {
            self.notify(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
    }

    /// The job is over, whether the bytes of its sealed credentials can be removed at once or not.
    async fn forget_deleted(&self, id: &JobId) {
        if let Err(error) = self.database.truncate_log().await {
            tracing::warn!(job = %id, %error, "the write-ahead log could not be emptied: the next time it is");
        }
    }
}

#[async_trait]
impl JobStore for SqliteJobStore {
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError> {
        let (shares, now) = (shares.clone(), self.database.now());
        let admitted = self
            .write(move |connection| {
                Box::pin(async move { admit(connection, job, &shares, now).await })
            })
            .await?;
        if let Admitted::New(stored) = &admitted {
            self.notify(&stored.job.id);
        }
        Ok(admitted)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query("SELECT * FROM jobs WHERE id = ? AND owner = ?")
            .bind(id.as_str())
            .bind(owner.to_string());
        let found = self.read(statement).await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
    }

    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query("SELECT * FROM jobs WHERE id = ?").bind(id.as_str());
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
        let statement = sqlx::query(LIST)
            .bind(owner)
            .bind(page.after.as_ref().map(JobId::as_str))
            .bind(i64::try_from(page.limit).unwrap_or(i64::MAX));
        self.read(statement).await
    }

    async fn report(&self, id: &JobId) -> Result<Option<Bytes>, JobStoreError> {
        let statement = sqlx::query(
            "SELECT report FROM jobs LEFT JOIN reports ON reports.job = jobs.id WHERE jobs.id = ?",
        );
        let row = statement.bind(id.as_str());
        let row = row.fetch_optional(&self.database.readers).await;
        let row = row.map_err(Failure::from)?.ok_or_else(|| unknown(id))?;
        let report: Option<Vec<u8>> = row.try_get("report").map_err(Failure::from)?;
        Ok(report.map(Bytes::from))
    }

    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError> {
        let statement = sqlx::query("SELECT state, count(*) AS jobs FROM jobs GROUP BY state");
        let rows = statement.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(Failure::from)?;
        let read = |row: &SqliteRow| -> Result<(JobStateName, u64), RowError> {
            Ok((read_name(row.try_get("state")?)?, read_number(row, "jobs")?))
        };
        let counts = rows.iter().map(read).collect::<Result<_, _>>();
        Ok(in_order(counts.map_err(Failure::from)?))
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError> {
        let statement = sqlx::query(UNFINISHED);
        let rows = statement.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(Failure::from)?;
        let read = |row: &SqliteRow| -> Result<(JobId, UserId), RowError> {
            Ok((read_id(row, "id")?, UserId::parse(row.try_get("owner")?)?))
        };
        let jobs = rows.iter().map(read).collect::<Result<_, _>>();
        Ok(jobs.map_err(Failure::from)?)
    }

    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError> {
        if job.state.name() == JobStateName::Running {
            // Only a claim makes a job run.
            return Err(conflict(&job.id));
        }
        let (stored, had_credentials) = self
            .write(move |connection| Box::pin(async move { replace(connection, seen, &job).await }))
            .await?;
        self.notify(&stored.job.id);
        if had_credentials {
            self.forget_deleted(&stored.job.id).await;
        }
        Ok(stored)
    }

    async fn record_transfer(&self, id: &JobId, transfer: Transfer) -> Result<(), JobStoreError> {
        let job = id.clone();
        self.write(move |connection| {
            Box::pin(async move { add_transfer(connection, &job, transfer).await })
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
        let now = self.database.now();
        self.leave(lease, notes, None, move |job, wish| {
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
        let now = self.database.now();
        let report = ending.report().cloned();
        self.leave(lease, notes, report, move |job, _| {
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
        let (owner, job, by) = (owner.clone(), id.clone(), by.clone());
        let wished = self.database.writer.transaction(move |connection| {
            Box::pin(async move { steps::wish(connection, &owner, &job, wish, &by).await })
        });
        wished.await?;
        self.notify(id);
        Ok(())
    }

    async fn record_progress(
        &self,
        progress: &[(Lease, JobProgress)],
    ) -> Result<(), JobStoreError> {
        let runs = progress.to_vec();
        self.write(move |connection| {
            Box::pin(async move { steps::record_progress(connection, runs).await })
        })
        .await?;
        for (lease, _) in progress {
            self.notify(&lease.job);
        }
        Ok(())
    }

    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError> {
        let statement = sqlx::query("SELECT progress, progress_serial FROM jobs WHERE id = ?");
        let row = statement.bind(id.as_str());
        let row = row.fetch_optional(&self.database.readers).await;
        let row = row.map_err(Failure::from)?.ok_or_else(|| unknown(id))?;
        let json: Option<String> = row.try_get("progress").map_err(Failure::from)?;
        let Some(json) = json else {
            return Ok(None);
        };
        let serial = read_number(&row, "progress_serial").map_err(Failure::from)?;
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
