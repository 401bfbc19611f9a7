//! Whose jobs are unfinished, and the credentials that their owners signed in with last: in memory, and no longer than that.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::jobs::{CampaignId, Job, JobId};
use domain::model::UserId;
use secrecy::ExposeSecret as _;

use crate::backend::Credentials;

/// A period in which a job is unfinished. It begins when the job is queued, claimed or queued again, and lasts until the job is over or the
/// next period begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(u64);

#[derive(Default)]
struct Known {
    unfinished: HashMap<JobId, (UserId, Period)>,
    /// Of these, the names of campaigns: their owner is who ordered them.
    campaigns: HashSet<JobId>,
    /// Of these, jobs of campaigns: they count nothing against their owner's share.
    of_campaigns: HashSet<JobId>,
    periods: u64,
    /// Jobs that are over, and whose tickets are still to be deleted.
    open: HashMap<JobId, UserId>,
    credentials: HashMap<UserId, Credentials>,
}

impl Known {
    fn has_jobs(&self, owner: &UserId) -> bool {
        let unfinished = self.unfinished.values().map(|(owner, _)| owner);
        let mut owners = unfinished.chain(self.open.values());
        owners.any(|other| other == owner)
    }

    fn forget_idle(&mut self, owner: &UserId) {
        if !self.has_jobs(owner) {
            self.credentials.remove(owner);
        }
    }
}

/// Whose jobs are unfinished, and credentials for them.
#[derive(Default)]
pub(super) struct Registry(Mutex<Known>);

impl Registry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job is unfinished from now on.
    pub(super) fn add(&self, job: &JobId, owner: &UserId) -> Period {
        let mut known = self.known();
        known.periods += 1;
        let period = Period(known.periods);
        known
            .unfinished
            .insert(job.clone(), (owner.clone(), period));
        period
    }

    /// The same of a job that may be one of a campaign.
    pub(super) fn add_job(&self, job: &Job) -> Period {
        let period = self.add(&job.id, &job.owner);
        if job.campaign.is_some() {
            self.known().of_campaigns.insert(job.id.clone());
        }
        period
    }

    /// A campaign is under way from now on: what its administrator signs in with is of use for it.
    pub(super) fn add_campaign(&self, campaign: &CampaignId, administrator: &UserId) -> Period {
        let period = self.add(campaign.key(), administrator);
        self.known().campaigns.insert(campaign.key().clone());
        period
    }

    /// The campaigns that are under way, as far as this process knows, and since when.
    pub(super) fn campaigns(&self) -> Vec<(CampaignId, Period)> {
        let known = self.known();
        let of_campaigns = known.campaigns.iter().filter_map(|id| {
            let (_, period) = known.unfinished.get(id)?;
            Some((id.clone().into(), *period))
        });
        of_campaigns.collect()
    }

    /// Since when a job is unfinished.
    pub(super) fn period(&self, job: &JobId) -> Option<Period> {
        self.known().unfinished.get(job).map(|(_, period)| *period)
    }

    /// Forgets a job that was over at the end of this period and, with the last job of its owner, their credentials. `false` where it was
    /// queued again since.
    pub(super) fn remove(&self, job: &JobId, ended: Option<Period>) -> bool {
        let mut known = self.known();
        if let Some((owner, period)) = known.unfinished.get(job).cloned() {
            if Some(period) != ended {
                return false;
            }
            known.unfinished.remove(job);
            known.campaigns.remove(job);
            known.of_campaigns.remove(job);
            known.forget_idle(&owner);
        }
        true
    }

    /// A job is over, but tickets of it are left on the platform.
    pub(super) fn add_open(&self, job: &JobId, owner: &UserId) {
        self.known().open.insert(job.clone(), owner.clone());
    }

    /// No tickets of a job are left.
    pub(super) fn remove_open(&self, job: &JobId) {
        let mut known = self.known();
        if let Some(owner) = known.open.remove(job) {
            known.forget_idle(&owner);
        }
    }

    /// Jobs that are over and whose tickets are still to be deleted.
    pub(super) fn open(&self) -> Vec<JobId> {
        self.known().open.keys().cloned().collect()
    }

    /// Every job that is unfinished, as far as this process knows.
    pub(super) fn unfinished(&self) -> Vec<JobId> {
        let known = self.known();
        let jobs = known.unfinished.keys();
        jobs.filter(|job| !known.campaigns.contains(*job))
            .cloned()
            .collect()
    }

    /// How many unfinished jobs this owner asked for.
    pub(super) fn count_of(&self, owner: &UserId) -> usize {
        let theirs = self.jobs_of(owner);
        let known = self.known();
        let own = theirs
            .iter()
            .filter(|job| !known.campaigns.contains(*job) && !known.of_campaigns.contains(*job));
        own.count()
    }

    /// The unfinished jobs of this owner, and the campaigns that they ordered.
    pub(super) fn jobs_of(&self, owner: &UserId) -> Vec<JobId> {
        let known = self.known();
        let theirs = known
            .unfinished
            .iter()
            .filter(|(_, (other, _))| other == owner);
        theirs.map(|(job, _)| job.clone()).collect()
    }

    /// Keeps what an owner signed in with. Says whether that is news and there is a job that it is for.
    pub(super) fn hold(&self, owner: &UserId, credentials: &Credentials) -> bool {
        let mut known = self.known();
        if !known.has_jobs(owner) {
            return false;
        }
        let before = known.credentials.insert(owner.clone(), credentials.clone());
        before.is_none_or(|before| !is_same(&before, credentials))
    }

    /// What an owner signed in with last.
    pub(super) fn credentials(&self, owner: &UserId) -> Option<Credentials> {
        self.known().credentials.get(owner).cloned()
    }

    /// The platform refuses these credentials: only newer ones are of use.
    pub(super) fn refused(&self, owner: &UserId, refused: &Credentials) {
        let mut known = self.known();
        let is_theirs = |held: &Credentials| is_same(held, refused);
        if known.credentials.get(owner).is_some_and(is_theirs) {
            known.credentials.remove(owner);
        }
    }
}

/// Whether they are the same in every character.
pub(super) fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.login == other.login && one.password.expose_secret() == other.password.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn credentials(password: &str) -> Credentials {
        Credentials {
            login: john(),
            password: SecretString::from(password),
        }
    }

    fn john() -> UserId {
        UserId::parse("john").unwrap()
    }

    fn id(number: u32) -> JobId {
        JobId::parse(&format!("00000000-0000-7000-8000-0000{number:08}")).unwrap()
    }

    #[test]
    fn credentials_are_held_as_long_as_there_is_a_job_for_them() {
        let registry = Registry::default();
        assert!(!registry.hold(&john(), &credentials("a")));
        assert!(registry.credentials(&john()).is_none());
        let first = registry.add(&id(1), &john());
        let second = registry.add(&id(2), &john());
        assert!(registry.hold(&john(), &credentials("a")));
        assert!(!registry.hold(&john(), &credentials("a")));
        assert!(registry.remove(&id(1), Some(first)));
        assert!(registry.credentials(&john()).is_some());
        assert!(registry.remove(&id(2), Some(second)));
        assert!(registry.credentials(&john()).is_none());
    }

    /// Its owner sees that it failed and has it tried again, while its end is still being recorded.
    #[test]
    fn what_was_queued_again_meanwhile_keeps_its_credentials() {
        let registry = Registry::default();
        let failed = registry.add(&id(1), &john());
        registry.hold(&john(), &credentials("a"));
        let again = registry.add(&id(1), &john());
        assert!(!registry.remove(&id(1), Some(failed)));
        assert!(registry.credentials(&john()).is_some());
        assert_eq!(registry.period(&id(1)), Some(again));
    }

    #[test]
    fn only_the_credentials_that_were_refused_are_dropped() {
        let registry = Registry::default();
        registry.add(&id(1), &john());
        registry.hold(&john(), &credentials("new"));
        registry.refused(&john(), &credentials("old"));
        assert!(registry.credentials(&john()).is_some());
        registry.refused(&john(), &credentials("new"));
        assert!(registry.credentials(&john()).is_none());
        assert!(registry.hold(&john(), &credentials("new")));
    }
}
