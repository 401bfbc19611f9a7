//! Campaigns in memory, with the jobs that they consist of.

use async_trait::async_trait;
use jiff::Timestamp;

use super::job_table::{Jobs, Kept};
use super::jobs::MemoryJobStore;
use crate::jobs::{
    Campaign, CampaignId, CampaignMark, CampaignPhase, CampaignStanding, CampaignState,
    CampaignStore, CampaignStoreError, Job, JobId, JobStateName, StoredJob, Wish,
};
use crate::model::UserId;

impl Jobs {
    fn campaign(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let found = self.campaigns.get(id).cloned();
        found.ok_or_else(|| CampaignStoreError::Unknown { id: id.clone() })
    }

    fn of_campaign<'a>(&'a self, id: &'a CampaignId) -> impl Iterator<Item = &'a Kept> {
        self.by_id.values().filter(move |kept| {
            let campaign = kept.job.campaign.as_ref();
            campaign.is_some_and(|campaign| campaign.id == *id)
        })
    }

    fn standing_of(&self, id: &CampaignId, now: Timestamp) -> CampaignStanding {
        let count = |name: JobStateName| {
            let jobs = self.of_campaign(id);
            jobs.filter(|kept| kept.job.state_at(now) == name).count() as u64
        };
        let counts = JobStateName::ALL.map(|name| (name, count(name)));
        CampaignStanding {
            counts: counts.into_iter().filter(|count| count.1 > 0).collect(),
            first_began: self.of_campaign(id).filter_map(|kept| kept.job.began).min(),
        }
    }

    fn decide(
        &mut self,
        id: &CampaignId,
        state: CampaignState,
        now: Timestamp,
    ) -> Result<Campaign, CampaignStoreError> {
        let mut campaign = self.campaign(id)?;
        let phase = campaign.phase(&self.standing_of(id, now));
        if matches!(phase, CampaignPhase::Done | CampaignPhase::Cancelled) {
            return Err(CampaignStoreError::Over { id: id.clone() });
        }
        campaign.state = state;
        self.campaigns.insert(id.clone(), campaign.clone());
        Ok(campaign)
    }
}

#[async_trait]
impl CampaignStore for MemoryJobStore {
    async fn create(
        &self,
        campaign: Campaign,
        people: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError> {
        let now = self.moment();
        let mut jobs = self.jobs();
        if let Some(known) = jobs.campaigns.get(&campaign.id) {
            return Ok(known.clone());
        }
        let campaign = Campaign {
            requested: now,
            total: people.len() as u64,
            ..campaign
        };
        for (id, user) in people {
            let mut job = Job::new(id.clone(), user.clone(), campaign.order.of(user), now);
            job.campaign = Some(CampaignMark {
                id: campaign.id.clone(),
                requested_by: campaign.requested_by.clone(),
            });
            jobs.by_id.insert(id.clone(), Kept::new(job));
            jobs.notify(&id);
        }
        jobs.campaigns.insert(campaign.id.clone(), campaign.clone());
        Ok(campaign)
    }

    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        self.jobs().campaign(id)
    }

    async fn list(
        &self,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        let jobs = self.jobs();
        let from = match &after {
            Some(id) => {
                let campaign = jobs.campaign(id)?;
                Some((campaign.requested, campaign.id))
            }
            None => None,
        };
        let mut all: Vec<Campaign> = jobs.campaigns.values().cloned().collect();
        all.sort_by(|one, other| (other.requested, &other.id).cmp(&(one.requested, &one.id)));
        let later = all.into_iter().filter(|campaign| {
            let from = from.as_ref();
            from.is_none_or(|from| (campaign.requested, &campaign.id) < (from.0, &from.1))
        });
        Ok(later.take(limit).collect())
    }

    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError> {
        let jobs = self.jobs();
        jobs.campaign(id)?;
        Ok(jobs.standing_of(id, self.moment()))
    }

    async fn exports(
        &self,
        id: &CampaignId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, CampaignStoreError> {
        let jobs = self.jobs();
        jobs.campaign(id)?;
        let all = jobs.of_campaign(id);
        let rest = all.filter(|kept| after.as_ref().is_none_or(|after| kept.job.id > *after));
        Ok(rest.take(limit).map(Kept::stored).collect())
    }

    async fn pause(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let now = self.moment();
        self.jobs().decide(id, CampaignState::Paused, now)
    }

    async fn resume(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let now = self.moment();
        self.jobs().decide(id, CampaignState::Running, now)
    }

    async fn cancel(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<Vec<(JobId, UserId)>, CampaignStoreError> {
        let now = self.moment();
        let mut jobs = self.jobs();
        match jobs.decide(id, CampaignState::Cancelled, now) {
            Ok(_) => {}
            Err(CampaignStoreError::Over { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        let mut begun = Vec::new();
        let ids: Vec<JobId> = jobs
            .of_campaign(id)
            .filter(|kept| kept.job.is_unfinished())
            .map(|kept| kept.job.id.clone())
            .collect();
        for id in ids {
            let Some(kept) = jobs.by_id.get_mut(&id) else {
                continue;
            };
            if kept.job.began.is_some() {
                kept.wish(Wish::Cancel, by);
                begun.push((id.clone(), kept.job.owner.clone()));
                jobs.notify(&id);
            } else if kept.job.cancel(now).is_ok() {
                kept.release();
                jobs.notify(&id);
            }
        }
        Ok(begun)
    }

    async fn retry(&self, id: &CampaignId, _: &UserId) -> Result<u64, CampaignStoreError> {
        let now = self.moment();
        let mut jobs = self.jobs();
        if jobs.campaign(id)?.state == CampaignState::Cancelled {
            return Err(CampaignStoreError::Over { id: id.clone() });
        }
        let ids = jobs.of_campaign(id).map(|kept| kept.job.id.clone());
        let mut retried = 0;
        for id in ids.collect::<Vec<JobId>>() {
            if let Ok(kept) = jobs.get(&id)
                && kept.job.retry(now).is_ok()
            {
                kept.release();
                jobs.notify(&id);
                retried += 1;
            }
        }
        Ok(retried)
    }

    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError> {
        let jobs = self.jobs();
        let open = jobs.campaigns.values().filter(|campaign| {
            jobs.of_campaign(&campaign.id)
                .any(|kept| kept.job.is_unfinished())
        });
        Ok(open
            .map(|campaign| (campaign.id.clone(), campaign.requested_by.clone()))
            .collect())
    }
}
