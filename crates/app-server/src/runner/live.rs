//! How far a run is, for whoever watches it.

use domain::jobs::JobProgress;
use domain::ports::{Event, Progress};
use tokio::sync::watch;

/// The progress after so many events. Each includes all before it, so that skipping some loses nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) serial: u64,
    pub(crate) progress: JobProgress,
}

/// Folds events into snapshots.
#[derive(Debug, Default)]
pub(crate) struct Live {
    latest: watch::Sender<Snapshot>,
}

impl Live {
    pub(crate) fn latest(&self) -> Snapshot {
        self.latest.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Snapshot> {
        self.latest.subscribe()
    }

    /// Wakes those who watch although no event came: the job's state has changed.
    pub(crate) fn nudge(&self) {
        self.latest.send_modify(|snapshot| snapshot.serial += 1);
    }
}

impl Progress for Live {
    fn on(&self, event: &Event) {
        self.latest.send_modify(|snapshot| {
            snapshot.serial += 1;
            snapshot.progress.apply(event);
        });
    }
}
