//! One transaction in PostgreSQL, and the statements of its steps that are written for it.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres};

use super::database::PostgresDatabase;
use crate::database::{SqlDatabase, Transaction, Tx};
use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::statements::wished;
use crate::work::Work;

/// One transaction.
struct PostgresTransaction<'c> {
    connection: &'c mut PgConnection,
    /// Instead of the database's own clock: in tests.
    given_now: Option<i64>,
}

#[async_trait]
impl Transaction for PostgresTransaction<'_> {
    type Engine = Postgres;
    type Row = PgRow;

    async fn now(&mut self) -> Result<Timestamp, sqlx::Error> {
        PostgresDatabase::now_in(self.given_now, self.connection).await
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = statement.query::<Postgres>();
        query.fetch_all(&mut *self.connection).await
    }
}

#[async_trait]
impl SqlDatabase for PostgresDatabase {
    type Engine = Postgres;
    type Row = PgRow;

    async fn now(&self) -> Result<Timestamp, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        Self::now_in(self.given_now(), &mut connection).await
    }

    async fn read(&self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        statement.query::<Postgres>().fetch_all(&self.pool).await
    }

    async fn write(&self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        self.read(statement).await
    }

    async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self>) -> Work<'c, T, E> + Send + 'static,
    {
        let given_now = self.given_now();
        self.transaction(move |connection| {
            Box::pin(async move {
                let mut transaction = PostgresTransaction {
                    connection,
                    given_now,
                };
                work(&mut transaction).await
            })
        })
        .await
    }

    /// What was deleted may stay in the database's own files for a while, sealed.
    async fn forget_deleted(&self) -> Result<(), sqlx::Error> {
        Ok(())
    }
}

impl Dialect for Postgres {
    /// The number is this lock's only.
    const LOCK_ORDERS: Option<&'static str> = Some("SELECT pg_advisory_xact_lock(1430668609)");
    const JOB_TO_CHANGE: &'static str = "SELECT * FROM jobs WHERE id = $1 FOR UPDATE";
    const HELD_JOB: &'static str = "SELECT * FROM jobs WHERE id = $1 AND token = $2 FOR UPDATE";
    /// `turn` is that of the owner's last claim, so that a new job does not overtake other people's.
    const INSERT_JOB: &'static str = "INSERT INTO jobs (id, owner, request, requested, began, state, waiting_for, retry_at, \
        give_up_at, ended_at, failure, resumable_until, ready_at, expires_at, bag, completeness, paused_since, deaths, notes, turn) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
            (SELECT coalesce(max(claimed), 0) FROM jobs WHERE owner = $2 AND campaign IS NULL)) RETURNING *";
    /// Rows are locked in the order of all that locks many.
    const FAILED_TO_CHANGE: &'static str = "SELECT * FROM jobs WHERE campaign IS NOT NULL AND campaign = $1 AND state = 'failed' \
        AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3 FOR UPDATE";
    const FREE_SLOTS: &'static [&'static str] = &[
        "UPDATE slots SET job = NULL, item = NULL WHERE job = $1",
        "DELETE FROM slots_wanted WHERE job = $1",
    ];
    const DELETE_PROGRESS: Option<&'static str> = Some("DELETE FROM progress WHERE job = $1");
    const DELETE_ADMINISTRATORS: &'static str = "DELETE FROM sealed_credentials WHERE job = $1 \
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE campaign IS NOT NULL AND campaign = $1 \
            AND state IN ('queued', 'running', 'waiting')) RETURNING job";

    const PROGRESS: &'static str = "SELECT progress, serial FROM jobs LEFT JOIN progress ON progress.job = jobs.id WHERE jobs.id = $1";
    const UNFINISHED_CAMPAIGNS: &'static str = "SELECT id, requested_by FROM campaigns AS campaign WHERE EXISTS (SELECT 1 FROM jobs \
        WHERE jobs.campaign = campaign.id AND jobs.state IN ('queued', 'running', 'waiting'))";

    const CAMPAIGN_TO_CHANGE: &'static str = "SELECT * FROM campaigns WHERE id = $1 FOR UPDATE";
    const INSERT_JOBS: &'static str = "INSERT INTO jobs (id, owner, request, requested, state, campaign, ordered_by) \
        SELECT pair ->> 0, pair ->> 1, ($2::jsonb || jsonb_build_object('user', pair ->> 1))::text, $3, 'queued', $4, $5 \
        FROM jsonb_array_elements($1::jsonb) AS given (pair)";
    /// Rows are locked in the order of all that locks many.
    const CANCEL_UNBEGUN: &'static str = "WITH held AS (SELECT id FROM jobs WHERE campaign = $1 AND state = 'queued' AND began IS NULL \
        ORDER BY id FOR UPDATE) \
        UPDATE jobs SET state = 'cancelled', ended_at = $2, version = version + 1, wish = NULL FROM held WHERE jobs.id = held.id \
        RETURNING jobs.id";
    const WISH_CANCELLED: &'static str = concat!(
        "WITH held AS (SELECT id FROM jobs WHERE campaign = $1 AND state IN ('queued', 'running', 'waiting') ORDER BY id FOR UPDATE) ",
        wished!("'cancel'", "$2"),
        "FROM held WHERE jobs.id = held.id RETURNING jobs.id, jobs.owner"
    );
    const INSERT_ENTRIES: &'static str = "WITH about AS (SELECT id, owner, row_number() OVER (ORDER BY id) AS place FROM jobs \
        WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb))), \
        next AS (UPDATE audit_numbers SET last = last + (SELECT count(*) FROM about) RETURNING last) \
        INSERT INTO audit (number, at, action, actor, subject, export) \
        SELECT next.last - (SELECT count(*) FROM about) + place, $2, $3, $4, owner, id FROM about, next ORDER BY place";

    /// Without gaps: whoever writes has the last number for itself until the entry is there.
    const APPEND_ENTRY: &'static str = "WITH next AS (UPDATE audit_numbers SET last = last + 1 RETURNING last) \
        INSERT INTO audit (number, at, action, actor, subject, source, export, sha256, bytes, detail) \
        SELECT last, $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM next RETURNING number";
    const LOCK_DOWNLOAD: Option<&'static str> =
        Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");
    const APPEND_TRANSFER: &'static str =
        "INSERT INTO audit_transfers (number, at, start, bytes) VALUES ($1, $2, $3, $4)";
    const ENTRIES: &'static str = "SELECT audit.*, (SELECT sum(transfer.bytes)::double precision FROM audit_transfers AS transfer \
            WHERE transfer.number = audit.number) AS transferred \
        FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2";
}
