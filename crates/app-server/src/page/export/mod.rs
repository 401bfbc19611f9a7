//! The page of one export.

mod contents;
mod facts;
mod failure;
mod file;
mod progress;
mod standing;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::jobs::{Job, JobStateName};

use super::frame::{Frame, Visit, html};
use super::text::shown;
use super::words::Words;
use crate::api::{self, PathId, Service};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;
use contents::Contents;
pub(super) use facts::order_in_words;
use facts::{Fact, Value, facts};
pub(super) use failure::Failure;
use file::{Downloads, File, Receipt};
use progress::Progress;
pub(super) use standing::{Standing, said};

#[derive(Template)]
#[template(path = "page/export.html")]
struct ExportPage {
    frame: Frame,
    path: String,
    title: String,
    standing: Standing,
    text: String,
    facts: Vec<Fact>,
    progress: Option<Progress>,
    file: Option<File>,
    receipt: Option<Receipt>,
    failure: Option<Failure>,
    contents: Option<Contents>,
    notes: Vec<String>,
    downloads: Option<Downloads>,
    /// What its owner can give up: the word for it.
    give_up: Option<&'static str>,
}

/// How far one is, as the page's script asks for it.
#[derive(Template)]
#[template(path = "page/progress.html")]
struct ProgressPart {
    frame: Frame,
    progress: Progress,
}

/// The page.
pub(super) async fn show(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let job = api::find(&service, &caller, &id).await?.job;
    let (now, words) = (service.clock.now(), visit.words());
    // Its owner's or, for one of a campaign, also that of the administrator who ordered it.
    let is_own = [&job.owner, job.requested_by()].contains(&&caller.owner);
    let so_far = api::progress(&service, &job).await;
    let state = job.state_at(now);
    let report = api::report(&service, &job).await?;
    let is_lost = api::is_lost(&service, &job).await;
    Ok(html(&ExportPage {
        frame: Frame::for_person(&visit, &caller),
        path: Place::Export(id).path(),
        title: (words.export_of)(&(words.moment)(job.requested)),
        standing: Standing::of(words, &job, now),
        text: said(words, &job, so_far.as_ref(), now),
        facts: facts(words, &job, now),
        progress: so_far.map(|so_far| Progress::of(words, &job, &so_far, now, is_own)),
        file: File::of(words, &job, now, is_own).filter(|_| !is_lost),
        receipt: Receipt::of(&job, is_own),
        failure: Failure::of(words, &job, now, is_own),
        contents: job
            .delivery()
            .zip(report)
            .map(|(delivery, report)| Contents::of(words, delivery, &report)),
        notes: job.notes.iter().map(|note| shown(note)).collect(),
        downloads: job.delivery().map(|_| Downloads::of(words, &job)),
        give_up: give_up(words, &job, state).filter(|_| is_own),
    }))
}

fn give_up(words: &Words, job: &Job, state: JobStateName) -> Option<&'static str> {
    if job.is_unfinished() {
        return Some(words.cancel);
    }
    (state == JobStateName::Ready).then_some(words.delete)
}

/// How far it is: a part of its page. Once it is over, there is no such part.
pub(super) async fn progress(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let job = api::permitted(&service, &caller, &id).await?.job;
    let words = visit.words();
    let Some(so_far) = api::progress(&service, &job).await else {
        return Err(Problem::Gone {
            state: job.state_at(service.clock.now()),
        });
    };
    let now = service.clock.now();
    Ok(html(&ProgressPart {
        frame: Frame::for_person(&visit, &caller),
        progress: Progress::of(words, &job, &so_far, now, true),
    }))
}
