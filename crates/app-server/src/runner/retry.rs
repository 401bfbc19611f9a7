//! Trying a failed job again.

use domain::jobs::{JobId, JobStoreError, StoredJob, WrongState};
use domain::model::UserId;
use thiserror::Error;

use super::service::Runner;
use crate::backend::Credentials;

/// How often a job that changes meanwhile is read again before it is queued once more.
const CONFLICTS: usize = 16;

/// Why a failed job does not go on.
#[derive(Debug, Error)]
pub(crate) enum RetryError {
    /// The service is being stopped.
    #[error("the service is being stopped")]
    Stopping,
    /// It did not fail, or nothing is kept of its run any more.
    #[error(transparent)]
    State(#[from] WrongState),
    /// It is not there, or cannot be recorded.
    #[error(transparent)]
    Store(#[from] JobStoreError),
}

impl Runner {
    /// Takes a failed job on again: it goes on from where it stood. Whoever asks is its owner or, for one of a campaign, the
    /// administrator who ordered that; their credentials are for it where the service has none.
    pub(crate) async fn retry(
        &self,
        owner: &UserId,
        id: &JobId,
        by: &UserId,
        credentials: &Credentials,
    ) -> Result<StoredJob, RetryError> {
        let context = &self.context;
        if context.stopping.is_cancelled() {
            return Err(RetryError::Stopping);
        }
        let retried = self.retried(owner, id).await?;
        let period = match &retried.job.campaign {
            Some(campaign) if by != owner => {
                self.hold_for_campaign(&campaign.id, by, credentials).await;
                None
            }
            Some(_) => Some(self.hand_over(&retried.job, credentials).await),
            None => {
                self.check_share(owner).await?;
                Some(self.hand_over(&retried.job, credentials).await)
            }
        };
        let queued = self.queue_again(owner, id, retried).await;
        match (&queued, period) {
            (Ok(_), _) => context.wake.notify_one(),
            (Err(_), Some(period)) => self.take_back(id, period).await,
            // A campaign that is over is forgotten by the next sweep.
            (Err(_), None) => {}
        }
        queued
    }

    /// Whether the owner may have one more job under way. Those of campaigns do not count.
    async fn check_share(&self, owner: &UserId) -> Result<(), JobStoreError> {
        let context = &self.context;
        let limit = context.terms.shares.unfinished;
        context.look_up_jobs(owner).await;
        if context.registry.count_of(owner) >= limit {
            return Err(JobStoreError::TooManyUnfinished { limit });
        }
        Ok(())
    }

    /// A failed job as it is queued again.
    async fn retried(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, RetryError> {
        let store = &self.context.ports.store;
        let StoredJob { mut job, version } = store.get(owner, id).await?;
        job.retry(store.now().await?)?;
        Ok(StoredJob { job, version })
    }

    /// The end of the failed run may still be being recorded, its tickets for example. That changes nothing of the order: what is
    /// recorded meanwhile is read, and the job queued once more.
    async fn queue_again(
        &self,
        owner: &UserId,
        id: &JobId,
        mut retried: StoredJob,
    ) -> Result<StoredJob, RetryError> {
        for _ in 0..CONFLICTS {
            let StoredJob { job, version } = retried;
            match self.context.ports.store.update(version, job).await {
                Err(JobStoreError::Conflict { .. }) => retried = self.retried(owner, id).await?,
                other => return Ok(other?),
            }
        }
        Err(JobStoreError::Conflict { id: id.clone() }.into())
    }
}
