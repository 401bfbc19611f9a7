//! The first page: to ask, and what was asked for.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::card::Card;
use super::form::{Format, Kind, formats, kinds};
use super::frame::{Frame, Visit, html};
use super::sign_in::form;
use crate::api::{ListQuery, Service, exports};
use crate::auth::{Caller, is_cookie_sent};
use crate::place::Place;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "page/home.html")]
struct HomePage {
    frame: Frame,
    kinds: Vec<Kind>,
    formats: Vec<Format>,
    cards: Vec<Card>,
    is_first: bool,
    older: Option<String>,
}

/// The page of somebody who is signed in, else the form to do that.
pub(super) async fn show(
    State(service): State<Service>,
    visit: Visit,
    caller: Result<Caller, Problem>,
    headers: axum::http::HeaderMap,
    query: Result<ListQuery, Problem>,
) -> Result<Response, Problem> {
    let caller = match caller {
        Err(Problem::Unauthenticated { .. }) => {
            let is_over = is_cookie_sent(&headers, service.gate.is_https());
            return Ok(form(&visit, is_over));
        }
        other => other?,
    };
    let query = ListQuery {
        all: false,
        ..query?
    };
    let words = visit.words();
    let (jobs, more) = exports(&service, &caller, &query).await?;
    let mut cards = Vec::with_capacity(jobs.len());
    for stored in &jobs {
        cards.push(Card::of(&service, words, &stored.job, true).await);
    }
    let last = jobs.last().filter(|_| more);
    Ok(html(&HomePage {
        frame: Frame::for_person(&visit, &caller),
        kinds: kinds(words),
        formats: formats(words),
        cards,
        is_first: query.after.is_none(),
        older: last.map(|last| format!("{}?after={}", Place::Home.path(), last.job.id)),
    }))
}
