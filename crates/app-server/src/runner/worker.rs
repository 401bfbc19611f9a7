//! Claims jobs, as many at a time as there are places.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::jobs::{Change, Claim, ClaimLimits, WorkerId};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::terms::Duty;
use super::underway::Underway;
use crate::causes::Causes;
use crate::slots::RunSlots;

/// Nudges those who watch jobs that other processes run; never returns.
pub(super) async fn watch_forever(context: Arc<Context>) {
    let mut changes = context.ports.store.changes();
    loop {
        match changes.next().await {
            Some(Change::Job(id)) => context.watched.nudge(&id),
            Some(Change::Resync) | None => context.watched.nudge_all(),
        }
    }
}

/// Claims jobs and runs them, until the service is stopped.
pub(super) async fn work(context: Arc<Context>, worker: WorkerId, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(context.terms.places));
    let is_alone = context.terms.duty == Duty::Alone;
    let mut changes = context.ports.store.changes();
    while !context.stopping.is_cancelled() {
        claim_all(&context, &worker, &places, &tasks).await;
        if places.available_permits() == 0 {
            take_over(&context, &worker, &tasks).await;
        }
        loop {
            tokio::select! {
                () = context.stopping.cancelled() => return,
                () = context.wake.notified() => break,
                () = context.ports.clock.sleep(context.terms.pace.look_every) => break,
                change = changes.next() => match change {
                    Some(Change::Job(id)) if context.runs.get(&id).is_some() => {}
                    Some(Change::Job(id)) => {
                        context.watched.nudge(&id);
                        break;
                    }
                    Some(Change::Resync) | None => {
                        context.watched.nudge_all();
                        if !is_alone {
                            context.renew.notify_one();
                        }
                        break;
                    }
                },
            }
        }
    }
}

async fn claim_all(
    context: &Arc<Context>,
    worker: &WorkerId,
    places: &Arc<Semaphore>,
    tasks: &TaskTracker,
) {
    while let Ok(place) = Arc::clone(places).try_acquire_owned() {
        if context.stopping.is_cancelled() {
            return;
        }
        // The term is counted from before the question.
        let asked = context.ports.clock.elapsed();
        match context
            .ports
            .store
            .claim(worker, context.terms.pace.lease, context.claim_limits())
            .await
        {
            Ok(Some(claim)) => begin(context, claim, asked, Some(place), tasks),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "no job could be claimed");
                return;
            }
        }
    }
}

fn begin(
    context: &Arc<Context>,
    claim: Claim,
    asked: Duration,
    permit: Option<OwnedSemaphorePermit>,
    tasks: &TaskTracker,
) {
    let place = context.taken(permit, &claim);
    let run = Context::run_of(Arc::clone(context), claim, asked, place);
    let at_once = context.at_once.clone();
    tasks.spawn(async move { at_once.run_until_cancelled(run).await });
}

/// Takes over jobs of workers that died although all places are taken: as many as there are runs here that only wait for a slot, since only
/// those jobs may be able to free the slots. Among many workers, as many as there are places: a run may take hours, and a job of a worker
/// that died has to go on within two terms.
async fn take_over(context: &Arc<Context>, worker: &WorkerId, tasks: &TaskTracker) {
    let waiting = context.runs.waiting_for_slots();
    let beyond = match context.terms.duty {
        Duty::Runs => waiting.max(context.terms.places),
        Duty::Alone | Duty::Serves => waiting,
    };
    for _ in 0..beyond {
        if context.stopping.is_cancelled() || context.runs.len() >= context.terms.places + beyond {
            return;
        }
        let asked = context.ports.clock.elapsed();
        let term = context.terms.pace.lease;
        match context.ports.store.take_over(worker, term).await {
            Ok(Some(claim)) => begin(context, claim, asked, None, tasks),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "no job could be taken over");
                return;
            }
        }
    }
}

/// A place that a job runs in.
struct Place {
    /// None where it was taken over although all places are taken.
    _permit: Option<OwnedSemaphorePermit>,
    /// The count of jobs of campaigns, where it is one.
    of_campaigns: Option<Arc<AtomicUsize>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(count) = &self.of_campaigns {
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Context {
    /// One place is kept for people who ask for themselves, where there is more than one.
    fn claim_limits(&self) -> ClaimLimits {
        let for_campaigns = self.terms.places.saturating_sub(1).max(1);
        ClaimLimits {
            archives: self.terms.shares.archives,
            campaigns: self.of_campaigns.load(Ordering::SeqCst) < for_campaigns,
        }
    }

    fn taken(&self, permit: Option<OwnedSemaphorePermit>, claim: &Claim) -> Place {
        let is_of_campaign = claim.job.campaign.is_some();
        if is_of_campaign {
            self.of_campaigns.fetch_add(1, Ordering::SeqCst);
        }
        Place {
            _permit: permit,
            of_campaigns: is_of_campaign.then(|| Arc::clone(&self.of_campaigns)),
        }
    }

    /// Until when a lease that was asked for at this moment may be used.
    pub(super) fn held_until(&self, asked: Duration) -> Duration {
        let lease = self.terms.pace.lease;
        asked + lease.saturating_sub(lease / 4)
    }

    async fn run_of(self: Arc<Self>, claim: Claim, asked: Duration, place: Place) {
        let id = claim.job.id.clone();
        if let Some(other) = self.runs.get(&id) {
            // Its lease ran out while this process was held up.
            other.lost.cancel();
            other.ended.cancelled().await;
        }
        let period = self.registry.add_job(&claim.job);
        let live = self.watched.get_or_add(&id);
        let slots = self.slots.as_ref();
        let slots =
            slots.map(|slots| Arc::new(RunSlots::new(Arc::clone(slots), claim.lease.clone())));
        let run = Underway::new(claim.lease.clone(), live, self.held_until(asked), slots);
        let ended = run.ended.clone().drop_guard();
        self.runs.insert(run.clone());
        tracing::info!(job = %id, "an export is run");
        run.live.nudge();
        let next = self.attempt(&claim, &run).await;
        self.record_progress().await;
        let stored = self.conclude(&claim, next, &run).await;
        self.runs.remove(&claim.lease);
        if let Some(stored) = stored {
            self.concluded(&stored, period).await;
        }
        run.live.nudge();
        drop((place, ended));
        self.wake.notify_one();
    }
}
