//! Campaigns, for administrators: how far each is, and when it will be done; pausing, resuming and giving one up.

use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use domain::jobs::{Campaign, CampaignPhase, CampaignStanding, JobStateName};

use super::actions::{ConfirmPage, Question};
use super::frame::{Frame, Visit, html};
use super::text::{Moment, shown};
use super::words::Words;
use crate::api::{self, PathCampaign, Service, go};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

/// Campaigns that are shown.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "page/campaigns.html")]
struct CampaignsPage {
    frame: Frame,
    campaigns: Vec<Card>,
}

/// A campaign in words.
struct Card {
    path: String,
    name: String,
    phase: &'static str,
    by: String,
    people: String,
    expected_end: Option<Moment>,
    parts: Vec<Part>,
    ended: u64,
    total: u64,
    is_open: bool,
    is_paused: bool,
    /// Whether who looks may try again what failed.
    can_retry: bool,
}

/// How many of its exports are in a state: a part of the bar.
struct Part {
    class: String,
    label: &'static str,
    count: String,
    /// Where it begins and how long it is, in thousandths of the bar.
    from: u64,
    width: u64,
}

/// The page.
pub(super) async fn show(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
) -> Result<Response, Problem> {
    if !caller.is_administrator() {
        return Err(Problem::NotAdministrator);
    }
    let words = visit.words();
    let mut campaigns = Vec::new();
    for campaign in service.campaigns.list(None, SHOWN).await? {
        let standing = service.campaigns.standing(&campaign.id).await?;
        let mut card = card(&service, words, &campaign, &standing);
        card.can_retry &= campaign.requested_by == caller.owner;
        campaigns.push(card);
    }
    let frame = Frame::for_person(&visit, &caller);
    Ok(html(&CampaignsPage { frame, campaigns }))
}

fn card(
    service: &Service,
    words: &Words,
    campaign: &Campaign,
    standing: &CampaignStanding,
) -> Card {
    let phase = campaign.phase(standing);
    let end = campaign.expected_end(standing, service.clock.now());
    Card {
        path: format!("{}/{}", Place::Campaigns.path(), campaign.id),
        name: (words.campaign_of)(&(words.moment)(campaign.requested)),
        phase: (words.campaign_phase)(phase),
        by: shown(campaign.requested_by.as_str()),
        people: (words.number)(campaign.total),
        expected_end: end.map(|end| Moment::of(words, end)),
        parts: parts(words, standing),
        ended: standing.ended(),
        total: campaign.total.max(1),
        is_open: matches!(phase, CampaignPhase::Running | CampaignPhase::Paused),
        is_paused: phase == CampaignPhase::Paused,
        can_retry: phase != CampaignPhase::Cancelled && has_failed(standing),
    }
}

fn has_failed(standing: &CampaignStanding) -> bool {
    let mut counts = standing.counts.iter();
    counts.any(|count| count.0 == JobStateName::Failed)
}

fn parts(words: &Words, standing: &CampaignStanding) -> Vec<Part> {
    let total: u64 = standing.counts.iter().map(|count| count.1).sum();
    let place = |before: u64| (before * 1000).checked_div(total).unwrap_or_default();
    let mut before = 0;
    let part = |(name, count): &(JobStateName, u64)| {
        let (from, to) = (place(before), place(before + count));
        before += count;
        Part {
            class: name.to_string(),
            label: (words.state)(*name, None),
            count: (words.number)(*count),
            from,
            width: to - from,
        }
    };
    standing.counts.iter().map(part).collect()
}

/// What every person's export came to, as CSV.
pub(super) async fn report(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    api::whole_report(service, &caller, id).await
}

/// A campaign pauses.
pub(super) async fn pause(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    api::pause_campaign(&service, &caller, &id).await?;
    Ok(go(&Place::Campaigns, None))
}

/// A campaign goes on.
pub(super) async fn resume(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    api::resume_campaign(&service, &caller, &id).await?;
    Ok(go(&Place::Campaigns, None))
}

/// What failed of a campaign goes on.
pub(super) async fn retry(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    api::retry_campaign(&service, &caller, &id).await?;
    Ok(go(&Place::Campaigns, None))
}

/// Asks whether a campaign is to be given up.
pub(super) async fn confirm(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    if !caller.is_administrator() {
        return Err(Problem::NotAdministrator);
    }
    let campaign = service.campaigns.get(&id).await?;
    let words = visit.words();
    Ok(html(&ConfirmPage {
        frame: Frame::for_person(&visit, &caller),
        path: format!("{}/{id}", Place::Campaigns.path()),
        back: Place::Campaigns.path(),
        name: (words.campaign_of)(&(words.moment)(campaign.requested)),
        question: Some(Question {
            title: words.cancel_campaign,
            text: words.cancel_campaign_text,
            yes: words.cancel_yes,
            no: words.cancel_no,
        }),
    }))
}

/// Gives a campaign up.
pub(super) async fn give_up(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
) -> Result<Response, Problem> {
    api::cancel_campaign(&service, &caller, &id).await?;
    Ok(go(&Place::Campaigns, None))
}

/// Whoever loads the address of a form again.
pub(super) async fn look() -> Redirect {
    Redirect::to(&Place::Campaigns.path())
}
