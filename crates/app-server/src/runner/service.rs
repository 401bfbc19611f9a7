//! The runner as the rest of the service sees it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{Admitted, Job, JobId, JobStoreError};
use domain::model::UserId;
use thiserror::Error;
use tokio_util::task::TaskTracker;

use super::context::{Context, RunnerPorts};
use super::leases::{measure_forever, record_forever, renew_forever};
use super::live::Live;
use super::registry::Period;
use super::sweep::{clean_up, clean_up_forever, forget_forever, sweep_forever};
use super::terms::{Duty, Terms};
use super::worker::{watch_forever, work};
use crate::backend::Credentials;

/// How long runs that are stopped may take to write down what a resume needs.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Why a job is not taken on.
#[derive(Debug, Error)]
pub(crate) enum TakeOnError {
    /// The service is being stopped.
    #[error("the service is being stopped")]
    Stopping,
    /// It is refused, or cannot be recorded.
    #[error(transparent)]
    Store(#[from] JobStoreError),
}

/// Runs jobs: a few at a time, each of which can be stopped at any moment and resumed, by this process or the next.
pub(crate) struct Runner {
    pub(super) context: Arc<Context>,
    pub(super) tasks: TaskTracker,
    loops: TaskTracker,
}

impl Runner {
    /// Takes up what an earlier process left, and does its duty from now on.
    pub(crate) async fn start(
        ports: RunnerPorts,
        terms: Terms,
    ) -> Result<Arc<Self>, JobStoreError> {
        let context = Arc::new(Context::new(ports, terms));
        if context.terms.duty == Duty::Alone {
            let resumed = context.ports.store.void_leases().await?;
            if resumed > 0 {
                tracing::info!(jobs = resumed, "exports of an earlier process are resumed");
            }
            for (job, owner) in context.ports.store.unfinished().await? {
                context.registry.add(&job, &owner);
            }
            clean_up(&context, &mut HashSet::new()).await;
        }
        context.hold_campaigns().await;
        let runner = Self {
            context,
            tasks: TaskTracker::new(),
            loops: TaskTracker::new(),
        };
        runner.start_loops();
        Ok(Arc::new(runner))
    }

    fn start_loops(&self) {
        let context = || Arc::clone(&self.context);
        let duty = self.context.terms.duty;
        self.spawn(forget_forever(context()));
        if duty == Duty::Serves {
            self.spawn(watch_forever(context()));
            return;
        }
        let worker = self.context.terms.worker.clone();
        self.spawn_to_its_end(work(context(), worker, self.tasks.clone()));
        self.spawn(renew_forever(context()));
        if let Some(slots) = &self.context.slots {
            self.spawn(Arc::clone(slots).listen_forever());
        }
        self.spawn(record_forever(context()));
        self.spawn(sweep_forever(context()));
        if duty == Duty::Runs {
            self.spawn(clean_up_forever(context()));
        }
        if self.context.terms.store_limit.is_some() {
            self.spawn(measure_forever(context()));
        }
    }

    /// A loop that ends by itself when the service is stopped. It is not dropped before: a claim whose answer nobody hears may have been made,
    /// and its job would stay with this process for the whole lease.
    fn spawn_to_its_end(&self, until_stopped: impl Future<Output = ()> + Send + 'static) {
        let at_once = self.context.at_once.clone();
        self.loops.spawn(async move {
            at_once.run_until_cancelled(until_stopped).await;
        });
    }

    /// A loop that ends when the last run has ended.
    fn spawn(&self, forever: impl Future<Output = ()> + Send + 'static) {
        let (context, tasks) = (Arc::clone(&self.context), self.tasks.clone());
        self.loops.spawn(async move {
            let stopped = async {
                context.stopping.cancelled().await;
                tasks.wait().await;
            };
            tokio::select! {
                () = stopped => {}
                () = context.at_once.cancelled() => {}
                () = forever => {}
            }
        });
    }

    /// Takes a new job on: records it, and runs it as soon as there is a place. The same order that is under way is not taken
    /// on twice. The credentials are forgotten with the last job of the owner.
    pub(crate) async fn take_on(
        &self,
        job: Job,
        credentials: Credentials,
    ) -> Result<Admitted, TakeOnError> {
        if self.context.stopping.is_cancelled() {
            return Err(TakeOnError::Stopping);
        }
        let id = job.id.clone();
        let period = self.hand_over(&job, &credentials).await;
        let store = &self.context.ports.store;
        let admitted = store.admit(job, &self.context.terms.shares).await;
        match &admitted {
            Ok(Admitted::New(_)) => self.context.wake.notify_one(),
            // A job of this id is there, and what is kept for it is its own.
            Err(JobStoreError::Exists { .. }) => {}
            Ok(Admitted::Same(_)) | Err(_) => self.take_back(&id, period).await,
        }
        Ok(admitted?)
    }

    /// The credentials for a job that is about to be queued.
    pub(super) async fn hand_over(&self, job: &Job, credentials: &Credentials) -> Period {
        let (context, owner) = (&self.context, &job.owner);
        let period = context.registry.add_job(job);
        context.accepted(owner, credentials).await;
        context.keep_sealed(&job.id, owner, credentials).await;
        period
    }

    pub(super) async fn take_back(&self, id: &JobId, period: Period) {
        if self.context.registry.remove(id, Some(period)) {
            self.context.delete_sealed(id).await;
        }
    }

    /// Somebody signed in and the platform accepted them: their jobs that wait for that go on.
    pub(crate) async fn accepted(&self, owner: &UserId, credentials: &Credentials) {
        self.context.accepted(owner, credentials).await;
    }

    /// How far a job is, where somebody watches it or it runs; `None` where it is over.
    pub(crate) fn live(&self, id: &JobId) -> Option<Arc<Live>> {
        self.context.watched.get(id)
    }

    /// Watches a job that is not over. Whoever watches looks at the job once more after this.
    pub(crate) fn watch(&self, id: &JobId) -> Arc<Live> {
        self.context.watched.get_or_add(id)
    }

    /// Ends the watching of a job that is over.
    pub(crate) fn unwatch(&self, id: &JobId) {
        self.context.watched.end(id);
    }

    /// Gives a job up, and returns once nothing of it is left: no run, no ticket, no file. Goes on in the background where nobody
    /// waits for it. A job that is over already stays as it is.
    pub(crate) async fn cancel(
        &self,
        owner: &UserId,
        id: &JobId,
        credentials: &Credentials,
    ) -> Result<(), JobStoreError> {
        self.context.accepted(owner, credentials).await;
        self.give_up(owner, id, owner).await
    }

    /// As [`Runner::cancel`], by somebody who may not be its owner.
    pub(crate) async fn give_up(
        &self,
        owner: &UserId,
        id: &JobId,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        let context = Arc::clone(&self.context);
        let (owner, id, asked, by) = (owner.clone(), id.clone(), id.clone(), by.clone());
        // A task of its own: the caller may go away.
        let cancelled = self.tasks.spawn(async move {
            tokio::select! {
                cancelled = context.cancel(&owner, &id, &by) => Some(cancelled),
                () = context.at_once.cancelled() => None,
            }
        });
        match cancelled.await {
            Ok(Some(cancelled)) => cancelled,
            Ok(None) => Err(JobStoreError::Conflict { id: asked }),
            Err(error) => Err(JobStoreError::Unavailable(Box::new(error))),
        }
    }

    /// Nothing more happens, as after `kill -9`.
    #[cfg(test)]
    pub(crate) fn kill(&self) {
        self.context.stopping.cancel();
        self.context.at_once.cancel();
    }

    /// Stops all runs, so that they can be resumed, and takes on no new ones. Takes seconds.
    pub(crate) async fn stop(&self) {
        self.context.stopping.cancel();
        self.tasks.close();
        self.loops.close();
        let ended = async {
            // Loops first: a claim that is under way begins one more run, which gives its job back.
            self.loops.wait().await;
            self.tasks.wait().await;
        };
        if tokio::time::timeout(STOP_WITHIN, ended).await.is_err() {
            tracing::warn!("some exports did not stop in time: the next start resumes them");
            self.context.at_once.cancel();
            self.tasks.wait().await;
        }
    }
}
