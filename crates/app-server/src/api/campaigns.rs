//! `/api/v1/campaigns`: exports of many people, ordered by an administrator.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{LINK, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::jobs::{
    AuditAction, AuditEntry, Campaign, CampaignId, CampaignOrder, CampaignState,
    CampaignStoreError, IdempotencyKey, JobId, Reservation,
};
use domain::model::{Sha256, UserId};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::campaign_people::{number_of, people_of};
use super::campaign_request::{NewCampaign, NewCampaignSchema, Whom};
use super::campaign_view::{CampaignView, CampaignsView};
use super::extract::{JsonBody, limited, query};
use super::orders::{key, read_key};
use super::service::Service;
use crate::auth::Caller;
use crate::problem::{Problem, poll_again};

/// Campaigns, or rows of a report, in one page where the caller does not say.
pub(super) const USUAL_LIMIT: usize = 100;
/// The same, whatever the caller says.
const LARGEST_LIMIT: usize = 1_000;

impl From<CampaignStoreError> for Problem {
    fn from(error: CampaignStoreError) -> Self {
        match error {
            CampaignStoreError::Unknown { .. } => Self::UnknownCampaign,
            CampaignStoreError::Over { .. } => Self::CampaignOver,
            CampaignStoreError::Store(error) => error.into(),
        }
    }
}

/// The campaign in the path.
#[derive(IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub(crate) struct PathCampaign(#[param(value_type = String, format = Uuid)] pub(crate) CampaignId);

impl FromRequestParts<Service> for PathCampaign {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, service)
            .await
            .map_err(|_| Problem::UnknownCampaign)?;
        let id = CampaignId::parse(&id).map_err(|_| Problem::UnknownCampaign)?;
        Ok(Self(id))
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Entries in a page.
    #[serde(default = "usual_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: usize,
    /// The campaign, or the export, that the page begins after.
    #[param(value_type = Option<String>, format = Uuid)]
    pub(super) after: Option<JobId>,
}

fn usual_limit() -> usize {
    USUAL_LIMIT
}

impl FromRequestParts<Service> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let query: Self = query(parts, service).await?;
        limited(query.limit, LARGEST_LIMIT)?;
        Ok(query)
    }
}

/// Only administrators may.
pub(crate) fn administrator(caller: &Caller) -> Result<(), Problem> {
    if caller.is_administrator() {
        Ok(())
    } else {
        Err(Problem::NotAdministrator)
    }
}

/// Order a campaign
///
/// For administrators: one export for each of these people, the members of an organization, or everybody. Who that is is read once, now.
#[utoipa::path(
    post,
    path = "/api/v1/campaigns",
    tag = "campaigns",
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "Repeating the order with the same key within a day gives the same campaign")),
    request_body(content = NewCampaignSchema),
    responses((status = 202, description = "It is under way: `Location` says where to look", body = CampaignView))
)]
pub(super) async fn create(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewCampaign>,
) -> Result<Response, Problem> {
    administrator(&caller)?;
    let key = key(&headers)?;
    let campaign = ordered(&service, &caller, body.into_order(&caller.owner)?, key).await?;
    let location = [(LOCATION, format!("/api/v1/campaigns/{}", campaign.id))];
    let view = view(&service, &campaign).await?;
    Ok((StatusCode::ACCEPTED, location, [poll_again()], Json(view)).into_response())
}

/// Takes an order of an administrator. The key stands for it, so that sending it twice gives the same campaign.
pub(crate) async fn order_campaign(
    service: &Service,
    caller: &Caller,
    order: NewCampaign,
    key: Option<&str>,
) -> Result<Campaign, Problem> {
    administrator(caller)?;
    let key = key.map(read_key).transpose()?;
    ordered(service, caller, order.into_order(&caller.owner)?, key).await
}

/// What an order comes to.
pub(crate) struct Proposal {
    pub(crate) order: CampaignOrder,
    /// For how many people it is, where that is known.
    pub(crate) people: Option<u64>,
}

/// What an administrator's order would come to. Nothing is ordered.
pub(crate) async fn propose(
    service: &Service,
    caller: &Caller,
    order: NewCampaign,
) -> Result<Proposal, Problem> {
    administrator(caller)?;
    let (whom, order) = order.into_order(&caller.owner)?;
    let people = number_of(service, caller, whom).await?;
    Ok(Proposal { order, people })
}

/// The order becomes a campaign, or is one already: the key stands for it.
async fn ordered(
    service: &Service,
    caller: &Caller,
    (whom, order): (Whom, CampaignOrder),
    key: Option<IdempotencyKey>,
) -> Result<Campaign, Problem> {
    let id = new_id()?;
    let Some(key) = key else {
        return taken_on(service, caller, (whom, order), id.into()).await;
    };
    let named = match &whom {
        Whom::Named(people) => people.as_slice(),
        Whom::Listed(_) => &[],
    };
    let whole = serde_json::to_vec(&(&order, named)).map_err(|_| Problem::Internal)?;
    let owner = &caller.owner;
    let whole = Sha256::of(&whole);
    let id = match service.keys.reserve(owner, &key, &whole, &id).await? {
        Reservation::New => CampaignId::from(id),
        Reservation::OtherOrder => return Err(Problem::KeyReused),
        Reservation::Same(earlier) => {
            let earlier = CampaignId::from(earlier);
            match service.campaigns.get(&earlier).await {
                // Whoever reserved the key did not come to create it, or is about to.
                Err(CampaignStoreError::Unknown { .. }) => earlier,
                known => return Ok(known?),
            }
        }
    };
    let taken = taken_on(service, caller, (whom, order), id).await;
    if taken.is_err() {
        service.keys.release(owner, &key).await?;
    }
    taken
}

fn new_id() -> Result<JobId, Problem> {
    JobId::parse(&Uuid::now_v7().to_string()).map_err(|_| Problem::Internal)
}

async fn taken_on(
    service: &Service,
    caller: &Caller,
    (whom, order): (Whom, CampaignOrder),
    id: CampaignId,
) -> Result<Campaign, Problem> {
    let people = people_of(service, caller, whom).await?;
    if people.is_empty() {
        return Err(Problem::InvalidOrder {
            detail: "the platform lists nobody".to_owned(),
        });
    }
    let jobs = people.into_iter().map(|user| Ok((new_id()?, user)));
    let jobs = jobs.collect::<Result<Vec<(JobId, UserId)>, Problem>>()?;
    let campaign = Campaign {
        id,
        requested_by: caller.owner.clone(),
        requested: service.clock.now(),
        order,
        state: CampaignState::Running,
        total: jobs.len() as u64,
    };
    // Not without an entry that says so.
    record(service, caller, AuditAction::CampaignRequested, &campaign).await?;
    let credentials = &caller.credentials;
    let created = service.runner.take_on_campaign(campaign, jobs, credentials);
    let created = created.await?;
    tracing::info!(campaign = %created.id, people = created.total, "a campaign was ordered");
    Ok(created)
}

async fn record(
    service: &Service,
    caller: &Caller,
    action: AuditAction,
    campaign: &Campaign,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        at: service.clock.now(),
        action,
        actor: Some(caller.owner.clone()),
        subject: None,
        from: Some(caller.from.to_string()),
        export: None,
        sha256: None,
        bytes: None,
        detail: Some(format!(
            "campaign {} of {} people",
            campaign.id, campaign.total
        )),
    };
    service.audit.append(entry).await?;
    Ok(())
}

/// What happened already is recorded as well as can be.
pub(super) async fn record_done(
    service: &Service,
    caller: &Caller,
    action: AuditAction,
    campaign: &Campaign,
) {
    if record(service, caller, action, campaign).await.is_err() {
        tracing::error!(campaign = %campaign.id, %action, "the audit trail could not be written");
    }
}

pub(super) async fn view(service: &Service, campaign: &Campaign) -> Result<CampaignView, Problem> {
    let standing = service.campaigns.standing(&campaign.id).await?;
    Ok(CampaignView::of(campaign, &standing, service.clock.now()))
}

/// List campaigns
///
/// For administrators: newest first, in pages.
#[utoipa::path(
    get,
    path = "/api/v1/campaigns",
    tag = "campaigns",
    params(PageQuery),
    responses((status = 200, description = "A page: `Link` with `rel=\"next\"` is where the next one is", body = CampaignsView))
)]
pub(super) async fn list(
    State(service): State<Service>,
    caller: Caller,
    query: PageQuery,
) -> Result<Response, Problem> {
    administrator(&caller)?;
    let after = query.after.map(CampaignId::from);
    let found = service.campaigns.list(after, query.limit + 1).await;
    let mut found = match found {
        Err(CampaignStoreError::Unknown { .. }) => {
            return Err(Problem::InvalidQuery {
                detail: "`after` is none of the campaigns".to_owned(),
            });
        }
        found => found?,
    };
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let last = found
        .last()
        .filter(|_| more)
        .map(|last| last.id.to_string());
    let next = last.map(|last| format!("/api/v1/campaigns?limit={}&after={last}", query.limit));
    let mut campaigns = Vec::with_capacity(found.len());
    for campaign in &found {
        campaigns.push(view(&service, campaign).await?);
    }
    let link = next_link(next.as_deref());
    Ok((link, Json(CampaignsView { campaigns, next })).into_response())
}

pub(super) fn next_link(next: Option<&str>) -> HeaderMap {
    let link = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    link.map(|link| (LINK, link)).into_iter().collect()
}

/// Look at a campaign
///
/// For administrators: how many exports are in each state, and when it will be done.
#[utoipa::path(
    get,
    path = "/api/v1/campaigns/{id}",
    tag = "campaigns",
    params(PathCampaign),
    responses((status = 200, description = "Where it is", body = CampaignView))
)]
pub(super) async fn show(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Json<CampaignView>, Problem> {
    administrator(&caller)?;
    let campaign = service.campaigns.get(&id).await?;
    Ok(Json(view(&service, &campaign).await?))
}
