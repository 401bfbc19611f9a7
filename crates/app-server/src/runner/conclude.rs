//! Records what came of a run, and does what follows from that.

use std::time::Duration;

use domain::jobs::{AuditAction, Claim, Ending, Job, JobStoreError, RunWriter, StoredJob, Whose};
use domain::model::UserId;

use super::attempt::Next;
use super::context::{Came, Context};
use super::registry::Period;
use super::sign_in::{Ways, waits_for_sign_in};
use super::underway::Underway;
use crate::causes::Causes;

/// How long is waited before a store that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Context {
    /// Writes what follows from a run into the store, as long as it is this process's to write.
    pub(super) async fn conclude(
        &self,
        claim: &Claim,
        next: Next,
        run: &Underway,
    ) -> Option<StoredJob> {
        let store = &self.ports.store;
        let lease = &claim.lease;
        let mut kept_for_tickets = None;
        if let Next::Settle(ending, _) = &next {
            if self.is_lost(claim).await {
                return None;
            }
            // Before the end is recorded: a kill between the two leaves an entry too many, and not one too few.
            self.audit_ending(claim, ending).await;
            kept_for_tickets = self.leave(claim, ending).await;
        }
        loop {
            let written = match &next {
                Next::Settle(ending, notes) => {
                    let settled = store.settle(lease, ending.clone(), notes.clone());
                    settled.await.map(Some)
                }
                Next::Pause(pause, notes) => {
                    let paused = store.pause(lease, pause.clone(), notes.clone());
                    paused.await.map(Some)
                }
                Next::GiveBack => store.give_back(lease).await.map(|()| None),
                Next::Nothing => Ok(None),
            };
            let error = match written {
                Ok(stored) => {
                    if let Some(ways) = &kept_for_tickets {
                        self.keep_for_tickets(&lease.job, ways).await;
                    }
                    return stored;
                }
                Err(error) => error,
            };
            tracing::error!(job = %lease.job, error = %Causes(&error), "what came of an export could not be recorded");
            if !matches!(
                error,
                JobStoreError::Unavailable(_) | JobStoreError::NoSpace(_)
            ) {
                return None;
            }
            tokio::select! {
                () = run.lost.cancelled() => return None,
                () = self.ports.clock.sleep(ASK_AGAIN) => {}
            }
        }
    }

    /// Deletes the files of a run whose end is about to be recorded without a bag. Where tickets of it are left, gives the ways to sign in:
    /// recording the end deletes the sealed ones.
    async fn leave(&self, claim: &Claim, ending: &Ending) -> Option<Ways> {
        let (job, writer) = (&claim.job, RunWriter::Holder(claim.lease.clone()));
        let is_open = match ending {
            Ending::Delivered { .. } => false,
            Ending::Failed(_, Some(_)) => self.has_open_tickets(job, &writer).await,
            Ending::Failed(_, None) | Ending::Cancelled => {
                self.delete_unless_open(job, &writer).await
            }
        };
        if is_open {
            Some(self.ways(job).await)
        } else {
            None
        }
    }

    /// Whether the job is somebody else's by now. If so, nothing is written of it, not even to the audit trail.
    async fn is_lost(&self, claim: &Claim) -> bool {
        let held = [claim.lease.clone()];
        let renewed = self.ports.store.renew(&held, self.terms.pace.lease).await;
        let lost = renewed.is_ok_and(|renewed| renewed.is_empty());
        if lost {
            tracing::warn!(job = %claim.job.id, "the lease of an export is lost");
        }
        lost
    }

    /// Who wanted a job of a campaign to be given up: its person, or an administrator.
    async fn wished_by(&self, job: &Job) -> UserId {
        let found = match &job.campaign {
            Some(_) => self.ports.store.find(&job.id).await.ok(),
            None => None,
        };
        let by = found.and_then(|stored| stored.job.wished_by);
        by.unwrap_or_else(|| job.owner.clone())
    }

    async fn audit_ending(&self, claim: &Claim, ending: &Ending) {
        let job = &claim.job;
        let by = match ending {
            Ending::Cancelled => Some(self.wished_by(job).await),
            _ => None,
        };
        let (action, actor, came) = match ending {
            Ending::Delivered { delivery, .. } => (
                AuditAction::ExportReady,
                None,
                Came {
                    sha256: Some(delivery.bag.sha256),
                    bytes: Some(delivery.bag.bytes),
                    detail: None,
                },
            ),
            Ending::Failed(failure, _) => (
                AuditAction::ExportFailed,
                None,
                Came {
                    detail: Some(failure.message.clone()),
                    ..Came::default()
                },
            ),
            Ending::Cancelled => (AuditAction::ExportCancelled, by.as_ref(), Came::default()),
        };
        self.audit(action, job, actor, came).await;
    }

    pub(super) async fn concluded(&self, stored: &StoredJob, period: Period) {
        let job = &stored.job;
        tracing::info!(job = %job.id, state = %job.state.name(), "an export was run");
        if !job.is_unfinished() {
            self.over(&job.id, Some(period));
            return;
        }
        // Its owner may have come while its run ended.
        for person in [&job.owner, job.requested_by()] {
            if waits_for_sign_in(job) && self.registry.credentials(person).is_some() {
                self.let_go_on(&Whose::Of(person.clone())).await;
            }
        }
    }
}
