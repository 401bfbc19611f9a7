//! What the store of jobs in memory knows of each job, and which one is next.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::watchers::Watchers;
use crate::jobs::{
    Admitted, Campaign, CampaignId, CampaignState, Claim, ClaimLimits, Job, JobId, JobProgress,
    JobState, JobStateName, JobStoreError, Lease, Shares, Standing, StoredJob, Token, Version,
    Wish,
};
use crate::model::UserId;

pub(super) struct Kept {
    pub(super) job: Job,
    pub(super) version: u64,
    /// Whoever runs it, and until when.
    pub(super) held: Option<(Token, Timestamp)>,
    pub(super) wish: Option<Wish>,
    /// The number of its latest claim, over all jobs.
    pub(super) claimed: u64,
    pub(super) progress: Option<(u64, JobProgress)>,
    pub(super) most_bytes: u64,
    /// Whether its run recorded something since it was claimed.
    pub(super) has_recorded: bool,
    /// Whether its worker took it over from one that died.
    pub(super) taken_over: bool,
    pub(super) report: Option<Bytes>,
}

impl Kept {
    pub(super) fn new(job: Job) -> Self {
        Self {
            job,
            version: 1,
            held: None,
            wish: None,
            claimed: 0,
            progress: None,
            most_bytes: 0,
            has_recorded: false,
            taken_over: false,
            report: None,
        }
    }

    pub(super) fn stored(&self) -> StoredJob {
        StoredJob {
            job: self.job.clone(),
            version: Version(self.version),
        }
    }

    pub(super) fn is_held_by(&self, lease: &Lease) -> bool {
        self.held.as_ref().is_some_and(|held| held.0 == lease.token)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.job.state, JobState::Running)
    }

    /// Whether its turn has come, others of its owner aside.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        match &self.job.state {
            JobState::Queued => true,
            JobState::Waiting {
                retry: Some(retry),
                give_up,
                ..
            } => *retry <= now && *give_up > now,
            _ => false,
        }
    }

    /// When it is tried again, where it waits.
    pub(super) fn retry(&self) -> Option<Timestamp> {
        match &self.job.state {
            JobState::Waiting { retry, .. } => *retry,
            _ => None,
        }
    }

    pub(super) fn lease_ran_out(&self, now: Timestamp) -> bool {
        self.is_running() && self.held.as_ref().is_none_or(|held| held.1 <= now)
    }

    /// Something is wanted of it. One that nobody runs is queued, so that whoever claims it sees that.
    pub(super) fn wish(&mut self, wish: Wish, by: &UserId) {
        self.wish = Some(wish);
        self.job.wished_by = Some(by.clone());
        if !self.is_running() {
            self.job.state = JobState::Queued;
            self.version += 1;
        }
    }

    /// Somebody runs it from now on. Whoever ran it until now has died.
    fn claim(&mut self, number: u64, now: Timestamp, held: (Token, Timestamp)) {
        self.taken_over = self.is_running();
        if self.is_running() {
            self.job.deaths = if self.has_recorded {
                0
            } else {
                self.job.deaths + 1
            };
        }
        self.has_recorded = false;
        self.job.began.get_or_insert(now);
        self.job.state = JobState::Running;
        self.held = Some(held);
        self.claimed = number;
        self.version += 1;
    }

    /// Nobody runs it any more.
    pub(super) fn release(&mut self) {
        self.held = None;
        self.version += 1;
        if !self.job.is_unfinished() {
            self.wish = None;
        }
    }
}

#[derive(Default)]
pub(super) struct Jobs {
    pub(super) by_id: BTreeMap<JobId, Kept>,
    pub(super) campaigns: BTreeMap<CampaignId, Campaign>,
    pub(super) claims: u64,
    pub(super) watchers: Watchers,
}

impl Jobs {
    pub(super) fn notify(&mut self, id: &JobId) {
        self.watchers.notify(id);
    }

    pub(super) fn get(&mut self, id: &JobId) -> Result<&mut Kept, JobStoreError> {
        self.by_id
            .get_mut(id)
            .ok_or_else(|| JobStoreError::Unknown { id: id.clone() })
    }

    pub(super) fn held(&mut self, lease: &Lease) -> Result<&mut Kept, JobStoreError> {
        let kept = self.by_id.get_mut(&lease.job);
        kept.filter(|kept| kept.is_held_by(lease))
            .ok_or_else(|| lost(lease))
    }

    /// Whether a job of this one's owner runs that keeps it from running.
    pub(super) fn is_held_up(&self, by: &Kept) -> bool {
        self.by_id.values().any(|kept| {
            let is_theirs = kept.is_running() && kept.job.owner == by.job.owner;
            let is_own = kept.job.campaign.is_none();
            let holds_up = match &by.job.campaign {
                None => is_own,
                // One that is to be given up does not wait for what its person asked for.
                Some(_) => by.wish.is_none() || !is_own,
            };
            is_theirs && holds_up
        })
    }

    pub(super) fn served(&self, owner: &UserId) -> u64 {
        let theirs = self.by_id.values().filter(|kept| kept.job.owner == *owner);
        let own = theirs.filter(|kept| kept.job.campaign.is_none());
        own.map(|kept| kept.claimed).max().unwrap_or_default()
    }

    /// Whether its campaign lets it run.
    pub(super) fn is_let(&self, kept: &Kept, id: &CampaignId) -> bool {
        match self.campaigns.get(id).map(|campaign| campaign.state) {
            Some(CampaignState::Running) => true,
            // Of one that was given up only what was tried again since is left.
            Some(CampaignState::Paused | CampaignState::Cancelled) => kept.job.began.is_some(),
            None => false,
        }
    }

    /// Jobs of a campaign that run, and when it was requested.
    pub(super) fn weight(&self, id: &CampaignId) -> (usize, Option<Timestamp>) {
        let of_it = |kept: &&Kept| {
            let campaign = kept.job.campaign.as_ref();
            kept.is_running() && campaign.is_some_and(|campaign| campaign.id == *id)
        };
        let running = self.by_id.values().filter(of_it).count();
        (
            running,
            self.campaigns.get(id).map(|campaign| campaign.requested),
        )
    }

    /// Takes an order, unless the same is under way or the person's share is used up.
    pub(super) fn admit(
        &mut self,
        mut job: Job,
        shares: &Shares,
        now: Timestamp,
    ) -> Result<Admitted, JobStoreError> {
        if self.by_id.contains_key(&job.id) {
            return Err(JobStoreError::Exists { id: job.id });
        }
        let same = self.where_(|kept| {
            kept.job.is_unfinished()
                && kept.wish.is_none()
                && kept.job.campaign.is_none()
                && kept.job.owner == job.owner
                && kept.job.request == job.request
        });
        if let Some(same) = same.first() {
            return Ok(Admitted::Same(same.stored()));
        }
        let standing = self.standing(&job.owner, now);
        let remark = shares.remark(&standing);
        shares.check(standing, now)?;
        job.requested = now;
        job.add_notes(remark.into_iter().collect());
        let (id, kept) = (job.id.clone(), Kept::new(job));
        let stored = kept.stored();
        self.by_id.insert(id.clone(), kept);
        self.notify(&id);
        Ok(Admitted::New(stored))
    }

    /// The job of this id, claimed until then.
    pub(super) fn claimed(
        &mut self,
        id: &JobId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, JobStoreError> {
        self.claims += 1;
        let number = self.claims;
        let token = Token::of(u128::from(number).to_be_bytes());
        let kept = self.get(id)?;
        kept.claim(number, now, (token.clone(), until));
        let claim = Claim {
            job: kept.job.clone(),
            version: Version(kept.version),
            lease: Lease {
                job: id.clone(),
                token,
            },
            wish: kept.wish,
        };
        self.notify(id);
        Ok(claim)
    }

    /// The job whose lease ran out, if there is one.
    pub(super) fn expired(&self, now: Timestamp) -> Option<JobId> {
        let expired = self.where_(|kept| kept.lease_ran_out(now));
        let first = expired
            .into_iter()
            .min_by_key(|kept| kept.held.as_ref().map(|held| held.1));
        first.map(|kept| kept.job.id.clone())
    }

    /// The job that is next.
    pub(super) fn next(&self, now: Timestamp, limits: ClaimLimits) -> Option<JobId> {
        let may_run = |kept: &Kept| {
            let within = match &kept.job.campaign {
                None => self.archives_of(&kept.job.owner, now).len() < limits.archives,
                Some(campaign) => limits.campaigns && self.is_let(kept, &campaign.id),
            };
            !self.is_held_up(kept) && (kept.wish.is_some() || within)
        };
        let candidates = self
            .by_id
            .values()
            .filter(|kept| kept.lease_ran_out(now) || (kept.is_due(now) && may_run(kept)));
        let next = candidates.min_by_key(|kept| {
            let job = &kept.job;
            let campaign = job.campaign.as_ref().filter(|_| !kept.is_running());
            let order = campaign.filter(|_| kept.wish.is_none()).map(|campaign| {
                let is_new = job.began.is_none();
                (self.weight(&campaign.id), is_new, kept.retry())
            });
            let served = match campaign {
                Some(_) => 0,
                None => self.served(&job.owner),
            };
            (
                !kept.is_running(),
                campaign.is_some(),
                order,
                served,
                kept.wish.is_none(),
                (job.requested, &job.id),
            )
        });
        next.map(|kept| kept.job.id.clone())
    }

    /// Jobs that pass, oldest request first.
    pub(super) fn where_(&self, passes: impl Fn(&Kept) -> bool) -> Vec<&Kept> {
        let mut found: Vec<_> = self.by_id.values().filter(|kept| passes(kept)).collect();
        found.sort_by_key(|kept| (kept.job.requested, &kept.job.id));
        found
    }

    /// A person's archives that are kept, oldest first.
    pub(super) fn archives_of(&self, owner: &UserId, now: Timestamp) -> Vec<JobId> {
        let kept = self.where_(|kept| {
            let is_own = kept.job.owner == *owner && kept.job.campaign.is_none();
            is_own && kept.job.state_at(now) == JobStateName::Ready
        });
        kept.into_iter().map(|kept| kept.job.id.clone()).collect()
    }

    pub(super) fn standing(&self, owner: &UserId, now: Timestamp) -> Standing {
        let is_own = |kept: &Kept| kept.job.campaign.is_none();
        let theirs = self.where_(|kept| kept.job.owner == *owner && is_own(kept));
        let within_a_day = |at: &Timestamp| now.duration_since(*at).unsigned_abs() < Shares::DAY;
        let requested = theirs.iter().map(|kept| kept.job.requested);
        let unfinished = |kept: &&&Kept| kept.job.is_unfinished();
        Standing {
            unfinished: theirs.iter().filter(unfinished).count(),
            unfinished_in_all: self
                .where_(|kept| kept.job.is_unfinished() && is_own(kept))
                .len(),
            orders: requested.filter(within_a_day).collect(),
            archives: self.archives_of(owner, now),
        }
    }
}

pub(super) fn lost(lease: &Lease) -> JobStoreError {
    JobStoreError::Lost {
        id: lease.job.clone(),
    }
}

pub(super) fn conflict(id: &JobId) -> JobStoreError {
    JobStoreError::Conflict { id: id.clone() }
}
