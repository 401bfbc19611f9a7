//! Runs of jobs: the sink and the journal of whoever holds the lease.

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::{JobId, KeptBag, Lease};
use crate::bag::receipt::Delivered;
use crate::model::{BagFormat, Order, SafeName, Sha256, UserId};
use crate::ports::{ArchiveSink, Journal};

/// What a run needs to know of its bag. The same job has the same settings in every process that runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSettings {
    /// Whose data.
    pub user: UserId,
    /// From which platform: its base URL.
    pub source: String,
    /// The container.
    pub format: BagFormat,
    /// The top folder inside.
    pub top: SafeName,
    /// The bag's file name.
    pub file: SafeName,
    /// [`Order::fingerprint`]: an unfinished run of another order is not resumed.
    pub fingerprint: Sha256,
}

impl RunSettings {
    /// Those of an order, whose bag has this file name.
    pub fn of(order: &Order, file: SafeName) -> Self {
        Self {
            user: order.user.clone(),
            source: order.source.clone(),
            format: order.format,
            top: order.bag_name.clone(),
            file,
            fingerprint: order.fingerprint(),
        }
    }
}

/// Who works on what a job's runs left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunWriter {
    /// Whoever runs the job.
    Holder(Lease),
    /// Whoever tidies up after a job that nobody runs. Refused as soon as somebody does.
    Sweeper(JobId),
}

impl RunWriter {
    /// The job.
    pub fn job(&self) -> &JobId {
        match self {
            Self::Holder(lease) => &lease.job,
            Self::Sweeper(job) => job,
        }
    }
}

/// What a store found when it opened a run.
pub enum OpenedRun {
    /// The run can begin, or be resumed.
    Ready {
        /// Takes the bag's files.
        sink: Box<dyn ArchiveSink>,
        /// Records.
        journal: Arc<dyn Journal>,
        /// Whether an unfinished run is resumed.
        resumed: bool,
    },
    /// An earlier run had finished the bag, which only has to be [kept](RunStore::keep).
    Complete {
        /// What that run recorded: tickets in it may still be on the platform.
        journal: Arc<dyn Journal>,
    },
}

/// What a finished bag says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// `export.json`, byte for byte.
    pub export_json: Bytes,
    /// What a receipt says of the bag; `None` where nothing is known of it.
    pub delivered: Option<Box<Delivered>>,
}

/// Why a run cannot be opened, or its bag not be kept.
#[derive(Debug, Error)]
pub enum RunStoreError {
    /// The lease is not held any more, or somebody runs the job that was to be tidied up.
    #[error("the lease of job `{id}` is lost")]
    Lost {
        /// Which job.
        id: JobId,
    },
    /// What an unfinished run left cannot be resumed, whatever is tried: it has to be [discarded](RunStore::discard).
    #[error("the unfinished run of job `{id}` cannot be resumed")]
    Unresumable {
        /// Which job.
        id: JobId,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// There is no finished bag to be kept.
    #[error("there is no finished bag of job `{id}`")]
    Missing {
        /// Which job.
        id: JobId,
    },
    /// The disk or the quota is full.
    #[error("no space left for the run of job `{id}`")]
    NoSpace {
        /// Which job.
        id: JobId,
    },
    /// The store does not answer; later it may.
    #[error("the store of runs does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// Something else failed.
    #[error("the run of job `{id}` could not be used")]
    Failed {
        /// Which job.
        id: JobId,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// Opens runs: where the entries of an unfinished bag and its journal are.
///
/// Whatever is written through a sink or a journal of a run carries the lease that it was opened with. With a lease that is lost it is
/// refused ([`SinkError::Lost`](crate::ports::SinkError::Lost), [`JournalError::Lost`](crate::ports::JournalError::Lost)) and leaves
/// nothing that a later run would take for its own, also where it races the next [`RunStore::open`].
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Opens the run of a job for whoever holds its lease: a new one, or the one that an unfinished run left. What was durable under one
    /// lease is resumed under the next.
    async fn open(&self, lease: &Lease, settings: &RunSettings)
    -> Result<OpenedRun, RunStoreError>;

    /// What an unfinished run of a job recorded, to take its tickets off the platform. Nothing there is empty.
    async fn unfinished(&self, writer: &RunWriter) -> Result<Vec<Arc<dyn Journal>>, RunStoreError>;

    /// Removes all that runs of a job left, its journal included: the next one begins anew. Nothing there is success.
    async fn discard(&self, writer: &RunWriter) -> Result<(), RunStoreError>;

    /// Takes over the bag of a run whose sink was finished. After this returns, [`BagStore::open`](super::BagStore::open) reads it, it
    /// survives a loss of power, and nothing else of the job's runs is needed. Once more after that it is the same.
    async fn keep(&self, lease: &Lease, file: &SafeName) -> Result<KeptBag, RunStoreError>;

    /// Whether a run of the job had its bag [kept](RunStore::keep) already, and died before its end was recorded.
    async fn is_kept(&self, lease: &Lease, file: &SafeName) -> Result<bool, RunStoreError>;

    /// What the bag of a run says of itself whose sink was finished, whether its bag is kept already or not; `None` where there is no such bag.
    async fn report(
        &self,
        lease: &Lease,
        file: &SafeName,
    ) -> Result<Option<RunReport>, RunStoreError>;
}
