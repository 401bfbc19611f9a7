//! A finished bag that is read: what it says of itself, and the archives in it, checked before they are given away.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use thiserror::Error;

use crate::bag::verify::RecordedExport;
use crate::model::Sha256;

/// Why a bag cannot be read.
#[derive(Debug, Error)]
pub enum BagReadError {
    /// What lies there is damaged.
    #[error("the bag is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The file, or the disk under it, cannot be read.
    #[error("the bag could not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a bag says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BagDescription {
    /// Its `export.json`.
    pub recorded: RecordedExport,
    /// A sum over `export.json` and the manifest: another one is another bag.
    pub identity: Sha256,
    /// SHA-256 of `export.json`.
    pub export_json_sha256: Sha256,
    /// Why `export.json` or the manifest are not what the tag manifest lists (RFC 8493 §2.2.1), in words.
    pub tag_damage: Option<String>,
}

/// An archive that the manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedArchive {
    /// Where in the bag.
    pub path: String,
    /// Its length: after a check as it was read, else as the container says it.
    pub bytes: u64,
    /// Its sum in the manifest.
    pub sha256: Sha256,
    /// Its place among the files of the bag: archives that are opened in this order are read in one pass.
    pub place: u64,
}

/// What a check of an archive, or the search for it, came to: the archive, or what is wrong with it, in words.
pub type ArchiveCheck = Result<ListedArchive, String>;

/// The bytes of an archive, in pieces.
pub type ArchiveBytes = BoxStream<'static, Result<Bytes, BagReadError>>;

/// Bytes that lie in an open file as they are, neither packed nor encrypted.
#[derive(Clone)]
pub struct StoredBytes {
    /// The open file, as the adapters of bags know it. A sink that knows no such files takes nothing out of it.
    pub file: Arc<dyn Any + Send + Sync>,
    /// Where in the file the first byte is.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

impl StoredBytes {
    /// What follows the first `bytes` bytes.
    #[must_use]
    pub fn after(&self, bytes: u64) -> Self {
        let bytes = bytes.min(self.length);
        Self {
            file: Arc::clone(&self.file),
            offset: self.offset.saturating_add(bytes),
            length: self.length - bytes,
        }
    }
}

impl fmt::Debug for StoredBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredBytes")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Reads one bag.
#[async_trait]
pub trait BagReader: Send + Sync {
    /// What it says of itself. [`BagReadError::Damaged`] where it says nothing that can be read.
    async fn description(&self) -> Result<BagDescription, BagReadError>;

    /// Compares files with the manifest. Damaged is what differs from it, is not listed in it, is not there once as a regular
    /// file, or lies outside the payload. Every path that was asked for is in the answer.
    async fn check(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError>;

    /// Finds archives without reading them: where each lies, and its sum in the manifest, which its bytes may not have. What is known
    /// to be damaged without reading it is: see [`Self::check`]. Every path that was asked for is in the answer.
    async fn locate(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError>;

    /// The bytes of a file, from its first to its last. Nothing is unpacked to disk, and what is in memory does not grow with the file.
    async fn open(&self, archive: &ListedArchive) -> Result<ArchiveBytes, BagReadError>;

    /// Where the bytes of a file lie as they are; `None` where they lie nowhere like that, or the file cannot be opened. Whoever takes
    /// them checks them: a bag may say of itself what it likes, and somebody may write to it meanwhile.
    async fn stored(&self, archive: &ListedArchive) -> Option<StoredBytes>;
}
