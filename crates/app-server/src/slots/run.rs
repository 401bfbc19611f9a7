//! The slots of one run: all of its items that wait are asked for in one question, and a slot that one gives back passes to the next.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::{Freed, Lease, SlotsError};
use domain::model::ItemRef;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::queue::{SlotQueue, Turn};
use crate::causes::Causes;

/// How long one that waits does not ask again, unless it is woken.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The slots of one run.
pub(crate) struct RunSlots {
    queue: Arc<SlotQueue>,
    lease: Lease,
    turn: Arc<Turn>,
    items: Mutex<Items>,
    /// The item that holds this lock asks for all that wait.
    asking: tokio::sync::Mutex<()>,
    /// Some item has got a slot.
    got: Notify,
}

struct Items {
    /// When all that wait were asked for.
    asked: Instant,
    held: BTreeSet<ItemRef>,
    /// Those that surely have none: there is nothing to give back.
    without: BTreeSet<ItemRef>,
    /// Those that wait, in their order.
    waiting: Vec<ItemRef>,
    /// Those of them that a slot is being passed to.
    promised: BTreeSet<ItemRef>,
    /// Those of them that slots are being asked for: none is passed to them meanwhile.
    asked_for: Vec<ItemRef>,
}

impl Items {
    fn unpromised(&self) -> impl Iterator<Item = ItemRef> {
        let waiting = self.waiting.iter();
        waiting
            .filter(|item| !self.promised.contains(item) && !self.held.contains(item))
            .copied()
    }

    /// The first that a slot may be passed to.
    fn next(&self) -> Option<ItemRef> {
        self.unpromised()
            .find(|item| !self.asked_for.contains(item))
    }

    fn got(&mut self, item: ItemRef) {
        self.without.remove(&item);
        self.held.insert(item);
    }
}

/// An item's place among those that wait.
struct Place<'a>(&'a RunSlots, ItemRef);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.items().waiting.retain(|item| *item != self.1);
    }
}

/// A slot that is being passed to an item.
struct Promise<'a>(&'a RunSlots, Option<ItemRef>);

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if let Some(item) = &self.1 {
            self.0.items().promised.remove(item);
        }
    }
}

impl Drop for RunSlots {
    fn drop(&mut self) {
        self.queue.leave(&self.lease.job, &self.turn);
    }
}

impl RunSlots {
    pub(crate) fn new(queue: Arc<SlotQueue>, lease: Lease) -> Self {
        let turn = queue.enter(&lease.job);
        Self {
            queue,
            lease,
            turn,
            items: Mutex::new(Items {
                asked: Instant::now(),
                held: BTreeSet::new(),
                without: BTreeSet::new(),
                waiting: Vec::new(),
                promised: BTreeSet::new(),
                asked_for: Vec::new(),
            }),
            asking: tokio::sync::Mutex::default(),
            got: Notify::new(),
        }
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self, item: ItemRef) -> bool {
        self.items().held.contains(&item)
    }

    /// Waits until there is a slot for an item's export. A store that does not answer gives none.
    pub(crate) async fn take(&self, item: ItemRef) {
        if self.holds(item) {
            return;
        }
        self.items().waiting.push(item);
        let _place = Place(self, item);
        self.turn.call();
        // Those that begin to wait in the same moment are asked for together.
        tokio::task::yield_now().await;
        let _asking = tokio::select! {
            biased;
            () = self.until_held(item) => return,
            asking = self.asking.lock() => asking,
        };
        loop {
            tokio::select! {
                biased;
                () = self.until_held(item) => return,
                () = self.until_due() => self.ask().await,
            }
        }
    }

    /// Returns when an item has a slot, whoever asked for it.
    async fn until_held(&self, item: ItemRef) {
        loop {
            let mut got = pin!(self.got.notified());
            got.as_mut().enable();
            if self.holds(item) {
                return;
            }
            got.await;
        }
    }

    /// Returns when there may be a slot for those that wait.
    async fn until_due(&self) {
        let again = self.items().asked + ASK_AGAIN;
        tokio::select! {
            () = self.turn.come() => {}
            () = tokio::time::sleep_until(again) => {}
        }
    }

    /// One question for all that wait.
    async fn ask(&self) {
        self.turn.begin();
        let items: Vec<ItemRef> = {
            let mut items = self.items();
            items.asked = Instant::now();
            items.asked_for = items.unpromised().collect();
            items.asked_for.clone()
        };
        if items.is_empty() {
            return;
        }
        let taken = self.queue.slots.take(&self.lease, &items).await;
        self.items().asked_for.clear();
        match taken {
            Ok(slots) => {
                for (item, _) in slots {
                    self.items().got(item);
                }
                self.got.notify_waiters();
            }
            // Whoever renews the lease finds out as well.
            Err(SlotsError::Lost { .. }) => {}
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "no slot could be taken");
            }
        }
    }

    /// Frees the slot of an item whose export has ended or never began. Where that fails now, the slot is freed when the job ends.
    pub(crate) async fn give_back(&self, item: ItemRef) {
        let promise = {
            let mut items = self.items();
            if items.without.contains(&item) {
                return;
            }
            let next = items.next();
            items.promised.extend(next);
            Promise(self, next)
        };
        let slots = &self.queue.slots;
        let freed = slots.give_back(&self.lease, &item, promise.1);
        let freed = freed.await;
        self.items().held.remove(&item);
        let freed = match freed {
            Ok(freed) => freed,
            Err(error) => {
                tracing::debug!(error = %Causes(&error), "a slot could not be given back");
                return;
            }
        };
        self.items().without.insert(item);
        match (freed, promise.1) {
            (Freed::Passed, Some(next)) => {
                self.items().got(next);
                self.got.notify_waiters();
            }
            (Freed::For(job), _) => self.queue.call(&job),
            // Some of its own may have begun to wait meanwhile.
            (Freed::Passed | Freed::Nobody, _) => self.turn.call(),
        }
    }

    /// Whether the run does nothing but wait for a slot.
    pub(crate) fn waits(&self) -> bool {
        let items = self.items();
        items.held.is_empty() && !items.waiting.is_empty()
    }
}
