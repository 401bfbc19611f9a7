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
    BagBody, BagRecord, BagStoreError, Job, JobId, JobState, JobStore, Transfer as TransferRecord,
};
use domain::ports::Clock;
use futures_util::Stream;
use tokio::runtime::Handle;

use super::extract::PathId;
use super::range::{Wanted, wanted};
use super::service::Service;
use super::view::media_type;
use crate::auth::Caller;
use crate::causes::Causes;
use crate::problem::Problem;

/// The archive, or the part of it that is asked for.
pub(super) async fn download(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = service.store.get(&caller.owner, &id).await?.job;
    let bag = available(&job, service.clock.now())?;
    let etag = format!("\"{}\"", bag.sha256);
    // RFC 9110 §14.2: a range means something with GET only.
    let wanted = if method == Method::GET {
        wanted(&headers, bag.bytes, &etag)
    } else {
        Wanted::Whole
    };
    let (status, part) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..bag.bytes),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Unsatisfiable => return Err(Problem::RangeNotSatisfiable { size: bag.bytes }),
        Wanted::NotModified => {
            return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        body(&service, &caller, &job.id, bag, part.clone()).await?
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
    id: &JobId,
    bag: &BagRecord,
    part: Range<u64>,
) -> Result<Body, Problem> {
    let opened = service
        .bags
        .open(id, &bag.name, bag.bytes, part.clone())
        .await?;
    Ok(Body::from_stream(Transfer {
        body: opened,
        left: part.end - part.start,
        record: Some(Record {
            store: Arc::clone(&service.store),
            clock: Arc::clone(&service.clock),
            runtime: Handle::current(),
            id: id.clone(),
            caller: caller.owner.clone(),
            from: caller.from.to_string(),
            part,
            size: bag.bytes,
        }),
    }))
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
    clock: Arc<dyn Clock>,
    runtime: Handle,
    id: JobId,
    caller: domain::model::UserId,
    from: String,
    part: Range<u64>,
    size: u64,
}

impl Record {
    fn write(self, left: u64) {
        let transfer = TransferRecord {
            at: self.clock.now(),
            by: self.caller,
            from: self.from,
            offset: self.part.start,
            bytes: (self.part.end - self.part.start).saturating_sub(left),
            size: self.size,
        };
        tracing::info!(
            job = %self.id, offset = transfer.offset,
            bytes = transfer.bytes, whole = left == 0, "an archive was fetched"
        );
        self.runtime.spawn(async move {
            if let Err(error) = self.store.record_transfer(&self.id, transfer).await {
                tracing::error!(job = %self.id, error = %Causes(&error), "a download could not be recorded");
            }
        });
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
