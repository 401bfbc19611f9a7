//! With whose credentials a job is run: the service's own, else its owner's, else those that were sealed for it; last, for one of a
//! campaign, those of the administrator who ordered that.

use std::sync::Arc;

use domain::jobs::{Job, JobId};
use domain::model::UserId;

use super::context::Context;
use crate::backend::{Credentials, SignIn};
use crate::causes::Causes;

impl Context {
    /// Ways to sign in for a job, the best one first.
    pub(super) async fn sign_ins(&self, job: &Job) -> Vec<SignIn> {
        let mut ways = Vec::new();
        if self.ports.backend.has_service_account() {
            ways.push(SignIn::Service);
        }
        match self.registry.credentials(&job.owner) {
            Some(credentials) => ways.push(SignIn::Person(credentials)),
            None => ways.extend(self.unseal(job).await.map(SignIn::Person)),
        }
        if let Some(campaign) = &job.campaign {
            let administrator = self.registry.credentials(&campaign.requested_by);
            ways.extend(administrator.map(SignIn::Person));
        }
        ways
    }

    /// A lost or another key costs a sign-in, and nothing else.
    async fn unseal(&self, job: &Job) -> Option<Credentials> {
        let seal = self.ports.seal.as_ref()?;
        let sealed = match self.ports.sealed.get(&job.id).await {
            Ok(sealed) => sealed?,
            Err(error) => {
                tracing::error!(job = %job.id, error = %Causes(&error), "sealed credentials could not be read");
                return None;
            }
        };
        match seal.open(&job.id, &job.owner, &sealed) {
            Ok(credentials) => Some(credentials),
            Err(error) => {
                tracing::warn!(job = %job.id, %error, "its owner has to sign in");
                None
            }
        }
    }

    /// Keeps a job's credentials sealed, where the operator wants that. Where it fails, the job waits for a sign-in after a restart.
    pub(super) async fn keep_sealed(&self, job: &JobId, owner: &UserId, credentials: &Credentials) {
        let Some(seal) = &self.ports.seal else {
            return;
        };
        let sealed = match seal.seal(job, owner, credentials) {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::error!(job = %job, %error, "the job cannot run unattended");
                return;
            }
        };
        if let Err(error) = self.ports.sealed.put(job, sealed).await {
            tracing::error!(job = %job, error = %Causes(&error), "the job cannot run unattended");
        }
    }

    /// Deletes what was sealed for a job.
    pub(super) async fn delete_sealed(&self, job: &JobId) {
        if self.ports.seal.is_none() {
            return;
        }
        if let Err(error) = self.ports.sealed.delete(job).await {
            tracing::error!(job = %job, error = %Causes(&error), "sealed credentials could not be deleted");
        }
    }

    /// The platform refused this way to sign in for a job.
    pub(super) async fn refused(&self, job: &Job, sign_in: &SignIn) {
        match sign_in {
            SignIn::Service => {
                tracing::error!(job = %job.id, "the platform refuses the service's own credentials");
            }
            SignIn::Person(credentials) => {
                self.registry.refused(&job.owner, credentials);
                self.registry.refused(job.requested_by(), credentials);
                self.delete_sealed(&job.id).await;
            }
        }
    }

    /// An owner was accepted by the platform: their jobs that wait for that go on.
    pub(super) async fn accepted(self: &Arc<Self>, owner: &UserId, credentials: &Credentials) {
        if !self.registry.hold(owner, credentials) {
            return;
        }
        for job in self.registry.jobs_of(owner) {
            self.keep_sealed(&job, owner, credentials).await;
        }
        self.let_go_on(owner).await;
    }

    /// Queues the jobs of an owner that wait for a sign-in.
    pub(super) async fn let_go_on(&self, owner: &UserId) {
        match self.ports.store.signed_in(owner).await {
            Ok(0) => {}
            Ok(_) => self.wake.notify_one(),
            Err(error) => {
                tracing::error!(error = %Causes(&error), "jobs that wait for a sign-in could not be queued");
            }
        }
    }
}
