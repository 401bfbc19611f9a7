//! The campaigns, with the jobs that they consist of.

use async_trait::async_trait;
use domain::jobs::{
    Campaign, CampaignId, CampaignStanding, CampaignState, CampaignStore, CampaignStoreError,
    JobId, JobStoreError, StoredJob,
};
use domain::model::UserId;

use super::{JobEngine, SqlJobStore, forget_deleted, jobs_of, now, rows};
use crate::columns::{RowError, count_column};
use crate::database::SqlDatabase;
use crate::dialect::Dialect as _;
use crate::moments::to_column;
use crate::rows::{read_campaigns, read_requested, read_standing};
use crate::statement::Statement;
use crate::statements::{CAMPAIGN, CAMPAIGN_EXPORTS, CAMPAIGN_STANDING, CAMPAIGNS};
use crate::steps;

fn unreadable(error: RowError) -> CampaignStoreError {
    JobStoreError::Unavailable(error).into()
}

async fn campaigns_of<E: JobEngine>(
    engine: &E,
    statement: Statement,
) -> Result<Vec<Campaign>, CampaignStoreError> {
    read_campaigns(&rows(engine, statement).await?).map_err(unreadable)
}

async fn decided<E: JobEngine>(
    engine: &E,
    id: &CampaignId,
    state: CampaignState,
) -> Result<Campaign, CampaignStoreError> {
    let id = id.clone();
    let decided =
        engine.step(move |tx| Box::pin(async move { steps::decide(tx, &id, state).await }));
    let campaign = decided.await?;
    engine.notify_campaign(&[]).await;
    Ok(campaign)
}

#[async_trait]
impl<E: JobEngine> CampaignStore for SqlJobStore<E> {
    async fn create(
        &self,
        campaign: Campaign,
        jobs: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError> {
        // One of them is enough: whoever hears of it looks at all that can be claimed.
        let (id, first) = (campaign.id.clone(), jobs.first().map(|job| job.0.clone()));
        let created = self
            .engine
            .step(move |tx| Box::pin(async move { steps::create(tx, &campaign, &jobs).await }));
        match created.await? {
            Some(campaign) => {
                self.engine.notify_campaign(first.as_slice()).await;
                Ok(campaign)
            }
            None => CampaignStore::get(self, &id).await,
        }
    }

    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let statement = Statement::of(CAMPAIGN).bind(id.as_str());
        let found = campaigns_of(&self.engine, statement).await?;
        let found = found.into_iter().next();
        found.ok_or_else(|| CampaignStoreError::Unknown { id: id.clone() })
    }

    async fn list(
        &self,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        if let Some(after) = &after {
            CampaignStore::get(self, after).await?;
        }
        let statement = Statement::of(CAMPAIGNS)
            .bind(after.as_ref().map(CampaignId::as_str))
            .bind(count_column(limit));
        campaigns_of(&self.engine, statement).await
    }

    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let now = now(&self.engine).await?;
        let statement = Statement::of(CAMPAIGN_STANDING)
            .bind(id.as_str())
            .bind(to_column(now));
        read_standing(&rows(&self.engine, statement).await?).map_err(unreadable)
    }

    async fn exports(
        &self,
        id: &CampaignId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let statement = Statement::of(CAMPAIGN_EXPORTS)
            .bind(id.as_str())
            .bind(after.as_ref().map(JobId::as_str))
            .bind(count_column(limit));
        Ok(jobs_of(&self.engine, statement).await?)
    }

    async fn pause(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        decided(&self.engine, id, CampaignState::Paused).await
    }

    async fn resume(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        decided(&self.engine, id, CampaignState::Running).await
    }

    async fn cancel(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<Vec<(JobId, UserId)>, CampaignStoreError> {
        let (id, by) = (id.clone(), by.clone());
        let given_up = self
            .engine
            .step(move |tx| Box::pin(async move { steps::give_up(tx, &id, &by).await }));
        let given_up = given_up.await?;
        let begun = given_up.begun.iter().map(|job| job.0.clone());
        let changed: Vec<JobId> = begun.chain(given_up.cancelled).collect();
        self.engine.notify_campaign(&changed).await;
        if given_up.forgot_credentials {
            forget_deleted(&self.engine).await;
        }
        Ok(given_up.begun)
    }

    async fn retry(&self, id: &CampaignId, by: &UserId) -> Result<u64, CampaignStoreError> {
        let (id, by) = (id.clone(), by.clone());
        let retried = self
            .engine
            .step(move |tx| Box::pin(async move { steps::try_again(tx, &id, &by).await }));
        let retried = retried.await?;
        self.engine.notify_campaign(&retried).await;
        Ok(retried.len() as u64)
    }

    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError> {
        let statement = Statement::of(<E::Database as SqlDatabase>::Engine::UNFINISHED_CAMPAIGNS);
        read_requested(&rows(&self.engine, statement).await?).map_err(unreadable)
    }
}
