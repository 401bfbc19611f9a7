//! Who runs a job: claims, and leases that are renewed and given back.

use std::time::Duration;

use domain::jobs::{Claim, ClaimLimits, JobProgress, Lease, Renewed, StoredJob, Token, WorkerId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::database::Database;
use super::error::Failure;
use super::statements::{CLAIM, PROGRESS, RENEW, TAKE_OVER};
use super::writer::Statement;
use crate::columns::{RowError, count_column, number_column};
use crate::failure::lost;
use crate::moments::{after, to_column};
use crate::rows::{read_id, read_job, read_wish};
use crate::statements::GIVE_BACK;
use crate::token::new_token;

/// The job that is next, within these limits.
pub(super) async fn claim(
    database: &Database,
    worker: &WorkerId,
    term: Duration,
    limits: ClaimLimits,
) -> Result<Option<Claim>, Failure> {
    let token = new_token()?;
    let statement = claim_statement(CLAIM, database.now(), &token, worker, term)
        .bind(count_column(limits.archives))
        .bind(limits.campaigns);
    claimed(database, statement, token).await
}

/// A job whose lease ran out.
pub(super) async fn take_over(
    database: &Database,
    worker: &WorkerId,
    term: Duration,
) -> Result<Option<Claim>, Failure> {
    let token = new_token()?;
    let statement = claim_statement(TAKE_OVER, database.now(), &token, worker, term);
    claimed(database, statement, token).await
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

async fn claimed(
    database: &Database,
    statement: Statement<'static>,
    token: Token,
) -> Result<Option<Claim>, Failure> {
    let rows = database.writer.rows(statement).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let StoredJob { job, version } = read_job(row)?;
    let lease = Lease {
        job: job.id.clone(),
        token,
    };
    let wish = read_wish(row)?;
    Ok(Some(Claim {
        job,
        version,
        lease,
        wish,
    }))
}

/// Those of these leases that are still held, which now last so long.
pub(super) async fn renew(
    database: &Database,
    held: &[Lease],
    term: Duration,
) -> Result<Vec<Renewed>, Failure> {
    let pairs: Vec<_> = held
        .iter()
        .map(|lease| [lease.job.as_str(), lease.token.as_str()])
        .collect();
    let statement = sqlx::query(RENEW)
        .bind(after(database.now(), term))
        .bind(serde_json::to_string(&pairs)?);
    let rows = database.writer.rows(statement).await?;
    let read = |row: &SqliteRow| -> Result<Renewed, RowError> {
        let lease = Lease {
            job: read_id(row, "id")?,
            token: Token::parse(row.try_get("token")?)?,
        };
        let wish = read_wish(row)?;
        Ok(Renewed { lease, wish })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Its holder runs the job no longer: it is queued again.
pub(super) async fn give_back(database: &Database, lease: &Lease) -> Result<(), Failure> {
    let statement = sqlx::query(GIVE_BACK)
        .bind(lease.job.as_str().to_owned())
        .bind(lease.token.as_str().to_owned());
    let given = database.writer.rows(statement).await?;
    given.first().ok_or_else(|| lost(&lease.job))?;
    Ok(())
}

/// How far each of these runs is. One whose lease is lost says nothing.
pub(super) async fn record_progress(
    connection: &mut SqliteConnection,
    progress: Vec<(Lease, JobProgress)>,
) -> Result<(), Failure> {
    for (lease, progress) in progress {
        sqlx::query(PROGRESS)
            .bind(serde_json::to_string(&progress)?)
            .bind(number_column(progress.bytes()))
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
