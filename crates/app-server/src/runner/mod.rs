//! Runs jobs: one task each, a few at a time, each of which can be let go at any moment.

mod live;
mod order;
mod task;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::{BagStore, JobId, JobStore, StoredJob};
use domain::model::UserId;
use domain::ports::Clock;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backend::{Backend, Credentials};
pub(crate) use live::{Live, Snapshot};

/// How a run is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetGo {
    /// Its owner asked for it.
    Cancelled,
    /// The service is being stopped.
    Stopped,
}

/// A job that is queued or running.
#[derive(Clone)]
struct Underway {
    owner: UserId,
    live: Arc<Live>,
    cancel: CancellationToken,
    ended: CancellationToken,
}

/// Why a job is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Its owner has too many under way.
    TooManyOfOwner {
        /// How many there may be.
        limit: usize,
    },
    /// The queue is full.
    TooManyInAll,
    /// The service is being stopped.
    Stopping,
}

/// What a runner works with.
pub(crate) struct Runner {
    store: Arc<dyn JobStore>,
    bags: Arc<dyn BagStore>,
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
    keep_for: Duration,
    places: Arc<Semaphore>,
    underway: Mutex<HashMap<JobId, Underway>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// What the runner needs of the world.
pub(crate) struct RunnerPorts {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Runner {
    /// Exports of one owner that may be queued or running.
    const PER_OWNER: usize = 10;
    /// Exports that may be queued or running in all.
    const IN_ALL: usize = 1_000;

    /// A runner of at most `places` jobs at a time, whose bags are kept for `keep_for`.
    pub(crate) fn new(ports: RunnerPorts, places: usize, keep_for: Duration) -> Self {
        Self {
            store: ports.store,
            bags: ports.bags,
            backend: ports.backend,
            clock: ports.clock,
            keep_for,
            places: Arc::new(Semaphore::new(places)),
            underway: Mutex::new(HashMap::new()),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Says whether one more job of this owner would be taken on now.
    pub(crate) fn has_room_for(&self, owner: &UserId) -> Result<(), NotTaken> {
        if self.stopping.is_cancelled() {
            return Err(NotTaken::Stopping);
        }
        let underway = self.underway();
        if underway.len() >= Self::IN_ALL {
            return Err(NotTaken::TooManyInAll);
        }
        let own = underway.values().filter(|job| job.owner == *owner).count();
        if own >= Self::PER_OWNER {
            return Err(NotTaken::TooManyOfOwner {
                limit: Self::PER_OWNER,
            });
        }
        Ok(())
    }

    /// Takes a queued job on. It runs as soon as there is a place; the credentials are forgotten when it ends.
    pub(crate) fn start(self: &Arc<Self>, stored: StoredJob, credentials: Credentials) {
        let underway = Underway {
            owner: stored.job.owner.clone(),
            live: Arc::new(Live::default()),
            cancel: CancellationToken::new(),
            ended: CancellationToken::new(),
        };
        self.underway()
            .insert(stored.job.id.clone(), underway.clone());
        self.tasks
            .spawn(Arc::clone(self).see_through(stored, credentials, underway));
    }

    /// How far a job is; `None` where it is over.
    pub(crate) fn live(&self, id: &JobId) -> Option<Arc<Live>> {
        self.underway().get(id).map(|job| Arc::clone(&job.live))
    }

    /// Lets a job go, and returns once nothing of it is left: no run, no ticket, no file. Goes on in the background where
    /// nobody waits for it. A job that is over already is let be.
    pub(crate) async fn cancel(&self, id: &JobId) {
        let job = self.underway().get(id).cloned();
        if let Some(job) = job {
            job.cancel.cancel();
            job.ended.cancelled().await;
        }
    }

    /// Lets all jobs go and takes no new ones. Returns once their tickets are withdrawn, which takes seconds.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn underway(&self) -> MutexGuard<'_, HashMap<JobId, Underway>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
