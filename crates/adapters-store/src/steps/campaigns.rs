//! The steps of a campaign.

use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignPhase, CampaignState, CampaignStoreError, JobId,
};
use domain::model::UserId;
use jiff::Timestamp;

use super::jobs::retry_failed;
use super::{CampaignResult, rows};
use crate::database::Transaction;

/// A campaign that is new, with its jobs and their entries in the audit trail; `None` where it is there already.
pub(crate) async fn create<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
) -> CampaignResult<Option<Campaign>, Tx> {
    let now = tx.now().await?;
    let created = rows::insert_campaign(tx, campaign, people, now).await?;
    if created.is_none() {
        return Ok(None);
    }
    let jobs = people.iter().map(|person| &person.0);
    let (action, by) = (AuditAction::ExportRequested, &campaign.requested_by);
    rows::record(tx, jobs, action, by, now).await?;
    Ok(created)
}

/// Decides something of a campaign that is not over.
pub(crate) async fn decide<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    state: CampaignState,
) -> CampaignResult<Campaign, Tx> {
    let campaign = found(tx, id).await?;
    let now = tx.now().await?;
    if is_over(tx, &campaign, now).await? {
        return Err(CampaignStoreError::Over { id: id.clone() }.into());
    }
    Ok(rows::write_state(tx, id, state).await?)
}

/// What a campaign that was given up leaves.
#[derive(Default)]
pub(crate) struct GivenUp {
    /// Jobs that were cancelled at once.
    pub(crate) cancelled: Vec<JobId>,
    /// Jobs that are still to be given up, with their owners.
    pub(crate) begun: Vec<(JobId, UserId)>,
    /// Sealed credentials were deleted with it.
    pub(crate) forgot_credentials: bool,
}

/// Gives a campaign up. One that is over leaves nothing.
pub(crate) async fn give_up<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    by: &UserId,
) -> CampaignResult<GivenUp, Tx> {
    let campaign = found(tx, id).await?;
    let now = tx.now().await?;
    if is_over(tx, &campaign, now).await? {
        return Ok(GivenUp::default());
    }
    rows::write_state(tx, id, CampaignState::Cancelled).await?;
    let cancelled = rows::cancel_unbegun(tx, id, now).await?;
    let begun = rows::wish_cancelled(tx, id, by).await?;
    let forgot_credentials = rows::delete_administrators(tx, id).await?;
    let action = AuditAction::ExportCancelled;
    rows::record(tx, cancelled.iter(), action, by, now).await?;
    Ok(GivenUp {
        cancelled,
        begun,
        forgot_credentials,
    })
}

/// Queues failed jobs of a campaign again, and gives them. Nothing of one that was given up is to go on.
pub(crate) async fn try_again<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    by: &UserId,
) -> CampaignResult<Vec<JobId>, Tx> {
    if found(tx, id).await?.state == CampaignState::Cancelled {
        return Err(CampaignStoreError::Over { id: id.clone() }.into());
    }
    let now = tx.now().await?;
    let retried = retry_failed(tx, id, now).await?;
    let action = AuditAction::ExportRetried;
    rows::record(tx, retried.iter(), action, by, now).await?;
    Ok(retried)
}

async fn found<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
) -> CampaignResult<Campaign, Tx> {
    let campaign = rows::campaign(tx, id).await?;
    campaign.ok_or_else(|| CampaignStoreError::Unknown { id: id.clone() }.into())
}

async fn is_over<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &Campaign,
    now: Timestamp,
) -> CampaignResult<bool, Tx> {
    let standing = rows::campaign_standing(tx, &campaign.id, now).await?;
    let phase = campaign.phase(&standing);
    Ok(matches!(
        phase,
        CampaignPhase::Done | CampaignPhase::Cancelled
    ))
}
