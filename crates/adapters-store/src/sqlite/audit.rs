//! The audit trail in SQLite.

use async_trait::async_trait;
use domain::jobs::{
    AuditEntry, AuditError, AuditLog, AuditPage, DownloadRecord, NumberedEntry, TransferEntry,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, SqliteConnection};

use super::database::Database;
use crate::columns::{RowError, count_column, download, number_column};
use crate::moments::{after, before, to_column};
use crate::rows::{Columns as _, read_audit_entry};

/// Without gaps: the number is given where the row is written, by the only one who writes.
const APPEND: &str = "INSERT INTO audit (number, at, action, actor, subject, source, export, sha256, bytes, detail) \
    SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM audit RETURNING number";

/// The latest download that a transfer belongs to.
const DOWNLOAD: &str = "SELECT number FROM audit WHERE action = 'downloaded' AND export = ? AND actor = ? AND source = ? \
    AND (SELECT max(transfer.at) FROM audit_transfers AS transfer WHERE transfer.number = audit.number) BETWEEN ? AND ? \
    ORDER BY number DESC LIMIT 1";

const TRANSFER: &str = "INSERT INTO audit_transfers (id, number, at, start, bytes) \
    SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ? FROM audit_transfers";

/// Sums are of floating point: so many bytes that a whole number overflows are an error otherwise.
const PAGE: &str = "SELECT *, (SELECT total(transfer.bytes) FROM audit_transfers AS transfer \
        WHERE transfer.number = audit.number) AS transferred, \
        EXISTS (SELECT 1 FROM audit_transfers AS transfer WHERE transfer.number = audit.number) AS has_transfers \
    FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?";

type Failure = crate::failure::Failure<Sqlite, AuditError>;

/// The audit trail of a [`Database`].
pub struct SqliteAudit {
    database: Database,
}

impl SqliteAudit {
    /// The audit trail of this database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

async fn append(connection: &mut SqliteConnection, entry: &AuditEntry) -> Result<u64, Failure> {
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
        .fetch_one(connection)
        .await?;
    Ok(row.number("number")?)
}

async fn append_transfer(
    connection: &mut SqliteConnection,
    transfer: TransferEntry,
) -> Result<u64, Failure> {
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
        None => append(connection, &download(transfer)).await?,
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
impl AuditLog for SqliteAudit {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        let appended = self
            .database
            .writer
            .run(move |connection| Box::pin(async move { append(connection, &entry).await }));
        Ok(appended.await?)
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        let appended = self.database.writer.transaction(move |connection| {
            Box::pin(async move { append_transfer(connection, transfer).await })
        });
        Ok(appended.await?)
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        let rows = sqlx::query(PAGE)
            .bind(page.before.map_or(i64::MAX, number_column))
            .bind(count_column(page.limit))
            .fetch_all(&self.database.readers)
            .await
            .map_err(Failure::from)?;
        let entries = rows.iter().map(read_entry).collect::<Result<_, _>>();
        entries.map_err(AuditError::Unavailable)
    }
}

fn read_entry(row: &SqliteRow) -> Result<NumberedEntry, RowError> {
    let has_transfers = row.integer("has_transfers")?;
    let transferred = match has_transfers {
        0 => None,
        _ => Some(row.try_get("transferred")?),
    };
    read_audit_entry(row, transferred)
}
