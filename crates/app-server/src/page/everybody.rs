//! Everybody's exports, for administrators: first those that are not answered yet, by when they are due.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::jobs::{Job, JobStoreError};

use super::card::Card;
use super::frame::{Frame, Visit, html};
use super::words::Words;
use crate::api::{ListQuery, Service, exports};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

/// Unanswered exports that are shown.
const SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "page/everybody.html")]
struct EverybodyPage {
    frame: Frame,
    is_first: bool,
    unanswered: Vec<Card>,
    /// How many more are not answered; empty for none.
    more: String,
    cards: Vec<Card>,
    older: Option<String>,
}

/// The page.
pub(super) async fn show(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    query: ListQuery,
) -> Result<Response, Problem> {
    let query = ListQuery { all: true, ..query };
    let words = visit.words();
    let (jobs, more) = exports(&service, &caller, &query).await?;
    let is_first = query.after.is_none();
    let mut unanswered = if is_first {
        unanswered(&service).await?
    } else {
        Vec::new()
    };
    let hidden = unanswered.len().saturating_sub(SHOWN);
    unanswered.truncate(SHOWN);
    let jobs: Vec<Job> = jobs.into_iter().map(|stored| stored.job).collect();
    let last = jobs.last().filter(|_| more);
    Ok(html(&EverybodyPage {
        frame: Frame::for_person(&visit, &caller),
        is_first,
        unanswered: cards(&service, words, &unanswered).await,
        more: if hidden > 0 {
            (words.and_more_exports)(hidden)
        } else {
            String::new()
        },
        older: last.map(|last| format!("{}?after={}", Place::Everybody.path(), last.id)),
        cards: cards(&service, words, &jobs).await,
    }))
}

/// Every export that is not over, the one that is due first at the top. Their number is bounded by the shares.
async fn unanswered(service: &Service) -> Result<Vec<Job>, Problem> {
    let mut jobs = Vec::new();
    for (id, owner) in service.store.unfinished().await? {
        match service.store.get(&owner, &id).await {
            Ok(stored) => jobs.push(stored.job),
            // It is gone meanwhile.
            Err(JobStoreError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    jobs.sort_by_key(Job::due);
    Ok(jobs)
}

async fn cards(service: &Service, words: &Words, jobs: &[Job]) -> Vec<Card> {
    let mut cards = Vec::with_capacity(jobs.len());
    for job in jobs {
        cards.push(Card::of(service, words, job, false).await);
    }
    cards
}
