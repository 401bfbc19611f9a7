//! With whose credentials a job is run: the service's own, else its owner's, else those that were sealed for it; last, for one of a
//! campaign, those of the administrator who ordered that.

use std::sync::Arc;

use domain::jobs::{CampaignMark, Job, JobId, JobPage, JobState, WaitingFor, Whose};
use domain::model::UserId;

use super::context::Context;
use super::registry::is_same;
use super::service_account::REFUSED_FOR;
use super::terms::Duty;
use crate::backend::{Credentials, IdentifyError, SignIn};
use crate::causes::Causes;
use crate::seal::SealError;

/// An owner's latest jobs among which unfinished ones are looked for: older ones are long over.
const LOOKED_UP: usize = 50;

/// Ways to sign in for a job. Recording its end deletes what was sealed for it: code that deletes tickets on the platform after that has to
/// read these before.
#[derive(Clone, Default)]
pub(super) struct Ways {
    has_service_account: bool,
    /// What people signed in with, and who they are: its owner, and who ordered its campaign.
    people: Vec<(UserId, Credentials)>,
}

impl Ways {
    /// The best one first.
    pub(super) fn all(self) -> Vec<SignIn> {
        let service = self.has_service_account.then_some(SignIn::Service);
        let people = self.people.into_iter();
        let people = people.map(|(_, credentials)| SignIn::Person(credentials));
        service.into_iter().chain(people).collect()
    }
}

impl Context {
    /// Ways to sign in for a job.
    pub(super) async fn ways(&self, job: &Job) -> Ways {
        let owner = &job.owner;
        let held = match self.registry.credentials(owner) {
            Some(held) => Some(held),
            None => self.unsealed(&job.id, owner).await,
        };
        let held = held.map(|held| (owner.clone(), held));
        let campaign = self.credentials_of_campaign(job).await;
        Ways {
            has_service_account: self.has_service_account(),
            people: held.into_iter().chain(campaign).collect(),
        }
    }

    /// Ways to sign in for a job's run, the best one first.
    pub(super) async fn sign_ins(&self, job: &Job) -> Vec<SignIn> {
        let has_service_account = self.service_signs_in().await;
        let ways = self.ways(job).await;
        Ways {
            has_service_account,
            ..ways
        }
        .all()
    }

    /// A job is over, and tickets of it are left on the platform: what could sign in for it is kept sealed until they are gone.
    pub(super) async fn keep_for_tickets(&self, job: &JobId, ways: &Ways) {
        if ways.has_service_account {
            return;
        }
        if let Some((person, credentials)) = ways.people.first() {
            self.keep_sealed(job, person, credentials).await;
        }
    }

    /// A lost or another key costs a sign-in, and nothing else.
    pub(super) async fn unsealed(&self, job: &JobId, owner: &UserId) -> Option<Credentials> {
        let seal = self.ports.seal.as_ref()?;
        let sealed = match self.ports.sealed.get(job).await {
            Ok(sealed) => sealed?,
            Err(error) => {
                tracing::error!(job = %job, error = %Causes(&error), "sealed credentials could not be read");
                return None;
            }
        };
        match seal.open(job, owner, &sealed) {
            Ok(credentials) => Some(credentials),
            // Those of whoever ordered its campaign, or of its owner.
            Err(SealError::OfAnother) => None,
            Err(error) => {
                tracing::warn!(job = %job, %error, "its owner has to sign in");
                None
            }
        }
    }

    /// Whether there are credentials of the service's own, and the platform did not refuse them when they were sent last.
    pub(super) fn has_service_account(&self) -> bool {
        self.ports.backend.has_service_account() && !self.service_account.is_refused()
    }

    /// Whether a run may sign in as the service. Asks the platform where that is not known, or where it refused that a while ago. Once it
    /// accepts the credentials, everything that waits for a sign-in resumes.
    pub(super) async fn service_signs_in(&self) -> bool {
        if !self.ports.backend.has_service_account() {
            return false;
        }
        let _asking = self.service_account.asking().await;
        let elapsed = self.ports.clock.elapsed();
        if let Some(accepted) = self.service_account.is_accepted(elapsed) {
            return accepted;
        }
        match self.ports.backend.check_service().await {
            Ok(()) => {
                self.service_account.accepted();
                self.let_go_on(&Whose::Everybodys).await;
                true
            }
            Err(IdentifyError::Refused) => {
                self.service_refused();
                false
            }
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "it is not known yet whether the platform accepts the service's own credentials");
                // A run finds out.
                true
            }
        }
    }

    /// The platform refused the service's own credentials.
    fn service_refused(&self) {
        self.service_account.refused(self.ports.clock.elapsed());
        tracing::error!(
            "the platform refuses the service's own credentials: exports wait for a sign-in, and it is asked again in {} minutes",
            REFUSED_FOR.as_secs() / 60
        );
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
            SignIn::Service => self.service_refused(),
            SignIn::Person(credentials) => {
                self.registry.refused(&job.owner, credentials);
                self.registry.refused(job.requested_by(), credentials);
                self.delete_sealed(&job.id).await;
                if let Some(campaign) = &job.campaign {
                    self.refused_of_campaign(campaign, credentials).await;
                }
            }
        }
    }

    /// What was sealed for a campaign is of no use any more where it is what the platform refuses.
    async fn refused_of_campaign(&self, campaign: &CampaignMark, refused: &Credentials) {
        let (key, administrator) = (campaign.id.key(), &campaign.requested_by);
        let sealed = self.unsealed(key, administrator).await;
        if sealed.is_some_and(|sealed| is_same(&sealed, refused)) {
            self.delete_sealed(key).await;
        }
    }

    /// An owner was accepted by the platform: their jobs that wait for that go on. Jobs may wait although this process holds the same
    /// credentials already: where the platform refused them for a moment, another process knows of it.
    pub(super) async fn accepted(self: &Arc<Self>, owner: &UserId, credentials: &Credentials) {
        let is_waited_for = self.look_up_jobs(owner).await;
        if !self.registry.hold(owner, credentials) && !is_waited_for {
            return;
        }
        for job in self.registry.jobs_of(owner) {
            self.keep_sealed(&job, owner, credentials).await;
        }
        self.let_go_on(&Whose::Of(owner.clone())).await;
    }

    /// Learns of an owner's jobs that this process does not know: others recorded them, or they are of a campaign. Says whether some may wait
    /// for a sign-in.
    pub(super) async fn look_up_jobs(&self, owner: &UserId) -> bool {
        let page = JobPage {
            after: None,
            limit: LOOKED_UP,
        };
        let whose = Whose::Of(owner.clone());
        let mut is_waited_for = false;
        match self.ports.store.list(&whose, page).await {
            Ok(jobs) => {
                for stored in jobs.iter().filter(|stored| stored.job.is_unfinished()) {
                    if self.registry.period(&stored.job.id).is_none() {
                        self.registry.add_job(&stored.job);
                    }
                    is_waited_for |= waits_for_sign_in(&stored.job);
                }
            }
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "jobs of an owner could not be looked up");
            }
        }
        let has_campaigns = self.look_up_campaigns(owner).await;
        // Of a campaign's jobs only its administrator's own were looked at. Alone, this process knows what was refused.
        is_waited_for || has_campaigns && self.terms.duty != Duty::Alone
    }

    /// Queues jobs that wait for a sign-in.
    pub(super) async fn let_go_on(&self, whose: &Whose) {
        match self.ports.store.signed_in(whose).await {
            Ok(0) => {}
            Ok(_) => self.wake.notify_one(),
            Err(error) => {
                tracing::error!(error = %Causes(&error), "jobs that wait for a sign-in could not be queued");
            }
        }
    }
}

pub(super) fn waits_for_sign_in(job: &Job) -> bool {
    matches!(
        &job.state,
        JobState::Waiting {
            waiting_for: WaitingFor::SignIn,
            ..
        }
    )
}
