//! An audit trail whose store cannot be written for a while.

use std::collections::VecDeque;

use async_trait::async_trait;
use domain::jobs::{AuditEntry, AuditError, AuditLog, AuditPage, NumberedEntry, TransferEntry};
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};

/// Entries that are kept in memory: some megabytes.
const KEPT: usize = 10_000;

/// An entry is not on disk yet.
#[derive(Debug, Error)]
#[error("the entry is kept in memory, and added when the trail can be written again")]
struct Kept(#[source] AuditError);

enum Entry {
    Deed(AuditEntry),
    Transfer(TransferEntry),
}

/// An audit trail over another one. What cannot be written (the disk is full) is kept in memory, up to a limit, and is added in its order,
/// with its own time, before anything else is written or read. A kill before that loses it.
pub struct LateAudit<Trail> {
    trail: Trail,
    late: Mutex<VecDeque<Entry>>,
}

impl<Trail: AuditLog> LateAudit<Trail> {
    /// Over this trail.
    pub fn new(trail: Trail) -> Self {
        Self {
            trail,
            late: Mutex::default(),
        }
    }

    /// Adds what could not be written until now.
    pub async fn catch_up(&self) -> Result<(), AuditError> {
        self.caught_up().await.1
    }

    /// What is late by now, and why. Nobody else writes meanwhile, so that the order stays.
    async fn caught_up(&self) -> (MutexGuard<'_, VecDeque<Entry>>, Result<(), AuditError>) {
        let mut late = self.late.lock().await;
        while let Some(entry) = late.front() {
            if let Err(error) = self.write(entry).await {
                return (late, Err(error));
            }
            late.pop_front();
        }
        (late, Ok(()))
    }

    async fn write(&self, entry: &Entry) -> Result<u64, AuditError> {
        match entry {
            Entry::Deed(entry) => self.trail.append(entry.clone()).await,
            Entry::Transfer(entry) => self.trail.append_transfer(entry.clone()).await,
        }
    }

    async fn add(&self, entry: Entry) -> Result<u64, AuditError> {
        let (mut late, caught_up) = self.caught_up().await;
        let error = match caught_up {
            Ok(()) => match self.write(&entry).await {
                Ok(number) => return Ok(number),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if late.len() >= KEPT {
            return Err(error);
        }
        late.push_back(entry);
        Err(match error {
            AuditError::NoSpace(_) => AuditError::NoSpace(Box::new(Kept(error))),
            AuditError::Unavailable(_) => AuditError::Unavailable(Box::new(Kept(error))),
        })
    }
}

#[async_trait]
impl<Trail: AuditLog> AuditLog for LateAudit<Trail> {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        self.add(Entry::Deed(entry)).await
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        self.add(Entry::Transfer(transfer)).await
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        // What cannot be added now is not there yet.
        let _ = self.catch_up().await;
        self.trail.page(page).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use domain::jobs::{AuditAction, MockAuditLog};
    use domain::testing::MemoryAudit;
    use jiff::Timestamp;

    use super::*;

    fn entry(detail: usize) -> AuditEntry {
        AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            action: AuditAction::SignedIn,
            actor: None,
            subject: None,
            from: None,
            export: None,
            sha256: None,
            bytes: None,
            detail: Some(detail.to_string()),
        }
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_added_in_its_order() {
        let (trail, is_full) = (
            Arc::new(MemoryAudit::default()),
            Arc::new(AtomicBool::new(true)),
        );
        let mut disk = MockAuditLog::new();
        let (written, full) = (Arc::clone(&trail), Arc::clone(&is_full));
        disk.expect_append().returning(move |entry| {
            if full.load(Ordering::SeqCst) {
                return Err(AuditError::NoSpace("full".into()));
            }
            futures_util::FutureExt::now_or_never(written.append(entry)).unwrap()
        });
        let late = LateAudit::new(disk);
        for detail in 1..=3 {
            let refused = late.append(entry(detail)).await.unwrap_err();
            let kept = std::error::Error::source(&refused).unwrap().to_string();
            assert!(kept.contains("kept in memory"));
            assert!(matches!(refused, AuditError::NoSpace(_)));
        }
        assert!(late.catch_up().await.is_err());
        is_full.store(false, Ordering::SeqCst);
        assert_eq!(late.append(entry(4)).await.unwrap(), 4);
        let page = AuditPage {
            before: None,
            limit: 9,
        };
        let entries = trail.page(page).await.unwrap();
        let details = entries.into_iter().filter_map(|entry| entry.entry.detail);
        assert_eq!(details.collect::<Vec<_>>(), ["4", "3", "2", "1"]);
    }
}
