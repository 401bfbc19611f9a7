//! The audit trail, idempotency keys and sealed credentials in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::lock::locked;
use crate::jobs::{
    AuditAction, AuditEntry, AuditError, AuditLog, AuditPage, DownloadRecord, IdempotencyError,
    IdempotencyKey, IdempotencyKeys, JobId, NumberedEntry, Reservation, SealedCredentials,
    SealedCredentialsError, TransferEntry,
};
use crate::model::{Sha256, UserId};
use crate::ports::Clock;

/// An entry, and when the last transfer that belongs to it ended.
struct Kept {
    entry: AuditEntry,
    last_transfer: Option<Timestamp>,
}

/// An audit trail in memory.
#[derive(Default)]
pub struct MemoryAudit(Mutex<Vec<Kept>>);

impl Kept {
    fn takes(&self, transfer: &TransferEntry) -> bool {
        let pause = self
            .last_transfer
            .map(|last| transfer.at.duration_since(last));
        self.entry.export.as_ref() == Some(&transfer.export)
            && self.entry.actor.as_ref() == Some(&transfer.actor)
            && self.entry.from.as_ref() == Some(&transfer.from)
            && pause.is_some_and(|pause| pause.unsigned_abs() <= DownloadRecord::PAUSE)
    }
}

fn downloaded(transfer: TransferEntry) -> Kept {
    Kept {
        last_transfer: Some(transfer.at),
        entry: AuditEntry {
            at: transfer.at,
            action: AuditAction::Downloaded,
            actor: Some(transfer.actor),
            subject: Some(transfer.subject),
            from: Some(transfer.from),
            export: Some(transfer.export),
            sha256: Some(transfer.sha256),
            bytes: Some(transfer.bytes),
            detail: None,
        },
    }
}

#[async_trait]
impl AuditLog for MemoryAudit {
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError> {
        let mut trail = locked(&self.0);
        trail.push(Kept {
            entry,
            last_transfer: None,
        });
        Ok(trail.len() as u64)
    }

    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError> {
        let mut trail = locked(&self.0);
        if let Some(at) = trail.iter().rposition(|kept| kept.takes(&transfer))
            && let Some(kept) = trail.get_mut(at)
        {
            let bytes = kept.entry.bytes.unwrap_or_default();
            kept.entry.bytes = Some(bytes.saturating_add(transfer.bytes));
            kept.last_transfer = kept.last_transfer.max(Some(transfer.at));
            return Ok(at as u64 + 1);
        }
        trail.push(downloaded(transfer));
        Ok(trail.len() as u64)
    }

    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError> {
        let trail = locked(&self.0);
        let numbered = trail.iter().enumerate();
        let numbered = numbered.map(|(at, kept)| (at as u64 + 1, kept)).rev();
        let wanted = numbered.filter(|(number, _)| page.before.is_none_or(|end| *number < end));
        let entries = wanted.map(|(number, kept)| NumberedEntry {
            number,
            entry: kept.entry.clone(),
        });
        Ok(entries.take(page.limit).collect())
    }
}

struct Reserved {
    order: Sha256,
    export: JobId,
    at: Timestamp,
}

/// Idempotency keys in memory.
pub struct MemoryKeys {
    clock: Arc<dyn Clock>,
    keys: Mutex<BTreeMap<(UserId, String), Reserved>>,
}

impl MemoryKeys {
    /// No keys yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            keys: Mutex::default(),
        }
    }

    fn is_over(&self, reserved: &Reserved) -> bool {
        let age = self.clock.now().duration_since(reserved.at);
        age.unsigned_abs() >= Duration::from_hours(24)
    }
}

#[async_trait]
impl IdempotencyKeys for MemoryKeys {
    async fn reserve(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, IdempotencyError> {
        let mut keys = locked(&self.keys);
        let name = (owner.clone(), key.as_str().to_owned());
        match keys.get(&name).filter(|found| !self.is_over(found)) {
            Some(found) if found.order == *order => Ok(Reservation::Same(found.export.clone())),
            Some(_) => Ok(Reservation::OtherOrder),
            None => {
                let reserved = Reserved {
                    order: *order,
                    export: export.clone(),
                    at: self.clock.now(),
                };
                keys.insert(name, reserved);
                Ok(Reservation::New)
            }
        }
    }

    async fn release(&self, owner: &UserId, key: &IdempotencyKey) -> Result<(), IdempotencyError> {
        locked(&self.keys).remove(&(owner.clone(), key.as_str().to_owned()));
        Ok(())
    }

    async fn expire(&self) -> Result<u64, IdempotencyError> {
        let mut keys = locked(&self.keys);
        let before = keys.len();
        keys.retain(|_, reserved| !self.is_over(reserved));
        Ok((before - keys.len()) as u64)
    }
}

/// Sealed credentials in memory.
#[derive(Default)]
pub struct MemoryCredentials(Mutex<BTreeMap<JobId, Bytes>>);

#[async_trait]
impl SealedCredentials for MemoryCredentials {
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError> {
        locked(&self.0).insert(job.clone(), sealed);
        Ok(())
    }

    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError> {
        Ok(locked(&self.0).get(job).cloned())
    }

    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError> {
        locked(&self.0).remove(job);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError> {
        Ok(locked(&self.0).keys().cloned().collect())
    }
}
