//! The audit trail in the tables of any engine.

use async_trait::async_trait;
use domain::jobs::{
    AuditEntry, AuditError, AuditLog, AuditPage, DownloadRecord, JobId, NumberedEntry,
    TransferEntry,
};
use domain::model::UserId;

use crate::columns::{count_column, download, number_column};
use crate::database::{SqlDatabase, Transaction};
use crate::dialect::Dialect as _;
use crate::failure::{Failure, PortError as _, port_error};
use crate::moments::{after, before, to_column};
use crate::rows::{Columns, read_audit_entry};
use crate::statement::Statement;

/// The latest download that a transfer belongs to.
const DOWNLOAD: &str = "SELECT number FROM audit WHERE action = 'downloaded' AND export = $1 AND actor = $2 AND source = $3 \
    AND (SELECT max(transfer.at) FROM audit_transfers AS transfer WHERE transfer.number = audit.number) BETWEEN $4 AND $5 \
    ORDER BY number DESC LIMIT 1";

/// The audit trail in the tables of an engine.
pub struct SqlAudit<D> {
    database: D,
}

impl<D: Clone> SqlAudit<D> {
    /// The audit trail of this database.
    pub fn new(database: &D) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

fn appended(sql: &'static str, entry: &AuditEntry) -> Statement {
    Statement::of(sql)
        .bind(to_column(entry.at))
        .bind(entry.action.name())
        .bind(entry.actor.as_ref().map(UserId::as_str))
        .bind(entry.subject.as_ref().map(UserId::as_str))
        .bind(entry.from.clone())
        .bind(entry.export.as_ref().map(JobId::as_str))
        .bind(entry.sha256.as_ref().map(ToString::to_string))
        .bind(entry.bytes.map(number_column))
        .bind(entry.detail.clone())
}

/// The number of the entry that such a row names.
fn number_of(rows: &[impl Columns]) -> Result<u64, AuditError> {
    match rows.first().map(|row| row.number("number")) {
        Some(number) => number.map_err(AuditError::Unavailable),
        None => Err(AuditError::unavailable("the entry has no number".into())),
    }
}

async fn append_transfer<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    transfer: TransferEntry,
) -> Result<u64, Failure<Tx::Engine, AuditError>> {
    if let Some(lock) = Tx::Engine::LOCK_DOWNLOAD {
        let download = format!("{} {}", transfer.export, transfer.actor);
        tx.rows(Statement::of(lock).bind(download)).await?;
    }
    let found = Statement::of(DOWNLOAD)
        .bind(transfer.export.as_str())
        .bind(transfer.actor.as_str())
        .bind(transfer.from.clone())
        .bind(before(transfer.at, DownloadRecord::PAUSE))
        .bind(after(transfer.at, DownloadRecord::PAUSE));
    let mut found = tx.rows(found).await?;
    let (at, start, bytes) = (transfer.at, transfer.offset, transfer.bytes);
    if found.is_empty() {
        let first = appended(Tx::Engine::APPEND_ENTRY, &download(transfer));
        found = tx.rows(first).await?;
    }
    let number = number_of(&found)?;
    let added = Statement::of(Tx::Engine::APPEND_TRANSFER)
        .bind(number_column(number))
        .bind(to_column(at))
        .bind(number_column(start))
        .bind(number_column(bytes));
    tx.rows(added).await?;
    Ok(number)
}

#[async_trait]
impl<D: SqlDatabase> AuditLog for SqlAudit<D> {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        let statement = appended(D::Engine::APPEND_ENTRY, &entry);
        let rows = self.database.write(statement).await;
        number_of(&rows.map_err(port_error::<D::Engine, AuditError>)?)
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        let added = self
            .database
            .transact(move |tx| Box::pin(async move { append_transfer(tx, transfer).await }));
        Ok(added.await?)
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        let statement = Statement::of(D::Engine::ENTRIES)
            .bind(page.before.map_or(i64::MAX, number_column))
            .bind(count_column(page.limit));
        let rows = self.database.read(statement).await;
        let rows = rows.map_err(port_error::<D::Engine, AuditError>)?;
        let entries = rows.iter().map(read_audit_entry).collect::<Result<_, _>>();
        entries.map_err(AuditError::Unavailable)
    }
}
