//! Where jobs are recorded and where their bags are kept.

use std::error::Error as StdError;
use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use thiserror::Error;

use super::{DownloadRecord, Job, JobId};
use crate::model::{SafeName, Sha256, UserId};
use crate::ports::FinishedBag;

/// Which state of a job somebody has seen. Every update needs the one that it builds on: a late writer changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A job as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// The job.
    pub job: Job,
    /// Which state of it this is.
    pub version: Version,
}

/// A part of a list of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPage {
    /// The job that the part begins after; `None` for the newest.
    pub after: Option<JobId>,
    /// Jobs wanted.
    pub limit: usize,
}

/// Why jobs could not be recorded or found.
#[derive(Debug, Error)]
pub enum JobStoreError {
    /// A job of this id is there already.
    #[error("job `{id}` exists already")]
    Exists {
        /// Which.
        id: JobId,
    },
    /// No job of this id is there, or it is somebody else's.
    #[error("there is no job `{id}`")]
    Unknown {
        /// Which.
        id: JobId,
    },
    /// The job has changed since it was read.
    #[error("job `{id}` was changed by somebody else")]
    Conflict {
        /// Which.
        id: JobId,
    },
    /// No more jobs can be recorded.
    #[error("no more than {limit} jobs can be recorded")]
    Full {
        /// How many there are.
        limit: usize,
    },
    /// The store cannot be reached or does not work.
    #[error("the store of jobs does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Records jobs.
///
/// Whoever asks for an owner's job gives the owner: somebody else's job is [`JobStoreError::Unknown`], as if it were not there.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Records a new job. A job of the same id is [`JobStoreError::Exists`].
    async fn create(&self, job: Job) -> Result<StoredJob, JobStoreError>;

    /// An owner's job.
    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError>;

    /// An owner's jobs, newest request first. Where the job to begin after is not the owner's, [`JobStoreError::Unknown`].
    async fn list(&self, owner: &UserId, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError>;

    /// Replaces a job. Where it has changed since `seen`, [`JobStoreError::Conflict`], and nothing happens.
    ///
    /// Transfers are left as they stand in the store: only [`JobStore::record_download`] adds to them.
    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError>;

    /// Adds a transfer to a job's record, whatever state it is in. Its version stays as it is.
    async fn record_download(
        &self,
        id: &JobId,
        download: DownloadRecord,
    ) -> Result<(), JobStoreError>;

    /// All jobs that are queued or running, oldest request first.
    async fn unfinished(&self) -> Result<Vec<StoredJob>, JobStoreError>;

    /// Jobs whose bag should be gone by `now`.
    async fn overdue(&self, now: Timestamp) -> Result<Vec<StoredJob>, JobStoreError>;
}

/// Why a bag could not be kept or had.
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
    /// Reading, writing or deleting failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

/// The bytes of a bag, in order. An error ends them.
pub type BagBody = BoxStream<'static, Result<Bytes, BagStoreError>>;

/// Keeps the bags of jobs. Only the service's own user can read what is in it.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait BagStore: Send + Sync {
    /// An empty folder for a job's run to work in. What was left there by an earlier run is gone.
    async fn workplace(&self, id: &JobId) -> Result<PathBuf, BagStoreError>;

    /// Takes over the bag that a run finished in the job's workplace. After this returns the bag can be opened.
    ///
    /// Gives the SHA-256 of the whole file, read again where the run could not know it.
    async fn keep(&self, id: &JobId, bag: &FinishedBag) -> Result<Sha256, BagStoreError>;

    /// A part of a kept bag. Its size must be `size`: anything else is [`BagStoreError::Changed`].
    ///
    /// What is open can be read to its end, even where the bag is deleted meanwhile.
    async fn open(
        &self,
        id: &JobId,
        name: &SafeName,
        size: u64,
        part: Range<u64>,
    ) -> Result<BagBody, BagStoreError>;

    /// Deletes a job's bag, and its workplace with all that is in it. Nothing there is success.
    async fn delete(&self, id: &JobId) -> Result<(), BagStoreError>;

    /// Every job that has a bag or a workplace here.
    async fn kept(&self) -> Result<Vec<JobId>, BagStoreError>;
}
