//! `GET /api/v1/audit`: the audit trail, for administrators.

use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::jobs::{AuditAction, AuditPage, NumberedEntry};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accept::quality;
use super::extract::{limited, query};
use super::service::Service;
use super::trail::Deed;
use crate::auth::Caller;
use crate::csv;
use crate::problem::Problem;

/// Entries in one page, where the caller does not say.
const USUAL_LIMIT: usize = 100;
/// Entries in one page, whatever the caller says.
const LARGEST_LIMIT: usize = 1_000;

fn usual_limit() -> usize {
    USUAL_LIMIT
}

/// Which part of the trail is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Entries in a page.
    #[serde(default = "usual_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: usize,
    /// Entries before this number only.
    #[param(minimum = 0)]
    pub(crate) before: Option<u64>,
}

impl FromRequestParts<Service> for AuditQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let query: Self = query(parts, service).await?;
        limited(query.limit, LARGEST_LIMIT)?;
        Ok(query)
    }
}

/// A page of the trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditTrail)]
pub(super) struct TrailView {
    /// Newest first.
    #[schema(value_type = Vec<AuditEntrySchema>)]
    entries: Vec<NumberedEntry>,
    /// Where the next page is; `null` at the end.
    next: Option<String>,
}

/// One thing that happened.
#[derive(ToSchema)]
#[schema(as = AuditEntry)]
#[expect(
    dead_code,
    reason = "describes `NumberedEntry`, which knows nothing of the document"
)]
struct AuditEntrySchema {
    /// Its place in the trail, from 1, without gaps.
    number: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What, as in `export-requested`.
    action: String,
    /// Who did it; `null` for the service itself.
    actor: Option<String>,
    /// Whose data.
    subject: Option<String>,
    /// The network address that it was asked from.
    from: Option<String>,
    /// The export.
    export: Option<String>,
    /// SHA-256 of the archive.
    sha256: Option<String>,
    /// Bytes that were handed over.
    bytes: Option<u64>,
    /// What came of it.
    detail: Option<String>,
}

/// Read the audit trail
///
/// For administrators, newest first, as JSON or CSV (`Accept: text/csv`). Reading it is an entry too.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(AuditQuery),
    responses((
        status = 200,
        description = "A page: `Link` with `rel=\"next\"` is where the next one is",
        content((TrailView = "application/json"), (String = "text/csv"))
    ))
)]
pub(super) async fn read(
    State(service): State<Service>,
    caller: Caller,
    query: AuditQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let trail = page(&service, &caller, &query).await?;
    let next = trail.next(&query, "/api/v1/audit");
    let link = next
        .as_ref()
        .and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    let mut response = if wants_csv(&headers) {
        trail.csv()
    } else {
        let entries = trail.entries;
        axum::Json(TrailView { entries, next }).into_response()
    };
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// A page of the trail that was read, and recorded as read.
pub(crate) struct TrailPage {
    /// Newest first.
    pub(crate) entries: Vec<NumberedEntry>,
    more: bool,
}

/// Reads a page of the trail for an administrator; not without an entry that says so.
pub(crate) async fn page(
    service: &Service,
    caller: &Caller,
    query: &AuditQuery,
) -> Result<TrailPage, Problem> {
    if !caller.is_administrator() {
        return Err(Problem::NotAdministrator);
    }
    // One more than is shown, to know whether there is a next page.
    let page = AuditPage {
        before: query.before,
        limit: query.limit + 1,
    };
    let mut entries = service.audit.page(page).await?;
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    let read = Deed {
        action: AuditAction::AuditRead,
        caller,
        subject: None,
        job: None,
        detail: Some(span(&entries)),
    };
    read.record_first(service).await?;
    Ok(TrailPage { entries, more })
}

impl TrailPage {
    /// Where the page after this one is, of the trail that is at `path`.
    pub(crate) fn next(&self, query: &AuditQuery, path: &str) -> Option<String> {
        let last = self.entries.last().filter(|_| self.more)?;
        Some(format!(
            "{path}?limit={}&before={}",
            query.limit, last.number
        ))
    }

    /// The page as CSV.
    pub(crate) fn csv(&self) -> Response {
        let lines = self.entries.iter().map(csv::line);
        let text = std::iter::once(csv::HEAD.to_owned())
            .chain(lines)
            .collect::<String>();
        let kind = [(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")];
        (kind, text).into_response()
    }
}

/// Which entries were read.
fn span(entries: &[NumberedEntry]) -> String {
    match (entries.last(), entries.first()) {
        (Some(oldest), Some(newest)) => format!("entries {} to {}", oldest.number, newest.number),
        _ => "no entries".to_owned(),
    }
}

/// Whether CSV is accepted rather than JSON.
pub(super) fn wants_csv(headers: &HeaderMap) -> bool {
    quality(headers, "text", "csv") > quality(headers, "application", "json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::ACCEPT;

    #[test]
    fn csv_is_given_where_it_is_preferred() {
        for (accept, csv) in [
            ("text/csv", true),
            ("text/*", true),
            ("text/csv, application/json", false),
            ("text/csv, application/json;q=0.9", true),
            ("text/csv;q=0.5, */*;q=0.8", false),
            ("TEXT/CSV", true),
            ("*/*", false),
            ("application/json", false),
            ("text/csv;q=0", false),
            ("text/csv;q=9999999999", false),
            ("text/csv;q=4294967295.9", false),
            ("nonsense", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_csv(&headers), csv, "{accept}");
        }
        assert!(!wants_csv(&HeaderMap::new()));
    }
}
