//! One run of a claimed job, from its claim to whatever follows.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{Claim, Ending, Job, JobFailure, Pause, RunWriter, WaitingFor, Wish};
use futures_util::FutureExt as _;

use super::bag::Place;
use super::context::Context;
use super::order::order;
use super::sign_in::Ways;
use super::terms::Terms;
use super::underway::Underway;
use crate::backend::{
    Assignment, LeftOver, Run, Setback, SetbackKind, SharedUse, SignIn, Unfinished, no_space,
    too_large,
};

/// How long a run that is given up may take to delete its tickets.
const ABANDON_WITHIN: Duration = Duration::from_secs(8);

/// How long is waited before a store that does not answer is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(5);

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

impl Context {
    /// Runs a claimed job. Even a panic has an end, so that nobody waits for it for ever.
    pub(super) async fn attempt(self: &Arc<Self>, claim: &Claim, run: &Underway) -> Next {
        let run = AssertUnwindSafe(self.run_claim(claim, run)).catch_unwind();
        if let Ok(next) = run.await {
            return next;
        }
        tracing::error!(job = %claim.job.id, "an export panicked");
        let notes = self.abandon_claimed(claim).await.notes;
        let kept = Some(Terms::FAILED_RUN_KEPT);
        Next::Settle(Ending::Failed(internal_failure(), kept), notes)
    }

    async fn run_claim(self: &Arc<Self>, claim: &Claim, run: &Underway) -> Next {
        let job = &claim.job;
        if claim.wish == Some(Wish::Cancel) {
            let notes = self.abandon_claimed(claim).await.notes;
            return Next::Settle(Ending::Cancelled, notes);
        }
        let place = match self.place(job).await {
            Ok(place) => place,
            Err(setback) => return self.after(job, setback, Vec::new()),
        };
        match self.recover(claim, &place).await {
            Ok(Some(ending)) => return Next::Settle(ending, Vec::new()),
            Ok(None) => {}
            Err(setback) => return self.after(job, setback, Vec::new()),
        }
        if job.deaths >= self.terms.deaths {
            let notes = self.abandon_claimed(claim).await.notes;
            let kept = Some(Terms::FAILED_RUN_KEPT);
            return Next::Settle(Ending::Failed(too_many_deaths(job.deaths), kept), notes);
        }
        if let Some(setback) = self.lack_of_space().await {
            // A run at rest: what it spools while it is under way does not count.
            if self.is_too_large(&job.id).await {
                let notes = self.abandon_claimed(claim).await.notes;
                return self.after(job, too_large(), notes);
            }
            return self.after(job, setback, Vec::new());
        }
        let mut refused = Setback {
            kind: SetbackKind::SignInRefused,
            failure: JobFailure {
                message: "there are no credentials for it that the platform accepts".to_owned(),
                hint: Some("sign in to continue this export".to_owned()),
            },
        };
        let sign_ins = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Next::GiveBack,
            sign_ins = self.sign_ins(job) => sign_ins,
        };
        for sign_in in sign_ins {
            match self.run_as(claim, &place, &sign_in, run).await {
                Ok(next) => return next,
                Err(setback) => {
                    self.refused(job, &sign_in).await;
                    refused = setback;
                    refused.failure.message =
                        format!("the platform refused {}", sign_in.in_words());
                }
            }
        }
        self.after(job, refused, Vec::new())
    }

    /// The run with one way to sign in. An error means that the platform refuses it.
    async fn run_as(
        &self,
        claim: &Claim,
        place: &Place,
        sign_in: &SignIn,
        entry: &Underway,
    ) -> Result<Next, Setback> {
        let job = &claim.job;
        let mut prepared = std::pin::pin!(self.prepare(claim, place, sign_in, entry));
        let stop = tokio::select! {
            biased;
            stop = self.stop_of(entry) => stop,
            prepared = &mut prepared => return self.run_prepared(claim, prepared, entry).await,
        };
        Ok(match stop {
            Stop::Stopping => Next::GiveBack,
            Stop::Lost => Next::Nothing,
            // What has to be taken off the platform is known when it is prepared.
            Stop::Cancelled | Stop::OverLimit => match prepared.await {
                Ok(mut run) => self.stopped(job, &mut *run, stop).await,
                Err(_) if stop == Stop::Cancelled => {
                    let notes = self.abandon_claimed(claim).await.notes;
                    Next::Settle(Ending::Cancelled, notes)
                }
                Err(setback) => self.after(job, setback, Vec::new()),
            },
        })
    }

    async fn run_prepared(
        &self,
        claim: &Claim,
        prepared: Result<Box<dyn Run>, Setback>,
        entry: &Underway,
    ) -> Result<Next, Setback> {
        let job = &claim.job;
        let mut run = match prepared {
            Ok(run) => run,
            Err(setback) => return Ok(self.after(job, setback, Vec::new())),
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
        let notes = exported.notes.clone();
        let kept = tokio::select! {
            biased;
            stop = self.stop_of(entry) => Err(stop),
            kept = self.keep(claim, exported) => Ok(kept),
        };
        Ok(match kept {
            Ok(Ok(ending)) => Next::Settle(ending, notes),
            Ok(Err(setback)) => self.after(job, setback, notes),
            Err(Stop::Cancelled) => Next::Settle(Ending::Cancelled, notes),
            Err(Stop::Lost) => Next::Nothing,
            Err(Stop::Stopping | Stop::OverLimit) => Next::GiveBack,
        })
    }

    async fn prepare(
        &self,
        claim: &Claim,
        place: &Place,
        sign_in: &SignIn,
        entry: &Underway,
    ) -> Result<Box<dyn Run>, Setback> {
        let backend = &self.ports.backend;
        let earlier = self.earlier(&claim.job).await;
        backend
            .prepare(Assignment {
                order: order(&claim.job, backend.source(), place.bag.clone()),
                sign_in: sign_in.clone(),
                lease: claim.lease.clone(),
                runs: Arc::clone(&self.ports.runs),
                file: place.file.clone(),
                shared: entry.slots.as_ref().map(|slots| SharedUse {
                    slots: Arc::clone(slots),
                    rate: self.ports.rate.clone(),
                    until: entry.until.clone(),
                }),
                earlier,
            })
            .await
    }

    /// A run that ended without a bag, by itself.
    async fn interrupted(&self, job: &Job, run: &mut dyn Run, setback: Setback) -> Next {
        let notes = match setback.kind {
            SetbackKind::SignInRefused
            | SetbackKind::PlatformAway
            | SetbackKind::NoSpace
            | SetbackKind::StoreAway => {
                run.suspend().await;
                Vec::new()
            }
            SetbackKind::Resumable | SetbackKind::Final => abandon(run).await,
            // They are its new holder's.
            SetbackKind::Lost => Vec::new(),
        };
        self.after(job, setback, notes)
    }

    async fn stopped(&self, job: &Job, run: &mut dyn Run, stop: Stop) -> Next {
        match stop {
            Stop::Cancelled => Next::Settle(Ending::Cancelled, abandon(run).await),
            Stop::OverLimit => {
                run.suspend().await;
                self.after(job, no_space(), Vec::new())
            }
            Stop::Stopping => {
                run.suspend().await;
                Next::GiveBack
            }
            Stop::Lost => Next::Nothing,
        }
    }

    /// What follows from a setback.
    fn after(&self, job: &Job, setback: Setback, mut notes: Vec<String>) -> Next {
        let (waiting_for, retry_after, give_up_after) = match setback.kind {
            SetbackKind::SignInRefused => (WaitingFor::SignIn, None, Terms::WAIT_FOR_OWNER),
            SetbackKind::PlatformAway => self.later(job, WaitingFor::Platform),
            SetbackKind::NoSpace => self.later(job, WaitingFor::DiskSpace),
            SetbackKind::StoreAway => {
                let soon = self.terms.pace.first_pause.min(STORE_PAUSE);
                (WaitingFor::DiskSpace, Some(soon), self.terms.give_up_after)
            }
            SetbackKind::Resumable => {
                let kept = Some(Terms::FAILED_RUN_KEPT);
                return Next::Settle(Ending::Failed(setback.failure, kept), notes);
            }
            SetbackKind::Final => {
                return Next::Settle(Ending::Failed(setback.failure, None), notes);
            }
            SetbackKind::Lost => return Next::Nothing,
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

    /// Deletes the tickets of a claimed job on the platform, if there is a way to sign in.
    async fn abandon_claimed(&self, claim: &Claim) -> LeftOver {
        let writer = RunWriter::Holder(claim.lease.clone());
        self.abandon_unfinished(&claim.job, &writer).await
    }

    /// Deletes the tickets of a job's unfinished run on the platform, if there is a way to sign in.
    pub(super) async fn abandon_unfinished(&self, job: &Job, writer: &RunWriter) -> LeftOver {
        let ways = self.ways(job).await;
        self.abandon_as(job, writer, ways).await
    }

    /// The same with these ways.
    pub(super) async fn abandon_as(&self, job: &Job, writer: &RunWriter, ways: Ways) -> LeftOver {
        let mut ways: Vec<_> = ways.all().into_iter().map(Some).collect();
        if ways.is_empty() {
            ways.push(None);
        }
        let mut left = LeftOver::default();
        for sign_in in ways {
            let unfinished = Unfinished {
                user: &job.request.user,
                writer,
                runs: &*self.ports.runs,
            };
            let abandoned = self.ports.backend.abandon_unfinished(unfinished, sign_in);
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
