//! Who runs a job: claims, and leases that are renewed and given back.

use std::time::Duration;

use domain::jobs::{Claim, ClaimLimits, JobProgress, Lease, Renewed, Token, WorkerId};
use jiff::Timestamp;

use super::database::Database;
use super::error::Failure;
use super::statements::{CLAIM, PROGRESS, RENEW, TAKE_OVER};
use super::writer::Query;
use crate::columns::{count_column, number_column};
use crate::database::Tx;
use crate::moments::{after, to_column};
use crate::rows::{read_claim, read_renewed};
use crate::statement::Statement;
use crate::token::new_token;

/// The job that is next, within these limits; without limits one whose lease ran out.
pub(super) async fn claim(
    database: &Database,
    worker: &WorkerId,
    term: Duration,
    limits: Option<ClaimLimits>,
) -> Result<Option<Claim>, Failure> {
    let token = new_token()?;
    let begun = |sql| claim_statement(sql, database.now(), &token, worker, term);
    let statement = match limits {
        Some(limits) => begun(CLAIM)
            .bind(count_column(limits.archives))
            .bind(limits.campaigns),
        None => begun(TAKE_OVER),
    };
    claimed(database, statement, token).await
}

/// The parameters that every claim begins with.
fn claim_statement(
    statement: &'static str,
    now: Timestamp,
    token: &Token,
    worker: &WorkerId,
    term: Duration,
) -> Query<'static> {
    sqlx::query(statement)
        .bind(to_column(now))
        .bind(token.as_str().to_owned())
        .bind(worker.as_str().to_owned())
        .bind(after(now, term))
}

async fn claimed(
    database: &Database,
    statement: Query<'static>,
    token: Token,
) -> Result<Option<Claim>, Failure> {
    let rows = database.writer.rows(statement).await?;
    let claim = rows.first().map(|row| read_claim(row, token));
    Ok(claim.transpose()?)
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
    Ok(read_renewed(&rows)?)
}

/// How far each of these runs is. One whose lease is lost says nothing.
pub(super) async fn record_progress(
    tx: Tx<'_, Database>,
    progress: Vec<(Lease, JobProgress)>,
) -> Result<(), Failure> {
    for (lease, progress) in progress {
        let statement = Statement::of(PROGRESS)
            .bind(serde_json::to_string(&progress)?)
            .bind(number_column(progress.bytes()))
            .bind(lease.job.as_str())
            .bind(lease.token.as_str());
        tx.rows(statement).await?;
    }
    Ok(())
}
