//! An entry that is small and of known size, as most documents are: gathered in memory, then put in its place at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{CheckFailure, EntryWriter, NewEntry, Receipt, SinkError};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::claim::Reservation;
use super::member::MemberWriter;
use super::output::Body;
use super::waiting::{Closed, Safety};
use crate::journal::EntryRecord;

/// Longest entry that is gathered in memory.
pub(super) const SMALL_BYTES: u64 = 1024 * 1024;

/// The open entry.
pub(super) struct Small {
    bag: Arc<UnfinishedBag>,
    entry: NewEntry,
    reservation: Reservation,
    chunks: Vec<Bytes>,
    bytes: u64,
}

impl Small {
    pub(super) fn new(bag: Arc<UnfinishedBag>, entry: NewEntry, reservation: Reservation) -> Self {
        Self {
            bag,
            entry,
            reservation,
            chunks: Vec::new(),
            bytes: 0,
        }
    }

    fn place(self) -> Result<Receipt, SinkError> {
        let closed = closed(&self.bag, self.entry, &self.chunks)?;
        let receipt = self.bag.hand_in(closed)?;
        self.reservation.keep();
        Ok(receipt)
    }
}

#[async_trait]
impl EntryWriter for Small {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        self.bytes += chunk.len() as u64;
        if let Some(expected) = self.entry.size.filter(|&size| self.bytes > size) {
            self.chunks.clear();
            return Err(SinkError::CheckFailed {
                path: self.entry.path.clone(),
                failure: CheckFailure::Size {
                    received: self.bytes,
                    expected,
                },
            });
        }
        self.chunks.push(chunk);
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<Receipt, SinkError> {
        let bag = Arc::clone(&self.bag);
        let receipt = tokio::task::spawn_blocking(move || self.place())
            .await
            .unwrap_or(Err(SinkError::Stopped));
        see_to_what_waits(bag);
        receipt
    }

    async fn discard(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// This entry's receipt does not wait for others to be copied.
fn see_to_what_waits(bag: Arc<UnfinishedBag>) {
    if bag.something_waits() {
        tokio::task::spawn_blocking(move || {
            if let Err(error) = bag.drain() {
                bag.break_down(&error);
            }
        });
    }
}

/// Checks and packs an entry that is whole in memory.
pub(super) fn closed(
    bag: &UnfinishedBag,
    entry: NewEntry,
    chunks: &[Bytes],
) -> Result<Closed, SinkError> {
    let mut checks = Checks::here(&entry);
    let mut writer = MemberWriter::new(bag.container.encoding(entry.storage), Vec::new());
    let mut checked = Ok(());
    for chunk in chunks {
        checked = checked.and_then(|()| checks.update(chunk));
        bag.or_break("pack", &bag.path, || writer.write(chunk))?;
    }
    let sha256 = writer.sha256();
    if let Err(failure) = checked.and_then(|()| checks.finish(&sha256)) {
        return Err(SinkError::CheckFailed {
            path: entry.path,
            failure,
        });
    }
    let packed = bag.or_break("pack", &bag.path, || writer.finish(bag.container))?;
    Ok(Closed {
        record: EntryRecord {
            entry,
            bytes: packed.content.bytes,
            crc32: packed.content.crc32,
            packed: packed.content.packed,
            sha256,
        },
        body: Body::Memory(packed.output),
        checksum: packed.checksum,
        safety: Safety::Unsafe,
    })
}
