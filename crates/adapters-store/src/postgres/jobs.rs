//! Jobs in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{
    Admitted, Change, Claim, ClaimLimits, Ending, Job, JobId, JobPage, JobProgress, JobStateName,
    JobStore, JobStoreError, Lease, Pause, Renewed, Shares, StoredJob, Token, Transfer, Version,
    Whose, Wish, WorkerId,
};
use domain::model::UserId;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row as _};

use super::claims::claim_by;
use super::database::{PostgresDatabase, Statement, Work, nanoseconds};
use super::error::Failure;
use super::statements::{CLAIM, GIVEN_UP, OVERDUE, PROGRESS, RENEW, TAKE_OVER};
use super::transaction::PostgresTransaction;
use crate::columns::{RowError, count_column, number_column, wish_name};
use crate::failure::{Failure as EngineFailure, PortError, conflict, lost, unknown};
use crate::rows::{Columns as _, read_counts, read_id, read_ids, read_jobs, read_owned, read_wish};
use crate::statements::{
    COUNT, GIVE_BACK, JOB, JOB_OF, JOBS, REPORT, SIGNED_IN, UNFINISHED, VOID, WISH,
};
use crate::steps::{self, Written};

/// The jobs of a [`PostgresDatabase`].
pub struct PostgresJobStore {
    pub(super) database: PostgresDatabase,
}

impl PostgresJobStore {
    /// The jobs of this database. Who watches hears of changes that any process makes.
    pub fn new(database: &PostgresDatabase) -> Self {
        Self {
            database: database.clone(),
        }
    }

    pub(super) fn notify(&self, id: &JobId) {
        self.database.signals.notify(Change::Job(id.clone()));
    }

    /// One step: one transaction.
    pub(super) async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<EngineFailure<Postgres, E>> + Send + 'static,
        F: for<'c> FnOnce(PostgresTransaction<'c>) -> Work<'c, T, EngineFailure<Postgres, E>>
            + Send
            + 'static,
    {
        let given_now = self.database.given_now();
        let done = self.database.transaction(move |connection| {
            let rows = PostgresTransaction::new(connection, given_now);
            step(rows)
        });
        Ok(done.await?)
    }

    /// One statement. Gives the rows that it returns.
    pub(super) async fn rows(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, JobStoreError> {
        let rows = statement.fetch_all(&self.database.pool).await;
        Ok(rows.map_err(Failure::from)?)
    }

    pub(super) async fn read(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<StoredJob>, JobStoreError> {
        let rows = self.rows(statement).await?;
        Ok(read_jobs(&rows).map_err(Failure::from)?)
    }

    /// Changed by one statement: its rows have the ids.
    async fn change(&self, statement: Statement<'_>) -> Result<u64, JobStoreError> {
        let rows = self.rows(statement).await?;
        for id in read_ids(&rows).map_err(Failure::from)? {
            self.notify(&id);
        }
        Ok(rows.len() as u64)
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
        let Written { stored, .. } = self
            .step(move |mut rows| {
                Box::pin(async move { steps::leave(&mut rows, &lease, notes, report, step).await })
            })
            .await?;
        self.notify(&stored.job.id);
        Ok(stored)
    }
}

#[async_trait]
impl JobStore for PostgresJobStore {
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
        let statement = sqlx::query(REPORT);
        let rows = self.rows(statement.bind(id.as_str())).await?;
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
        let Written { stored, .. } = self
            .step(move |mut rows| {
                Box::pin(async move { steps::replace(&mut rows, seen, &job).await })
            })
            .await?;
        self.notify(&stored.job.id);
        Ok(stored)
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
        let now = self.database.given_now();
        self.read(sqlx::query(OVERDUE).bind(now)).await
    }

    async fn given_up(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let now = self.database.given_now();
        self.read(sqlx::query(GIVEN_UP).bind(now)).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, JobStoreError> {
        claim_by(&self.database, CLAIM, worker, term, Some(limits)).await
    }

    async fn take_over(
        &self,
        worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError> {
        claim_by(&self.database, TAKE_OVER, worker, term, None).await
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
        let renewed = statement.fetch_all(&self.database.renewals);
        let rows = tokio::time::timeout(term / 4, renewed).await;
        let rows = rows.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        let rows = rows.map_err(Failure::from)?;
        let read = |row: &PgRow| -> Result<Renewed, RowError> {
            let lease = Lease {
                job: read_id(row, "id")?,
                token: Token::parse(row.try_get("token")?)?,
            };
            let wish = read_wish(row)?;
            Ok(Renewed { lease, wish })
        };
        let renewed = rows.iter().map(read).collect::<Result<_, _>>();
        Ok(renewed.map_err(Failure::from)?)
    }

    async fn give_back(&self, lease: &Lease) -> Result<(), JobStoreError> {
        let statement = sqlx::query(GIVE_BACK)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str());
        if self.rows(statement).await?.is_empty() {
            return Err(lost(&lease.job));
        }
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
        let statement = sqlx::query(SIGNED_IN).bind(owner.as_str());
        self.change(statement).await
    }

    async fn wish(
        &self,
        owner: &UserId,
        id: &JobId,
        wish: Wish,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        let statement = sqlx::query(WISH)
            .bind(id.as_str())
            .bind(owner.as_str())
            .bind(wish_name(wish))
            .bind(by.to_string());
        if !self.rows(statement).await?.is_empty() {
            let (change, pool) = (Change::Job(id.clone()), &self.database.pool);
            self.database.signals.notify_now(change, pool).await;
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
        let json = progress
            .iter()
            .map(|(_, progress)| serde_json::to_string(progress));
        let json: Vec<String> = json.collect::<Result<_, _>>().map_err(Failure::from)?;
        let leases = progress.iter().map(|(lease, _)| lease);
        let ids: Vec<&str> = leases.clone().map(|lease| lease.job.as_str()).collect();
        let tokens: Vec<&str> = leases.map(|lease| lease.token.as_str()).collect();
        let bytes = progress.iter().map(|(_, progress)| progress.bytes());
        let bytes: Vec<i64> = bytes.map(number_column).collect();
        let statement = sqlx::query(PROGRESS)
            .bind(ids)
            .bind(tokens)
            .bind(json)
            .bind(bytes);
        let recorded = statement.execute(&self.database.pool).await;
        recorded.map_err(Failure::from)?;
        for (lease, _) in progress {
            self.notify(&lease.job);
        }
        Ok(())
    }

    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError> {
        let statement = sqlx::query(
            "SELECT progress, serial FROM jobs LEFT JOIN progress ON progress.job = jobs.id WHERE jobs.id = $1",
        );
        let rows = self.rows(statement.bind(id.as_str())).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        let json: Option<String> = row.try_get("progress").map_err(Failure::from)?;
        let Some(json) = json else {
            return Ok(None);
        };
        let serial = row.number("serial").map_err(Failure::from)?;
        let progress = serde_json::from_str(&json).map_err(Failure::from)?;
        Ok(Some((serial, progress)))
    }

    async fn void_leases(&self) -> Result<u64, JobStoreError> {
        self.change(sqlx::query(VOID)).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.database.signals.watch()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now().await.map_err(Failure::from)?)
    }
}
