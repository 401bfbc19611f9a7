//! `GET /api/v1/exports/{id}/archive`: the bag, streamed from where it is kept, and a record of who took it.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::jobs::{
    AuditLog, BagBody, BagRecord, BagStoreError, Job, JobId, JobState, JobStateName, JobStore,
    Transfer as TransferRecord, TransferEntry,
};
use domain::model::{Sha256, UserId};
use domain::ports::Clock;
use futures_util::Stream;
use tokio::runtime::Handle;

use super::access::permitted;
use super::extract::PathId;
use super::range::{Wanted, wanted};
use super::service::Service;
use super::view::media_type;
use crate::auth::Caller;
use crate::causes::Causes;
use crate::problem::Problem;

/// Download the archive of an export
///
/// Whole, or one `Range` of it with `If-Range`, or what `HEAD` says of it. `ETag` is the SHA-256 of the whole file.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{id}/archive",
    tag = "exports",
    params(
        PathId,
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("If-Range" = Option<String>, Header, description = "The `ETag` of the file that the range is of"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the file that the caller has"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the file that the caller wants, and no other"),
    ),
    responses(
        (status = 200, description = "The whole file", content((Vec<u8> = "application/zip"), (Vec<u8> = "application/x-tar"), (Vec<u8> = "application/gzip"))),
        (status = 206, description = "The part that was asked for", content((Vec<u8> = "application/zip"), (Vec<u8> = "application/x-tar"), (Vec<u8> = "application/gzip"))),
        (status = 304, description = "The caller has it"),
        (status = 409, description = "It is not ready yet"),
        (status = 410, description = "It has expired or was deleted, or there will be none"),
        (status = 412, description = "It is not the file that `If-Match` names"),
        (status = 416, description = "It has no such bytes"),
    )
)]
pub(super) async fn download(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = permitted(&service, &caller, &id).await?.job;
    let bag = available(&job, service.clock.now())?;
    let etag = format!("\"{}\"", bag.sha256);
    let (status, part) = match wanted(&method, &headers, bag.bytes, &etag) {
        Wanted::Whole => (StatusCode::OK, 0..bag.bytes),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Unsatisfiable => return Err(Problem::RangeNotSatisfiable { size: bag.bytes }),
        Wanted::OtherFile => return Err(Problem::OtherArchive),
        Wanted::NotModified => {
            return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
        }
    };
    let body = if method == Method::HEAD {
        let opened = service.bags.open(&job.id, &bag.name, bag.bytes, 0..0);
        drop(there(&service, &job, opened.await).await?);
        Body::empty()
    } else {
        body(&service, &caller, &job, bag, part.clone()).await?
    };
    let mut response = (status, body).into_response();
    describe(response.headers_mut(), bag, &etag, status, &part)?;
    Ok(response)
}

/// The bag, where it can be had now.
fn available(job: &Job, now: jiff::Timestamp) -> Result<&BagRecord, Problem> {
    let state = job.state_at(now);
    match &job.state {
        JobState::Queued | JobState::Running | JobState::Waiting { .. } => {
            Err(Problem::NotReady { state })
        }
        JobState::Ready { delivery, expires } if now < *expires => Ok(&delivery.bag),
        // The time of a ready one is over, although it has not been deleted yet.
        JobState::Ready { .. }
        | JobState::Failed { .. }
        | JobState::Cancelled { .. }
        | JobState::Expired { .. }
        | JobState::Deleted { .. } => Err(Problem::Gone { state }),
    }
}

async fn body(
    service: &Service,
    caller: &Caller,
    job: &Job,
    bag: &BagRecord,
    part: Range<u64>,
) -> Result<Body, Problem> {
    let opened = service
        .bags
        .open(&job.id, &bag.name, bag.bytes, part.clone());
    let opened = there(service, job, opened.await).await?;
    let record = Record {
        store: Arc::clone(&service.store),
        audit: Arc::clone(&service.audit),
        clock: Arc::clone(&service.clock),
        runtime: Handle::current(),
        job: job.id.clone(),
        subject: job.request.user.clone(),
        caller: caller.owner.clone(),
        from: caller.from.to_string(),
        part,
        size: bag.bytes,
        sha256: bag.sha256,
    };
    // Before the first byte: whatever happens to this process, the trail says who downloads.
    record.audit(0).await;
    Ok(Body::from_stream(Transfer {
        body: opened,
        left: record.part.end - record.part.start,
        record: Some(record),
    }))
}

/// The bag, or why it is not there: it was deleted, or expired, in this moment, or the store lost it.
async fn there(
    service: &Service,
    job: &Job,
    opened: Result<BagBody, BagStoreError>,
) -> Result<BagBody, Problem> {
    if !matches!(opened, Err(BagStoreError::Missing { .. })) {
        return Ok(opened?);
    }
    let job = service.store.get(&job.owner, &job.id).await?.job;
    available(&job, service.clock.now())?;
    tracing::error!(job = %job.id, "the archive of an export is missing");
    Err(Problem::Gone {
        state: JobStateName::Ready,
    })
}

/// Whether the record of a job names a bag that the store has lost: it was restored from a backup without its archives.
pub(crate) async fn is_lost(service: &Service, job: &Job) -> bool {
    let Ok(bag) = available(job, service.clock.now()) else {
        return false;
    };
    let opened = service.bags.open(&job.id, &bag.name, bag.bytes, 0..0);
    matches!(opened.await, Err(BagStoreError::Missing { .. }))
}

fn describe(
    headers: &mut HeaderMap,
    bag: &BagRecord,
    etag: &str,
    status: StatusCode,
    part: &Range<u64>,
) -> Result<(), Problem> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Problem::Internal);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(media_type(bag.format)),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(ETAG, value(etag)?);
    // A safe name needs no escaping.
    let disposition = format!("attachment; filename=\"{}\"", bag.name);
    headers.insert(CONTENT_DISPOSITION, value(&disposition)?);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!(
            "bytes {}-{}/{}",
            part.start,
            part.end.saturating_sub(1),
            bag.bytes
        );
        headers.insert(CONTENT_RANGE, value(&range)?);
    }
    Ok(())
}

/// A body that is recorded when it ends, whole or not.
struct Transfer {
    body: BagBody,
    left: u64,
    record: Option<Record>,
}

struct Record {
    store: Arc<dyn JobStore>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    job: JobId,
    subject: UserId,
    caller: UserId,
    from: String,
    part: Range<u64>,
    size: u64,
    sha256: Sha256,
}

impl Record {
    fn write(self, left: u64) {
        let bytes = (self.part.end - self.part.start).saturating_sub(left);
        tracing::info!(
            job = %self.job, offset = self.part.start, bytes, whole = left == 0, "an archive was fetched"
        );
        self.runtime.clone().spawn(async move {
            self.audit(bytes).await;
            let transfer = TransferRecord {
                at: self.clock.now(),
                by: self.caller,
                from: self.from,
                offset: self.part.start,
                bytes,
                size: self.size,
            };
            if let Err(error) = self.store.record_transfer(&self.job, transfer).await {
                tracing::error!(job = %self.job, error = %Causes(&error), "a download could not be recorded");
            }
        });
    }

    /// Adds to the entry of this download: all its transfers are one.
    async fn audit(&self, bytes: u64) {
        let transfer = TransferEntry {
            at: self.clock.now(),
            actor: self.caller.clone(),
            subject: self.subject.clone(),
            from: self.from.clone(),
            export: self.job.clone(),
            sha256: self.sha256,
            offset: self.part.start,
            bytes,
        };
        if let Err(error) = self.audit.append_transfer(transfer).await {
            tracing::error!(job = %self.job, error = %Causes(&error), "a download could not be added to the audit trail");
        }
    }
}

impl Transfer {
    fn end(&mut self) {
        if let Some(record) = self.record.take() {
            record.write(self.left);
        }
    }
}

impl Stream for Transfer {
    type Item = Result<Bytes, BagStoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.body.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.left = self.left.saturating_sub(chunk.len() as u64);
        }
        // A server that knows the length asks for no more than that: the last byte is the end.
        if self.left == 0 || matches!(polled, Poll::Ready(None)) {
            self.end();
        }
        polled
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.end();
    }
}
