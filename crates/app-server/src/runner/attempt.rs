//! One run of a claimed job, from its claim to whatever follows.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{
    BagRecord, BagStoreError, Claim, Delivery, Ending, Job, JobFailure, JobPage, Pause, WaitingFor,
    Whose, Wish,
};
use domain::model::SafeName;
use futures_util::{FutureExt as _, StreamExt as _};

use super::context::Context;
use super::order::{bag_name, file_name, order};
use super::terms::Terms;
use super::underway::Underway;
use crate::backend::{
    Assignment, Exported, LeftOver, Run, Setback, SetbackKind, SignIn, no_space, storage_failure,
};
use crate::causes::Causes;

/// How long a run that is given up may take to delete its tickets.
const ABANDON_WITHIN: Duration = Duration::from_secs(8);
/// Jobs of an owner among which one with the same bag's name is looked for. More do not begin in one second.
const NAMESAKES: usize = 20;

/// What follows from a run.
pub(super) enum Next {
    /// The job is over.
    Settle(Ending, Vec<String>),
    /// It waits.
    Pause(Pause, Vec<String>),
    /// The service is stopped: somebody else goes on.
    GiveBack,
    /// It is somebody else's by now: nothing is written.
    Nothing,
}

/// Why a run is stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Cancelled,
    OverLimit,
    Stopping,
    Lost,
}

/// A run's own names.
struct Place {
    bag: SafeName,
    file: SafeName,
}

impl Context {
    /// Runs a claimed job. Even a panic has an end, so that nobody waits for it for ever.
    pub(super) async fn attempt(self: &Arc<Self>, claim: &Claim, run: &Underway) -> Next {
        match AssertUnwindSafe(self.run_claim(claim, run))
            .catch_unwind()
            .await
        {
            Ok(next) => next,
            Err(_) => {
                tracing::error!(job = %claim.job.id, "an export panicked");
                let notes = self.abandon_unfinished(&claim.job).await.notes;
                let kept = Some(Terms::FAILED_RUN_KEPT);
                Next::Settle(Ending::Failed(internal_failure(), kept), notes)
            }
        }
    }

    async fn run_claim(self: &Arc<Self>, claim: &Claim, run: &Underway) -> Next {
        let job = &claim.job;
        if claim.wish == Some(Wish::Cancel) {
            let notes = self.abandon_unfinished(job).await.notes;
            return Next::Settle(Ending::Cancelled, notes);
        }
        let place = self.place(job).await;
        match self.recover(job, &place).await {
            Ok(Some(delivery)) => return self.deliver(delivery),
            Ok(None) => {}
            Err(setback) => return self.after(job, setback, Vec::new()).await,
        }
        if job.deaths >= Job::DEATHS {
            let notes = self.abandon_unfinished(job).await.notes;
            let kept = Some(Terms::FAILED_RUN_KEPT);
            return Next::Settle(Ending::Failed(too_many_deaths(job.deaths), kept), notes);
        }
        if let Some(setback) = self.lack_of_space().await {
            return self.after(job, setback, Vec::new()).await;
        }
        let mut refused = Setback {
            kind: SetbackKind::SignInRefused,
            failure: JobFailure {
                message: "sign in, and it goes on".to_owned(),
                hint: None,
            },
        };
        for sign_in in self.sign_ins(job).await {
            match self.run_as(job, &place, &sign_in, run).await {
                Ok(next) => return next,
                Err(setback) => {
                    self.refused(job, &sign_in).await;
                    refused = setback;
                }
            }
        }
        self.after(job, refused, Vec::new()).await
    }

    /// The run with one way to sign in. An error means that the platform refuses it.
    async fn run_as(
        &self,
        job: &Job,
        place: &Place,
        sign_in: &SignIn,
        entry: &Underway,
    ) -> Result<Next, Setback> {
        let prepared = self.prepare(job, place, sign_in);
        let mut run = match prepared.await {
            Ok(run) => run,
            Err(setback) => return Ok(self.after(job, setback, Vec::new()).await),
        };
        let exported = tokio::select! {
            biased;
            stop = self.stop_of(entry) => Err(stop),
            exported = run.export(&*entry.live) => Ok(exported),
        };
        let exported = match exported {
            Ok(Ok(exported)) => exported,
            Ok(Err(setback)) if setback.kind == SetbackKind::SignInRefused => {
                run.suspend().await;
                return Err(setback);
            }
            Ok(Err(setback)) => return Ok(self.interrupted(job, &mut *run, setback).await),
            Err(stop) => return Ok(self.stopped(job, &mut *run, stop).await),
        };
        drop(run);
        let kept = tokio::select! {
            biased;
            stop = self.stop_of(entry) => Err(stop),
            kept = self.keep(job, exported) => Ok(kept),
        };
        Ok(match kept {
            Ok(Ok(delivery)) => self.deliver(delivery),
            Ok(Err(setback)) => self.after(job, setback, Vec::new()).await,
            Err(Stop::Cancelled) => Next::Settle(Ending::Cancelled, Vec::new()),
            Err(Stop::Lost) => Next::Nothing,
            Err(Stop::Stopping | Stop::OverLimit) => Next::GiveBack,
        })
    }

    async fn prepare(
        &self,
        job: &Job,
        place: &Place,
        sign_in: &SignIn,
    ) -> Result<Box<dyn Run>, Setback> {
        let folder = self.ports.bags.work_folder(&job.id).await;
        let folder = folder.map_err(|error| not_kept(&error))?;
        self.ports
            .backend
            .prepare(Assignment {
                order: order(job, self.ports.backend.source(), place.bag.clone()),
                sign_in: sign_in.clone(),
                folder,
            })
            .await
    }

    /// A run that ended without a bag, by itself.
    async fn interrupted(&self, job: &Job, run: &mut dyn Run, setback: Setback) -> Next {
        let notes = match setback.kind {
            SetbackKind::SignInRefused | SetbackKind::PlatformAway | SetbackKind::NoSpace => {
                run.suspend().await;
                Vec::new()
            }
            SetbackKind::Resumable | SetbackKind::Final => abandon(run).await,
        };
        self.after(job, setback, notes).await
    }

    async fn stopped(&self, job: &Job, run: &mut dyn Run, stop: Stop) -> Next {
        match stop {
            Stop::Cancelled => Next::Settle(Ending::Cancelled, abandon(run).await),
            Stop::OverLimit => {
                run.suspend().await;
                self.after(job, no_space(), Vec::new()).await
            }
            Stop::Stopping => {
                run.suspend().await;
                Next::GiveBack
            }
            Stop::Lost => Next::Nothing,
        }
    }

    fn deliver(&self, delivery: Delivery) -> Next {
        let ending = Ending::Delivered(delivery, self.terms.keep_archive);
        Next::Settle(ending, Vec::new())
    }

    /// What follows from a setback.
    async fn after(&self, job: &Job, setback: Setback, mut notes: Vec<String>) -> Next {
        let (waiting_for, retry_after, give_up_after) = match setback.kind {
            SetbackKind::SignInRefused => (WaitingFor::SignIn, None, Terms::WAIT_FOR_OWNER),
            SetbackKind::PlatformAway => self.later(job, WaitingFor::Platform),
            SetbackKind::NoSpace => self.later(job, WaitingFor::DiskSpace),
            SetbackKind::Resumable => {
                let kept = Some(Terms::FAILED_RUN_KEPT);
                return Next::Settle(Ending::Failed(setback.failure, kept), notes);
            }
            SetbackKind::Final => {
                return Next::Settle(Ending::Failed(setback.failure, None), notes);
            }
        };
        notes.push(format!(
            "waiting for {waiting_for}: {}",
            setback.failure.message
        ));
        let pause = Pause {
            waiting_for,
            retry_after,
            give_up_after,
        };
        Next::Pause(pause, notes)
    }

    /// Each pause is as long as the job has waited already, within bounds.
    fn later(
        &self,
        job: &Job,
        waiting_for: WaitingFor,
    ) -> (WaitingFor, Option<Duration>, Duration) {
        let pace = &self.terms.pace;
        let now = self.ports.clock.now();
        let waited = job.paused_since.map_or(Duration::ZERO, |since| {
            Duration::try_from(now.duration_since(since)).unwrap_or_default()
        });
        let longest = pace.longest_pause.max(pace.first_pause);
        let retry_after = waited.clamp(pace.first_pause, longest);
        (waiting_for, Some(retry_after), self.terms.give_up_after)
    }

    /// What a run needs on disk before it begins.
    async fn lack_of_space(&self) -> Option<Setback> {
        let bags = &self.ports.bags;
        let free = bags.free_space().await.unwrap_or_default();
        if free.is_some_and(|free| free < Terms::FREE_BYTES) {
            return Some(no_space());
        }
        if self.is_over_limit().await {
            return Some(no_space());
        }
        None
    }

    /// Whether all jobs together take as much of the disk as they may.
    pub(super) async fn is_over_limit(&self) -> bool {
        let Some(limit) = self.terms.store_limit else {
            return false;
        };
        match self.ports.bags.used_bytes().await {
            Ok(used) => used >= limit,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "the store could not be measured");
                false
            }
        }
    }

    async fn place(&self, job: &Job) -> Place {
        let page = JobPage {
            after: None,
            limit: NAMESAKES,
        };
        let whose = Whose::Of(job.owner.clone());
        let others = self.ports.store.list(&whose, page);
        let others = others.await.unwrap_or_default();
        let bag = bag_name(job, others.iter().map(|stored| &stored.job));
        let file = file_name(job, &bag);
        Place { bag, file }
    }

    /// The bag of a run that was killed when the store had it already.
    async fn recover(&self, job: &Job, place: &Place) -> Result<Option<Delivery>, Setback> {
        let bags = &self.ports.bags;
        // No bag is so large: the answer says how large it is.
        let found = bags.open(&job.id, &place.file, u64::MAX, 0..0).await;
        let Err(BagStoreError::Changed { found: size, .. }) = found else {
            return Ok(None);
        };
        let folder = bags.work_folder(&job.id).await;
        let folder = folder.map_err(|error| not_kept(&error))?;
        let body = bags.open(&job.id, &place.file, size, 0..size).await;
        let body = body.map_err(|error| not_kept(&error))?;
        copy(body, &folder.join(place.file.as_str())).await?;
        let exported = self.ports.backend.read_report(folder, place.file.clone());
        let exported = exported.await?;
        tracing::info!(job = %job.id, "the bag of a run that was killed is complete");
        self.keep(job, exported).await.map(Some)
    }

    async fn keep(&self, job: &Job, exported: Exported) -> Result<Delivery, Setback> {
        let kept = self.ports.bags.keep(&job.id, &exported.name).await;
        let kept = kept.map_err(|error| not_kept(&error))?;
        Ok(Delivery {
            ready: self.ports.clock.now(),
            bag: BagRecord {
                name: exported.name,
                format: job.request.format,
                bytes: kept.bytes,
                sha256: kept.sha256,
            },
            completeness: exported.completeness,
            report: exported.report,
        })
    }

    /// Takes the tickets of a job that nobody runs off the platform, as far as there is a way to sign in.
    pub(super) async fn abandon_unfinished(&self, job: &Job) -> LeftOver {
        let Ok(folder) = self.ports.bags.work_folder(&job.id).await else {
            return LeftOver::default();
        };
        let mut ways: Vec<_> = self.sign_ins(job).await.into_iter().map(Some).collect();
        if ways.is_empty() {
            ways.push(None);
        }
        let mut left = LeftOver::default();
        for sign_in in ways {
            let user = &job.request.user;
            let backend = &self.ports.backend;
            let abandoned = backend.abandon_unfinished(user, folder.clone(), sign_in);
            left = match tokio::time::timeout(ABANDON_WITHIN, abandoned).await {
                Ok(left) => left,
                Err(_) => LeftOver {
                    notes: vec![NOT_IN_TIME.to_owned()],
                    is_open: true,
                },
            };
            if !left.is_open {
                break;
            }
        }
        left
    }

    async fn stop_of(&self, entry: &Underway) -> Stop {
        tokio::select! {
            biased;
            () = entry.lost.cancelled() => Stop::Lost,
            () = entry.cancel.cancelled() => Stop::Cancelled,
            () = self.stopping.cancelled() => Stop::Stopping,
            () = entry.over_limit.cancelled() => Stop::OverLimit,
        }
    }
}

const NOT_IN_TIME: &str =
    "the platform did not answer in time: export tickets of this run may be left on it";

async fn abandon(run: &mut dyn Run) -> Vec<String> {
    match tokio::time::timeout(ABANDON_WITHIN, run.abandon()).await {
        Ok(notes) => notes,
        Err(_) => vec![NOT_IN_TIME.to_owned()],
    }
}

async fn copy(mut body: domain::jobs::BagBody, path: &std::path::Path) -> Result<(), Setback> {
    let written = async {
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(path).await?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(std::io::Error::other)?;
            tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await?;
        }
        file.sync_all().await
    };
    written.await.map_err(|error: std::io::Error| {
        tracing::error!(%error, "a bag could not be copied");
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => no_space(),
            _ => storage_setback(),
        }
    })
}

fn storage_setback() -> Setback {
    Setback {
        kind: SetbackKind::Resumable,
        failure: storage_failure(),
    }
}

fn not_kept(error: &BagStoreError) -> Setback {
    if matches!(error, BagStoreError::NoSpace { .. }) {
        return no_space();
    }
    tracing::error!(error = %Causes(error), "the bag of an export could not be kept");
    storage_setback()
}

fn internal_failure() -> JobFailure {
    JobFailure {
        message: "the service failed".to_owned(),
        hint: Some("contact the operator of this service".to_owned()),
    }
}

fn too_many_deaths(deaths: u32) -> JobFailure {
    JobFailure {
        message: format!("the service ended unexpectedly in this export, {deaths} times in a row"),
        hint: Some("contact the operator of this service".to_owned()),
    }
}
