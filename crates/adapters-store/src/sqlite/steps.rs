//! The steps of jobs that read and then write: each is run in one transaction.

use bytes::Bytes;
use domain::jobs::{
    Admitted, CampaignId, Job, JobId, JobProgress, JobStoreError, Lease, Shares, Standing,
    StoredJob, Transfer, Version, Wish,
};
use domain::model::UserId;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::error::Failure;
use super::rows::{bind_job, read_id, read_job, read_number, read_wish, wish_name};
use super::statements::{FAILED_OF_CAMPAIGN, INSERT, PROGRESS, UPDATE, UPDATE_LEASED, WISH};
use crate::failure::{conflict, lost, unknown};
use crate::moments::{before, from_column, to_column};

/// One step of a run that ends it or interrupts it. `report` is what it delivered.
pub(super) async fn leave<F>(
    connection: &mut SqliteConnection,
    lease: &Lease,
    notes: Vec<String>,
    report: Option<Bytes>,
    step: F,
) -> Result<(StoredJob, bool), Failure>
where
    F: FnOnce(&mut Job, Option<Wish>) -> bool + Send,
{
    let lost = || lost(&lease.job);
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
    if let Some(report) = report {
        sqlx::query("INSERT OR REPLACE INTO reports (job, report) VALUES (?, ?)")
            .bind(job.id.as_str())
            .bind(report.to_vec())
            .execute(&mut *connection)
            .await?;
    }
    let had_credentials = delete_credentials(connection, &job).await?;
    Ok((read_job(&row)?, had_credentials))
}

/// Those of a job, and with the last job of a campaign those of its administrator.
const DELETE_CREDENTIALS: &str = "DELETE FROM sealed_credentials WHERE job = ?1 OR (job = ?2 AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_unfinished_of_campaign \
    WHERE campaign IS NOT NULL AND campaign = ?2 AND state IN ('queued', 'running', 'waiting')))";

/// A job that is over needs no credentials. Gives whether there were some.
async fn delete_credentials(
    connection: &mut SqliteConnection,
    job: &Job,
) -> Result<bool, sqlx::Error> {
    if job.is_unfinished() {
        return Ok(false);
    }
    let campaign = job.campaign.as_ref().map(|campaign| campaign.id.as_str());
    let deleted = sqlx::query(DELETE_CREDENTIALS)
        .bind(job.id.as_str())
        .bind(campaign);
    Ok(deleted.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn admit(
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
        "SELECT * FROM jobs WHERE owner = ? AND campaign IS NULL AND state IN ('queued', 'running', 'waiting') AND wish IS NULL \
         ORDER BY requested, id",
    )
    .bind(job.owner.to_string());
    for row in unfinished.fetch_all(&mut *connection).await? {
        let stored = read_job(&row)?;
        if stored.job.request == job.request {
            return Ok(Admitted::Same(stored));
        }
    }
    let standing = standing(connection, &job.owner, now).await?;
    let remark = shares.remark(&standing);
    shares.check(standing, now)?;
    job.requested = now;
    job.add_notes(remark.into_iter().collect());
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
         WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting')",
    )
    .bind(owner.to_string())
    .fetch_one(&mut *connection)
    .await?;
    let orders = sqlx::query(
        "SELECT requested FROM jobs WHERE owner = ? AND campaign IS NULL AND requested > ? ORDER BY requested",
    )
    .bind(owner.to_string())
    .bind(before(now, Shares::DAY))
    .fetch_all(&mut *connection)
    .await?;
    let archives = sqlx::query(
        "SELECT id FROM jobs WHERE owner = ? AND campaign IS NULL AND state = 'ready' AND expires_at > ? ORDER BY requested, id",
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

pub(super) async fn add_transfer(
    connection: &mut SqliteConnection,
    id: &JobId,
    transfer: Transfer,
) -> Result<(), Failure> {
    let row = sqlx::query("SELECT * FROM jobs WHERE id = ?").bind(id.as_str());
    let row = row.fetch_optional(&mut *connection).await?;
    let mut job = read_job(&row.ok_or_else(|| unknown(id))?)?.job;
    job.record_transfer(&transfer);
    sqlx::query("UPDATE jobs SET downloads = ?, downloads_total = ? WHERE id = ?")
        .bind(serde_json::to_string(&job.downloads)?)
        .bind(i64::try_from(job.downloads_total).unwrap_or(i64::MAX))
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn replace(
    connection: &mut SqliteConnection,
    seen: Version,
    job: &Job,
) -> Result<(StoredJob, bool), Failure> {
    let replaced = bind_job(sqlx::query(UPDATE), job)?
        .bind(i64::try_from(seen.0).unwrap_or(i64::MAX))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = replaced else {
        let exists = sqlx::query("SELECT 1 FROM jobs WHERE id = ?").bind(job.id.as_str());
        return Err(match exists.fetch_optional(connection).await? {
            Some(_) => conflict(&job.id).into(),
            None => unknown(&job.id).into(),
        });
    };
    let had_credentials = delete_credentials(connection, job).await?;
    Ok((read_job(&row)?, had_credentials))
}

/// Failed jobs that are read at a time.
const PAGE: i64 = 500;

/// Queues those failed jobs of a campaign again that can be tried again, and gives them.
pub(super) async fn retry_failed(
    connection: &mut SqliteConnection,
    campaign: &CampaignId,
    now: Timestamp,
) -> Result<Vec<JobId>, Failure> {
    let mut retried = Vec::new();
    let mut after = None;
    loop {
        let page = sqlx::query(FAILED_OF_CAMPAIGN)
            .bind(campaign.as_str())
            .bind(after.as_ref().map(JobId::as_str))
            .bind(PAGE);
        let rows = page.fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else {
            return Ok(retried);
        };
        after = Some(read_id(last, "id")?);
        for row in &rows {
            let StoredJob { mut job, version } = read_job(row)?;
            if job.retry(now).is_ok() {
                replace(connection, version, &job).await?;
                retried.push(job.id);
            }
        }
    }
}

/// Wants this of a job of the owner that is not over.
pub(super) async fn wish(
    connection: &mut SqliteConnection,
    owner: &UserId,
    id: &JobId,
    wish: Wish,
    by: &UserId,
) -> Result<(), Failure> {
    let statement = sqlx::query(WISH)
        .bind(id.as_str())
        .bind(owner.to_string())
        .bind(wish_name(wish))
        .bind(by.to_string());
    if statement.execute(&mut *connection).await?.rows_affected() > 0 {
        return Ok(());
    }
    let theirs = sqlx::query("SELECT 1 FROM jobs WHERE id = ? AND owner = ?")
        .bind(id.as_str())
        .bind(owner.to_string());
    match theirs.fetch_optional(connection).await? {
        Some(_) => Err(conflict(id).into()),
        None => Err(unknown(id).into()),
    }
}

/// How far each of these runs is. One whose lease is lost says nothing.
pub(super) async fn record_progress(
    connection: &mut SqliteConnection,
    progress: Vec<(Lease, JobProgress)>,
) -> Result<(), Failure> {
    for (lease, progress) in progress {
        sqlx::query(PROGRESS)
            .bind(serde_json::to_string(&progress)?)
            .bind(i64::try_from(progress.bytes()).unwrap_or(i64::MAX))
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
