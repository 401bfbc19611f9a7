//! The steps of a campaign.

use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignPhase, CampaignState, CampaignStoreError, JobId,
};
use domain::model::UserId;
use jiff::Timestamp;

use super::jobs::retry_failed;
use super::{Decided, Transaction, rows as table};

/// A campaign that is new, with its jobs and their entries in the audit trail; `None` where it is there already.
pub(crate) async fn create<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
) -> Decided<Option<Campaign>, X> {
    let now = rows.now().await?;
    let created = table::insert_campaign(rows, campaign, people, now).await?;
    if created.is_none() {
        return Ok(None);
    }
    let jobs = people.iter().map(|person| &person.0);
    let (action, by) = (AuditAction::ExportRequested, &campaign.requested_by);
    table::record(rows, jobs, action, by, now).await?;
    Ok(created)
}

/// Decides something of a campaign that is not over.
pub(crate) async fn decide<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    state: CampaignState,
) -> Decided<Campaign, X> {
    let campaign = found(rows, id).await?;
    let now = rows.now().await?;
    if is_over(rows, &campaign, now).await? {
        return Err(CampaignStoreError::Over { id: id.clone() }.into());
    }
    Ok(table::write_state(rows, id, state).await?)
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
pub(crate) async fn give_up<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    by: &UserId,
) -> Decided<GivenUp, X> {
    let campaign = found(rows, id).await?;
    let now = rows.now().await?;
    if is_over(rows, &campaign, now).await? {
        return Ok(GivenUp::default());
    }
    table::write_state(rows, id, CampaignState::Cancelled).await?;
    let cancelled = table::cancel_unbegun(rows, id, now).await?;
    let begun = table::wish_cancelled(rows, id, by).await?;
    let forgot_credentials = table::delete_administrators(rows, id).await?;
    let action = AuditAction::ExportCancelled;
    table::record(rows, cancelled.iter(), action, by, now).await?;
    Ok(GivenUp {
        cancelled,
        begun,
        forgot_credentials,
    })
}

/// Queues failed jobs of a campaign again, and gives them. Nothing of one that was given up is to go on.
pub(crate) async fn try_again<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    by: &UserId,
) -> Decided<Vec<JobId>, X> {
    if found(rows, id).await?.state == CampaignState::Cancelled {
        return Err(CampaignStoreError::Over { id: id.clone() }.into());
    }
    let now = rows.now().await?;
    let retried = retry_failed(rows, id, now).await?;
    let action = AuditAction::ExportRetried;
    table::record(rows, retried.iter(), action, by, now).await?;
    Ok(retried)
}

async fn found<X: Transaction + ?Sized>(rows: &mut X, id: &CampaignId) -> Decided<Campaign, X> {
    let campaign = table::campaign(rows, id).await?;
    campaign.ok_or_else(|| CampaignStoreError::Unknown { id: id.clone() }.into())
}

async fn is_over<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &Campaign,
    now: Timestamp,
) -> Decided<bool, X> {
    let standing = table::campaign_standing(rows, &campaign.id, now).await?;
    let phase = campaign.phase(&standing);
    Ok(matches!(
        phase,
        CampaignPhase::Done | CampaignPhase::Cancelled
    ))
}
