//! Where a job is in its life, and what its run came to.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{BagFormat, SafeName, Sha256};
use crate::report::Completeness;

/// A finished bag, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BagRecord {
    /// Its file name.
    pub name: SafeName,
    /// Its container.
    pub format: BagFormat,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: Sha256,
    /// What its owner can show later; `None` of one that an earlier version made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<KeptReceipt>>,
}

/// The receipt of a bag, as it was written when the bag was ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReceipt {
    /// The document ([`crate::bag::receipt::BagReceipt`]), byte for byte.
    pub document: String,
    /// Its signature, where the service has a key.
    pub signature: Option<String>,
}

/// What a run exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When the bag was ready.
    pub ready: Timestamp,
    /// The bag.
    pub bag: BagRecord,
    /// Whether everything asked for is in it.
    pub completeness: Completeness,
}

/// Why there is no bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// What went wrong, with its causes, in words that name no secret.
    pub message: String,
    /// What a person can do, where something is known.
    pub hint: Option<String>,
}

/// What a job waits for before its run can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingFor {
    /// Its owner: nobody has their password any more, or the platform refuses it.
    SignIn,
    /// The platform, which does not answer or asks to come later.
    Platform,
    /// Free space on the service's disk.
    DiskSpace,
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignIn => "sign-in",
            Self::Platform => "platform",
            Self::DiskSpace => "disk-space",
        })
    }
}

/// Where a job is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits for a free place.
    Queued,
    /// Its run is under way.
    Running,
    /// Its run is interrupted and will be resumed.
    Waiting {
        /// What it waits for.
        waiting_for: WaitingFor,
        /// When it is tried again by itself; `None` where only its owner can help.
        retry: Option<Timestamp>,
        /// When it is given up.
        give_up: Timestamp,
    },
    /// Its bag can be fetched.
    Ready {
        /// What there is.
        delivery: Delivery,
        /// Until when.
        expires: Timestamp,
    },
    /// Its run ended without a bag.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        failure: JobFailure,
        /// Until when a retry resumes its unfinished run; `None` where nothing is kept of it.
        resumable_until: Option<Timestamp>,
    },
    /// It was given up on request.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// Its bag was kept as long as promised and is gone.
    Expired {
        /// What there was.
        delivery: Delivery,
        /// When it went.
        at: Timestamp,
    },
    /// Its bag was deleted on request.
    Deleted {
        /// What there was.
        delivery: Delivery,
        /// When it went.
        at: Timestamp,
    },
}

/// The name of a state, for people, programs and database columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the JobState of its name")]
pub enum JobStateName {
    Queued,
    Running,
    Waiting,
    Ready,
    Failed,
    Cancelled,
    Expired,
    Deleted,
}

impl JobStateName {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::Deleted,
    ];
}

impl fmt::Display for JobStateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
        })
    }
}

impl JobState {
    /// Its name.
    pub fn name(&self) -> JobStateName {
        match self {
            Self::Queued => JobStateName::Queued,
            Self::Running => JobStateName::Running,
            Self::Waiting { .. } => JobStateName::Waiting,
            Self::Ready { .. } => JobStateName::Ready,
            Self::Failed { .. } => JobStateName::Failed,
            Self::Cancelled { .. } => JobStateName::Cancelled,
            Self::Expired { .. } => JobStateName::Expired,
            Self::Deleted { .. } => JobStateName::Deleted,
        }
    }
}
