//! An entry that is small and of known size, as most documents are: gathered in memory, then put in its place at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{EntryWriter, NewEntry, Receipt, SinkError, Storage};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::chunks::Chunks;
use super::closed::{Body, Closed, Safety};
use super::member::{Encoded, MemberWriter};
use super::paths::Reservation;
use crate::journal::EntryRecord;

/// Longest entry that is gathered in memory: nearly all documents are shorter. Each open one may take this much, so that as many as
/// are fetched at a time stay within some megabytes.
pub(super) const SMALL_BYTES: u64 = 1024 * 1024;

/// The open entry.
pub(super) struct Small {
    bag: Arc<UnfinishedBag>,
    entry: NewEntry,
    reservation: Reservation,
    chunks: Chunks,
}

impl Small {
    pub(super) fn new(bag: Arc<UnfinishedBag>, entry: NewEntry, reservation: Reservation) -> Self {
        Self {
            bag,
            entry,
            reservation,
            chunks: Chunks::default(),
        }
    }

    fn place(self) -> Result<Receipt, SinkError> {
        // The bag must not finish in the middle of this, even where the caller was dropped.
        let _open = self.bag.slot.entry_opened();
        let closed = closed(&self.bag, self.entry, self.chunks.as_slice())?;
        let receipt = self.bag.accept(closed)?;
        self.reservation.keep();
        Ok(receipt)
    }
}

#[async_trait]
impl EntryWriter for Small {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        self.chunks.add(&self.entry, chunk)
    }

    async fn close(self: Box<Self>) -> Result<Receipt, SinkError> {
        let bag = Arc::clone(&self.bag);
        let receipt = tokio::task::spawn_blocking(move || self.place())
            .await
            .unwrap_or(Err(SinkError::Stopped));
        // In a task of its own: this receipt does not wait for other entries to be copied.
        if !bag.queue.is_empty() {
            tokio::task::spawn_blocking(move || bag.place_waiting_or_fail());
        }
        receipt
    }

    async fn discard(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Checks and encodes an entry that is whole in memory.
fn closed(bag: &UnfinishedBag, entry: NewEntry, chunks: &[Bytes]) -> Result<Closed, SinkError> {
    let mut checks = Checks::here(&entry);
    let mut checked = Ok(());
    for chunk in chunks {
        checked = checked.and_then(|()| checks.update(chunk));
    }
    let encoded = encode(bag, entry.storage, chunks)?;
    if let Err(failure) = checked.and_then(|()| checks.finish(&encoded.sha256)) {
        return Err(SinkError::CheckFailed {
            path: entry.path,
            failure,
        });
    }
    Ok(Closed {
        record: EntryRecord {
            entry,
            bytes: encoded.content.bytes,
            crc32: encoded.content.crc32,
            packed: encoded.content.packed,
            sha256: encoded.sha256,
        },
        body: Body::Memory(encoded.output),
        checksum: encoded.checksum,
        safety: Safety::Unsafe,
    })
}

/// The body of content that is whole in memory.
pub(super) fn encode(
    bag: &UnfinishedBag,
    storage: Storage,
    chunks: &[Bytes],
) -> Result<Encoded<Vec<u8>>, SinkError> {
    bag.health.or_fail("encode", &bag.path, || {
        let mut writer = MemberWriter::new(bag.container.encoding(storage), Vec::new());
        for chunk in chunks {
            writer.write(chunk)?;
        }
        writer.finish(bag.container)
    })
}
