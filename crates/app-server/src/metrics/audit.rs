//! Counts what passes on its way into the audit trail.

use std::sync::Arc;

use async_trait::async_trait;
use domain::jobs::{
    AuditAction, AuditEntry, AuditError, AuditLog, AuditPage, JobStore, NumberedEntry,
    TransferEntry,
};
use metrics::{counter, histogram};

use super::names::{ARCHIVE_BYTES, DOWNLOADED_BYTES, ENDED, EXPORT_SECONDS, REFUSED};
use super::registry::Metrics;

/// The audit trail, with what is added to it counted.
pub(crate) struct MeteredAudit {
    pub(crate) inner: Arc<dyn AuditLog>,
    pub(crate) jobs: Arc<dyn JobStore>,
    pub(crate) metrics: Arc<Metrics>,
}

impl MeteredAudit {
    async fn count(&self, entry: &AuditEntry) {
        let outcome = match entry.action {
            AuditAction::SignInRefused => {
                return self.metrics.with(|| counter!(REFUSED).increment(1));
            }
            AuditAction::ExportReady => "ready",
            AuditAction::ExportFailed => "failed",
            AuditAction::ExportCancelled => "cancelled",
            _ => return,
        };
        let took = self.took(entry).await;
        let bytes = entry.bytes.unwrap_or(0);
        self.metrics.with(|| {
            counter!(ENDED, "outcome" => outcome).increment(1);
            counter!(ARCHIVE_BYTES).increment(bytes);
            if let Some(took) = took {
                histogram!(EXPORT_SECONDS, "outcome" => outcome).record(took);
            }
        });
    }

    /// Seconds from the begin of the export's run.
    async fn took(&self, entry: &AuditEntry) -> Option<f64> {
        let job = self.jobs.find(entry.export.as_ref()?).await.ok()?.job;
        let took = entry.at.duration_since(job.began?).as_secs_f64();
        Some(took.max(0.0))
    }
}

#[async_trait]
impl AuditLog for MeteredAudit {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        self.count(&entry).await;
        self.inner.append(entry).await
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        let bytes = transfer.bytes;
        let metrics = &self.metrics;
        metrics.with(|| counter!(DOWNLOADED_BYTES).increment(bytes));
        self.inner.append_transfer(transfer).await
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        self.inner.page(page).await
    }
}
