//! Looking at exports, trying a failed one again, giving one up.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::jobs::{
    AuditAction, Job, JobId, JobPage, JobProgress, JobStateName, JobStoreError, StoredJob, Whose,
};

use super::access::permitted;
use super::archive::is_lost;
use super::extract::{ListQuery, PathId};
use super::orders::accepted;
use super::service::Service;
use super::tagged::tagged;
use super::trail::record;
use super::view::{ExportView, FullView, ListView};
use crate::auth::Caller;
use crate::problem::{Problem, poll_again};
use crate::runner::RetryError;

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Stopping => Self::Stopping,
            RetryError::State(error) => Self::NotResumable { state: error.state },
            RetryError::Store(error) => error.into(),
        }
    }
}

/// List exports
///
/// The caller's, newest first, in pages. Administrators can list everybody's: the records without the archives.
#[utoipa::path(
    get,
    path = "/api/v1/exports",
    tag = "exports",
    params(ListQuery),
    responses((status = 200, description = "A page: `Link` with `rel=\"next\"` is where the next one is", body = ListView))
)]
pub(super) async fn list(
    State(service): State<Service>,
    caller: Caller,
    query: ListQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (jobs, more) = page(&service, &caller, &query).await?;
    let next = jobs
        .last()
        .filter(|_| more)
        .map(|last| query.next(&last.job.id));
    let mut exports = Vec::with_capacity(jobs.len());
    for stored in &jobs {
        let progress = progress(&service, &stored.job).await;
        let mut view = ExportView::of(&stored.job, service.clock.now(), progress);
        if is_lost(&service, &stored.job).await {
            view = view.without_archive();
        }
        exports.push(view.seen_by(&caller.owner));
    }
    let link = next
        .as_ref()
        .and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    let mut response = tagged(&headers, &ListView { exports, next })?;
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// A page of a list that the caller may see, and whether there is a next one.
pub(crate) async fn page(
    service: &Service,
    caller: &Caller,
    query: &ListQuery,
) -> Result<(Vec<StoredJob>, bool), Problem> {
    if query.all && !caller.is_administrator() {
        return Err(Problem::NotAdministrator);
    }
    // One more than is shown, to know whether there is a next page.
    let page = JobPage {
        after: query.after.clone(),
        limit: query.limit + 1,
    };
    let whose = if query.all {
        Whose::Everybodys
    } else {
        Whose::Of(caller.owner.clone())
    };
    let mut jobs = match service.store.list(&whose, page).await {
        Err(JobStoreError::Unknown { .. }) => {
            return Err(Problem::InvalidQuery {
                detail: "`after` is none of the exports in this list".to_owned(),
            });
        }
        other => other?,
    };
    let more = jobs.len() > query.limit;
    jobs.truncate(query.limit);
    Ok((jobs, more))
}

/// An export that the caller may look at: their own, and anybody's for administrators.
pub(crate) async fn find(
    service: &Service,
    caller: &Caller,
    id: &JobId,
) -> Result<StoredJob, Problem> {
    let found = match service.store.get(&caller.owner, id).await {
        Err(JobStoreError::Unknown { .. }) if caller.is_administrator() => {
            service.store.find(id).await
        }
        other => other,
    };
    Ok(found?)
}

/// The report of a job that was delivered.
pub(crate) async fn report(service: &Service, job: &Job) -> Result<Option<Bytes>, Problem> {
    match job.delivery() {
        Some(_) => Ok(service.store.report(&job.id).await?),
        None => Ok(None),
    }
}

/// Look at an export
///
/// Its state and progress, when it is due, its report, and who downloaded it.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{id}",
    tag = "exports",
    params(PathId),
    responses(
        (status = 200, description = "The record", body = FullView),
        (status = 304, description = "The caller has this state of it (`If-None-Match`)"),
    )
)]
pub(super) async fn show(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&service, &caller, &id).await?;
    let progress = progress(&service, &stored.job).await;
    let report = report(&service, &stored.job).await?;
    let view = ExportView::of(&stored.job, service.clock.now(), progress);
    let mut view = FullView::of(view, report.as_deref());
    if is_lost(&service, &stored.job).await {
        view = view.without_archive();
    }
    let mut response = tagged(&headers, &view.seen_by(&caller.owner))?;
    if stored.job.is_unfinished() {
        let (name, seconds) = poll_again();
        response.headers_mut().insert(name, seconds);
    }
    Ok(response)
}

/// How far an export is that is not over: as this process knows, else as the one that runs it recorded last.
pub(crate) async fn progress(service: &Service, job: &Job) -> Option<JobProgress> {
    if !job.is_unfinished() {
        return None;
    }
    let live = service
        .runner
        .live(&job.id)
        .map(|live| live.latest().progress);
    if let Some(live) = live.filter(|live| *live != JobProgress::default()) {
        return Some(live);
    }
    let recorded = service.store.progress(&job.id).await.ok().flatten();
    Some(recorded.map(|(_, progress)| progress).unwrap_or_default())
}

/// Try a failed export again
///
/// It goes on from where it stood, as long as that is kept: a day. One of a campaign also for the administrator who ordered that.
#[utoipa::path(
    post,
    path = "/api/v1/exports/{id}/retry",
    tag = "exports",
    params(PathId),
    responses(
        (status = 202, description = "It is under way again", body = FullView),
        (status = 409, description = "It did not fail, or nothing is kept of its run"),
    )
)]
pub(super) async fn retry(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let stored = try_again(&service, &caller, &id).await?;
    Ok(accepted(&service, &stored))
}

/// A failed export of the caller, or of a campaign of theirs, goes on from where it stood.
pub(crate) async fn try_again(
    service: &Service,
    caller: &Caller,
    id: &JobId,
) -> Result<StoredJob, Problem> {
    let StoredJob { job, .. } = permitted(service, caller, id).await?;
    let (by, credentials) = (&caller.owner, &caller.credentials);
    let retried = service.runner.retry(&job.owner, id, by, credentials);
    let stored = retried.await?;
    record(service, caller, AuditAction::ExportRetried, &stored.job).await;
    Ok(stored)
}

/// Give an export up, or delete its archive
///
/// Asking twice is the same as asking once. The record stays.
#[utoipa::path(
    delete,
    path = "/api/v1/exports/{id}",
    tag = "exports",
    params(PathId),
    responses(
        (status = 204, description = "No run, no ticket on the platform and no archive of it is left"),
        (status = 202, description = "It is going to be given up: the process that ran it does not answer, and the next one that runs it ends it",
            headers(("Retry-After" = u64, description = "Seconds until it is worth asking again")))
    )
)]
pub(super) async fn remove(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    Ok(match give_up(&service, &caller, &id).await? {
        GivenUp::Done => StatusCode::NO_CONTENT.into_response(),
        GivenUp::Wanted => (StatusCode::ACCEPTED, [poll_again()]).into_response(),
    })
}

/// How far an export is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// Nothing of it is left.
    Done,
    /// It is recorded that it is to be given up. Whoever runs it next does that.
    Wanted,
}

/// How long whoever gives an export up waits for its end. The process that runs it may have died.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(15);

/// Gives an export of the caller up that is not over; deletes the archive of one that is ready.
pub(crate) async fn give_up(
    service: &Service,
    caller: &Caller,
    id: &JobId,
) -> Result<GivenUp, Problem> {
    let StoredJob { job, .. } = permitted(service, caller, id).await?;
    let owner = &job.owner;
    if job.is_unfinished() {
        let given_up = async {
            if *owner == caller.owner {
                service.runner.cancel(owner, id, &caller.credentials).await
            } else {
                service.runner.give_up(owner, id, &caller.owner).await
            }
        };
        match tokio::time::timeout(GIVE_UP_WITHIN, given_up).await {
            Ok(given_up) => given_up?,
            Err(_) => return Ok(GivenUp::Wanted),
        }
    }
    // It may have become ready in the same moment: what was asked for is that nothing stays. So it is where somebody else changes it.
    for _ in 0..ATTEMPTS {
        let StoredJob { mut job, version } = service.store.get(owner, id).await?;
        let now = service.store.now().await?;
        if job.state_at(now) != JobStateName::Ready || job.delete_bag(now).is_err() {
            return Ok(GivenUp::Done);
        }
        // The file goes first: should it stay, the record says so.
        service.bags.delete(id).await?;
        match service.store.update(version, job).await {
            Ok(stored) => {
                record(service, caller, AuditAction::Deleted, &stored.job).await;
                return Ok(GivenUp::Done);
            }
            Err(JobStoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::Busy)
}

/// How often a deletion is tried where somebody else changes the record at the same time.
const ATTEMPTS: usize = 8;
