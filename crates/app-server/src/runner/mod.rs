//! Runs jobs: one task each, a few at a time, each of which can be stopped at any moment.

mod live;
mod order;
mod task;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::{BagStore, Job, JobId, JobStore, JobStoreError, StoredJob};
use domain::model::UserId;
use domain::ports::Clock;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backend::{Backend, Credentials};
pub(crate) use live::{Live, Snapshot};

/// Why a run is stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StopReason {
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
#[derive(Debug, Error)]
pub(crate) enum TakeOnError {
    /// Its owner has too many under way.
    #[error("its owner has {limit} jobs under way")]
    TooManyOfOwner { limit: usize },
    /// The queue is full.
    #[error("the queue is full")]
    TooManyInAll,
    /// The service is being stopped.
    #[error("the service is being stopped")]
    Stopping,
    /// It cannot be recorded.
    #[error(transparent)]
    Store(#[from] JobStoreError),
}

/// A place in the queue, given back unless it is kept.
struct Seat<'a> {
    runner: &'a Runner,
    id: JobId,
    taken: Option<Underway>,
}

impl Seat<'_> {
    #[expect(clippy::expect_used, reason = "only this takes it, and only once")]
    fn keep(mut self) -> Underway {
        self.taken.take().expect("a seat is kept once")
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            self.runner.underway().remove(&self.id);
            taken.ended.cancel();
        }
    }
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
    names: order::Names,
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
            names: order::Names::default(),
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

    /// Takes a new job on: records it, and runs it as soon as there is a place. The credentials are forgotten when it ends.
    pub(crate) async fn take_on(
        self: &Arc<Self>,
        job: Job,
        credentials: Credentials,
    ) -> Result<StoredJob, TakeOnError> {
        let seat = self.seat(&job)?;
        let stored = self.store.create(job).await?;
        let underway = seat.keep();
        self.tasks
            .spawn(Arc::clone(self).run_to_end(stored.clone(), credentials, underway));
        Ok(stored)
    }

    /// A place in the queue, where the job's owner has one left.
    fn seat(&self, job: &Job) -> Result<Seat<'_>, TakeOnError> {
        if self.stopping.is_cancelled() {
            return Err(TakeOnError::Stopping);
        }
        let mut underway = self.underway();
        if underway.len() >= Self::IN_ALL {
            return Err(TakeOnError::TooManyInAll);
        }
        let own = underway.values().filter(|other| other.owner == job.owner);
        if own.count() >= Self::PER_OWNER {
            return Err(TakeOnError::TooManyOfOwner {
                limit: Self::PER_OWNER,
            });
        }
        let taken = Underway {
            owner: job.owner.clone(),
            live: Arc::new(Live::default()),
            cancel: CancellationToken::new(),
            ended: CancellationToken::new(),
        };
        underway.insert(job.id.clone(), taken.clone());
        Ok(Seat {
            runner: self,
            id: job.id.clone(),
            taken: Some(taken),
        })
    }

    /// How far a job is; `None` where it is over.
    pub(crate) fn live(&self, id: &JobId) -> Option<Arc<Live>> {
        self.underway().get(id).map(|job| Arc::clone(&job.live))
    }

    /// Stops a job, and returns once nothing of it is left: no run, no ticket, no file. Goes on in the background where
    /// nobody waits for it. A job that is over already stays as it is.
    pub(crate) async fn cancel(&self, id: &JobId) {
        let job = self.underway().get(id).cloned();
        if let Some(job) = job {
            job.cancel.cancel();
            job.ended.cancelled().await;
        }
    }

    /// Stops all jobs and takes no new ones. Returns once their tickets are abandoned, which takes seconds.
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
