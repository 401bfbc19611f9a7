//! Who runs a job: claims.

use std::time::Duration;

use domain::jobs::{Change, Claim, ClaimLimits, JobStoreError, Token, WorkerId};
use sqlx::postgres::PgRow;

use super::database::{PostgresDatabase, nanoseconds};
use super::error::{Failure, is_conflict};
use super::statements::TURN;
use crate::columns::count_column;
use crate::rows::{Columns as _, read_claim};
use crate::s3::FORMAT_VERSION;
use crate::token::new_token;

/// The newest format of the records of runs that this version can read. A job whose runs wrote a newer one is left to others.
const FORMAT: i64 = FORMAT_VERSION as i64;

/// How often a claim is tried again that somebody else was faster with.
const CLAIMS: usize = 8;

/// Claims by this statement. Of two claims that collide, one is tried again.
pub(super) async fn claim_by(
    database: &PostgresDatabase,
    statement: &'static str,
    worker: &WorkerId,
    term: Duration,
    limits: Option<ClaimLimits>,
) -> Result<Option<Claim>, JobStoreError> {
    for _ in 0..CLAIMS {
        let token = new_token()?;
        let mut query = sqlx::query(statement)
            .bind(database.given_now())
            .bind(token.as_str())
            .bind(worker.as_str())
            .bind(nanoseconds(term))
            .bind(FORMAT);
        if let Some(ClaimLimits {
            archives,
            campaigns,
        }) = limits
        {
            query = query.bind(count_column(archives)).bind(campaigns);
        }
        let rows = match query.fetch_all(&database.pool).await {
            Err(error) if is_conflict(&error) => continue,
            rows => rows.map_err(Failure::from)?,
        };
        return match rows.first() {
            Some(row) => claimed(database, row, token).await.map(Some),
            None => Ok(None),
        };
    }
    Ok(None)
}

async fn claimed(
    database: &PostgresDatabase,
    row: &PgRow,
    token: Token,
) -> Result<Claim, JobStoreError> {
    let claim = read_claim(row, token).map_err(Failure::from)?;
    let job = &claim.job;
    let served = row.integer("claimed").map_err(Failure::from)?;
    // A campaign's job takes nothing of its person's turn.
    if job.campaign.is_none() {
        let turn = sqlx::query(TURN).bind(job.owner.to_string()).bind(served);
        if let Err(error) = turn.execute(&database.pool).await {
            // The owner's next job is only earlier than it should be.
            tracing::debug!(%error, "the turn of an owner could not be recorded");
        }
    }
    database.signals.notify(Change::Job(job.id.clone()));
    Ok(claim)
}
