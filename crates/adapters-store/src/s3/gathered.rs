//! An entry that is small and of known size, as most documents are: gathered in memory, then put into the bag at once.

use std::sync::Arc;

use adapters_archive::{Chunks, Reservation};
use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{EntryWriter, NewEntry, Receipt, SinkError};

use super::objects::Upload;
use super::shared::{Shared, off_the_runtime};

/// Longest entry that is gathered in memory.
pub(super) const GATHERED_BYTES: u64 = if cfg!(test) { 8 * 1024 } else { 1024 * 1024 };

/// The open entry.
pub(super) struct Gathered {
    shared: Arc<Shared>,
    entry: NewEntry,
    reservation: Reservation,
    chunks: Chunks,
}

impl Gathered {
    pub(super) fn new(shared: &Arc<Shared>, entry: NewEntry, reservation: Reservation) -> Self {
        Self {
            shared: Arc::clone(shared),
            entry,
            reservation,
            chunks: Chunks::default(),
        }
    }

    async fn place(self) -> Result<Receipt, SinkError> {
        let _open = self.shared.entry_opened().await;
        let (mut encoder, chunks) = (self.shared.form.begin(self.entry), self.chunks);
        let encoder = off_the_runtime(move || {
            let written = chunks
                .as_slice()
                .iter()
                .try_for_each(|chunk| encoder.write(chunk));
            written.map(|()| encoder)
        });
        let encoder = encoder.await?;
        let upload = Upload::new(&self.shared.names);
        self.shared.close(encoder, upload, self.reservation).await
    }
}

#[async_trait]
impl EntryWriter for Gathered {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        self.chunks.add(&self.entry, chunk)
    }

    /// In a task of its own: what was begun is ended also where the caller is dropped, so that what is recorded and what is in use
    /// never differ.
    async fn close(self: Box<Self>) -> Result<Receipt, SinkError> {
        let placed = tokio::spawn(self.place());
        placed.await.unwrap_or(Err(SinkError::Stopped))
    }

    async fn discard(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}
