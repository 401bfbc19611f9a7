//! The runner as the rest of the service sees it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{
    Admitted, AuditAction, Change, Job, JobId, JobState, JobStoreError, StoredJob, Wish,
};
use domain::model::UserId;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use thiserror::Error;
use tokio_util::task::TaskTracker;

use super::context::{Came, Context, RunnerPorts, sweeper};
use super::leases::{measure_forever, record_forever, renew_forever};
use super::live::Live;
use super::registry::Period;
use super::sign_in::Ways;
use super::sweep::{clean_up, clean_up_forever, forget_forever, sweep_forever};
use super::terms::{Duty, Terms};
use super::worker::{watch_forever, work};
use crate::backend::Credentials;
use crate::causes::Causes;

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

/// How often a job is looked at that another process runs: only changes that this process makes are heard.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Returns when this job may have changed.
async fn change_of(id: &JobId, changes: &mut BoxStream<'static, Change>) {
    while let Some(Change::Job(changed)) = changes.next().await {
        if changed == *id {
            return;
        }
    }
}

impl Context {
    /// Gives a job up for somebody, whoever runs it.
    pub(super) async fn cancel(
        &self,
        owner: &UserId,
        id: &JobId,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        // What changes after this is heard.
        let mut changes = self.ports.store.changes();
        let mut is_wished = false;
        loop {
            let mut began = std::pin::pin!(self.runs.began());
            began.as_mut().enable();
            let StoredJob { mut job, version } = self.ports.store.get(owner, id).await?;
            if let Some(run) = self.runs.get(id) {
                match self.ports.store.wish(owner, id, Wish::Cancel, by).await {
                    // It is over, or ends in this moment.
                    Ok(()) | Err(JobStoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error),
                }
                run.cancel.cancel();
                run.ended.cancelled().await;
                // That run may have been about to pause: the job is looked at once more.
                continue;
            }
            if matches!(job.state, JobState::Running) && !is_wished {
                match self.ports.store.wish(owner, id, Wish::Cancel, by).await {
                    Ok(()) | Err(JobStoreError::Conflict { .. }) => is_wished = true,
                    Err(error) => return Err(error),
                }
                continue;
            }
            if matches!(job.state, JobState::Running) {
                // It was claimed a moment ago and its run is about to be here, or another process runs it.
                tokio::select! {
                    () = began => {}
                    () = change_of(id, &mut changes) => {}
                    () = self.ports.clock.sleep(LOOK_AGAIN) => {}
                }
                continue;
            }
            if job.cancel(self.ports.store.now().await?).is_err() {
                return Ok(());
            }
            let ways = self.ways(&job).await;
            // Nobody runs it, and from now on nobody will.
            match self.ports.store.update(version, job.clone()).await {
                Ok(stored) => {
                    self.cancelled(stored, by, ways).await;
                    return Ok(());
                }
                Err(JobStoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What is left to do for a job that was given up while nobody ran it.
    async fn cancelled(&self, stored: StoredJob, by: &UserId, ways: Ways) {
        let StoredJob { mut job, version } = stored;
        let action = AuditAction::ExportCancelled;
        self.audit(action, &job, Some(by), Came::default()).await;
        let writer = sweeper(&job);
        let notes = match job.began {
            Some(_) => self.abandon_as(&job, &writer, ways.clone()).await.notes,
            None => Vec::new(),
        };
        let is_open = self.delete_unless_open(&job, &writer).await;
        if !notes.is_empty() {
            job.add_notes(notes);
            if let Err(error) = self.ports.store.update(version, job.clone()).await {
                tracing::warn!(job = %job.id, error = %Causes(&error), "notes could not be recorded");
            }
        }
        if is_open {
            self.keep_for_tickets(&job.id, &ways).await;
        }
        self.over(&job.id, self.registry.period(&job.id));
    }
}
