//! The bag when all its payload is in place: what is in it can be read back, and tag files are added.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use adapters_archive::Directory;
use bytes::{Buf as _, Bytes};
use domain::model::{BagPath, Sha256Hasher};
use domain::ports::{PayloadInPlace, SinkError, TagFile};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::error::upload_failed;
use super::history::{History, Placed};
use super::objects::{Upload, Uploaded};
use super::rope::{Page, Part, ReadError, Reader, Rope};
use super::shared::Shared;
use super::sink::RopeSink;

/// The tag file that is kept by itself as well: whoever asks what a finished bag holds does not read the bag.
const REPORT: &str = "export.json";

/// See the module. It waits for stores, so a thread of the runtime must not use it.
pub(super) struct RopeInPlace {
    shared: Arc<Shared>,
    reader: Reader,
    /// Records that were read last: files are asked for in the order in which they were fetched, more or less.
    page: Page,
    runtime: Handle,
    placed: HashMap<BagPath, Placed>,
    directory: Directory,
    /// The time of the tag files.
    modified: Timestamp,
    /// Of the whole so far.
    sum: Sha256Hasher,
    upload: Upload,
    /// What of the end is in no part yet.
    pending: Vec<u8>,
    report: Option<Bytes>,
    /// The store went away while something was read back. A bag made without it would be another one: it is not finished.
    away: Option<SinkError>,
}

/// What follows the last entry of a bag.
pub(super) struct Ended {
    pub(super) end: Uploaded,
    /// Of the whole bag.
    pub(super) sum: Sha256Hasher,
    /// `export.json`, where it was among the tag files.
    pub(super) report: Option<Bytes>,
}

impl RopeInPlace {
    /// The caller has read all entries into `sum`, and no other is open.
    pub(super) fn new(
        sink: &RopeSink,
        history: History,
        directory: Directory,
        sum: Sha256Hasher,
    ) -> Self {
        let placed = history.placed.into_iter();
        let placed = placed.map(|placed| (placed.record.entry.entry.path.clone(), placed));
        Self {
            shared: Arc::clone(&sink.shared),
            reader: sink.reader.clone(),
            page: Page::default(),
            runtime: Handle::current(),
            placed: placed.collect(),
            modified: directory.newest().unwrap_or(sink.began),
            directory,
            sum,
            upload: Upload::new(&sink.shared.names),
            pending: Vec::new(),
            report: None,
            away: None,
        }
    }

    fn read_back(&self, path: &BagPath, at_most: u64) -> io::Result<Vec<u8>> {
        let placed = self.placed.get(path).ok_or(io::ErrorKind::NotFound)?;
        let rope = Rope::of_body(placed);
        let body = StoredBody {
            stored: rope.read_beside(self.reader.clone(), 0..rope.bytes(), &self.page),
            chunk: Bytes::new(),
            runtime: &self.runtime,
        };
        let record = &placed.record.entry;
        self.shared.form.first_bytes(record, body, at_most)
    }

    /// An error where something could not be read back that is there.
    fn check(&mut self) -> Result<(), SinkError> {
        self.away.take().map_or(Ok(()), Err)
    }

    /// Ends the container behind the tag files.
    pub(super) async fn end(mut self) -> Result<Ended, SinkError> {
        self.check()?;
        let end = self.directory.end_of_container().map_err(encoding)?;
        self.sum.update(&end);
        self.pending.extend(end);
        let mut upload = self.upload;
        let taken = upload.take_parts(&mut self.pending).await;
        taken.map_err(upload_failed)?;
        let uploaded = upload.finish(self.pending.into()).await;
        Ok(Ended {
            end: uploaded.map_err(upload_failed)?,
            sum: self.sum,
            report: self.report,
        })
    }
}

impl PayloadInPlace for RopeInPlace {
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>> {
        match self.read_back(path, at_most) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                tracing::warn!(%path, %error, "it cannot be read back for the pages of the bag");
                if is_away(&error) {
                    self.away = Some(SinkError::Unavailable(Box::new(error)));
                }
                None
            }
        }
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        self.check()?;
        // Kept also if it fails: finishing is not tried again.
        self.shared.paths.reserve(&tag.path)?.keep();
        let bytes = self.directory.push_tag(&tag, self.modified);
        let bytes = bytes.map_err(encoding)?;
        self.sum.update(&bytes);
        self.pending.extend(bytes);
        let taken = self.upload.take_parts(&mut self.pending);
        self.runtime.block_on(taken).map_err(upload_failed)?;
        if tag.path.as_str() == REPORT {
            self.report = Some(tag.bytes);
        }
        Ok(())
    }
}

/// Chunks of a body as something to read from. What is not read is not asked for.
struct StoredBody<'a> {
    stored: Part,
    chunk: Bytes,
    runtime: &'a Handle,
}

impl Read for StoredBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let next = self.runtime.block_on(self.stored.try_next());
            match next.map_err(io::Error::other)? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        let to = buffer.get_mut(..length).unwrap_or_default();
        self.chunk.copy_to_slice(to);
        Ok(length)
    }
}

/// Whether it is the store that did not answer, and not the content that cannot be had.
fn is_away(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(ReadError::Objects(error)) => !matches!(error, object_store::Error::NotFound { .. }),
        Some(ReadError::Records(_)) => true,
        Some(ReadError::Unreadable(_) | ReadError::Missing) | None => false,
    }
}

fn encoding(source: io::Error) -> SinkError {
    SinkError::Io {
        action: "encode",
        path: "the end of the bag".into(),
        source,
    }
}
