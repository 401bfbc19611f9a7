//! What people do with an export: give it up or delete its file, after a question, and try it again.

use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use domain::jobs::{Job, JobStateName};

use super::frame::{Frame, Visit, html};
use crate::api::{self, PathId, Service, go};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "page/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) frame: Frame,
    /// What is given up or deleted.
    pub(super) path: String,
    /// Where it is looked at.
    pub(super) back: String,
    pub(super) name: String,
    pub(super) question: Option<Question>,
}

/// What is asked before something is lost.
pub(super) struct Question {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
}

/// Asks whether an export is to be given up, or its file to be deleted.
pub(super) async fn confirm(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let job = api::permitted(&service, &caller, &id).await?.job;
    let words = visit.words();
    Ok(html(&ConfirmPage {
        frame: Frame::for_person(&visit, &caller),
        path: Place::Export(id.clone()).path(),
        back: Place::Export(id).path(),
        name: (words.export_of)(&(words.moment)(job.requested)),
        question: question(&visit, &job, job.state_at(service.clock.now())),
    }))
}

fn question(visit: &Visit, job: &Job, state: JobStateName) -> Option<Question> {
    let words = visit.words();
    if job.is_unfinished() {
        return Some(Question {
            title: words.cancel_title,
            text: words.cancel_text,
            yes: words.cancel_yes,
            no: words.cancel_no,
        });
    }
    (state == JobStateName::Ready).then_some(Question {
        title: words.delete_title,
        text: words.delete_text,
        yes: words.delete_yes,
        no: words.delete_no,
    })
}

/// Gives an export up, or deletes its file.
pub(super) async fn give_up(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    api::give_up(&service, &caller, &id).await?;
    Ok(go(&Place::Export(id), None))
}

/// A failed export goes on from where it stood.
pub(super) async fn try_again(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    api::try_again(&service, &caller, &id).await?;
    Ok(go(&Place::Export(id), None))
}

/// Whoever loads the address of the form again.
pub(super) async fn look(PathId(id): PathId) -> Redirect {
    Redirect::to(&Place::Export(id).path())
}
