//! The audit trail in PostgreSQL.

use async_trait::async_trait;
use domain::jobs::{
    AuditEntry, AuditError, AuditLog, AuditPage, DownloadRecord, NumberedEntry, TransferEntry,
};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, Row as _};

use super::database::PostgresDatabase;
use crate::columns::{RowError, count_column, download, number_column};
use crate::moments::{after, before, to_column};
use crate::rows::{Columns as _, read_audit_entry};

/// Without gaps: whoever writes has the last number for itself until the entry is there.
const APPEND: &str = "WITH next AS (UPDATE audit_numbers SET last = last + 1 RETURNING last) \
    INSERT INTO audit (number, at, action, actor, subject, source, export, sha256, bytes, detail) \
    SELECT last, $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM next RETURNING number";

/// Transfers of one download are added one after the other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

/// The latest download that a transfer belongs to.
const DOWNLOAD: &str = "SELECT number FROM audit WHERE action = 'downloaded' AND export = $1 AND actor = $2 AND source = $3 \
    AND (SELECT max(transfer.at) FROM audit_transfers AS transfer WHERE transfer.number = audit.number) BETWEEN $4 AND $5 \
    ORDER BY number DESC LIMIT 1";

const TRANSFER: &str =
    "INSERT INTO audit_transfers (number, at, start, bytes) VALUES ($1, $2, $3, $4)";

const PAGE: &str = "SELECT audit.*, (SELECT sum(transfer.bytes)::double precision FROM audit_transfers AS transfer \
        WHERE transfer.number = audit.number) AS transferred \
    FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2";

type Failure = crate::failure::Failure<Postgres, AuditError>;

/// The audit trail of a [`PostgresDatabase`].
pub struct PostgresAudit {
    database: PostgresDatabase,
}

impl PostgresAudit {
    /// The audit trail of this database.
    pub fn new(database: &PostgresDatabase) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

async fn append<'e>(
    executor: impl sqlx::PgExecutor<'e>,
    entry: &AuditEntry,
) -> Result<u64, Failure> {
    let row = sqlx::query(APPEND)
        .bind(to_column(entry.at))
        .bind(entry.action.name())
        .bind(entry.actor.as_ref().map(ToString::to_string))
        .bind(entry.subject.as_ref().map(ToString::to_string))
        .bind(entry.from.clone())
        .bind(entry.export.as_ref().map(ToString::to_string))
        .bind(entry.sha256.as_ref().map(ToString::to_string))
        .bind(entry.bytes.map(number_column))
        .bind(entry.detail.clone())
        .fetch_one(executor)
        .await?;
    Ok(row.number("number")?)
}

async fn append_transfer(
    connection: &mut PgConnection,
    transfer: TransferEntry,
) -> Result<u64, Failure> {
    sqlx::query(LOCK)
        .bind(format!("{} {}", transfer.export, transfer.actor))
        .execute(&mut *connection)
        .await?;
    let found = sqlx::query(DOWNLOAD)
        .bind(transfer.export.as_str())
        .bind(transfer.actor.to_string())
        .bind(transfer.from.clone())
        .bind(before(transfer.at, DownloadRecord::PAUSE))
        .bind(after(transfer.at, DownloadRecord::PAUSE))
        .fetch_optional(&mut *connection)
        .await?;
    let (at, start, bytes) = (transfer.at, transfer.offset, transfer.bytes);
    let number = match found {
        Some(row) => row.number("number")?,
        None => append(&mut *connection, &download(transfer)).await?,
    };
    sqlx::query(TRANSFER)
        .bind(number_column(number))
        .bind(to_column(at))
        .bind(number_column(start))
        .bind(number_column(bytes))
        .execute(connection)
        .await?;
    Ok(number)
}

#[async_trait]
impl AuditLog for PostgresAudit {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        Ok(append(&self.database.pool, &entry).await?)
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        let appended = self.database.transaction(move |connection| {
            Box::pin(async move { append_transfer(connection, transfer).await })
        });
        Ok(appended.await?)
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        let rows = sqlx::query(PAGE)
            .bind(page.before.map_or(i64::MAX, number_column))
            .bind(count_column(page.limit))
            .fetch_all(&self.database.pool)
            .await
            .map_err(Failure::from)?;
        let entries = rows.iter().map(read_entry).collect::<Result<_, _>>();
        entries.map_err(AuditError::Unavailable)
    }
}

fn read_entry(row: &PgRow) -> Result<NumberedEntry, RowError> {
    read_audit_entry(row, row.try_get("transferred")?)
}
