//! Who waits for a slot in this process, so that whoever gives one back wakes them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::jobs::{JobId, Slots};
use futures_util::StreamExt as _;
use tokio::sync::Notify;

/// The runs of this process that use the platform's slots.
pub(crate) struct SlotQueue {
    pub(super) slots: Arc<dyn Slots>,
    runs: Mutex<HashMap<JobId, Arc<Turn>>>,
}

impl SlotQueue {
    pub(crate) fn new(slots: Arc<dyn Slots>) -> Self {
        Self {
            slots,
            runs: Mutex::default(),
        }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Turn>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run begins.
    pub(super) fn enter(&self, job: &JobId) -> Arc<Turn> {
        let turn = Arc::new(Turn::default());
        self.runs().insert(job.clone(), Arc::clone(&turn));
        turn
    }

    /// A run is over, unless another one of the same job has begun.
    pub(super) fn leave(&self, job: &JobId, turn: &Arc<Turn>) {
        let mut runs = self.runs();
        if runs.get(job).is_some_and(|known| Arc::ptr_eq(known, turn)) {
            runs.remove(job);
        }
    }

    /// A slot is free, and it is this job's turn; it may be another worker's.
    pub(super) fn call(&self, job: &JobId) {
        if let Some(turn) = self.runs().get(job) {
            turn.call();
        }
    }

    /// Wakes those whose turn comes by what other workers give back; never returns.
    pub(crate) async fn listen_forever(self: Arc<Self>) {
        let mut turns = self.slots.turns();
        while let Some(job) = turns.next().await {
            self.call(&job);
        }
        std::future::pending::<()>().await;
    }
}

/// Whether a run should ask for slots.
#[derive(Default)]
pub(super) struct Turn {
    is_due: AtomicBool,
    called: Notify,
}

impl Turn {
    /// It should.
    pub(super) fn call(&self) {
        self.is_due.store(true, Ordering::SeqCst);
        self.called.notify_one();
    }

    /// It asks now.
    pub(super) fn begin(&self) {
        self.is_due.store(false, Ordering::SeqCst);
    }

    /// Returns when it should ask, for one that waits.
    pub(super) async fn come(&self) {
        while !self.is_due.load(Ordering::SeqCst) {
            self.called.notified().await;
        }
    }
}
