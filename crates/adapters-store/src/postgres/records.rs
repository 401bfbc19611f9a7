//! Records of runs in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, RunRecord, RunRecords, RunRecordsError, RunWriter};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::database::{PostgresDatabase, Query};
use super::error::may_pass;
use crate::columns::{RowError, count_column, number_column};
use crate::failure::{Engine as _, said_once};
use crate::rows::{Columns as _, read_id};
use crate::token::new_token;

/// Whether `$2` holds the job, or nobody does where `$2` is null. The row lock makes a claim at the same time wait for the rest of the
/// statement, and the other way round: where the claim comes first, the token no longer matches and nothing is written.
macro_rules! held {
    () => {
        "WITH held AS MATERIALIZED (SELECT id FROM jobs WHERE id = $1 AND token IS NOT DISTINCT FROM $2 FOR SHARE) "
    };
}

/// Sent again after a lost connection it writes nothing more: a batch is written once.
const APPEND: &str = concat!(
    held!(),
    ", written AS (INSERT INTO run_records (job, batch, place, content) \
        SELECT held.id, $3, given.place, given.content FROM held, unnest($4::bytea[]) WITH ORDINALITY AS given (content, place) \
        ORDER BY given.place ON CONFLICT (batch, place) DO NOTHING) \
    SELECT id FROM held"
);

const DELETE: &str = concat!(
    held!(),
    ", deleted AS (DELETE FROM run_records WHERE job IN (SELECT id FROM held)) SELECT id FROM held"
);

/// As many as have so many bytes together, and one where there is one.
const READ: &str = "SELECT number, content FROM (SELECT number, content, \
        sum(length(content)) OVER (ORDER BY number) AS bytes, row_number() OVER (ORDER BY number) AS place \
        FROM (SELECT * FROM run_records WHERE job = $1 AND number > $2 ORDER BY number LIMIT 10000) AS following) AS page \
    WHERE bytes <= $3 OR place = 1 ORDER BY number";

const JOBS: &str = "SELECT DISTINCT job FROM run_records ORDER BY job";

/// The first pause before a database that does not answer is asked again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The records of a [`PostgresDatabase`].
pub struct PostgresRunRecords {
    database: PostgresDatabase,
    patience: Duration,
}

fn failure(error: sqlx::Error) -> RunRecordsError {
    if sqlx::Postgres::is_full(&error) {
        RunRecordsError::NoSpace(said_once(error))
    } else {
        RunRecordsError::Unavailable(said_once(error))
    }
}

fn unreadable(error: RowError) -> RunRecordsError {
    RunRecordsError::Unavailable(error)
}

impl PostgresRunRecords {
    /// The records of this database. While it is away, it is asked again for a lease's `term`, less the quarter after which a holder may
    /// not write any more.
    pub fn new(database: &PostgresDatabase, term: Duration) -> Self {
        Self {
            database: database.clone(),
            patience: term.saturating_sub(term / 4),
        }
    }

    /// Sends a statement until the database answers, or patience ends.
    async fn patiently<'q>(
        &self,
        statement: impl Fn() -> Query<'q> + Send,
    ) -> Result<Vec<PgRow>, RunRecordsError> {
        let until = tokio::time::Instant::now() + self.patience;
        let mut pause = PAUSES.0;
        loop {
            match statement().fetch_all(&self.database.pool).await {
                Err(error) if may_pass(&error) && tokio::time::Instant::now() + pause < until => {
                    tracing::warn!(%error, "the database does not answer: it is asked again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                rows => return rows.map_err(failure),
            }
        }
    }
}

fn token_of(writer: &RunWriter) -> Option<&str> {
    match writer {
        RunWriter::Holder(lease) => Some(lease.token.as_str()),
        RunWriter::Sweeper(_) => None,
    }
}

fn held_or_lost(writer: &RunWriter, held: &[PgRow]) -> Result<(), RunRecordsError> {
    match held {
        [_, ..] => Ok(()),
        [] => Err(RunRecordsError::Lost {
            id: writer.job().clone(),
        }),
    }
}

#[async_trait]
impl RunRecords for PostgresRunRecords {
    async fn append(
        &self,
        writer: &RunWriter,
        contents: Vec<Bytes>,
    ) -> Result<(), RunRecordsError> {
        let batch = new_token().map_err(|error| RunRecordsError::Unavailable(Box::new(error)))?;
        let contents: Vec<&[u8]> = contents.iter().map(|content| &**content).collect();
        let held = self
            .patiently(|| {
                sqlx::query(APPEND)
                    .bind(writer.job().as_str())
                    .bind(token_of(writer))
                    .bind(batch.as_str())
                    .bind(&contents)
            })
            .await?;
        held_or_lost(writer, &held)
    }

    async fn read(
        &self,
        job: &JobId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<RunRecord>, RunRecordsError> {
        let rows = self
            .patiently(|| {
                sqlx::query(READ)
                    .bind(job.as_str())
                    .bind(number_column(after))
                    .bind(count_column(bytes))
            })
            .await?;
        let read = |row: &PgRow| -> Result<RunRecord, RowError> {
            let content: Vec<u8> = row.try_get("content")?;
            Ok(RunRecord {
                number: row.number("number")?,
                content: content.into(),
            })
        };
        let records = rows.iter().map(read).collect::<Result<_, _>>();
        records.map_err(unreadable)
    }

    async fn delete(&self, writer: &RunWriter) -> Result<(), RunRecordsError> {
        let held = self
            .patiently(|| {
                sqlx::query(DELETE)
                    .bind(writer.job().as_str())
                    .bind(token_of(writer))
            })
            .await?;
        held_or_lost(writer, &held)
    }

    async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError> {
        let rows = self.patiently(|| sqlx::query(JOBS)).await?;
        let ids = rows.iter().map(|row| read_id(row, "job"));
        ids.collect::<Result<_, _>>().map_err(unreadable)
    }
}
