//! The slots that one run uses of those that all workers share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::jobs::{Lease, Slots, SlotsError};
use domain::model::ItemRef;

use crate::causes::Causes;

/// The slots of one run.
pub(crate) struct RunSlots {
    slots: Arc<dyn Slots>,
    lease: Lease,
    held: Mutex<BTreeSet<ItemRef>>,
    waits: AtomicBool,
}

impl RunSlots {
    pub(crate) fn new(slots: Arc<dyn Slots>, lease: Lease) -> Self {
        Self {
            slots,
            lease,
            held: Mutex::default(),
            waits: AtomicBool::new(false),
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<ItemRef>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot for an item's export. A store that does not answer gives none.
    pub(crate) async fn take(&self, item: ItemRef) -> bool {
        let taken = match self.slots.take(&self.lease, &item).await {
            Ok(taken) => taken.is_some(),
            // Whoever renews the lease finds out as well.
            Err(SlotsError::Lost { .. }) => false,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "no slot could be taken");
                false
            }
        };
        if taken {
            self.held().insert(item);
        }
        let waits = !taken && self.held().is_empty();
        self.waits.store(waits, Ordering::SeqCst);
        taken
    }

    /// The platform says that an item's export has ended, or that it never began. What cannot be given back now goes with the job.
    pub(crate) async fn give_back(&self, item: ItemRef) {
        if let Err(error) = self.slots.give_back(&self.lease, &item).await {
            tracing::debug!(error = %Causes(&error), "a slot could not be given back");
        }
        self.held().remove(&item);
    }

    /// Whether the run does nothing but wait for a slot.
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::SeqCst)
    }
}
