//! Asking for an export, looking at it, giving it up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{LINK, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::jobs::{Admitted, Job, JobId, JobPage, JobProgress, JobStoreError, StoredJob, Whose};
use uuid::Uuid;

use super::extract::{JsonBody, ListQuery, PathId};
use super::request::NewExport;
use super::service::Service;
use super::view::{ExportView, FullView, ListView, location};
use crate::auth::Caller;
use crate::problem::{POLL_AGAIN, Problem};
use crate::runner::TakeOnError;

impl From<TakeOnError> for Problem {
    fn from(error: TakeOnError) -> Self {
        match error {
            TakeOnError::Stopping => Self::Stopping,
            TakeOnError::Store(error) => error.into(),
        }
    }
}

/// `POST /api/v1/exports`: 202, and where to look from now on.
pub(super) async fn create(
    State(service): State<Service>,
    caller: Caller,
    JsonBody(body): JsonBody<NewExport>,
) -> Result<Response, Problem> {
    let request = body.into_request(&caller.owner)?;
    let id = JobId::parse(&Uuid::now_v7().to_string()).map_err(|_| Problem::Internal)?;
    let job = Job::new(id, caller.owner, request, service.clock.now());
    let admitted = service.runner.take_on(job, caller.credentials).await?;
    let (Admitted::New(stored) | Admitted::Same(stored)) = admitted;
    tracing::info!(
        job = %stored.job.id, by = %stored.job.owner, of = %stored.job.request.user, from = %caller.from,
        "an export was asked for"
    );
    let headers = [
        (LOCATION, location(&stored.job)),
        (RETRY_AFTER, POLL_AGAIN.as_secs().to_string()),
    ];
    let view = Json(FullView::of(
        &stored.job,
        service.clock.now(),
        Some(JobProgress::default()),
    ));
    Ok((StatusCode::ACCEPTED, headers, view).into_response())
}

/// `GET /api/v1/exports`: the caller's exports, newest first.
pub(super) async fn list(
    State(service): State<Service>,
    caller: Caller,
    query: ListQuery,
) -> Result<Response, Problem> {
    // One more than is shown, to know whether there is a next page.
    let page = JobPage {
        after: query.after,
        limit: query.limit + 1,
    };
    let mut jobs = match service.store.list(&Whose::Of(caller.owner), page).await {
        Err(JobStoreError::Unknown { .. }) => {
            return Err(Problem::InvalidQuery {
                detail: "`after` is none of your exports".to_owned(),
            });
        }
        other => other?,
    };
    let more = jobs.len() > query.limit;
    jobs.truncate(query.limit);
    let next = jobs.last().filter(|_| more).map(|last| {
        format!(
            "/api/v1/exports?limit={}&after={}",
            query.limit, last.job.id
        )
    });
    let link: Option<(HeaderName, HeaderValue)> = next
        .as_ref()
        .and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok())
        .map(|value| (LINK, value));
    let view = ListView {
        exports: jobs
            .iter()
            .map(|stored| {
                ExportView::of(&stored.job, service.clock.now(), progress(&service, stored))
            })
            .collect(),
        next,
    };
    let mut response = Json(view).into_response();
    response.headers_mut().extend(link);
    Ok(response)
}

/// `GET /api/v1/exports/{id}`.
pub(super) async fn show(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let stored = service.store.get(&caller.owner, &id).await?;
    let view = FullView::of(
        &stored.job,
        service.clock.now(),
        progress(&service, &stored),
    );
    let mut response = Json(view).into_response();
    if stored.job.is_unfinished() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(POLL_AGAIN.as_secs()));
    }
    Ok(response)
}

fn progress(service: &Service, stored: &StoredJob) -> Option<JobProgress> {
    service
        .runner
        .live(&stored.job.id)
        .map(|live| live.latest().progress)
}

/// `DELETE /api/v1/exports/{id}`: gives the export up, or its archive. Asking twice is the same as asking once.
pub(super) async fn remove(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    let stored = service.store.get(&caller.owner, &id).await?;
    if stored.job.is_unfinished() {
        service
            .runner
            .cancel(&caller.owner, &id, &caller.credentials)
            .await?;
    }
    // It may have become ready in the same moment: what was asked for is that nothing stays.
    let stored = service.store.get(&caller.owner, &id).await?;
    let mut job = stored.job;
    if job.delete_bag(service.clock.now()).is_ok() {
        // The file goes first: should it stay, the record says so.
        service.bags.delete(&id).await?;
        service.store.update(stored.version, job).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
