//! The archive that the data goes into: entries that are opened, written, and closed with a receipt or discarded.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bag_reader::StoredBytes;
use crate::bag::receipt::Delivered;
use crate::model::{BagPath, ItemRef, Section, Sha256, Ticket};

/// How an entry's bytes are stored in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// As they are: they are compressed already.
    Stored,
    /// Compressed where the container can.
    Compressed,
}

/// What is checked of the bytes before they count as whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// Nothing beyond the transfer itself.
    None,
    /// They are a complete gzip stream: every member's CRC-32 and length are right, and nothing follows the last (RFC 1952 §2.3.1).
    Gzip,
    /// They are a complete gzip stream, and have this SHA-256: an archive that was whole once, and is copied.
    GzipOf {
        /// The sum of the archive that is copied.
        sha256: Sha256,
    },
    /// They have what the platform published of them.
    Published {
        /// Size in bytes.
        size: Option<u64>,
        /// SHA-256.
        sha256: Option<Sha256>,
    },
}

impl Check {
    /// Whether the bytes are inflated for it, which is what a check takes the most time for.
    pub fn inflates(&self) -> bool {
        match self {
            Self::Gzip | Self::GzipOf { .. } => true,
            Self::None | Self::Published { .. } => false,
        }
    }
}

/// When an entry must be safe from a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// When the bag is finished, or earlier.
    AtFinish,
    /// When `close` returns, where the sink can promise that.
    AtClose,
}

/// What was blanked in a document, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedactionRule {
    /// A password, key or token.
    Secret,
    /// Another person's words.
    OtherPerson,
}

/// One rule's work on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The rule.
    pub rule: RedactionRule,
    /// Values blanked.
    pub count: u64,
}

/// Where an entry came from. The sink keeps it with the entry and gives it back in receipts, also after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its section.
    pub section: Section,
    /// The request that it answers, as in `GET users/john/appliances/201`; never with a query that holds credentials.
    pub source: String,
    /// When.
    pub fetched: Timestamp,
    /// The item whose archive this is.
    pub item: Option<ItemRef>,
    /// The ticket that it was downloaded with; none of an archive that was taken from an earlier bag.
    pub ticket: Option<Ticket>,
    /// What was blanked in it.
    pub redactions: Vec<Redaction>,
}

impl Origin {
    /// Whether this is an archive that was taken from an earlier bag: `source` and `fetched` are that bag's then.
    pub fn is_reused(&self) -> bool {
        self.item.is_some() && self.ticket.is_none()
    }
}

/// An entry about to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntry {
    /// Where in the bag.
    pub path: BagPath,
    /// Its media type.
    pub media_type: String,
    /// Compressed or not.
    pub storage: Storage,
    /// Its size, where it is known: of a document already in memory, or as a server says before it sends an archive. Content of another
    /// size fails its check.
    pub size: Option<u64>,
    /// What is checked.
    pub check: Check,
    /// When it must be safe.
    pub durability: Durability,
    /// A strong validator (RFC 9110 §8.8.1), with which the rest can be asked for if the run is interrupted. `None` where the entry can
    /// only be fetched anew.
    #[serde(default)]
    pub validator: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// The beginning of an entry that an interrupted run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialEntry {
    /// The entry, with its validator.
    pub entry: NewEntry,
    /// How many of its first bytes can be used.
    pub bytes: u64,
}

/// Proof that an entry is in the bag, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where in the bag.
    pub path: BagPath,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of all bytes written.
    pub sha256: Sha256,
    /// Its media type.
    pub media_type: String,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it would survive a loss of power now. Where not, it would once the bag is finished.
    pub durable: bool,
}

/// A file of the bag that is no payload (RFC 8493 §2.2), already rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFile {
    /// Where in the bag.
    pub path: BagPath,
    /// Its content.
    pub bytes: Bytes,
}

/// A bag that is complete, on disk and under its final name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedBag {
    /// The file; `None` where the bag went to standard output.
    pub path: Option<PathBuf>,
    /// Size of the whole.
    pub bytes: u64,
    /// SHA-256 of the whole, where it was asked for and the bytes passed by in their order: else the file has to be read.
    pub sha256: Option<Sha256>,
}

/// Why bytes that arrived are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckFailure {
    /// The gzip stream ends before its trailer.
    #[error("the archive ends early, after {received} bytes")]
    Truncated {
        /// Bytes received.
        received: u64,
    },
    /// The first bytes are not gzip: often an error page.
    #[error("this is not a gzip archive")]
    NotGzip,
    /// CRC-32, length or the deflate stream itself is wrong.
    #[error("the archive is damaged: its own checksum does not match")]
    Damaged,
    /// Bytes follow the end of the archive.
    #[error("bytes follow the end of the archive")]
    TrailingBytes,
    /// Not the published size.
    #[error("{received} bytes arrived where the platform says {expected}")]
    Size {
        /// Bytes received.
        received: u64,
        /// Bytes published.
        expected: u64,
    },
    /// Not the SHA-256 that the platform publishes or, of a copy, that of the original.
    #[error("the SHA-256 is not the one that the platform publishes")]
    Sha256,
}

/// Why the sink could not go on.
#[derive(Debug, Error)]
pub enum SinkError {
    /// The entry's bytes failed their check. The entry is discarded; the sink goes on.
    #[error("`{path}`: {failure}")]
    CheckFailed {
        /// The entry.
        path: BagPath,
        /// What is wrong with it.
        failure: CheckFailure,
    },
    /// The disk or the quota is full.
    #[error("no space left for `{}`", path.display())]
    NoSpace {
        /// The file being written.
        path: PathBuf,
        /// Bytes that would be needed, where known.
        needed: Option<u64>,
    },
    /// Writing, flushing or renaming failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The final name is taken by another file and `--force` was not given.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// An entry of this name is in the bag already.
    #[error("`{path}` is in the bag already")]
    Duplicate {
        /// The entry.
        path: BagPath,
    },
    /// The run is somebody else's by now. Nothing of it counts; nothing more may be written or asked of the platform.
    #[error("this run is somebody else's by now")]
    Lost,
    /// The store that the bag grows in does not answer; later it may.
    #[error("the store of the bag does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The sink's own machinery stopped, after an earlier error.
    #[error("the archive writer has stopped")]
    Stopped,
}

/// Receives the bag's files. Several entries may be open at once.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ArchiveSink: Send + Sync {
    /// Entries that are safe since an interrupted run, in the order in which they were closed.
    fn resumed_receipts(&self) -> Vec<Receipt>;

    /// Entries that an interrupted run had begun with a validator, and whose beginnings are still here.
    fn partial_entries(&self) -> Vec<PartialEntry>;

    /// Bytes that can still be written where the bag grows, and the path they are counted for; `None` where nobody can say.
    fn free_space(&self) -> Option<(u64, PathBuf)>;

    /// Opens an entry. Entries may be opened while others are; their bytes never mix.
    ///
    /// Waits for nothing but the sink's own limits. A path that was closed before is an error.
    async fn open_entry(&self, entry: NewEntry) -> Result<Box<dyn EntryWriter>, SinkError>;

    /// Resumes one of the [`Self::partial_entries`]: after this returns, the writer has taken as many bytes as it says, and its
    /// sums and its check are those of the whole.
    ///
    /// `None` where its bytes cannot be read any more; the path may then be opened as a new entry, which at any time replaces a
    /// partial one.
    async fn resume_entry(&self, path: &BagPath)
    -> Result<Option<Box<dyn EntryWriter>>, SinkError>;

    /// Lets the tag files be written and publishes: after this returns, the bag is complete, on disk, and under its final name.
    ///
    /// A journal on disk stays until whoever composed the run has reported the bag.
    async fn finish(self: Box<Self>, tags: Box<dyn TagFiles>) -> Result<FinishedBag, SinkError>;
}

/// Makes the tag files of a bag whose payload is all there. What they say may depend on what is in it, and there may be more of
/// them than fit into memory.
pub trait TagFiles: Send {
    /// Hands over every tag file, each as soon as it is made. Returns what a receipt says of the bag, where one can be made: the sink
    /// has it recorded ([`Fact::Described`](super::Fact::Described)) before the bag has its name.
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError>;
}

impl TagFiles for Vec<TagFile> {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        self.into_iter().try_for_each(|tag| bag.add(tag))?;
        Ok(None)
    }
}

/// A bag that lacks nothing but its tag files, as those see it who make them.
pub trait PayloadInPlace {
    /// The first bytes of an entry, no more than this many: what a run that was interrupted has stored as well as what this one has.
    ///
    /// `None` where they cannot be read back. A sink that only ever adds to its output keeps copies of documents and pictures for
    /// this; of anything else it has none.
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>>;

    /// Adds a tag file. A path that is in the bag already is an error.
    fn add(&mut self, tag: TagFile) -> Result<(), SinkError>;

    /// Adds a tag file that is written piece by piece, because it may be megabytes: `write` is called once, and what it fails with ends
    /// the bag. A path that is in the bag already is an error.
    fn add_written(&mut self, path: BagPath, write: WriteTag<'_>) -> Result<(), SinkError> {
        let mut bytes = Vec::new();
        match write(&mut bytes) {
            Ok(()) => self.add(TagFile {
                path,
                bytes: bytes.into(),
            }),
            Err(source) => Err(SinkError::Io {
                action: "write",
                path: path.as_str().into(),
                source,
            }),
        }
    }
}

/// Tag files on their own, as values.
#[cfg(test)]
impl PayloadInPlace for Vec<TagFile> {
    fn first_bytes(&mut self, _path: &BagPath, _at_most: u64) -> Option<Vec<u8>> {
        None
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        self.push(tag);
        Ok(())
    }
}

/// Writes the content of one tag file.
pub type WriteTag<'a> = &'a mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>;

/// An open entry.
///
/// Dropped without `close` or `discard`, it counts as interrupted. One without a validator is then discarded. One with a
/// validator stays as it is for the run to come, and the sink, which may be holding its place, takes nothing more.
#[async_trait]
pub trait EntryWriter: Send + Sync {
    /// Takes the next bytes. Waits while the disk is slower than the network.
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError>;

    /// Takes the next bytes out of a file, as many of the first as it likes, without asking its caller to read them; how many it took.
    /// Zero: it can take none like that here, and they have to be written. What is checked of them is what is in the bag.
    async fn copy(&mut self, _from: &StoredBytes) -> Result<u64, SinkError> {
        Ok(0)
    }

    /// Ends the entry: after this returns, its bytes passed their check and are in the bag.
    ///
    /// A failed check is [`SinkError::CheckFailed`], and the entry is gone.
    async fn close(self: Box<Self>) -> Result<Receipt, SinkError>;

    /// Takes the entry back, as if it had never been opened: its path may be opened again.
    async fn discard(self: Box<Self>) -> Result<(), SinkError>;
}
