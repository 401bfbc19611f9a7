//! What handlers add to the audit trail.

use domain::jobs::{AuditAction, AuditEntry, Job};
use domain::model::{Sha256, UserId};

use super::service::Service;
use crate::auth::Caller;
use crate::causes::Causes;

/// What a caller did to an export, or to somebody's data.
pub(super) struct Deed<'a> {
    pub(super) action: AuditAction,
    pub(super) caller: &'a Caller,
    pub(super) subject: Option<&'a UserId>,
    pub(super) job: Option<&'a Job>,
    pub(super) detail: Option<String>,
}

impl Deed<'_> {
    fn entry(&self, service: &Service) -> AuditEntry {
        let bag = self.job.and_then(Job::delivery).map(|made| &made.bag);
        let sha256: Option<Sha256> = bag.map(|bag| bag.sha256);
        AuditEntry {
            at: service.clock.now(),
            action: self.action,
            actor: Some(self.caller.owner.clone()),
            subject: self.subject.cloned(),
            from: Some(self.caller.from.to_string()),
            export: self.job.map(|job| job.id.clone()),
            sha256,
            bytes: None,
            detail: self.detail.clone(),
        }
    }

    /// Records it. The service goes on where that fails: it has happened, and the log says so.
    pub(super) async fn record(self, service: &Service) {
        if let Err(error) = service.audit.append(self.entry(service)).await {
            tracing::error!(action = %self.action, error = %Causes(&error), "the audit trail could not be written");
        }
    }

    /// Records what must not happen unrecorded.
    pub(super) async fn record_first(
        self,
        service: &Service,
    ) -> Result<(), domain::jobs::AuditError> {
        service.audit.append(self.entry(service)).await.map(drop)
    }
}

/// Something that was done to one export of the caller.
pub(super) async fn record(service: &Service, caller: &Caller, action: AuditAction, job: &Job) {
    let deed = Deed {
        action,
        caller,
        subject: Some(&job.request.user),
        job: Some(job),
        detail: None,
    };
    deed.record(service).await;
}
