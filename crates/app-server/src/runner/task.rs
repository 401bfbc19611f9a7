//! One job from the queue to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{BagRecord, Delivery, Job, JobFailure, JobStoreError, StoredJob, WrongState};
use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::order::{Circumstances, order};
use super::{Runner, StopReason, Underway};
use crate::backend::{Assignment, Credentials, Exported, Run, storage_failure};
use crate::causes::Causes;

/// How long a run that is stopped may take to delete its tickets.
const ABANDON_WITHIN: Duration = Duration::from_secs(8);

/// How a job ended, beside the notes about tickets that were left.
enum Ending {
    Delivered(Delivery),
    Failed(JobFailure),
    Cancelled,
}

/// The end of a job could not be recorded: the record is what it was before.
#[derive(Debug, thiserror::Error)]
enum Unrecorded {
    #[error(transparent)]
    Store(#[from] JobStoreError),
    #[error(transparent)]
    State(#[from] WrongState),
}

impl Runner {
    /// Runs a job to its end. Even a panic ends it, so that nobody waits for that end for ever.
    pub(super) async fn run_to_end(
        self: Arc<Self>,
        stored: StoredJob,
        credentials: Credentials,
        underway: Underway,
    ) {
        let id = stored.job.id.clone();
        let _ended = underway.ended.clone().drop_guard();
        let work = self.work(stored, credentials, &underway);
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(stored)) => {
                tracing::info!(job = %id, state = %stored.job.state_name(), "an export is over");
            }
            Ok(Err(error)) => {
                tracing::error!(job = %id, error = %Causes(&error), "the end of an export could not be recorded");
            }
            Err(_) => self.fail_after_panic(&id, &underway).await,
        }
        self.underway().remove(&id);
        underway.live.nudge();
    }

    async fn work(
        &self,
        stored: StoredJob,
        credentials: Credentials,
        underway: &Underway,
    ) -> Result<StoredJob, Unrecorded> {
        let place = tokio::select! {
            biased;
            reason = self.stop_requested(underway) => {
                return self.end(stored, ending_of(reason), Vec::new()).await;
            }
            place = Arc::clone(&self.places).acquire_owned() => place,
        };
        let began = self.clock.now();
        let stored = self.change(stored, |job| job.begin(began)).await?;
        underway.live.nudge();
        let (ending, notes) = self.run(&stored.job, credentials, began, underway).await;
        drop(place);
        self.end(stored, ending, notes).await
    }

    /// The run itself: what it came to, and what became of tickets that it had to leave.
    async fn run(
        &self,
        job: &Job,
        credentials: Credentials,
        began: Timestamp,
        underway: &Underway,
    ) -> (Ending, Vec<String>) {
        let mut run = match self.prepare(job, credentials, began).await {
            Ok(run) => run,
            Err(failure) => return (Ending::Failed(failure), Vec::new()),
        };
        let exported = tokio::select! {
            biased;
            reason = self.stop_requested(underway) => Err(ending_of(reason)),
            exported = run.export(&*underway.live) => exported.map_err(Ending::Failed),
        };
        let delivered = match exported {
            Ok(exported) => tokio::select! {
                biased;
                reason = self.stop_requested(underway) => Err(ending_of(reason)),
                kept = self.keep(job, exported) => kept.map_err(Ending::Failed),
            },
            Err(ending) => Err(ending),
        };
        match delivered {
            Ok(delivery) => (Ending::Delivered(delivery), Vec::new()),
            Err(ending) => (ending, abandon(&mut *run).await),
        }
    }

    async fn prepare(
        &self,
        job: &Job,
        credentials: Credentials,
        began: Timestamp,
    ) -> Result<Box<dyn Run>, JobFailure> {
        let workplace = self
            .bags
            .workplace(&job.id)
            .await
            .map_err(|error| not_kept(&error))?;
        let circumstances = Circumstances {
            source: self.backend.source(),
            began,
            seed: uuid::Uuid::now_v7().as_u64_pair().1,
            names: &self.names,
        };
        self.backend
            .prepare(Assignment {
                order: order(job, &circumstances),
                credentials,
                workplace,
            })
            .await
    }

    async fn keep(&self, job: &Job, exported: Exported) -> Result<Delivery, JobFailure> {
        let sha256 = self
            .bags
            .keep(&job.id, &exported.bag)
            .await
            .map_err(|error| not_kept(&error))?;
        let name = exported
            .bag
            .path
            .as_ref()
            .and_then(|path| path.file_name()?.to_str())
            .and_then(|name| domain::model::SafeName::parse(name).ok());
        let Some(name) = name else {
            return Err(internal_failure());
        };
        Ok(Delivery {
            ready: self.clock.now(),
            bag: BagRecord {
                name,
                format: job.request.format,
                bytes: exported.bag.bytes,
                sha256,
            },
            completeness: exported.completeness,
            report: exported.report,
        })
    }

    /// Records how a job ended. Where there is no bag to keep, nothing stays on disk.
    async fn end(
        &self,
        stored: StoredJob,
        ending: Ending,
        notes: Vec<String>,
    ) -> Result<StoredJob, Unrecorded> {
        if !matches!(ending, Ending::Delivered(_)) {
            self.sweep_away(&stored.job).await;
        }
        let now = self.clock.now();
        let keep_for = self.keep_for;
        self.change(stored, |job| {
            job.notes.extend(notes);
            match ending {
                Ending::Delivered(delivery) => job.deliver(delivery, keep_for),
                Ending::Failed(failure) => job.fail(failure, now),
                Ending::Cancelled => job.cancel(now),
            }
        })
        .await
    }

    async fn sweep_away(&self, job: &Job) {
        if let Err(error) = self.bags.delete(&job.id).await {
            tracing::error!(job = %job.id, error = %Causes(&error), "the files of an export could not be deleted");
        }
    }

    async fn change(
        &self,
        stored: StoredJob,
        step: impl FnOnce(&mut Job) -> Result<(), WrongState>,
    ) -> Result<StoredJob, Unrecorded> {
        let mut job = stored.job;
        step(&mut job)?;
        Ok(self.store.update(stored.version, job).await?)
    }

    /// A run that panicked is a failed job, not one that runs for ever.
    async fn fail_after_panic(&self, id: &domain::jobs::JobId, underway: &Underway) {
        tracing::error!(job = %id, "an export panicked");
        let Ok(stored) = self.store.get(&underway.owner, id).await else {
            return;
        };
        let ending = Ending::Failed(internal_failure());
        if let Err(error) = self.end(stored, ending, Vec::new()).await {
            tracing::error!(job = %id, error = %Causes(&error), "the end of an export could not be recorded");
        }
    }

    async fn stop_requested(&self, underway: &Underway) -> StopReason {
        tokio::select! {
            biased;
            () = underway.cancel.cancelled() => StopReason::Cancelled,
            () = self.stopping.cancelled() => StopReason::Stopped,
        }
    }
}

fn ending_of(reason: StopReason) -> Ending {
    match reason {
        StopReason::Cancelled => Ending::Cancelled,
        StopReason::Stopped => Ending::Failed(JobFailure {
            message: "the service was stopped before the export was finished".to_owned(),
            hint: Some("ask for it again".to_owned()),
        }),
    }
}

async fn abandon(run: &mut dyn Run) -> Vec<String> {
    match tokio::time::timeout(ABANDON_WITHIN, run.abandon()).await {
        Ok(notes) => notes,
        Err(_) => vec![
            "the platform did not answer in time: export tickets of this run may be left on it"
                .to_owned(),
        ],
    }
}

fn not_kept(error: &domain::jobs::BagStoreError) -> JobFailure {
    tracing::error!(error = %Causes(error), "the bag of an export could not be kept");
    storage_failure()
}

fn internal_failure() -> JobFailure {
    JobFailure {
        message: "the service failed".to_owned(),
        hint: Some("contact the operator of this service".to_owned()),
    }
}
