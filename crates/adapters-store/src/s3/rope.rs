//! A bag as the list of its pieces, and any part of it as a stream.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use domain::jobs::{JobId, RunRecord, RunRecords, RunRecordsError};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use thiserror::Error;
use tokio::sync::Mutex;

use super::history::{History, Placed};
use super::objects::{ObjectPiece, Objects};
use super::record::{Body, Record, RecordError};

/// So much of the records is read at once while a bag is read.
const PAGE_BYTES: usize = 256 * 1024;

/// Why a bag cannot be read.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Records(#[from] RunRecordsError),
    #[error(transparent)]
    Unreadable(#[from] RecordError),
    #[error(transparent)]
    Objects(#[from] object_store::Error),
    #[error("a piece of the bag is not there")]
    Missing,
}

/// Bytes of a bag.
pub(super) type Part = BoxStream<'static, Result<Bytes, ReadError>>;

/// Records that were read last.
pub(super) type Page = Arc<Mutex<Vec<RunRecord>>>;

/// The pieces of a bag, one behind the other.
#[derive(Default)]
pub(super) struct Rope {
    pieces: Vec<Piece>,
    bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// Where in the bag.
    at: Range<u64>,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// In the record of this number, from this byte of what it keeps.
    Record { number: u64, from: u64 },
    /// In an object, from its first byte.
    Object { key: String },
}

/// Where pieces are read.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) objects: Objects,
    pub(super) records: Arc<dyn RunRecords>,
    pub(super) job: JobId,
}

impl Rope {
    /// The entries of a bag, without its end.
    pub(super) fn of_entries(history: &History) -> Self {
        let mut rope = Self::default();
        history.placed.iter().for_each(|placed| rope.place(placed));
        rope
    }

    /// A finished bag; `None` where it is not finished.
    pub(super) fn of_bag(history: &History) -> Option<Self> {
        let (number, complete) = history.complete.as_ref()?;
        let mut rope = Self::of_entries(history);
        rope.body(*number, 0, &complete.end);
        Some(rope)
    }

    /// The report of a finished bag.
    pub(super) fn of_report(history: &History) -> Option<Self> {
        let (number, complete) = history.complete.as_ref()?;
        let mut rope = Self::default();
        rope.body(*number, complete.end.inline(), complete.report.as_ref()?);
        Some(rope)
    }

    /// The body of an entry, without its head and its tail.
    pub(super) fn of_body(Placed { number, record }: &Placed) -> Self {
        let mut rope = Self::default();
        rope.body(*number, record.head, &record.body);
        rope
    }

    /// Objects one behind the other.
    pub(super) fn of_objects(objects: &[ObjectPiece]) -> Self {
        let mut rope = Self::default();
        rope.body(0, 0, &Body::Objects(objects.to_vec()));
        rope
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn place(&mut self, Placed { number, record }: &Placed) {
        let (number, inline) = (*number, record.body.inline());
        match &record.body {
            // All of it is in the record, one behind the other.
            Body::Inline(_) => self.kept(number, 0, record.length()),
            Body::Objects(_) => {
                self.kept(number, 0, record.head);
                self.body(number, record.head, &record.body);
                self.kept(number, record.head + inline, record.tail);
            }
        }
    }

    /// Bytes that are where a record says; `from` is where its own of them begin.
    fn body(&mut self, number: u64, from: u64, body: &Body) {
        match body {
            Body::Inline(bytes) => self.kept(number, from, *bytes),
            Body::Objects(objects) => {
                for object in objects {
                    let key = object.key.clone();
                    self.push(object.bytes, Source::Object { key });
                }
            }
        }
    }

    fn kept(&mut self, number: u64, from: u64, bytes: u64) {
        self.push(bytes, Source::Record { number, from });
    }

    fn push(&mut self, bytes: u64, source: Source) {
        if bytes > 0 {
            let start = self.bytes;
            self.bytes += bytes;
            let at = start..self.bytes;
            self.pieces.push(Piece { at, source });
        }
    }

    /// A part of it as a stream. Nothing is read before it is asked for.
    pub(super) fn read(&self, reader: Reader, part: Range<u64>) -> Part {
        self.read_beside(reader, part, &Page::default())
    }

    /// The same for one of several parts that have records in common.
    pub(super) fn read_beside(&self, reader: Reader, part: Range<u64>, page: &Page) -> Part {
        let first = self
            .pieces
            .partition_point(|piece| piece.at.end <= part.start);
        let pieces = self.pieces.get(first..).unwrap_or_default().iter();
        let wanted: Vec<_> = pieces
            .take_while(|piece| piece.at.start < part.end && !part.is_empty())
            .map(|piece| {
                let from = part.start.max(piece.at.start) - piece.at.start;
                let to = part.end.min(piece.at.end) - piece.at.start;
                (piece.source.clone(), from..to)
            })
            .collect();
        let page = Arc::clone(page);
        let read = stream::iter(wanted).then(move |(source, part)| {
            let (reader, page) = (reader.clone(), Arc::clone(&page));
            async move { reader.piece(source, part, &page).await }
        });
        read.try_flatten().boxed()
    }
}

impl Reader {
    async fn piece(
        &self,
        source: Source,
        part: Range<u64>,
        page: &Mutex<Vec<RunRecord>>,
    ) -> Result<Part, ReadError> {
        match source {
            Source::Record { number, from } => {
                let kept = self.kept_in(number, page).await?;
                let part = index(from + part.start)..index(from + part.end);
                let bytes = (part.end <= kept.len()).then(|| kept.slice(part));
                let bytes = bytes.ok_or(ReadError::Missing)?;
                Ok(stream::iter([Ok(bytes)]).boxed())
            }
            Source::Object { key } => {
                let expected = part.end - part.start;
                let bytes = self.objects.read(&self.job, &key, part).await?;
                Ok(exactly(bytes.map_err(ReadError::Objects).boxed(), expected))
            }
        }
    }

    /// What a record keeps. Records that follow it are read with it, since they are asked for next.
    async fn kept_in(&self, number: u64, page: &Mutex<Vec<RunRecord>>) -> Result<Bytes, ReadError> {
        let mut page = page.lock().await;
        if !page.iter().any(|record| record.number == number) {
            let before = number.saturating_sub(1);
            *page = self.records.read(&self.job, before, PAGE_BYTES).await?;
        }
        let record = page.iter().find(|record| record.number == number);
        let record = record.ok_or(ReadError::Missing)?;
        Ok(Record::decode(&record.content)?.1)
    }
}

/// The same bytes; too few or too many of them are an error, not an end.
fn exactly(bytes: Part, expected: u64) -> Part {
    let counted = stream::try_unfold((bytes, expected), |(mut bytes, left)| async move {
        match bytes.try_next().await? {
            Some(chunk) => {
                let left = left.checked_sub(chunk.len() as u64);
                let left = left.ok_or(ReadError::Missing)?;
                Ok(Some((chunk, (bytes, left))))
            }
            None if left == 0 => Ok(None),
            None => Err(ReadError::Missing),
        }
    });
    counted.boxed()
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
