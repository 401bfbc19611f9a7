//! Keeps the leases of runs, and records how far the runs are.

use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{Lease, Wish};

use super::context::Context;
use crate::causes::Causes;

/// How often the store is measured, where its size is limited.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Renews leases every third of their term; a run whose lease is lost is stopped at once, and one whose lease could not be
/// renewed before the term is over.
pub(super) async fn renew_forever(context: Arc<Context>) {
    let term = context.terms.pace.lease;
    loop {
        let pause = if context.renew().await {
            term / 3
        } else {
            term / 12
        };
        tokio::select! {
            () = context.ports.clock.sleep(pause) => {}
            () = context.renew.notified() => {}
        }
        for run in context.runs.past(context.ports.clock.elapsed()) {
            tracing::error!(job = %run.lease.job, "the lease of an export could not be renewed in time");
            run.lost.cancel();
        }
    }
}

/// Records progress while runs are under way.
pub(super) async fn record_forever(context: Arc<Context>) {
    loop {
        context
            .ports
            .clock
            .sleep(context.terms.pace.record_every)
            .await;
        context.record_progress().await;
    }
}

/// Stops the latest run where the store is over its limit.
pub(super) async fn measure_forever(context: Arc<Context>) {
    loop {
        context.ports.clock.sleep(MEASURE_EVERY).await;
        let Some(run) = context.runs.latest() else {
            continue;
        };
        if context.is_over_limit().await {
            tracing::warn!(job = %run.lease.job, "the store is full: an export waits");
            run.over_limit.cancel();
        }
    }
}

impl Context {
    /// Renews every lease. Says whether the store answered.
    async fn renew(&self) -> bool {
        let held = self.runs.leases();
        if held.is_empty() {
            return true;
        }
        // The term is counted from before the question.
        let asked = self.ports.clock.elapsed();
        let renewed = match self.ports.store.renew(&held, self.terms.pace.lease).await {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "leases could not be renewed");
                return false;
            }
        };
        for lease in &renewed {
            let run = self.runs.renewed(&lease.lease, self.held_until(asked));
            if let (Some(run), Some(Wish::Cancel)) = (run, lease.wish) {
                run.cancel.cancel();
            }
        }
        let is_lost = |lease: &&Lease| !renewed.iter().any(|kept| kept.lease == **lease);
        for lease in held.iter().filter(is_lost) {
            if let Some(run) = self.runs.get(&lease.job).filter(|run| run.lease == *lease) {
                tracing::warn!(job = %lease.job, "the lease of an export is lost");
                run.lost.cancel();
            }
        }
        true
    }

    /// Records how far the runs are. It cannot fail them.
    pub(super) async fn record_progress(&self) {
        let news = self.runs.news();
        if news.is_empty() {
            return;
        }
        if let Err(error) = self.ports.store.record_progress(&news).await {
            tracing::warn!(error = %Causes(&error), "progress could not be recorded");
        }
    }
}
