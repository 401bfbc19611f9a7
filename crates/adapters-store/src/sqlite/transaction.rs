//! One transaction in SQLite, and the statements of its steps that are written for it.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection};

use super::error::Failure;
use crate::statement::Statement;
use crate::statements::{CAMPAIGN, JOB, wished};
use crate::steps::{Dialect, Transaction};

/// One transaction of the only connection that writes: nothing that it reads is changed by anybody else meanwhile.
pub(super) struct SqliteTransaction<'c> {
    connection: &'c mut SqliteConnection,
    now: Timestamp,
}

impl<'c> SqliteTransaction<'c> {
    pub(super) fn new(connection: &'c mut SqliteConnection, now: Timestamp) -> Self {
        Self { connection, now }
    }
}

#[async_trait]
impl Transaction for SqliteTransaction<'_> {
    type Engine = Sqlite;
    type Row = SqliteRow;

    async fn now(&mut self) -> Result<Timestamp, Failure> {
        Ok(self.now)
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, Failure> {
        let query = statement.query::<Sqlite>();
        Ok(query.fetch_all(&mut *self.connection).await?)
    }
}

/// Slots are the process's own, and how far a run is stands in its job's row.
impl Dialect for Sqlite {
    const LOCK_ORDERS: Option<&'static str> = None;
    const JOB_TO_CHANGE: &'static str = JOB;
    const HELD_JOB: &'static str = "SELECT * FROM jobs WHERE id = $1 AND token = $2";
    const INSERT_JOB: &'static str = "INSERT INTO jobs (id, owner, request, requested, began, state, waiting_for, retry_at, \
        give_up_at, ended_at, failure, resumable_until, ready_at, expires_at, bag, completeness, paused_since, deaths, notes) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) RETURNING *";
    const FAILED_TO_CHANGE: &'static str = "SELECT * FROM jobs WHERE campaign IS NOT NULL AND campaign = $1 AND state = 'failed' \
        AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3";
    const FREE_SLOTS: &'static [&'static str] = &[];
    const DELETE_PROGRESS: Option<&'static str> = None;
    const DELETE_ADMINISTRATORS: &'static str = "DELETE FROM sealed_credentials WHERE job = $1 \
        AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_unfinished_of_campaign WHERE campaign IS NOT NULL AND campaign = $1 \
            AND state IN ('queued', 'running', 'waiting')) RETURNING job";

    const PROGRESS: &'static str =
        "SELECT progress, progress_serial AS serial FROM jobs WHERE id = $1";
    const UNFINISHED_CAMPAIGNS: &'static str = "SELECT id, requested_by FROM campaigns AS campaign \
        WHERE EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_unfinished_of_campaign \
            WHERE jobs.campaign IS NOT NULL AND jobs.campaign = campaign.id AND jobs.state IN ('queued', 'running', 'waiting'))";

    const CAMPAIGN_TO_CHANGE: &'static str = CAMPAIGN;
    const INSERT_JOBS: &'static str = "INSERT INTO jobs (id, owner, request, requested, state, campaign, ordered_by) \
        SELECT value ->> 0, value ->> 1, json_set($2, '$.user', value ->> 1), $3, 'queued', $4, $5 FROM json_each($1)";
    const CANCEL_UNBEGUN: &'static str = "UPDATE jobs SET state = 'cancelled', ended_at = $2, version = version + 1, wish = NULL \
        WHERE campaign = $1 AND state = 'queued' AND began IS NULL RETURNING id";
    const WISH_CANCELLED: &'static str = concat!(
        wished!("'cancel'", "$2"),
        "WHERE campaign = $1 AND state IN ('queued', 'running', 'waiting') RETURNING id, owner"
    );
    const INSERT_ENTRIES: &'static str = "INSERT INTO audit (number, at, action, actor, subject, export) \
        SELECT (SELECT coalesce(max(number), 0) FROM audit) + row_number() OVER (ORDER BY id), $2, $3, $4, owner, id \
        FROM jobs WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id";
}
