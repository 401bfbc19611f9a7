//! The sink itself: opens entries, and finishes the bag.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters_archive::{ContainerForm, MemberEncoder, Paths, ReusableBody};
use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use domain::jobs::RunSettings;
use domain::model::BagPath;
use domain::ports::{
    ArchiveSink, EntryWriter, FinishedBag, NewEntry, PartialEntry, Receipt, SinkError, TagFiles,
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use tokio::sync::{RwLock, mpsc};

use super::entry;
use super::gathered::{GATHERED_BYTES, Gathered};
use super::history::{History, PartialObjects};
use super::log::RunLog;
use super::objects::{Names, ObjectPiece, Upload};
use super::rope::{Reader, Rope};
use super::shared::{Shared, off_the_runtime};

/// Chunks in flight of an entry that is read back.
const QUEUE_CHUNKS: usize = 4;

/// The sink of one run.
pub(super) struct RopeSink {
    pub(super) shared: Arc<Shared>,
    pub(super) reader: Reader,
    pub(super) settings: RunSettings,
    /// When the first run began: the time of a bag's own files where it holds no others.
    pub(super) began: Timestamp,
    resumed: Vec<Receipt>,
    partial: Mutex<BTreeMap<BagPath, Partial>>,
}

/// A partial entry that can be resumed.
struct Partial {
    entry: NewEntry,
    part: ReusableBody,
    /// What of its objects is used.
    objects: Vec<ObjectPiece>,
}

impl RopeSink {
    /// Goes on behind what is recorded.
    pub(super) fn new(
        (names, log, reader): (Arc<Names>, RunLog, Reader),
        settings: &RunSettings,
        history: History,
        began: Timestamp,
    ) -> Self {
        let form = ContainerForm::new(settings.format, settings.top.clone());
        let receipts = history.receipts();
        let paths = receipts.iter().map(|receipt| receipt.path.clone());
        let partial = history.partial.into_iter();
        let partial = partial.filter_map(|(path, found)| Some((path, Partial::of(found, &form)?)));
        Self {
            partial: Mutex::new(partial.collect()),
            shared: Arc::new(Shared {
                names,
                log,
                form,
                paths: Paths::in_bag(paths),
                open: Arc::new(RwLock::new(())),
            }),
            resumed: receipts,
            reader,
            settings: settings.clone(),
            began,
        }
    }

    fn partial(&self) -> MutexGuard<'_, BTreeMap<BagPath, Partial>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the beginning of an entry back through its encoder and its check; `None` where that cannot be done.
    async fn read_back(&self, partial: &Partial) -> Result<Option<MemberEncoder>, SinkError> {
        let rope = Rope::of_objects(&partial.objects);
        let mut stored = rope.read(self.reader.clone(), 0..rope.bytes());
        let (chunks, received) = mpsc::channel(QUEUE_CHUNKS);
        let mut encoder = self.shared.form.begin(partial.entry.clone());
        let part = partial.part;
        let restoring = tokio::spawn(off_the_runtime(move || {
            let mut body = Received {
                chunks: received,
                chunk: Bytes::new(),
            };
            encoder.restore(part, &mut body).map(|()| encoder)
        }));
        loop {
            match stored.try_next().await {
                Ok(Some(chunk)) => {
                    if chunks.send(chunk).await.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::info!(path = %partial.entry.path, %error, "a partial download cannot be read back, and is fetched anew");
                    return Ok(None);
                }
            }
        }
        drop(chunks);
        match restoring.await.unwrap_or(Err(SinkError::Stopped)) {
            Ok(encoder) => Ok(Some(encoder)),
            Err(SinkError::CheckFailed { .. } | SinkError::Io { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Partial {
    fn of(found: PartialObjects, form: &ContainerForm) -> Option<Self> {
        let PartialObjects { entry, mut objects } = found;
        let length = objects.iter().map(|object| object.bytes).sum();
        let part = form.reusable(entry.storage, length)?;
        let mut left = part.body_bytes();
        for object in &mut objects {
            object.bytes = object.bytes.min(left);
            left -= object.bytes;
        }
        objects.retain(|object| object.bytes > 0);
        Some(Self {
            entry,
            part,
            objects,
        })
    }
}

/// Chunks from a channel as something to read from.
struct Received {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), self.chunk.get(..length)) {
            to.copy_from_slice(from);
        }
        self.chunk.advance(length);
        Ok(length)
    }
}

#[async_trait]
impl ArchiveSink for RopeSink {
    fn resumed_receipts(&self) -> Vec<Receipt> {
        self.resumed.clone()
    }

    fn partial_entries(&self) -> Vec<PartialEntry> {
        let partial = self.partial();
        let found = partial.values().map(|partial| PartialEntry {
            entry: partial.entry.clone(),
            bytes: partial.part.content_bytes(),
        });
        found.collect()
    }

    /// An object store does not say how much it can take.
    fn free_space(&self) -> Option<(u64, PathBuf)> {
        None
    }

    async fn open_entry(&self, entry: NewEntry) -> Result<Box<dyn EntryWriter>, SinkError> {
        self.shared.log.check()?;
        let reservation = self.shared.paths.reserve(&entry.path)?;
        // It is fetched from its first byte: what an interrupted run has of it is of no use.
        let stale = self.partial().remove(&entry.path);
        if let Some(stale) = stale {
            let discarded = self.shared.discard_partial(&entry.path, &stale.objects);
            discarded.await?;
        }
        if entry.size.is_some_and(|size| size <= GATHERED_BYTES) {
            return Ok(Box::new(Gathered::new(&self.shared, entry, reservation)));
        }
        let open = self.shared.entry_opened().await;
        let begun = (
            self.shared.form.begin(entry),
            Upload::new(&self.shared.names),
        );
        Ok(Box::new(entry::open(
            &self.shared,
            begun,
            reservation,
            open,
        )))
    }

    async fn resume_entry(
        &self,
        path: &BagPath,
    ) -> Result<Option<Box<dyn EntryWriter>>, SinkError> {
        self.shared.log.check()?;
        let Some(partial) = self.partial().remove(path) else {
            return Ok(None);
        };
        let reservation = self.shared.paths.reserve(path)?;
        let open = self.shared.entry_opened().await;
        let Some(encoder) = self.read_back(&partial).await? else {
            self.shared.discard_partial(path, &partial.objects).await?;
            return Ok(None);
        };
        let upload = Upload::after(&self.shared.names, partial.objects);
        let begun = (encoder, upload);
        Ok(Some(Box::new(entry::open(
            &self.shared,
            begun,
            reservation,
            open,
        ))))
    }

    async fn finish(self: Box<Self>, tags: Box<dyn TagFiles>) -> Result<FinishedBag, SinkError> {
        self.finish_bag(tags).await
    }
}
