//! What everything in here works with.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use domain::jobs::{
    AuditAction, AuditEntry, AuditLog, BagStore, CampaignStore, Job, JobId, JobStore, RunStore,
    RunWriter, SealedCredentials, Slots,
};
use domain::model::UserId;
use domain::ports::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::registry::{Period, Registry};
use super::service_account::ServiceAccount;
use super::terms::Terms;
use super::underway::{Runs, Watched};
use crate::backend::Backend;
use crate::causes::Causes;
use crate::rate::RequestRate;
use crate::seal::Seal;
use crate::sign::Signer;
use crate::slots::SlotQueue;

/// What the runner needs of the world.
pub(crate) struct RunnerPorts {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) runs: Arc<dyn RunStore>,
    pub(crate) campaigns: Arc<dyn CampaignStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    /// The platform's slots and its requests a second, where workers share them.
    pub(crate) slots: Option<Arc<dyn Slots>>,
    pub(crate) rate: Option<Arc<RequestRate>>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) sealed: Arc<dyn SealedCredentials>,
    /// Seals credentials, where the operator wants jobs to run unattended.
    pub(crate) seal: Option<Arc<dyn Seal>>,
    /// Signs receipts, where the operator has a key.
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What everything in here works with.
pub(super) struct Context {
    pub(super) ports: RunnerPorts,
    pub(super) terms: Terms,
    pub(super) registry: Registry,
    pub(super) service_account: ServiceAccount,
    pub(super) runs: Runs,
    pub(super) watched: Watched,
    /// Who waits for a slot of the platform, where workers share them.
    pub(super) slots: Option<Arc<SlotQueue>>,
    /// Jobs of campaigns that this process runs.
    pub(super) of_campaigns: Arc<AtomicUsize>,
    /// A place is free, or a job may be claimed.
    pub(super) wake: Notify,
    /// Something may be wanted of a run.
    pub(super) renew: Notify,
    pub(super) stopping: CancellationToken,
    /// Everything ends at once, without cleaning up.
    pub(super) at_once: CancellationToken,
}

impl Context {
    pub(super) fn new(ports: RunnerPorts, terms: Terms) -> Self {
        let slots = ports.slots.as_ref();
        let slots = slots.map(|slots| Arc::new(SlotQueue::new(Arc::clone(slots))));
        Self {
            ports,
            terms,
            slots,
            registry: Registry::default(),
            service_account: ServiceAccount::default(),
            runs: Runs::default(),
            watched: Watched::default(),
            of_campaigns: Arc::default(),
            wake: Notify::new(),
            renew: Notify::new(),
            stopping: CancellationToken::new(),
            at_once: CancellationToken::new(),
        }
    }

    /// A job is over: nothing of its owner's sign-in is kept for it, and who watches it sees its end.
    ///
    /// Unless it was queued again since the period that ended.
    pub(super) fn over(&self, id: &JobId, ended: Option<Period>) {
        if self.registry.remove(id, ended) {
            self.watched.end(id);
        }
    }

    /// Records what came of a job. The service goes on where that fails: the disk is full, and the log says so.
    pub(super) async fn audit(
        &self,
        action: AuditAction,
        job: &Job,
        actor: Option<&UserId>,
        what: Came,
    ) {
        let entry = AuditEntry {
            at: self.ports.clock.now(),
            action,
            actor: actor.cloned(),
            subject: Some(job.request.user.clone()),
            from: None,
            export: Some(job.id.clone()),
            sha256: what.sha256,
            bytes: what.bytes,
            detail: what.detail,
        };
        if let Err(error) = self.ports.audit.append(entry).await {
            tracing::error!(job = %job.id, %action, error = %Causes(&error), "the audit trail could not be written");
        }
    }

    /// Deletes the files of a job. What stays is found by the next sweep.
    pub(super) async fn delete_files(&self, writer: &RunWriter) {
        let id = writer.job();
        let deleted = match writer {
            RunWriter::Holder(_) => {
                let discarded = self.ports.runs.discard(writer).await;
                discarded.map_err(|error| Causes(&error).to_string())
            }
            RunWriter::Sweeper(_) => {
                let deleted = self.ports.bags.delete(id).await;
                deleted.map_err(|error| Causes(&error).to_string())
            }
        };
        if let Err(error) = deleted {
            tracing::error!(job = %id, error, "the files of an export could not be deleted");
        }
    }
}

/// Whoever tidies up after a job that nobody runs.
pub(super) fn sweeper(job: &Job) -> RunWriter {
    RunWriter::Sweeper(job.id.clone())
}

/// What came of a job, for the audit trail.
#[derive(Default)]
pub(super) struct Came {
    pub(super) sha256: Option<domain::model::Sha256>,
    pub(super) bytes: Option<u64>,
    pub(super) detail: Option<String>,
}
