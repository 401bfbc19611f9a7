//! The audit trail, for administrators.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use domain::jobs::NumberedEntry;

use super::frame::{Frame, Visit, html};
use super::text::{Moment, shown};
use super::words::Words;
use crate::api::{AuditQuery, Service, trail};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "page/audit.html")]
struct AuditPage {
    frame: Frame,
    entries: Vec<Entry>,
    csv: String,
    is_first: bool,
    older: Option<String>,
}

/// An entry in words.
struct Entry {
    number: String,
    at: Moment,
    action: &'static str,
    /// Who did it; nothing for the service itself.
    actor: String,
    subject: String,
    from: String,
    /// The page of the export.
    export: String,
    bytes: String,
    detail: String,
}

/// The page.
pub(super) async fn show(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    query: AuditQuery,
) -> Result<Response, Problem> {
    let page = trail(&service, &caller, &query).await?;
    let words = visit.words();
    let first = page.entries.first().map(|entry| entry.number);
    // What is read as CSV is what is shown here, though reading it adds entries.
    let csv = first.map_or_else(
        || "/audit.csv".to_owned(),
        |first| format!("/audit.csv?limit={}&before={}", query.limit, first + 1),
    );
    Ok(html(&AuditPage {
        frame: Frame::for_person(&visit, &caller),
        csv,
        is_first: query.before.is_none(),
        older: page.next(&query, &Place::Trail.path()),
        entries: page
            .entries
            .iter()
            .map(|entry| Entry::of(words, entry))
            .collect(),
    }))
}

/// The same part of the trail as CSV: a link cannot say what it accepts.
pub(super) async fn csv(
    State(service): State<Service>,
    caller: Caller,
    query: AuditQuery,
) -> Result<Response, Problem> {
    let mut csv = trail(&service, &caller, &query).await?.csv();
    let saved = HeaderValue::from_static("attachment; filename=\"audit.csv\"");
    csv.headers_mut().insert(CONTENT_DISPOSITION, saved);
    Ok(csv)
}

impl Entry {
    fn of(words: &Words, entry: &NumberedEntry) -> Self {
        let NumberedEntry { number, entry } = entry;
        let text = |text: Option<&str>| text.map(shown).unwrap_or_default();
        Self {
            number: (words.number)(*number),
            at: Moment::of(words, entry.at),
            action: (words.action)(entry.action),
            actor: text(entry.actor.as_ref().map(domain::model::UserId::as_str)),
            subject: text(entry.subject.as_ref().map(domain::model::UserId::as_str)),
            from: text(entry.from.as_deref()),
            export: entry
                .export
                .as_ref()
                .map(|id| Place::Export(id.clone()).path())
                .unwrap_or_default(),
            bytes: entry.bytes.map(words.size).unwrap_or_default(),
            detail: text(entry.detail.as_deref()),
        }
    }
}
