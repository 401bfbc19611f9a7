//! Slots: exports that run on the platform at the same time, over all workers.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use thiserror::Error;

use super::{JobId, Lease};
use crate::model::ItemRef;

/// Which of the platform's slots an export has, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// What became of a slot that was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freed {
    /// The next item of the same job has it.
    Passed,
    /// It is free, and it is this job's turn to take one.
    For(JobId),
    /// It is free, and nobody waits for one; or there was none.
    Nobody,
}

/// The rules of who is next.
#[derive(Clone, Copy, Debug)]
pub struct SlotRules;

impl SlotRules {
    /// For so long a job that found too few slots is thought to want some: it asks again sooner, each half second, unless its worker died. Slots
    /// that are kept free for a dead worker's jobs are of no use to anybody for this time.
    pub const WANTED_FOR: Duration = Duration::from_millis(700);
    /// A job without any slot that has waited for so long comes before the further items of jobs that have some.
    pub const PATIENCE: Duration = Duration::from_secs(10);
}

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
///
/// Those that want one are served in order: first what people asked for themselves, and of these jobs that were taken over from a worker that
/// died and hold no slot, then whoever has waited the longest since it was served last; then jobs of campaigns, in the same order. A free slot
/// is not given to a later one while an earlier one wants it that asked within [`SlotRules::WANTED_FOR`].
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Slots: Send + Sync {
    /// Takes slots for the exports of these items, in their order, as many as there are for this job. One that an item has already stays its
    /// own, whoever took it. For those that are left the job takes its place among all that wait.
    async fn take(
        &self,
        lease: &Lease,
        items: &[ItemRef],
    ) -> Result<Vec<(ItemRef, Slot)>, SlotsError>;

    /// The export of an item has ended, or never began. Its slot passes to `next`, an item of the same job that waits for one, in the same
    /// step; unless somebody waits who comes before the job, or a job in the same order that has no slot and has waited for
    /// [`SlotRules::PATIENCE`]. One without a slot is success.
    async fn give_back(
        &self,
        lease: &Lease,
        item: &ItemRef,
        next: Option<ItemRef>,
    ) -> Result<Freed, SlotsError>;

    /// Jobs whose turn it is, as far as another worker gave a slot back: a hint, of which some may be missed. Never ends.
    fn turns(&self) -> BoxStream<'static, JobId>;

    /// How many are taken.
    async fn taken(&self) -> Result<usize, SlotsError>;
}
