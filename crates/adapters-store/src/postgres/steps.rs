//! The steps of jobs that read and then write: each is run in one transaction.

use bytes::Bytes;
use domain::jobs::{
    Admitted, CampaignId, Job, JobId, JobState, JobStoreError, Lease, Shares, Standing, StoredJob,
    Transfer, Version, WaitingFor, Wish,
};
use domain::model::UserId;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use super::database::{number_column, number_of};
use super::error::Failure;
use super::rows::{bind_job, read_id, read_job, read_wish};
use super::statements::{FAILED_OF_CAMPAIGN, INSERT, UPDATE, UPDATE_LEASED};
use crate::failure::{conflict, lost, unknown};
use crate::moments::{before, from_column, to_column};

/// Of the lock under which orders are taken one after the other: shares are counted over all.
const ADMISSION: i64 = 0x5546_4541;

/// One step of a run that ends it or interrupts it. `report` is what it delivered.
pub(super) async fn leave<F>(
    connection: &mut PgConnection,
    lease: &Lease,
    notes: Vec<String>,
    report: Option<Bytes>,
    step: F,
) -> Result<StoredJob, Failure>
where
    F: FnOnce(&mut Job, Option<Wish>) -> bool + Send,
{
    let lost = || lost(&lease.job);
    let row = sqlx::query("SELECT * FROM jobs WHERE id = $1 AND token = $2 FOR UPDATE")
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
        sqlx::query(
            "INSERT INTO reports (job, report) VALUES ($1, $2) ON CONFLICT (job) DO UPDATE SET report = excluded.report",
        )
        .bind(job.id.as_str())
        .bind(report.to_vec())
        .execute(&mut *connection)
        .await?;
    }
    tidy(connection, &job).await?;
    Ok(read_job(&row)?)
}

/// A job that is over needs no credentials and no slots; nor does one keep slots that waits for a person, perhaps for weeks.
async fn tidy(connection: &mut PgConnection, job: &Job) -> Result<(), sqlx::Error> {
    let waits_for_person = matches!(
        job.state,
        JobState::Waiting {
            waiting_for: WaitingFor::SignIn,
            ..
        }
    );
    if waits_for_person || !job.is_unfinished() {
        for statement in [
            "UPDATE slots SET job = NULL, item = NULL WHERE job = $1",
            "DELETE FROM slots_wanted WHERE job = $1",
        ] {
            let freed = sqlx::query(statement).bind(job.id.as_str());
            freed.execute(&mut *connection).await?;
        }
    }
    if !job.is_unfinished() {
        for statement in [
            "DELETE FROM sealed_credentials WHERE job = $1",
            "DELETE FROM progress WHERE job = $1",
        ] {
            let deleted = sqlx::query(statement).bind(job.id.as_str());
            deleted.execute(&mut *connection).await?;
        }
        if let Some(campaign) = &job.campaign {
            forget_administrator(connection, &campaign.id).await?;
        }
    }
    Ok(())
}

/// With the last job of a campaign the credentials of its administrator go. Where two end in the same moment, the next sweep does that.
pub(super) async fn forget_administrator(
    connection: &mut PgConnection,
    campaign: &CampaignId,
) -> Result<(), sqlx::Error> {
    let deleted = sqlx::query(
        "DELETE FROM sealed_credentials WHERE job = $1 AND NOT EXISTS (SELECT 1 FROM jobs \
         WHERE campaign IS NOT NULL AND campaign = $1 AND state IN ('queued', 'running', 'waiting'))",
    );
    deleted.bind(campaign.as_str()).execute(connection).await?;
    Ok(())
}

pub(super) async fn admit(
    connection: &mut PgConnection,
    mut job: Job,
    shares: &Shares,
    now: Timestamp,
) -> Result<Admitted, Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(ADMISSION)
        .execute(&mut *connection)
        .await?;
    let exists = sqlx::query("SELECT 1 FROM jobs WHERE id = $1").bind(job.id.as_str());
    if exists.fetch_optional(&mut *connection).await?.is_some() {
        return Err(JobStoreError::Exists { id: job.id }.into());
    }
    let unfinished = sqlx::query(
        "SELECT * FROM jobs WHERE owner = $1 AND campaign IS NULL AND state IN ('queued', 'running', 'waiting') AND wish IS NULL \
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
    connection: &mut PgConnection,
    owner: &UserId,
    now: Timestamp,
) -> Result<Standing, Failure> {
    let counts = sqlx::query(
        "SELECT count(*) AS everybodys, count(*) FILTER (WHERE owner = $1) AS theirs FROM jobs \
         WHERE campaign IS NULL AND state IN ('queued', 'running', 'waiting')",
    )
    .bind(owner.to_string())
    .fetch_one(&mut *connection)
    .await?;
    let orders = sqlx::query(
        "SELECT requested FROM jobs WHERE owner = $1 AND campaign IS NULL AND requested > $2 ORDER BY requested",
    )
    .bind(owner.to_string())
    .bind(before(now, Shares::DAY))
    .fetch_all(&mut *connection)
    .await?;
    let archives = sqlx::query(
        "SELECT id FROM jobs WHERE owner = $1 AND campaign IS NULL AND state = 'ready' AND expires_at > $2 ORDER BY requested, id",
    )
    .bind(owner.to_string())
    .bind(to_column(now))
    .fetch_all(&mut *connection)
    .await?;
    let count = |column| -> Result<usize, Failure> {
        Ok(usize::try_from(number_of(&counts, column)?).unwrap_or(usize::MAX))
    };
    let moment = |row: &PgRow| Ok::<_, sqlx::Error>(from_column(row.try_get("requested")?));
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
    connection: &mut PgConnection,
    id: &JobId,
    transfer: Transfer,
) -> Result<(), Failure> {
    let row = sqlx::query("SELECT * FROM jobs WHERE id = $1 FOR UPDATE").bind(id.as_str());
    let row = row.fetch_optional(&mut *connection).await?;
    let mut job = read_job(&row.ok_or_else(|| unknown(id))?)?.job;
    job.record_transfer(&transfer);
    sqlx::query("UPDATE jobs SET downloads = $1, downloads_total = $2 WHERE id = $3")
        .bind(serde_json::to_string(&job.downloads)?)
        .bind(number_column(job.downloads_total))
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn replace(
    connection: &mut PgConnection,
    seen: Version,
    job: &Job,
) -> Result<StoredJob, Failure> {
    let replaced = bind_job(sqlx::query(UPDATE), job)?
        .bind(number_column(seen.0))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = replaced else {
        let exists = sqlx::query("SELECT 1 FROM jobs WHERE id = $1").bind(job.id.as_str());
        return Err(match exists.fetch_optional(connection).await? {
            Some(_) => conflict(&job.id).into(),
            None => unknown(&job.id).into(),
        });
    };
    tidy(connection, job).await?;
    Ok(read_job(&row)?)
}

/// Failed jobs that are read at a time.
const PAGE: i64 = 500;

/// Queues those failed jobs of a campaign again that can be tried again, and gives them.
pub(super) async fn retry_failed(
    connection: &mut PgConnection,
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
