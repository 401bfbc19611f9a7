//! Campaigns: many jobs at once, ordered, and given up.

use domain::jobs::{Campaign, CampaignId, CampaignStoreError, JobId};
use domain::model::UserId;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::context::Context;
use super::service::Runner;
use crate::backend::Credentials;
use crate::causes::Causes;

/// Exports of a campaign that are given up at the same time.
const AT_ONCE: usize = 32;

impl Runner {
    /// Takes a campaign on: its jobs are run as soon as there are places for them. Its administrator's credentials are kept as long as
    /// it is under way.
    pub(crate) async fn take_on_campaign(
        &self,
        campaign: Campaign,
        people: Vec<(JobId, UserId)>,
        credentials: &Credentials,
    ) -> Result<Campaign, CampaignStoreError> {
        let context = &self.context;
        let (id, owner) = (campaign.id.clone(), campaign.requested_by.clone());
        context.registry.add(id.key(), &owner);
        context.accepted(&owner, credentials).await;
        let created = context.ports.campaigns.create(campaign, people).await;
        match &created {
            Ok(_) => context.wake.notify_one(),
            Err(_) => context.registry.remove(id.key()),
        }
        created
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
    pub(crate) async fn cancel_campaign(&self, id: &CampaignId) -> Result<(), CampaignStoreError> {
        let begun = self.context.ports.campaigns.cancel(id).await?;
        let (context, id) = (self.context.clone(), id.clone());
        self.tasks.spawn(async move {
            let given_up = stream::iter(begun).for_each_concurrent(AT_ONCE, |(job, owner)| {
                let context = context.clone();
                async move {
                    if let Err(error) = context.cancel(&owner, &job).await {
                        tracing::error!(job = %job, error = %Causes(&error), "an export of a campaign could not be given up");
                    }
                }
            });
            tokio::select! {
                () = given_up => {}
                () = context.at_once.cancelled() => {}
            }
            context.registry.remove(id.key());
        });
        Ok(())
    }
}

impl Context {
    /// Campaigns of an earlier process: their administrators' sign-ins are of use for them.
    pub(super) async fn hold_campaigns(&self) {
        match self.ports.campaigns.unfinished().await {
            Ok(campaigns) => {
                for (id, owner) in campaigns {
                    self.registry.add(id.key(), &owner);
                }
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "the campaigns under way could not be read");
            }
        }
    }
}
