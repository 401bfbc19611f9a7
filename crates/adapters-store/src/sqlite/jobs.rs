//! Jobs in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Admitted, Change, Claim, Ending, Job, JobId, JobPage, JobProgress, JobStateName, JobStore,
    JobStoreError, Lease, Pause, Renewed, Shares, Standing, StoredJob, Token, Transfer, Version,
    Whose, Wish, WorkerId,
};
use domain::model::UserId;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::database::Database;
use super::moments::{after, before, from_column, to_column};
use super::rows::{
    INSERT, RowError, Statement, UPDATE, UPDATE_LEASED, bind_job, read_id, read_job, read_name,
    read_number, read_wish, wish_name,
};
use super::writer::Work;

/// Changes that a watcher may be behind.
const CHANGES_KEPT: usize = 1024;

/// First the jobs whose lease ran out; then those whose turn it is, where nothing of their owner runs: the owner who was served the
/// longest ago, what is to be given up, what was asked for first. All of it is one statement: nobody can come in between.
const CLAIM: &str = "UPDATE jobs SET state = 'running', deaths = deaths + (state = 'running'), began = coalesce(began, ?1), \
    token = ?2, worker = ?3, lease_until = ?4, version = version + 1, waiting_for = NULL, retry_at = NULL, give_up_at = NULL, \
    claimed = (SELECT max(claimed) + 1 FROM jobs) \
    WHERE id = (SELECT id FROM jobs AS job \
        WHERE state IN ('queued', 'running', 'waiting') AND ((state = 'running' AND lease_until <= ?1) \
            OR ((state = 'queued' OR (state = 'waiting' AND retry_at <= ?1 AND give_up_at > ?1)) \
                AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.owner = job.owner AND other.state = 'running'))) \
        ORDER BY state <> 'running', (SELECT max(claimed) FROM jobs AS other WHERE other.owner = job.owner), wish IS NULL, \
            requested, id \
        LIMIT 1) \
    RETURNING *";

const RENEW: &str = "UPDATE jobs SET lease_until = ?1 WHERE state = 'running' \
    AND (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2)) RETURNING id, token, wish";

const GIVE_BACK: &str = "UPDATE jobs SET state = 'queued', token = NULL, worker = NULL, lease_until = NULL, \
    version = version + 1 WHERE id = ? AND token = ?";

const VOID: &str = "UPDATE jobs SET state = 'queued', token = NULL, worker = NULL, lease_until = NULL, \
    deaths = deaths + 1, version = version + 1 WHERE state = 'running' RETURNING id";

const SIGNED_IN: &str = "UPDATE jobs SET state = 'queued', waiting_for = NULL, retry_at = NULL, give_up_at = NULL, \
    version = version + 1 WHERE owner = ? AND state = 'waiting' AND waiting_for = 'sign-in' RETURNING id";

/// The row of a run makes progress when it has more bytes than ever.
const PROGRESS: &str = "UPDATE jobs SET progress = ?1, progress_serial = progress_serial + 1, \
    deaths = CASE WHEN ?2 > most_bytes THEN 0 ELSE deaths END, \
    paused_since = CASE WHEN ?2 > most_bytes THEN NULL ELSE paused_since END, \
    most_bytes = max(most_bytes, ?2) WHERE id = ?3 AND token = ?4";

const WISH: &str = "UPDATE jobs SET wish = ?3, version = version + (state <> 'running'), \
    state = CASE state WHEN 'running' THEN 'running' ELSE 'queued' END, waiting_for = NULL, retry_at = NULL, give_up_at = NULL \
    WHERE id = ?1 AND owner = ?2 AND state IN ('queued', 'running', 'waiting')";

/// A job of the owner, after the one that a page begins after, newest first.
const LIST: &str = "SELECT * FROM jobs WHERE (?1 IS NULL OR owner = ?1) \
    AND (?2 IS NULL OR (requested, id) < (SELECT requested, id FROM jobs WHERE id = ?2)) \
    ORDER BY requested DESC, id DESC LIMIT ?3";

const UNFINISHED: &str =
    "SELECT id, owner FROM jobs WHERE state IN ('queued', 'running', 'waiting')";

const OVERDUE: &str =
    "SELECT * FROM jobs WHERE state = 'ready' AND expires_at <= ? ORDER BY requested, id";

const GIVEN_UP: &str = "SELECT * FROM jobs WHERE (state = 'waiting' AND give_up_at <= ?1) \
    OR (state = 'failed' AND resumable_until <= ?1) ORDER BY requested, id";

/// What statements fail with, until it is known what that means to a caller.
struct Failure(JobStoreError);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(JobStoreError::Unavailable(Box::new(error)))
    }
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        Self(JobStoreError::Unavailable(error))
    }
}

impl From<JobStoreError> for Failure {
    fn from(error: JobStoreError) -> Self {
        Self(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(JobStoreError::Unavailable(Box::new(error)))
    }
}

impl From<Failure> for JobStoreError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// The jobs of a [`Database`].
pub struct SqliteJobStore {
    database: Database,
    changes: broadcast::Sender<Change>,
}

impl SqliteJobStore {
    /// The jobs of this database. Who watches hears of changes that are made through this store.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
        }
    }

    fn tell(&self, id: &JobId) {
        // Nobody may watch.
        let _ = self.changes.send(Change::Job(id.clone()));
    }

    async fn write<T, F>(&self, work: F) -> Result<T, JobStoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, Failure> + Send + 'static,
    {
        Ok(self.database.writer.transaction(work).await?)
    }

    /// One statement that changes rows. Gives the rows that it returns.
    async fn change(&self, statement: Statement<'static>) -> Result<Vec<SqliteRow>, JobStoreError> {
        let rows = self.database.writer.run(move |connection| {
            Box::pin(async move { Ok::<_, Failure>(statement.fetch_all(connection).await?) })
        });
        Ok(rows.await?)
    }

    async fn read(&self, statement: Statement<'_>) -> Result<Vec<StoredJob>, JobStoreError> {
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
        step: F,
    ) -> Result<StoredJob, JobStoreError>
    where
        F: FnOnce(&mut Job, Option<Wish>) -> bool + Send + 'static,
    {
        let lease = lease.clone();
        let (stored, had_credentials) = self
            .write(move |connection| {
                Box::pin(async move { leave(connection, &lease, notes, step).await })
            })
            .await?;
        self.tell(&stored.job.id);
        if had_credentials {
            self.forget_deleted(&stored.job.id).await;
        }
        Ok(stored)
    }

    /// The job is over, whether the bytes of its sealed credentials can be removed at once or not.
    async fn forget_deleted(&self, id: &JobId) {
        if let Err(error) = self.database.truncate_log().await {
            tracing::warn!(job = %id, %error, "the write-ahead log could not be emptied: the next time it is");
        }
    }
}

fn unknown(id: &JobId) -> JobStoreError {
    JobStoreError::Unknown { id: id.clone() }
}

fn conflict(id: &JobId) -> JobStoreError {
    JobStoreError::Conflict { id: id.clone() }
}

async fn leave<F>(
    connection: &mut SqliteConnection,
    lease: &Lease,
    notes: Vec<String>,
    step: F,
) -> Result<(StoredJob, bool), Failure>
where
    F: FnOnce(&mut Job, Option<Wish>) -> bool + Send,
{
    let lost = || JobStoreError::Lost {
        id: lease.job.clone(),
    };
    let row = sqlx::query("SELECT * FROM jobs WHERE id = ? AND token = ?")
        .bind(lease.job.as_str())
        .bind(lease.token.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(lost)?;
    let mut job = read_job(&row)?.job;
    if !step(&mut job, read_wish(&row)?) {
        return Err(lost().into());
    }
    job.add_notes(notes);
    let row = bind_job(sqlx::query(UPDATE_LEASED), &job)?
        .bind(lease.token.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(lost)?;
    let had_credentials = delete_credentials(connection, &job).await?;
    Ok((read_job(&row)?, had_credentials))
}

/// A job that is over needs no credentials. Gives whether there were some.
async fn delete_credentials(
    connection: &mut SqliteConnection,
    job: &Job,
) -> Result<bool, sqlx::Error> {
    if job.is_unfinished() {
        return Ok(false);
    }
    let deleted = sqlx::query("DELETE FROM sealed_credentials WHERE job = ?").bind(job.id.as_str());
    Ok(deleted.execute(connection).await?.rows_affected() > 0)
}

async fn admit(
    connection: &mut SqliteConnection,
    mut job: Job,
    shares: &Shares,
    now: Timestamp,
) -> Result<Admitted, Failure> {
    let exists = sqlx::query("SELECT 1 FROM jobs WHERE id = ?").bind(job.id.as_str());
    if exists.fetch_optional(&mut *connection).await?.is_some() {
        return Err(JobStoreError::Exists { id: job.id }.into());
    }
    let unfinished = sqlx::query(
        "SELECT * FROM jobs WHERE owner = ? AND state IN ('queued', 'running', 'waiting') AND wish IS NULL \
         ORDER BY requested, id",
    )
    .bind(job.owner.to_string());
    for row in unfinished.fetch_all(&mut *connection).await? {
        let stored = read_job(&row)?;
        if stored.job.request == job.request {
            return Ok(Admitted::Same(stored));
        }
    }
    shares.check(standing(connection, &job.owner, now).await?, now)?;
    job.requested = now;
    let inserted = bind_job(sqlx::query(INSERT), &job)?.fetch_one(&mut *connection);
    Ok(Admitted::New(read_job(&inserted.await?)?))
}

async fn standing(
    connection: &mut SqliteConnection,
    owner: &UserId,
    now: Timestamp,
) -> Result<Standing, Failure> {
    let counts = sqlx::query(
        "SELECT count(*) AS everybodys, coalesce(sum(owner = ?), 0) AS theirs FROM jobs \
         WHERE state IN ('queued', 'running', 'waiting')",
    )
    .bind(owner.to_string())
    .fetch_one(&mut *connection)
    .await?;
    let orders = sqlx::query(
        "SELECT requested FROM jobs WHERE owner = ? AND requested > ? ORDER BY requested",
    )
    .bind(owner.to_string())
    .bind(before(now, Shares::DAY))
    .fetch_all(&mut *connection)
    .await?;
    let archives = sqlx::query(
        "SELECT id FROM jobs WHERE owner = ? AND state = 'ready' AND expires_at > ? ORDER BY requested, id",
    )
    .bind(owner.to_string())
    .bind(to_column(now))
    .fetch_all(&mut *connection)
    .await?;
    let count = |column| -> Result<usize, Failure> {
        Ok(usize::try_from(read_number(&counts, column)?).unwrap_or(usize::MAX))
    };
    let moment = |row: &SqliteRow| Ok::<_, sqlx::Error>(from_column(row.try_get("requested")?));
    Ok(Standing {
        unfinished: count("theirs")?,
        unfinished_in_all: count("everybodys")?,
        orders: orders.iter().map(moment).collect::<Result<_, _>>()?,
        archives: archives
            .iter()
            .map(|row| read_id(row, "id"))
            .collect::<Result<_, _>>()?,
    })
}

async fn add_transfer(
    connection: &mut SqliteConnection,
    id: &JobId,
    transfer: Transfer,
) -> Result<(), Failure> {
    let row = sqlx::query("SELECT * FROM jobs WHERE id = ?").bind(id.as_str());
    let row = row.fetch_optional(&mut *connection).await?;
    let mut job = read_job(&row.ok_or_else(|| unknown(id))?)?.job;
    job.record_transfer(transfer);
    sqlx::query("UPDATE jobs SET downloads = ?, downloads_total = ? WHERE id = ?")
        .bind(serde_json::to_string(&job.downloads)?)
        .bind(i64::try_from(job.downloads_total).unwrap_or(i64::MAX))
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn replace(
    connection: &mut SqliteConnection,
    seen: Version,
    job: &Job,
) -> Result<(StoredJob, bool), Failure> {
    let exists = sqlx::query("SELECT 1 FROM jobs WHERE id = ?").bind(job.id.as_str());
    if exists.fetch_optional(&mut *connection).await?.is_none() {
        return Err(unknown(&job.id).into());
    }
    let row = bind_job(sqlx::query(UPDATE), job)?
        .bind(i64::try_from(seen.0).unwrap_or(i64::MAX))
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| conflict(&job.id))?;
    let had_credentials = delete_credentials(connection, job).await?;
    Ok((read_job(&row)?, had_credentials))
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
            self.tell(&stored.job.id);
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
        self.tell(&stored.job.id);
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
        self.tell(id);
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
    ) -> Result<Option<Claim>, JobStoreError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| JobStoreError::Unavailable(Box::new(error)))?;
        let token = Token::of(random);
        let now = self.database.now();
        let statement = sqlx::query(CLAIM)
            .bind(to_column(now))
            .bind(token.as_str().to_owned())
            .bind(worker.as_str().to_owned())
            .bind(after(now, term));
        let rows = self.change(statement).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let StoredJob { job, version } = read_job(row).map_err(Failure::from)?;
        self.tell(&job.id);
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
                    0 => Err(Failure(JobStoreError::Lost { id })),
                    _ => Ok(()),
                }
            })
        });
        given.await?;
        self.tell(&lease.job);
        Ok(())
    }

    async fn pause(
        &self,
        lease: &Lease,
        pause: Pause,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        let now = self.database.now();
        self.leave(lease, notes, move |job, wish| {
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
        self.leave(lease, notes, move |job, _| ending.apply(job, now).is_ok())
            .await
    }

    async fn signed_in(&self, owner: &UserId) -> Result<u64, JobStoreError> {
        let statement = sqlx::query(SIGNED_IN).bind(owner.to_string());
        let rows = self.change(statement).await?;
        for row in &rows {
            self.tell(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
    }

    async fn wish(&self, owner: &UserId, id: &JobId, wish: Wish) -> Result<(), JobStoreError> {
        let (owner, job) = (owner.clone(), id.clone());
        let wished = self.database.writer.transaction(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query(WISH)
                    .bind(job.as_str())
                    .bind(owner.to_string())
                    .bind(wish_name(wish));
                if statement.execute(&mut *connection).await?.rows_affected() > 0 {
                    return Ok(());
                }
                let theirs = sqlx::query("SELECT 1 FROM jobs WHERE id = ? AND owner = ?")
                    .bind(job.as_str())
                    .bind(owner.to_string());
                match theirs.fetch_optional(connection).await? {
                    Some(_) => Err(Failure(conflict(&job))),
                    None => Err(Failure(unknown(&job))),
                }
            })
        });
        wished.await?;
        self.tell(id);
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
            self.tell(&lease.job);
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
            self.tell(&read_id(row, "id").map_err(Failure::from)?);
        }
        Ok(rows.len() as u64)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        // With a sender of its own it never ends.
        let watched = (self.changes.subscribe(), self.changes.clone());
        stream::unfold(watched, |(mut receiver, sender)| async move {
            let change = match receiver.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::Resync,
                Err(RecvError::Closed) => return None,
            };
            Some((change, (receiver, sender)))
        })
        .boxed()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.database.now())
    }
}
