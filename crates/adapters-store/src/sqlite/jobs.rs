//! Jobs in SQLite.

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
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::changes::Changes;
use super::database::Database;
use super::error::Failure;
use super::free_pages;
use super::rows::{
    RowError, Statement, read_id, read_job, read_name, read_number, read_wish, wish_name,
};
use super::statements::{
    CLAIM, GIVE_BACK, GIVEN_UP, LIST, OVERDUE, PROGRESS, RENEW, SIGNED_IN, TAKE_OVER, UNFINISHED,
    VOID, WISH,
};
use super::steps::{add_transfer, admit, leave, replace};
use super::writer::Work;
use crate::failure::{conflict, lost, unknown};
use crate::moments::{after, to_column};
use crate::token::new_token;

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

    /// One statement that changes rows. Gives the rows that it returns.
    async fn change(&self, statement: Statement<'static>) -> Result<Vec<SqliteRow>, JobStoreError> {
        let rows = self.database.writer.run(move |connection| {
            Box::pin(async move { Ok::<_, Failure>(statement.fetch_all(connection).await?) })
        });
        Ok(rows.await?)
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

    /// The job that a claim found.
    async fn claimed(
        &self,
        statement: Statement<'static>,
        token: Token,
    ) -> Result<Option<Claim>, JobStoreError> {
        let rows = self.change(statement).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let StoredJob { job, version } = read_job(row).map_err(Failure::from)?;
        self.notify(&job.id);
        let lease = Lease {
            job: job.id.clone(),
            token,
        };
        let wish = read_wish(row).map_err(Failure::from)?;
        Ok(Some(Claim {
            job,
            version,
            lease,
            wish,
        }))
    }

    /// The job is over, whether the bytes of its sealed credentials can be removed at once or not.
    async fn forget_deleted(&self, id: &JobId) {
        if let Err(error) = self.database.truncate_log().await {
            tracing::warn!(job = %id, %error, "the write-ahead log could not be emptied: the next time it is");
        }
    }
}

/// The parameters that every claim begins with.
fn claim_statement(
    statement: &'static str,
    now: Timestamp,
    token: &Token,
    worker: &WorkerId,
    term: Duration,
) -> Statement<'static> {
    sqlx::query(statement)
        .bind(to_column(now))
        .bind(token.as_str().to_owned())
        .bind(worker.as_str().to_owned())
        .bind(after(now, term))
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
        let counts = rows.map_err(Failure::from)?;
        let read = |row: &SqliteRow| -> Result<(JobStateName, u64), RowError> {
            Ok((read_name(row.try_get("state")?)?, read_number(row, "jobs")?))
        };
        let mut counts: Vec<_> = counts
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(Failure::from)?;
        let place = |name| JobStateName::ALL.iter().position(|known| *known == name);
        counts.sort_by_key(|count| place(count.0));
        Ok(counts)
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
        let (token, now) = (new_token()?, self.database.now());
        let statement = claim_statement(CLAIM, now, &token, worker, term);
        let statement = statement
            .bind(i64::try_from(limits.archives).unwrap_or(i64::MAX))
            .bind(limits.campaigns);
        self.claimed(statement, token).await
    }

    async fn take_over(
        &self,
        worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError> {
        let (token, now) = (new_token()?, self.database.now());
        let statement = claim_statement(TAKE_OVER, now, &token, worker, term);
        self.claimed(statement, token).await
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        let pairs: Vec<_> = held
            .iter()
            .map(|lease| [lease.job.as_str(), lease.token.as_str()])
            .collect();
        let statement = sqlx::query(RENEW)
            .bind(after(self.database.now(), term))
            .bind(serde_json::to_string(&pairs).map_err(Failure::from)?);
        let rows = self.change(statement).await?;
        let read = |row: &SqliteRow| -> Result<Renewed, RowError> {
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
        let (id, token) = (lease.job.clone(), lease.token.clone());
        let given = self.database.writer.run(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query(GIVE_BACK)
                    .bind(id.as_str())
                    .bind(token.as_str());
                match statement.execute(connection).await?.rows_affected() {
                    0 => Err(Failure::from(lost(&id))),
                    _ => Ok(()),
                }
            })
        });
        given.await?;
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
        let statement = sqlx::query(SIGNED_IN).bind(owner.to_string());
        let rows = self.change(statement).await?;
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
        let (owner, job, by) = (owner.clone(), id.clone(), by.clone());
        let wished = self.database.writer.transaction(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query(WISH)
                    .bind(job.as_str())
                    .bind(owner.to_string())
                    .bind(wish_name(wish))
                    .bind(by.to_string());
                if statement.execute(&mut *connection).await?.rows_affected() > 0 {
                    return Ok(());
                }
                let theirs = sqlx::query("SELECT 1 FROM jobs WHERE id = ? AND owner = ?")
                    .bind(job.as_str())
                    .bind(owner.to_string());
                match theirs.fetch_optional(connection).await? {
                    Some(_) => Err(Failure::from(conflict(&job))),
                    None => Err(Failure::from(unknown(&job))),
                }
            })
        });
        wished.await?;
        self.notify(id);
        Ok(())
    }

    async fn record_progress(
        &self,
        progress: &[(Lease, JobProgress)],
    ) -> Result<(), JobStoreError> {
        let mut rows = Vec::with_capacity(progress.len());
        for (lease, progress) in progress {
            let json = serde_json::to_string(progress).map_err(Failure::from)?;
            let bytes = i64::try_from(progress.bytes()).unwrap_or(i64::MAX);
            rows.push((lease.clone(), json, bytes));
        }
        self.write(move |connection| {
            Box::pin(async move {
                for (lease, json, bytes) in rows {
                    sqlx::query(PROGRESS)
                        .bind(json)
                        .bind(bytes)
                        .bind(lease.job.as_str())
                        .bind(lease.token.as_str())
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
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
        let rows = self.change(sqlx::query(VOID)).await?;
        for row in &rows {
            self.notify(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.changes.watch()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now())
    }
}
