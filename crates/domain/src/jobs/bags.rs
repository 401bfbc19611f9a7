//! Where bags are kept.

use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use thiserror::Error;

use super::JobId;
use crate::model::{SafeName, Sha256};

/// Why a bag could not be kept or read.
#[derive(Debug, Error)]
pub enum BagStoreError {
    /// There is no bag of this job.
    #[error("there is no bag of job `{id}`")]
    Missing {
        /// Which job.
        id: JobId,
    },
    /// The bag is not what was kept: somebody else changed it.
    #[error("the bag of job `{id}` has {found} bytes where {expected} were kept")]
    Changed {
        /// Which job.
        id: JobId,
        /// Bytes it has.
        found: u64,
        /// Bytes it had.
        expected: u64,
    },
    /// The disk or the quota is full.
    #[error("no space left for the bag of job `{id}`")]
    NoSpace {
        /// Which job.
        id: JobId,
    },
    /// Reading, writing or deleting failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// The bytes of a bag, in order. An error ends them.
pub type BagBody = BoxStream<'static, Result<Bytes, BagStoreError>>;

/// A bag as it was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBag {
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole.
    pub sha256: Sha256,
}

/// Keeps the bags of jobs. Only the service's own user can read what is in them. Bags that runs finish come by
/// [`RunStore::keep`](super::RunStore::keep).
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait BagStore: Send + Sync {
    /// Takes over a bag as a stream, from where it is made elsewhere. A stream that ends with an error keeps nothing.
    async fn put(
        &self,
        id: &JobId,
        name: &SafeName,
        body: BagBody,
    ) -> Result<KeptBag, BagStoreError>;

    /// A part of a kept bag. Its size must be `size`: anything else is [`BagStoreError::Changed`].
    ///
    /// What is open can be read to its end, even where the bag is deleted meanwhile. A store that cannot promise that ends it with an error,
    /// never with fewer or other bytes.
    async fn open(
        &self,
        id: &JobId,
        name: &SafeName,
        size: u64,
        part: Range<u64>,
    ) -> Result<BagBody, BagStoreError>;

    /// Deletes a job's bag, and all that unfinished runs of it left. Nothing there is success.
    async fn delete(&self, id: &JobId) -> Result<(), BagStoreError>;

    /// Whether the store can be used: it is asked for as little as it can be asked for, however many bags it has.
    async fn answers(&self) -> Result<(), BagStoreError>;

    /// Every job that has a bag or an unfinished run here.
    async fn list(&self) -> Result<Vec<JobId>, BagStoreError>;

    /// Bytes that all jobs take here, unfinished runs included.
    async fn used_bytes(&self) -> Result<u64, BagStoreError>;

    /// Bytes that one job takes here. Nothing there is 0.
    async fn used_bytes_of(&self, id: &JobId) -> Result<u64, BagStoreError>;

    /// Bytes that can still be written; `None` where nobody can say.
    async fn free_space(&self) -> Result<Option<u64>, BagStoreError>;
}
