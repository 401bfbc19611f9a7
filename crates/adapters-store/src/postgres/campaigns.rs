//! Campaigns in PostgreSQL, with the jobs that they consist of.

use async_trait::async_trait;
use domain::jobs::{
    Campaign, CampaignId, CampaignStanding, CampaignState, CampaignStore, CampaignStoreError,
    Change, JobId, JobStoreError, StoredJob,
};
use domain::model::UserId;

use super::database::Statement;
use super::error::Failure;
use super::jobs::PostgresJobStore;
use crate::columns::count_column;
use crate::moments::to_column;
use crate::rows::{read_campaigns, read_requested, read_standing};
use crate::statements::{CAMPAIGN, CAMPAIGN_EXPORTS, CAMPAIGN_STANDING, CAMPAIGNS};
use crate::steps::{self, GivenUp};

const UNFINISHED: &str = "SELECT id, requested_by FROM campaigns AS campaign WHERE EXISTS (SELECT 1 FROM jobs \
    WHERE jobs.campaign = campaign.id AND jobs.state IN ('queued', 'running', 'waiting'))";

fn unknown(id: &CampaignId) -> CampaignStoreError {
    CampaignStoreError::Unknown { id: id.clone() }
}

fn of_failure(failure: impl Into<Failure>) -> CampaignStoreError {
    JobStoreError::from(failure.into()).into()
}

impl PostgresJobStore {
    async fn decided(
        &self,
        id: &CampaignId,
        state: CampaignState,
    ) -> Result<Campaign, CampaignStoreError> {
        let id = id.clone();
        let campaign = self
            .step(move |mut rows| {
                Box::pin(async move { steps::decide(&mut rows, &id, state).await })
            })
            .await?;
        self.signal().await;
        Ok(campaign)
    }

    /// Whoever claims, in whatever process, looks at once.
    async fn signal(&self) {
        let (signals, pool) = (&self.database.signals, &self.database.pool);
        signals.notify_now(Change::Resync, pool).await;
    }

    async fn campaigns(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        let rows = self.rows(statement).await?;
        read_campaigns(&rows).map_err(of_failure)
    }
}

#[async_trait]
impl CampaignStore for PostgresJobStore {
    async fn create(
        &self,
        campaign: Campaign,
        jobs: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError> {
        let id = campaign.id.clone();
        let created = self
            .step(move |mut rows| {
                Box::pin(async move { steps::create(&mut rows, &campaign, &jobs).await })
            })
            .await;
        match created? {
            Some(campaign) => {
                self.signal().await;
                Ok(campaign)
            }
            None => CampaignStore::get(self, &id).await,
        }
    }

    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let found = self
            .campaigns(sqlx::query(CAMPAIGN).bind(id.as_str()))
            .await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
    }

    async fn list(
        &self,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        if let Some(after) = &after {
            CampaignStore::get(self, after).await?;
        }
        let statement = sqlx::query(CAMPAIGNS)
            .bind(after.as_ref().map(CampaignId::as_str))
            .bind(count_column(limit));
        self.campaigns(statement).await
    }

    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let now = self.database.now().await.map_err(of_failure)?;
        let statement = sqlx::query(CAMPAIGN_STANDING).bind(id.as_str());
        let rows = self.rows(statement.bind(to_column(now))).await?;
        read_standing(&rows).map_err(of_failure)
    }

    async fn exports(
        &self,
        id: &CampaignId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let statement = sqlx::query(CAMPAIGN_EXPORTS)
            .bind(id.as_str())
            .bind(after.as_ref().map(JobId::as_str))
            .bind(count_column(limit));
        Ok(self.read(statement).await?)
    }

    async fn pause(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        self.decided(id, CampaignState::Paused).await
    }

    async fn resume(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        self.decided(id, CampaignState::Running).await
    }

    async fn cancel(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<Vec<(JobId, UserId)>, CampaignStoreError> {
        let (id, by) = (id.clone(), by.clone());
        let GivenUp { begun, .. } = self
            .step(move |mut rows| {
                Box::pin(async move { steps::give_up(&mut rows, &id, &by).await })
            })
            .await?;
        self.signal().await;
        Ok(begun)
    }

    async fn retry(&self, id: &CampaignId, by: &UserId) -> Result<u64, CampaignStoreError> {
        let (id, by) = (id.clone(), by.clone());
        let retried = self
            .step(move |mut rows| {
                Box::pin(async move { steps::try_again(&mut rows, &id, &by).await })
            })
            .await?;
        self.signal().await;
        Ok(retried.len() as u64)
    }

    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError> {
        let rows = self.rows(sqlx::query(UNFINISHED)).await?;
        read_requested(&rows).map_err(of_failure)
    }
}
