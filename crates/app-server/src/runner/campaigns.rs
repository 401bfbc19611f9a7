//! Campaigns: many jobs at once, ordered, and given up.

use std::collections::HashSet;

use domain::jobs::{Campaign, CampaignId, CampaignStoreError, Job, JobId};
use domain::model::UserId;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::context::Context;
use super::registry::Period;
use super::service::Runner;
use crate::backend::Credentials;
use crate::causes::Causes;

/// Exports of a campaign that are given up at the same time.
const AT_ONCE: usize = 32;

impl Runner {
    /// Takes a campaign on: its jobs are run as soon as there are places for them. Where the service has no credentials of its own, those of
    /// its administrator are kept as long as it is under way.
    pub(crate) async fn take_on_campaign(
        &self,
        campaign: Campaign,
        people: Vec<(JobId, UserId)>,
        credentials: &Credentials,
    ) -> Result<Campaign, CampaignStoreError> {
        let context = &self.context;
        let (id, owner) = (campaign.id.clone(), campaign.requested_by.clone());
        let period = self.hold_for_campaign(&id, &owner, credentials).await;
        let created = context.ports.campaigns.create(campaign, people).await;
        match &created {
            Ok(_) => context.wake.notify_one(),
            Err(_) if period.is_none() => {}
            Err(_) => {
                if context.registry.remove(id.key(), period) {
                    context.delete_sealed(id.key()).await;
                }
            }
        }
        created
    }

    /// The credentials of a campaign's administrator, for exports that are about to be queued: nothing where the service has its own.
    pub(super) async fn hold_for_campaign(
        &self,
        id: &CampaignId,
        administrator: &UserId,
        credentials: &Credentials,
    ) -> Option<Period> {
        let context = &self.context;
        if context.has_service_account() {
            return None;
        }
        let period = context.registry.add_campaign(id, administrator);
        context.accepted(administrator, credentials).await;
        let key = id.key();
        context.keep_sealed(key, administrator, credentials).await;
        Some(period)
    }

    /// Failed exports of a campaign go on, for the administrator who ordered it. Gives how many.
    pub(crate) async fn retry_campaign(
        &self,
        id: &CampaignId,
        by: &UserId,
        credentials: &Credentials,
    ) -> Result<u64, CampaignStoreError> {
        self.hold_for_campaign(id, by, credentials).await;
        let retried = self.context.ports.campaigns.retry(id, by).await?;
        self.context.wake.notify_one();
        Ok(retried)
    }

    /// A paused campaign goes on.
    pub(crate) async fn resume_campaign(
        &self,
        id: &CampaignId,
    ) -> Result<Campaign, CampaignStoreError> {
        let resumed = self.context.ports.campaigns.resume(id).await?;
        self.context.wake.notify_one();
        Ok(resumed)
    }

    /// Gives a campaign up. What has not begun is cancelled when this returns; runs end in the background.
    pub(crate) async fn cancel_campaign(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<(), CampaignStoreError> {
        let period = self.context.registry.period(id.key());
        let begun = self.context.ports.campaigns.cancel(id, by).await?;
        let (context, id, by) = (self.context.clone(), id.clone(), by.clone());
        self.tasks.spawn(async move {
            let given_up = stream::iter(begun).for_each_concurrent(AT_ONCE, |(job, owner)| {
                let (context, by) = (context.clone(), &by);
                async move {
                    if let Err(error) = context.cancel(&owner, &job, by).await {
                        tracing::error!(job = %job, error = %Causes(&error), "an export of a campaign could not be given up");
                    }
                }
            });
            tokio::select! {
                () = given_up => {}
                () = context.at_once.cancelled() => return,
            }
            if let Some(period) = period {
                context.campaign_over(&id, period).await;
            }
        });
        Ok(())
    }
}

impl Context {
    /// Campaigns of an earlier process, or of another: their administrators' sign-ins are of use for them.
    pub(super) async fn hold_campaigns(&self) {
        if self.has_service_account() {
            return;
        }
        match self.ports.campaigns.unfinished().await {
            Ok(campaigns) => {
                for (id, owner) in campaigns {
                    self.registry.add_campaign(&id, &owner);
                }
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "the campaigns under way could not be read");
            }
        }
    }

    /// The same of those that this administrator ordered from another process.
    /// Says whether there are some.
    pub(super) async fn look_up_campaigns(&self, administrator: &UserId) -> bool {
        if self.has_service_account() {
            return false;
        }
        let Ok(campaigns) = self.ports.campaigns.unfinished().await else {
            // The store of jobs says the same.
            return false;
        };
        let theirs = campaigns
            .into_iter()
            .filter(|(_, owner)| owner == administrator);
        let mut has_campaigns = false;
        for (id, owner) in theirs {
            has_campaigns = true;
            if self.registry.period(id.key()).is_none() {
                self.registry.add_campaign(&id, &owner);
            }
        }
        has_campaigns
    }

    /// Nothing is kept for campaigns that are over.
    pub(super) async fn forget_campaigns(&self) {
        // Read first: of one that is held again since, the period is another one.
        let known = self.registry.campaigns();
        if known.is_empty() {
            return;
        }
        // Campaigns that are ordered after this line are not looked at.
        let Ok(campaigns) = self.ports.campaigns.unfinished().await else {
            return;
        };
        let unfinished: HashSet<CampaignId> =
            campaigns.into_iter().map(|campaign| campaign.0).collect();
        for (id, period) in known.iter().filter(|known| !unfinished.contains(&known.0)) {
            // A campaign that is just being recorded may be missing from the list: it is asked for by its id.
            let standing = self.ports.campaigns.standing(id).await;
            if standing.is_ok_and(|standing| standing.remaining() == 0) {
                self.campaign_over(id, *period).await;
            }
        }
    }

    async fn campaign_over(&self, id: &CampaignId, period: Period) {
        if self.registry.remove(id.key(), Some(period)) {
            self.delete_sealed(id.key()).await;
        }
    }

    /// Whether this id is that of a campaign that is under way.
    pub(super) async fn is_campaign_under_way(
        &self,
        id: &JobId,
    ) -> Result<bool, CampaignStoreError> {
        match self.ports.campaigns.standing(&id.clone().into()).await {
            Ok(standing) => Ok(standing.remaining() > 0),
            Err(CampaignStoreError::Unknown { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the administrator who ordered a job's campaign signed in with.
    pub(super) async fn credentials_of_campaign(&self, job: &Job) -> Option<(UserId, Credentials)> {
        let campaign = job.campaign.as_ref()?;
        let administrator = &campaign.requested_by;
        let mut held = self.registry.credentials(administrator);
        // Of the campaign or, where that is over and tickets are left, of the job.
        for key in [campaign.id.key(), &job.id] {
            if held.is_none() {
                held = self.unsealed(key, administrator).await;
            }
        }
        held.map(|held| (administrator.clone(), held))
    }
}
