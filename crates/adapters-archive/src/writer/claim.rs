//! Rights that are given back whatever happens: to the container, and to a path.

use std::sync::Arc;

use domain::model::BagPath;
use domain::ports::SinkError;

use super::bag::{Slot, UnfinishedBag};
use super::output::Output;

/// The right to the container. Lost without being put back, the bag is broken: nobody knows what is in the file.
pub(super) struct Claim {
    bag: Arc<UnfinishedBag>,
    fate: Fate,
}

impl Claim {
    pub(super) fn new(bag: Arc<UnfinishedBag>) -> Self {
        Self {
            bag,
            fate: Fate::Kept,
        }
    }

    pub(super) fn put_back(mut self, output: Output) {
        let mut state = self.bag.lock();
        if !matches!(state.slot, Slot::Broken(_)) {
            state.slot = Slot::Free(output);
        }
        drop(state);
        // From here on somebody else may hold it: dropping must leave it alone.
        self.fate = Fate::GivenBack;
    }

    /// Does something with the container; an error breaks the bag at once.
    pub(super) fn watch<T>(
        &self,
        act: impl FnOnce() -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        act().inspect_err(|error| self.bag.break_down(error))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.fate == Fate::Kept {
            let mut state = self.bag.lock();
            if matches!(state.slot, Slot::Held | Slot::HeldByEntry) {
                state.slot = Slot::Broken(None);
            }
        }
        self.bag.changed.notify_all();
    }
}

/// One entry's right to its path, given back when the entry is.
pub(super) struct Reservation {
    bag: Arc<UnfinishedBag>,
    path: BagPath,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    GivenBack,
    Kept,
}

impl Reservation {
    pub(super) fn new(bag: Arc<UnfinishedBag>, path: BagPath) -> Self {
        Self {
            bag,
            path,
            fate: Fate::GivenBack,
        }
    }

    /// The entry is in the bag.
    pub(super) fn keep(mut self) {
        self.fate = Fate::Kept;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.fate == Fate::GivenBack {
            self.bag.lock().taken.remove(&self.path);
        }
    }
}
