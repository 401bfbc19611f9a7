//! Where people sign in.

use askama::Template;
use axum::response::Response;

use super::frame::{Frame, Visit, html};
use super::words::Said;

#[derive(Template)]
#[template(path = "page/sign_in.html")]
struct SignInPage {
    frame: Frame,
    trouble: Option<Said>,
    note: Option<&'static str>,
}

/// The form, as the first thing that people see.
pub(super) fn form(visit: &Visit, is_over: bool) -> Response {
    let note = is_over.then_some(visit.words().session_over);
    page(visit, None, note)
}

/// The form again, with what went wrong.
pub(super) fn form_after(visit: &Visit, trouble: Said) -> Response {
    page(visit, Some(trouble), None)
}

fn page(visit: &Visit, trouble: Option<Said>, note: Option<&'static str>) -> Response {
    html(&SignInPage {
        frame: Frame::of(visit),
        trouble,
        note,
    })
}
