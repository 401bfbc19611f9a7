//! Slots: exports that run on the platform at the same time, over all workers.

use std::error::Error as StdError;

use async_trait::async_trait;
use thiserror::Error;

use super::{JobId, Lease};
use crate::model::ItemRef;

/// Which of the platform's slots an export has, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// Why no slot can be taken or given back.
#[derive(Debug, Error)]
pub enum SlotsError {
    /// The lease is not held any more.
    #[error("the lease of job `{id}` is lost")]
    Lost {
        /// Which job.
        id: JobId,
    },
    /// The store cannot be reached or does not work.
    #[error("the store of slots does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Keeps the slots of a platform. A slot belongs to an item's export on the platform, which goes on when a worker dies: it has no term, and
/// is free when the platform says that the export has ended, or when its job is over.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Slots: Send + Sync {
    /// Takes a slot for the export of an item. The one that it has already stays its own, whoever took it; `None` where all are taken, and
    /// for a job of a campaign while one wants some that a person asked for.
    async fn take(&self, lease: &Lease, item: &ItemRef) -> Result<Option<Slot>, SlotsError>;

    /// The export of an item has ended, or never began. One without a slot is success.
    async fn give_back(&self, lease: &Lease, item: &ItemRef) -> Result<(), SlotsError>;

    /// How many are taken.
    async fn taken(&self) -> Result<usize, SlotsError>;
}
