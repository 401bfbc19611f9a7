//! What administrators decide of a campaign: to pause, resume, try again what failed, and give it up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::jobs::{AuditAction, Campaign, CampaignId, CampaignState};

use super::campaign_view::CampaignView;
use super::campaigns::{PathCampaign, administrator, record_done, view};
use super::service::Service;
use crate::auth::Caller;
use crate::problem::{Problem, poll_again};

/// Pause a campaign
///
/// What runs goes on to its end, nothing new begins.
#[utoipa::path(
    post,
    path = "/api/v1/campaigns/{id}/pause",
    tag = "campaigns",
    params(PathCampaign),
    responses(
        (status = 200, description = "It is paused", body = CampaignView),
        (status = 409, description = "It is over"),
    )
)]
pub(super) async fn pause(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Json<CampaignView>, Problem> {
    let campaign = pause_campaign(&service, &caller, &id).await?;
    Ok(Json(view(&service, &campaign).await?))
}

/// Resume a paused campaign
#[utoipa::path(
    post,
    path = "/api/v1/campaigns/{id}/resume",
    tag = "campaigns",
    params(PathCampaign),
    responses(
        (status = 200, description = "It goes on", body = CampaignView),
        (status = 409, description = "It is over"),
    )
)]
pub(super) async fn resume(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Json<CampaignView>, Problem> {
    let campaign = resume_campaign(&service, &caller, &id).await?;
    Ok(Json(view(&service, &campaign).await?))
}

/// Try the failed exports of a campaign again
///
/// For the administrator who ordered it: each goes on from where it stood, as long as that is kept, a day. A campaign that was done is
/// under way again until they end.
#[utoipa::path(
    post,
    path = "/api/v1/campaigns/{id}/retry",
    tag = "campaigns",
    params(PathCampaign),
    responses(
        (status = 202, description = "They are under way again", body = CampaignView),
        (status = 403, description = "Another administrator ordered it"),
        (status = 409, description = "It was given up, or no failed export of it can go on"),
    )
)]
pub(super) async fn retry(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    let campaign = retry_campaign(&service, &caller, &id).await?;
    let view = view(&service, &campaign).await?;
    Ok((StatusCode::ACCEPTED, [poll_again()], Json(view)).into_response())
}

/// Give a campaign up
///
/// Runs end in the background; archives that are ready stay until they expire. Asking twice is the same as asking once.
#[utoipa::path(
    delete,
    path = "/api/v1/campaigns/{id}",
    tag = "campaigns",
    params(PathCampaign),
    responses((status = 202, description = "Nothing new begins, and what runs ends"))
)]
pub(super) async fn remove(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    cancel_campaign(&service, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, [poll_again()]).into_response())
}

/// Pauses a campaign for an administrator.
pub(crate) async fn pause_campaign(
    service: &Service,
    caller: &Caller,
    id: &CampaignId,
) -> Result<Campaign, Problem> {
    administrator(caller)?;
    let campaign = service.campaigns.pause(id).await?;
    record_done(service, caller, AuditAction::CampaignPaused, &campaign).await;
    Ok(campaign)
}

/// Resumes a campaign for an administrator.
pub(crate) async fn resume_campaign(
    service: &Service,
    caller: &Caller,
    id: &CampaignId,
) -> Result<Campaign, Problem> {
    administrator(caller)?;
    let campaign = service.runner.resume_campaign(id).await?;
    record_done(service, caller, AuditAction::CampaignResumed, &campaign).await;
    Ok(campaign)
}

/// Tries the failed exports of a campaign again, for the administrator who ordered it.
pub(crate) async fn retry_campaign(
    service: &Service,
    caller: &Caller,
    id: &CampaignId,
) -> Result<Campaign, Problem> {
    administrator(caller)?;
    let campaign = service.campaigns.get(id).await?;
    let by = &caller.owner;
    if campaign.requested_by != *by {
        return Err(Problem::OthersCampaign);
    }
    let retried = service
        .runner
        .retry_campaign(id, by, &caller.credentials)
        .await?;
    if retried == 0 {
        return Err(Problem::NothingToRetry);
    }
    tracing::info!(campaign = %id, exports = retried, "failed exports are tried again");
    record_done(service, caller, AuditAction::CampaignRetried, &campaign).await;
    Ok(campaign)
}

/// Gives a campaign up for an administrator.
pub(crate) async fn cancel_campaign(
    service: &Service,
    caller: &Caller,
    id: &CampaignId,
) -> Result<(), Problem> {
    administrator(caller)?;
    let campaign = service.campaigns.get(id).await?;
    service.runner.cancel_campaign(id, &caller.owner).await?;
    if campaign.state != CampaignState::Cancelled {
        record_done(service, caller, AuditAction::CampaignCancelled, &campaign).await;
    }
    Ok(())
}
