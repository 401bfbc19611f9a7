//! One transaction in SQLite, and the statements of its steps that are written for it.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection};

use super::database::Database;
use crate::database::{SqlDatabase, Transaction, Tx};
use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::statements::{CAMPAIGN, JOB, wished};
use crate::work::Work;

/// One transaction of the only connection that writes: nothing that it reads is changed by anybody else meanwhile.
struct SqliteTransaction<'c> {
    connection: &'c mut SqliteConnection,
    now: Timestamp,
}

#[async_trait]
impl Transaction for SqliteTransaction<'_> {
    type Engine = Sqlite;
    type Row = SqliteRow;

    async fn now(&mut self) -> Result<Timestamp, sqlx::Error> {
        Ok(self.now)
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let query = statement.query::<Sqlite>();
        query.fetch_all(&mut *self.connection).await
    }
}

#[async_trait]
impl SqlDatabase for Database {
    type Engine = Sqlite;
    type Row = SqliteRow;

    async fn now(&self) -> Result<Timestamp, sqlx::Error> {
        Ok(self.clock.now())
    }

    /// By its inode, as SQLite does (`SQLITE_FCNTL_HAS_MOVED`).
    async fn in_place(&self) -> Result<(), sqlx::Error> {
        let found = tokio::fs::symlink_metadata(self.path()).await?;
        if found.ino() == self.inode {
            Ok(())
        } else {
            Err(io::Error::other("the file was replaced while it is open").into())
        }
    }

    async fn read(&self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        statement.query::<Sqlite>().fetch_all(&self.readers).await
    }

    async fn write(&self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.writer.rows(statement.query()).await
    }

    async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self>) -> Work<'c, T, E> + Send + 'static,
    {
        let clock = Arc::clone(&self.clock);
        self.writer
            .transaction(move |connection| {
                Box::pin(async move {
                    let now = clock.now();
                    let mut transaction = SqliteTransaction { connection, now };
                    work(&mut transaction).await
                })
            })
            .await
    }

    async fn forget_deleted(&self) -> Result<(), sqlx::Error> {
        self.truncate_log().await
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

    /// Without gaps: the number is given where the row is written, by the only one who writes.
    const APPEND_ENTRY: &'static str = "INSERT INTO audit (number, at, action, actor, subject, source, export, sha256, bytes, detail) \
        SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM audit RETURNING number";
    const LOCK_DOWNLOAD: Option<&'static str> = None;
    const APPEND_TRANSFER: &'static str = "INSERT INTO audit_transfers (id, number, at, start, bytes) \
        SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4 FROM audit_transfers";
    const ENTRIES: &'static str = "SELECT *, (SELECT CASE count(*) WHEN 0 THEN NULL ELSE total(transfer.bytes) END \
            FROM audit_transfers AS transfer WHERE transfer.number = audit.number) AS transferred \
        FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2";
}
