//! A sink in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::bag::integrity::{ContentCheck, PublishedCheck};
use crate::model::{BagPath, Sha256};
use crate::ports::{
    ArchiveSink, EntryWriter, FinishedBag, NewEntry, PartialEntry, PayloadInPlace, Receipt,
    SinkError, StoredBytes, TagFile, TagFiles,
};

/// What a [`MemorySink`] holds.
#[derive(Debug, Default)]
pub struct SinkState {
    /// Closed entries: receipt and bytes.
    pub entries: BTreeMap<BagPath, (Receipt, Vec<u8>)>,
    /// Entries open now.
    pub open: BTreeSet<BagPath>,
    /// Bytes that can still be written, where that is limited.
    pub free_space: Option<u64>,
    /// Entries with a validator whose writers were dropped: what arrived of them.
    pub partial: BTreeMap<BagPath, (NewEntry, Vec<u8>)>,
    /// The tag files of a finished bag.
    pub tags: Option<Vec<TagFile>>,
    order: Vec<BagPath>,
}

/// A sink in memory. Clones share their state, as a second run shares an unfinished bag with the first.
#[derive(Clone, Debug)]
pub struct MemorySink {
    state: Arc<Mutex<SinkState>>,
    durable: bool,
}

impl MemorySink {
    /// A sink whose receipts are durable at once, as those of a file are.
    pub fn durable() -> Self {
        Self {
            state: Arc::default(),
            durable: true,
        }
    }

    /// A sink whose receipts are durable only once it is finished, as those of standard output are.
    pub fn streaming() -> Self {
        Self {
            state: Arc::default(),
            durable: false,
        }
    }

    /// What it holds.
    pub fn state(&self) -> MutexGuard<'_, SinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self, entry: NewEntry, bytes: Vec<u8>) -> Box<dyn EntryWriter> {
        Box::new(MemoryWriter {
            sink: self.clone(),
            check: Some(ContentCheck::of(&entry.check)),
            size: Some(PublishedCheck::new(entry.size, None)),
            entry,
            bytes,
            interrupted: true,
        })
    }

    /// The bytes of an entry.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let path = BagPath::parse(path).ok()?;
        self.state()
            .entries
            .get(&path)
            .map(|(_, bytes)| bytes.clone())
    }
}

#[async_trait]
impl ArchiveSink for MemorySink {
    fn resumed_receipts(&self) -> Vec<Receipt> {
        let state = self.state();
        state
            .order
            .iter()
            .filter_map(|path| state.entries.get(path))
            .map(|(receipt, _)| receipt.clone())
            .collect()
    }

    fn partial_entries(&self) -> Vec<PartialEntry> {
        let state = self.state();
        let partial = state.partial.values();
        partial
            .map(|(entry, bytes)| PartialEntry {
                entry: entry.clone(),
                bytes: bytes.len() as u64,
            })
            .collect()
    }

    fn free_space(&self) -> Option<(u64, PathBuf)> {
        self.state()
            .free_space
            .map(|bytes| (bytes, PathBuf::from("memory")))
    }

    async fn open_entry(&self, entry: NewEntry) -> Result<Box<dyn EntryWriter>, SinkError> {
        let mut state = self.state();
        if state.entries.contains_key(&entry.path) || !state.open.insert(entry.path.clone()) {
            return Err(SinkError::Duplicate { path: entry.path });
        }
        state.partial.remove(&entry.path);
        drop(state);
        Ok(self.writer(entry, Vec::new()))
    }

    async fn resume_entry(
        &self,
        path: &BagPath,
    ) -> Result<Option<Box<dyn EntryWriter>>, SinkError> {
        let mut state = self.state();
        let Some((entry, bytes)) = state.partial.remove(path) else {
            return Ok(None);
        };
        state.open.insert(path.clone());
        drop(state);
        Ok(Some(self.writer(entry, bytes)))
    }

    async fn finish(self: Box<Self>, tags: Box<dyn TagFiles>) -> Result<FinishedBag, SinkError> {
        let mut in_place = InPlace {
            sink: &self,
            tags: Vec::new(),
        };
        tags.write(&mut in_place)?;
        let tags = in_place.tags;
        let mut state = self.state();
        state.tags = Some(tags);
        let bytes = state
            .entries
            .values()
            .map(|(receipt, _)| receipt.bytes)
            .sum();
        Ok(FinishedBag {
            path: None,
            bytes,
            sha256: None,
        })
    }
}

struct InPlace<'a> {
    sink: &'a MemorySink,
    tags: Vec<TagFile>,
}

impl PayloadInPlace for InPlace<'_> {
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>> {
        let state = self.sink.state();
        let (_, bytes) = state.entries.get(path)?;
        let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
        Some(bytes.iter().take(at_most).copied().collect())
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        let taken = self.sink.state().entries.contains_key(&tag.path);
        if taken || self.tags.iter().any(|before| before.path == tag.path) {
            return Err(SinkError::Duplicate { path: tag.path });
        }
        self.tags.push(tag);
        Ok(())
    }
}

struct MemoryWriter {
    sink: MemorySink,
    entry: NewEntry,
    bytes: Vec<u8>,
    check: Option<ContentCheck>,
    size: Option<PublishedCheck>,
    /// Whether it is neither closed nor discarded yet.
    interrupted: bool,
}

#[async_trait]
impl EntryWriter for MemoryWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        self.bytes.extend_from_slice(&chunk);
        Ok(())
    }

    async fn copy(&mut self, _: &StoredBytes) -> Result<u64, SinkError> {
        Ok(0)
    }

    async fn close(mut self: Box<Self>) -> Result<Receipt, SinkError> {
        self.interrupted = false;
        let path = self.entry.path.clone();
        if let (Some(mut check), Some(mut size)) = (self.check.take(), self.size.take()) {
            let sha256 = Sha256::of(&self.bytes);
            let checked = check
                .update(&self.bytes)
                .and_then(|()| check.finish(&sha256))
                .and_then(|()| size.update(&self.bytes))
                .and_then(|()| size.finish(&sha256));
            checked.map_err(|failure| SinkError::CheckFailed {
                path: path.clone(),
                failure,
            })?;
        }
        let receipt = Receipt {
            path: path.clone(),
            bytes: self.bytes.len() as u64,
            sha256: Sha256::of(&self.bytes),
            media_type: self.entry.media_type.clone(),
            origin: self.entry.origin.clone(),
            durable: self.sink.durable,
        };
        let mut state = self.sink.state();
        state.order.push(path.clone());
        state
            .entries
            .insert(path, (receipt.clone(), std::mem::take(&mut self.bytes)));
        Ok(receipt)
    }

    async fn discard(mut self: Box<Self>) -> Result<(), SinkError> {
        self.interrupted = false;
        Ok(())
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        let mut state = self.sink.state();
        state.open.remove(&self.entry.path);
        let is_kept = self.interrupted && self.sink.durable && self.entry.validator.is_some();
        if is_kept && !self.bytes.is_empty() {
            let left = (self.entry.clone(), std::mem::take(&mut self.bytes));
            state.partial.insert(self.entry.path.clone(), left);
        }
    }
}
