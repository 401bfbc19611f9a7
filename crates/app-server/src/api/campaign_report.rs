//! `/api/v1/campaigns/{id}/report`: what every person's export came to.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::jobs::{CampaignId, JobId};
use futures_util::stream;

use super::audit::wants_csv;
use super::campaign_view::{HEAD, ReportView, RowView};
use super::campaigns::{PageQuery, PathCampaign, USUAL_LIMIT, administrator, next_link};
use super::exports;
use super::service::Service;
use crate::auth::Caller;
use crate::problem::Problem;

/// Read a campaign's report
///
/// For administrators, as JSON or CSV (`Accept: text/csv`), in pages: what each person's export came to, and what is missing.
#[utoipa::path(
    get,
    path = "/api/v1/campaigns/{id}/report",
    tag = "campaigns",
    params(PathCampaign, PageQuery),
    responses((
        status = 200,
        description = "A page: `Link` with `rel=\"next\"` is where the next one is",
        content((ReportView = "application/json"), (String = "text/csv"))
    ))
)]
pub(super) async fn report(
    State(service): State<Service>,
    caller: Caller,
    PathCampaign(id): PathCampaign,
    query: PageQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    administrator(&caller)?;
    let limit = query.limit;
    let (rows, last) = report_rows(&service, &id, query.after, limit).await?;
    let next = last.map(|last| format!("/api/v1/campaigns/{id}/report?limit={limit}&after={last}"));
    let link = next_link(next.as_deref());
    if wants_csv(&headers) {
        let lines = rows.iter().map(RowView::line);
        let text: String = std::iter::once(HEAD.to_owned()).chain(lines).collect();
        return Ok((link, [(CONTENT_TYPE, CSV)], text).into_response());
    }
    Ok((link, Json(ReportView { rows, next })).into_response())
}

/// What a report as CSV is.
const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Rows of a report after this export, and after which one there are more.
async fn report_rows(
    service: &Service,
    id: &CampaignId,
    after: Option<JobId>,
    limit: usize,
) -> Result<(Vec<RowView>, Option<JobId>), Problem> {
    let mut found = service.campaigns.exports(id, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let last = last.map(|last| last.job.id.clone());
    let now = service.clock.now();
    let mut rows = Vec::with_capacity(found.len());
    for stored in &found {
        let report = exports::report(service, &stored.job).await?;
        rows.push(RowView::of(stored, report.as_deref(), now));
    }
    Ok((rows, last))
}

/// The whole report as CSV, for an administrator: page by page, so that it takes little memory however many people there are.
pub(crate) async fn whole_report(
    service: Service,
    caller: &Caller,
    id: CampaignId,
) -> Result<Response, Problem> {
    administrator(caller)?;
    service.campaigns.get(&id).await?;
    let saved = HeaderValue::from_str(&format!("attachment; filename=\"campaign-{id}.csv\""));
    let saved = saved.map_err(|_| Problem::Internal)?;
    let pages = stream::try_unfold(Some(None), move |after: Option<Option<JobId>>| {
        let (service, id) = (service.clone(), id.clone());
        async move {
            let Some(after) = after else {
                return Ok(None);
            };
            let head = after.is_none().then(|| HEAD.to_owned());
            let rows = report_rows(&service, &id, after, USUAL_LIMIT).await;
            // The answer has begun: it breaks off.
            let (rows, last) = rows.map_err(|_| io::Error::other("the report breaks off"))?;
            let lines = head.into_iter().chain(rows.iter().map(RowView::line));
            Ok::<_, io::Error>(Some((lines.collect::<String>(), last.map(Some))))
        }
    });
    let kind = HeaderValue::from_static(CSV);
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, saved)];
    Ok((headers, Body::from_stream(pages)).into_response())
}
