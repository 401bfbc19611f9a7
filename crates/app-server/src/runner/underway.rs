//! The runs that are under way in this process, and who watches which job.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::{JobId, JobProgress, Lease};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;

use super::live::Live;
use crate::deadline::Deadline;
use crate::slots::RunSlots;

/// A job that is run in this process.
#[derive(Clone)]
pub(super) struct Underway {
    pub(super) lease: Lease,
    pub(super) live: Arc<Live>,
    /// Its owner wants it to be given up.
    pub(super) cancel: CancellationToken,
    /// The lease is lost: this process must not write anything of the job.
    pub(super) lost: CancellationToken,
    /// The store has no space for it now.
    pub(super) over_limit: CancellationToken,
    /// Its run is over.
    pub(super) ended: CancellationToken,
    /// Until when it may be written, on the clock that only goes forward.
    pub(super) until: Deadline,
    /// The platform's slots that it uses, where workers share them.
    pub(super) slots: Option<Arc<RunSlots>>,
    /// The progress that is recorded.
    recorded: u64,
}

impl Underway {
    pub(super) fn new(
        lease: Lease,
        live: Arc<Live>,
        until: Duration,
        slots: Option<Arc<RunSlots>>,
    ) -> Self {
        Self {
            slots,
            lease,
            live,
            cancel: CancellationToken::new(),
            lost: CancellationToken::new(),
            over_limit: CancellationToken::new(),
            ended: CancellationToken::new(),
            until: Deadline::at(until),
            recorded: 0,
        }
    }
}

/// The runs that are under way.
#[derive(Default)]
pub(super) struct Runs {
    under_way: Mutex<HashMap<JobId, Underway>>,
    began: Notify,
}

impl Runs {
    fn runs(&self) -> MutexGuard<'_, HashMap<JobId, Underway>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, run: Underway) {
        self.runs().insert(run.lease.job.clone(), run);
        self.began.notify_waiters();
    }

    /// Ends when a run begins after this is enabled.
    pub(super) fn began(&self) -> Notified<'_> {
        self.began.notified()
    }

    pub(super) fn get(&self, id: &JobId) -> Option<Underway> {
        self.runs().get(id).cloned()
    }

    /// Ends a run's place here, unless another run of the job has taken it.
    pub(super) fn remove(&self, lease: &Lease) {
        let mut runs = self.runs();
        if runs.get(&lease.job).is_some_and(|run| run.lease == *lease) {
            runs.remove(&lease.job);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.runs().len()
    }

    pub(super) fn leases(&self) -> Vec<Lease> {
        self.runs().values().map(|run| run.lease.clone()).collect()
    }

    /// A lease is held until then.
    pub(super) fn renewed(&self, lease: &Lease, until: Duration) -> Option<Underway> {
        let runs = self.runs();
        let run = runs.get(&lease.job).filter(|run| run.lease == *lease)?;
        run.until.put_off(until);
        Some(run.clone())
    }

    /// Runs that may not be written any more.
    pub(super) fn past(&self, now: Duration) -> Vec<Underway> {
        let runs = self.runs();
        let past = runs.values().filter(|run| run.until.is_past(now));
        past.cloned().collect()
    }

    /// How many runs do nothing but wait for a slot of the platform.
    pub(super) fn waiting_for_slots(&self) -> usize {
        let runs = self.runs();
        let slots = runs.values().filter_map(|run| run.slots.as_ref());
        slots.filter(|slots| slots.waits()).count()
    }

    /// The run that was claimed last.
    pub(super) fn latest(&self) -> Option<Underway> {
        let runs = self.runs();
        runs.values()
            .filter(|run| !run.over_limit.is_cancelled())
            .max_by(|one, other| one.lease.job.cmp(&other.lease.job))
            .cloned()
    }

    /// Progress that was made since this was asked last.
    pub(super) fn news(&self) -> Vec<(Lease, JobProgress)> {
        let mut news = Vec::new();
        for run in self.runs().values_mut() {
            let snapshot = run.live.latest();
            if snapshot.serial != run.recorded {
                run.recorded = snapshot.serial;
                news.push((run.lease.clone(), snapshot.progress));
            }
        }
        news
    }
}

/// Unfinished jobs that somebody may watch.
#[derive(Default)]
pub(super) struct Watched(Mutex<HashMap<JobId, Arc<Live>>>);

impl Watched {
    fn lives(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &JobId) -> Option<Arc<Live>> {
        self.lives().get(id).map(Arc::clone)
    }

    pub(super) fn get_or_add(&self, id: &JobId) -> Arc<Live> {
        Arc::clone(self.lives().entry(id.clone()).or_default())
    }

    /// Wakes those who watch a job: its state has changed.
    pub(super) fn nudge(&self, id: &JobId) {
        if let Some(live) = self.get(id) {
            live.nudge();
        }
    }

    /// Every job that somebody may watch.
    pub(super) fn ids(&self) -> Vec<JobId> {
        self.lives().keys().cloned().collect()
    }

    pub(super) fn nudge_all(&self) {
        for live in self.lives().values() {
            live.nudge();
        }
    }

    /// A job is over: those who watch it see its end.
    pub(super) fn end(&self, id: &JobId) {
        if let Some(live) = self.lives().remove(id) {
            live.nudge();
        }
    }
}
