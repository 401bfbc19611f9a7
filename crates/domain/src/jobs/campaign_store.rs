//! Where campaigns are kept.

use async_trait::async_trait;
use thiserror::Error;

use super::{Campaign, CampaignId, CampaignStanding, JobId, JobStoreError, StoredJob};
use crate::model::UserId;

/// Why campaigns could not be recorded or found.
#[derive(Debug, Error)]
pub enum CampaignStoreError {
    /// No campaign of this name is there.
    #[error("there is no campaign `{id}`")]
    Unknown {
        /// Which.
        id: CampaignId,
    },
    /// It was given up, or all of its exports are over.
    #[error("campaign `{id}` is over")]
    Over {
        /// Which.
        id: CampaignId,
    },
    /// The store of jobs failed.
    #[error(transparent)]
    Store(#[from] JobStoreError),
}

/// Keeps campaigns, and the jobs that they consist of in the store of jobs.
///
/// Jobs of a campaign are claimed there: what was decided of the campaign is heeded by every claim.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait CampaignStore: Send + Sync {
    /// Records a campaign, one queued job for each of these people, and an entry of each job's request in the audit trail, where
    /// this store keeps one. All of it is one step. The store's clock decides when it was requested. A campaign that exists already
    /// is given back as it stands.
    async fn create(
        &self,
        campaign: Campaign,
        jobs: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError>;

    /// A campaign.
    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError>;

    /// Campaigns, newest first, after this one.
    async fn list(
        &self,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>, CampaignStoreError>;

    /// Where its exports are now.
    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError>;

    /// Its exports, oldest name first, after this one.
    async fn exports(
        &self,
        id: &CampaignId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, CampaignStoreError>;

    /// Nothing new of it begins from now on; what has begun goes on to its end. One that is over is [`CampaignStoreError::Over`].
    async fn pause(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError>;

    /// Its exports begin again. One that is over is [`CampaignStoreError::Over`].
    async fn resume(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError>;

    /// Gives it up for an administrator: in the same step, exports that have not begun are cancelled, with an entry of each in the audit
    /// trail, where this store keeps one, and the others that are not over get the wish to be.
    /// Gives the latter, with their owners. A campaign that is over stays as it is.
    async fn cancel(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<Vec<(JobId, UserId)>, CampaignStoreError>;

    /// Queues those of its failed exports again whose unfinished run is kept, for the administrator who ordered it: in one step, with an
    /// entry of each in the audit trail, where this store keeps one. Gives how many. They have begun before: they go on also where it is
    /// paused. One that was given up is [`CampaignStoreError::Over`].
    async fn retry(&self, id: &CampaignId, by: &UserId) -> Result<u64, CampaignStoreError>;

    /// Campaigns of which exports are not over, and who ordered them.
    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError>;
}
