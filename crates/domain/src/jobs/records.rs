//! Records of runs where many workers share one store: appended under a lease, read back in order.

use std::error::Error as StdError;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::{JobId, RunWriter};

/// A record of a run. What is inside is the matter of whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its place: it only grows within a job, with gaps.
    pub number: u64,
    /// Its content.
    pub content: Bytes,
}

/// Why records cannot be written or read.
#[derive(Debug, Error)]
pub enum RunRecordsError {
    /// The lease is not held any more, or somebody runs the job that was to be tidied up. Nothing was written.
    #[error("the lease of job `{id}` is lost")]
    Lost {
        /// Which job.
        id: JobId,
    },
    /// There is no space left for them: later there may be.
    #[error("there is no space left for records of runs")]
    NoSpace(#[source] Box<dyn StdError + Send + Sync>),
    /// The store cannot be reached or does not work.
    #[error("the store of records does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Keeps the records of runs. A store that is away for a moment is waited for, as long as a lease may last.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RunRecords: Send + Sync {
    /// Appends records in this order: all of them or none. After this returns they survive a loss of power.
    ///
    /// With a lease that is lost it is [`RunRecordsError::Lost`] and writes nothing, also where it races the next claim: what a job's new
    /// holder has not read can never appear.
    async fn append(&self, writer: &RunWriter, contents: Vec<Bytes>)
    -> Result<(), RunRecordsError>;

    /// The records of a job after this number (0 for all), in order: as many as have `bytes` together, at least one where there is one.
    async fn read(
        &self,
        job: &JobId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<RunRecord>, RunRecordsError>;

    /// Deletes all records of a job. Nothing there is success.
    async fn delete(&self, writer: &RunWriter) -> Result<(), RunRecordsError>;

    /// Every job that has records.
    async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError>;
}
