//! Deletes what is over: bags whose time has come, unfinished runs that nobody resumes, files without a job.

use std::collections::HashSet;
use std::sync::Arc;

use domain::jobs::{
    AuditAction, Job, JobFailure, JobId, JobState, JobStoreError, RunWriter, StoredJob, WaitingFor,
};

use super::context::{Came, Context, sweeper};
use super::terms::{Duty, Terms};
use crate::backend::Unfinished;
use crate::causes::Causes;

/// Deletes what another process left and no job needs: files, the tickets that they name, and sealed credentials. `kept` are jobs whose bags
/// are known to be finished: they are not looked at again.
pub(super) async fn clean_up(context: &Context, kept: &mut HashSet<JobId>) {
    match context.ports.bags.list().await {
        Ok(ids) => {
            let found: HashSet<JobId> = ids.into_iter().collect();
            kept.retain(|id| found.contains(id));
            for id in found {
                if !kept.contains(&id) && context.delete_unneeded(&id).await {
                    kept.insert(id);
                }
            }
        }
        Err(error) => {
            tracing::error!(error = %Causes(&error), "the files of jobs could not be listed");
        }
    }
    match context.ports.sealed.list().await {
        Ok(ids) => {
            for id in ids {
                context.delete_unneeded_seal(&id).await;
            }
        }
        Err(error) => {
            tracing::error!(error = %Causes(&error), "sealed credentials could not be listed");
        }
    }
}

/// Looks again and again for what processes left that died; never returns.
pub(super) async fn clean_up_forever(context: Arc<Context>) {
    let mut kept = HashSet::new();
    loop {
        // The pause comes first: at a start there is more urgent work, and other processes clean up too.
        let pause = context.terms.pace.clean_up_every;
        context.ports.clock.sleep(pause).await;
        clean_up(&context, &mut kept).await;
    }
}

/// Forgets what this process holds for jobs that others ended, again and again; never returns.
pub(super) async fn forget_forever(context: Arc<Context>) {
    loop {
        let pause = context.terms.pace.sweep_every;
        context.ports.clock.sleep(pause).await;
        context.forget_campaigns().await;
        let known = context.registry.unfinished().into_iter();
        for id in known.chain(context.watched.ids()) {
            let period = context.registry.period(&id);
            match context.ports.store.find(&id).await {
                Ok(stored) if stored.job.is_unfinished() => {}
                Ok(_) => context.over(&id, period),
                // One that is unknown is being recorded: its owner's credentials are here already.
                Err(_) => {}
            }
        }
    }
}

/// Deletes what is over, again and again; never returns.
pub(super) async fn sweep_forever(context: Arc<Context>) {
    loop {
        context.sweep().await;
        context
            .ports
            .clock
            .sleep(context.terms.pace.sweep_every)
            .await;
    }
}

impl Context {
    /// Deletes what is over now.
    pub(super) async fn sweep(&self) {
        // What waits for a sign-in goes on once the platform accepts the service's own credentials.
        self.service_signs_in().await;
        self.finish_open().await;
        self.forget_campaigns().await;
        match self.ports.store.overdue().await {
            Ok(overdue) => {
                for stored in overdue {
                    self.expire(stored).await;
                }
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "expired bags could not be looked for");
            }
        }
        match self.ports.store.given_up().await {
            Ok(given_up) => {
                for stored in given_up {
                    self.give_up(stored).await;
                }
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "jobs to be given up could not be looked for");
            }
        }
    }

    /// The file goes first: should it stay, the record says so, and the next round tries again.
    async fn expire(&self, stored: StoredJob) {
        let StoredJob { mut job, version } = stored;
        let Ok(now) = self.ports.store.now().await else {
            return;
        };
        if job.expire(now).is_err() {
            return;
        }
        if let Err(error) = self.ports.bags.delete(&job.id).await {
            tracing::error!(job = %job.id, error = %Causes(&error), "an expired bag could not be deleted");
            return;
        }
        let came = Came {
            sha256: job.delivery().map(|delivery| delivery.bag.sha256),
            ..Came::default()
        };
        // Of several processes that find it at once one records it. Alone, a kill between the two leaves an entry too many.
        let is_alone = self.terms.duty == Duty::Alone;
        let (before, after) = if is_alone {
            (Some(came), None)
        } else {
            (None, Some(came))
        };
        if let Some(came) = before {
            self.audit(AuditAction::Expired, &job, None, came).await;
        }
        match self.ports.store.update(version, job.clone()).await {
            Ok(_) => {
                tracing::info!(job = %job.id, "a bag has expired");
                if let Some(came) = after {
                    self.audit(AuditAction::Expired, &job, None, came).await;
                }
            }
            Err(error) => {
                tracing::warn!(job = %job.id, error = %Causes(&error), "an expired bag could not be recorded");
            }
        }
    }

    async fn give_up(&self, stored: StoredJob) {
        let StoredJob { mut job, version } = stored;
        let Ok(now) = self.ports.store.now().await else {
            return;
        };
        let failure = match &job.state {
            JobState::Waiting { waiting_for, .. } => Some(waited_too_long(*waiting_for)),
            JobState::Failed { .. } => None,
            _ => return,
        };
        let changed = match &failure {
            Some(failure) => job.fail(failure.clone(), now, Some(Terms::FAILED_RUN_KEPT)),
            None => job.forget_run(),
        };
        if changed.is_err() {
            return;
        }
        if let Some(failure) = failure {
            self.fail(job, version, failure).await;
        } else {
            job.add_notes(self.abandon_unfinished(&job, &sweeper(&job)).await.notes);
            self.delete_files(&sweeper(&job)).await;
            self.update(job, version).await;
        }
    }

    async fn fail(&self, job: Job, version: domain::jobs::Version, failure: JobFailure) {
        // From the update on its owner can have it tried again.
        let period = self.registry.period(&job.id);
        let ways = self.ways(&job).await;
        let Some(stored) = self.update(job, version).await else {
            return;
        };
        let came = Came {
            detail: Some(failure.message),
            ..Came::default()
        };
        self.audit(AuditAction::ExportFailed, &stored.job, None, came)
            .await;
        let StoredJob { mut job, version } = stored;
        let left = self.abandon_as(&job, &sweeper(&job), ways.clone()).await;
        if !left.notes.is_empty() {
            job.add_notes(left.notes);
            self.update(job.clone(), version).await;
        }
        if left.is_open {
            self.keep_for_tickets(&job.id, &ways).await;
        }
        self.over(&job.id, period);
    }

    async fn update(&self, job: Job, version: domain::jobs::Version) -> Option<StoredJob> {
        let id = job.id.clone();
        match self.ports.store.update(version, job).await {
            Ok(stored) => Some(stored),
            Err(error) => {
                tracing::warn!(job = %id, error = %Causes(&error), "a job could not be given up");
                None
            }
        }
    }

    /// Deletes the files of a job that is over. While they name tickets that are left on the platform, they are kept for a day, and the
    /// platform is asked again. Says whether they are.
    pub(super) async fn delete_unless_open(&self, job: &Job, writer: &RunWriter) -> bool {
        if self.has_open_tickets(job, writer).await {
            tracing::warn!(job = %job.id, "export tickets of a job that is over are left on the platform");
            self.registry.add_open(&job.id, &job.owner);
            return true;
        }
        self.registry.remove_open(&job.id);
        self.delete_files(writer).await;
        false
    }

    /// Whether a run names tickets that may be left on the platform, and that it is still to be asked about.
    pub(super) async fn has_open_tickets(&self, job: &Job, writer: &RunWriter) -> bool {
        let unfinished = Unfinished {
            user: &job.request.user,
            writer,
            runs: &*self.ports.runs,
        };
        let left = self.ports.backend.abandon_unfinished(unfinished, None);
        left.await.is_open && !self.is_past_keeping(job)
    }

    /// Takes what is left of a job that is over off the platform, and then its files and what was sealed for it.
    async fn finish(&self, job: &Job) {
        let writer = sweeper(job);
        self.abandon_unfinished(job, &writer).await;
        if !self.delete_unless_open(job, &writer).await {
            self.delete_sealed(&job.id).await;
        }
    }

    fn is_past_keeping(&self, job: &Job) -> bool {
        let (JobState::Cancelled { at } | JobState::Failed { at, .. }) = job.state else {
            return false;
        };
        let age = self.ports.clock.now().duration_since(at);
        age.unsigned_abs() > Terms::FAILED_RUN_KEPT
    }

    /// Tries again to delete the tickets that are left of jobs that are over. Whether one is over is asked of the store: another process may
    /// have claimed it after this one lost its lease, and its tickets and its bag are that one's then.
    pub(super) async fn finish_open(&self) {
        for id in self.registry.open() {
            let Ok(StoredJob { job, .. }) = self.ports.store.find(&id).await else {
                continue;
            };
            if is_over_for_good(&job.state) {
                self.finish(&job).await;
            } else if !job.is_unfinished() {
                self.registry.remove_open(&id);
            }
        }
    }

    /// What no job needs is deleted: a kill came between the end of the job and this. Says whether the job's bag is finished, and kept.
    async fn delete_unneeded(&self, id: &JobId) -> bool {
        let job = match self.ports.store.find(id).await {
            Ok(stored) => stored.job,
            Err(JobStoreError::Unknown { .. }) => {
                tracing::warn!(job = %id, "files without a record are deleted");
                self.delete_files(&RunWriter::Sweeper(id.clone())).await;
                return false;
            }
            Err(_) => return false,
        };
        if is_over_for_good(&job.state) {
            self.finish(&job).await;
        }
        matches!(job.state, JobState::Ready { .. })
    }

    /// Whether a job may have to be signed in for: it is not over, or tickets of it are left.
    async fn is_seal_needed(&self, job: &Job) -> bool {
        match job.state {
            JobState::Queued | JobState::Running | JobState::Waiting { .. } => true,
            JobState::Failed { .. } | JobState::Cancelled { .. } => {
                self.has_open_tickets(job, &sweeper(job)).await
            }
            JobState::Ready { .. } | JobState::Expired { .. } | JobState::Deleted { .. } => false,
        }
    }

    async fn delete_unneeded_seal(&self, id: &JobId) {
        let is_needed = match self.ports.store.find(id).await {
            Ok(stored) => self.ports.seal.is_some() && self.is_seal_needed(&stored.job).await,
            Err(JobStoreError::Unknown { .. }) => match self.is_campaign_under_way(id).await {
                Ok(under_way) => under_way && self.ports.seal.is_some(),
                Err(_) => return,
            },
            Err(_) => return,
        };
        if !is_needed && let Err(error) = self.ports.sealed.delete(id).await {
            tracing::error!(job = %id, error = %Causes(&error), "sealed credentials could not be deleted");
        }
    }
}

/// Whether nothing of a job is needed any more: neither a bag, nor what a run could resume with.
fn is_over_for_good(state: &JobState) -> bool {
    match state {
        JobState::Queued
        | JobState::Running
        | JobState::Waiting { .. }
        | JobState::Ready { .. }
        | JobState::Failed {
            resumable_until: Some(_),
            ..
        } => false,
        JobState::Failed { .. }
        | JobState::Cancelled { .. }
        | JobState::Expired { .. }
        | JobState::Deleted { .. } => true,
    }
}

fn waited_too_long(waiting_for: WaitingFor) -> JobFailure {
    let (message, hint) = match waiting_for {
        WaitingFor::SignIn => (
            "its owner did not sign in in time",
            "sign in and try it again, or ask for the export again",
        ),
        WaitingFor::Platform => (
            "the platform was away for too long",
            "try it again, or ask for the export again, when the platform is back",
        ),
        WaitingFor::DiskSpace => (
            "the service had no space left for the archive for too long",
            "contact the operator of this service",
        ),
    };
    JobFailure {
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}
