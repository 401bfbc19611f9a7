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
use sqlx::{PgConnection, Row as _};

use super::claims::claim_by;
use super::database::{PostgresDatabase, Work, nanoseconds, number_of};
use super::error::Failure;
use super::rows::{Statement, read_id, read_job, read_wish};
use super::statements::{
    CLAIM, GIVE_BACK, GIVEN_UP, LIST, OVERDUE, PROGRESS, RENEW, SIGNED_IN, TAKE_OVER, UNFINISHED,
    VOID, WISH,
};
use super::steps::{add_transfer, admit, leave, replace};
use crate::columns::{RowError, in_order, read_name, wish_name};
use crate::failure::{conflict, lost, unknown};

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

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, JobStoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T, Failure> + Send + 'static,
    {
        Ok(self.database.transaction(work).await?)
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
        F: FnOnce(&mut Job, Option<Wish>, Timestamp) -> bool + Send + 'static,
    {
        let (lease, given) = (lease.clone(), self.database.given_now());
        let stored = self
            .write(move |connection| {
                Box::pin(async move {
                    let now = PostgresDatabase::now_in(given, connection).await?;
                    let step = move |job: &mut Job, wish| step(job, wish, now);
                    leave(connection, &lease, notes, report, step).await
                })
            })
            .await?;
        self.notify(&stored.job.id);
        Ok(stored)
    }
}

#[async_trait]
impl JobStore for PostgresJobStore {
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError> {
        let (shares, given) = (shares.clone(), self.database.given_now());
        let admitted = self
            .write(move |connection| {
                Box::pin(async move {
                    let now = PostgresDatabase::now_in(given, connection).await?;
                    admit(connection, job, &shares, now).await
                })
            })
            .await?;
        if let Admitted::New(stored) = &admitted {
            self.notify(&stored.job.id);
        }
        Ok(admitted)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query("SELECT * FROM jobs WHERE id = $1 AND owner = $2")
            .bind(id.as_str())
            .bind(owner.to_string());
        let found = self.read(statement).await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
    }

    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(id.as_str());
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
            "SELECT report FROM jobs LEFT JOIN reports ON reports.job = jobs.id WHERE jobs.id = $1",
        );
        let rows = self.rows(statement.bind(id.as_str())).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        let report: Option<Vec<u8>> = row.try_get("report").map_err(Failure::from)?;
        Ok(report.map(Bytes::from))
    }

    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError> {
        let statement = sqlx::query("SELECT state, count(*) AS jobs FROM jobs GROUP BY state");
        let rows = self.rows(statement).await?;
        let read = |row: &PgRow| -> Result<(JobStateName, u64), RowError> {
            Ok((read_name(row.try_get("state")?)?, number_of(row, "jobs")?))
        };
        let counts = rows.iter().map(read).collect::<Result<_, _>>();
        Ok(in_order(counts.map_err(Failure::from)?))
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError> {
        let rows = self.rows(sqlx::query(UNFINISHED)).await?;
        let read = |row: &PgRow| -> Result<(JobId, UserId), RowError> {
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
        let stored = self
            .write(move |connection| Box::pin(async move { replace(connection, seen, &job).await }))
            .await?;
        self.notify(&stored.job.id);
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
        let given = statement.execute(&self.database.pool).await;
        if given.map_err(Failure::from)?.rows_affected() == 0 {
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
        let statement = sqlx::query(SIGNED_IN).bind(owner.to_string());
        let rows = self.rows(statement).await?;
        for row in &rows {
            self.notify(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
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
            .bind(owner.to_string())
            .bind(wish_name(wish))
            .bind(by.to_string());
        let wished = statement.execute(&self.database.pool).await;
        if wished.map_err(Failure::from)?.rows_affected() > 0 {
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
        let bytes: Vec<i64> = bytes.map(super::database::number_column).collect();
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
        let serial = number_of(row, "serial").map_err(Failure::from)?;
        let progress = serde_json::from_str(&json).map_err(Failure::from)?;
        Ok(Some((serial, progress)))
    }

    async fn void_leases(&self) -> Result<u64, JobStoreError> {
        let rows = self.rows(sqlx::query(VOID)).await?;
        for row in &rows {
            self.notify(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.database.signals.watch()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now().await.map_err(Failure::from)?)
    }
}
