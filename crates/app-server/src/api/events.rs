//! `GET /api/v1/exports/{id}/events`: progress as Server-Sent Events.
//!
//! Every event holds the whole record, so a client that reconnects with `Last-Event-ID` needs only the latest one. An event's id is
//! a sum of what it holds: it means the same in every process.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::jobs::{Job, JobId, JobProgress};
use domain::model::{Sha256, UserId};
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use tokio::sync::watch;

use super::exports::progress;
use super::extract::PathId;
use super::service::Service;
use super::view::ExportView;
use crate::auth::{Caller, STREAMS_PER_PERSON, StreamPermit};
use crate::problem::Problem;
use crate::runner::Snapshot;

/// The id of the last event: a client that has it needs no more.
const END: &str = "end";
/// The shortest time between two events, however fast the progress is.
const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// How often the record is looked at where nothing happens: another process may run the export.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Proxies that keep answers back until they are whole would keep events back for ever.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// Follow an export
///
/// Server-Sent Events: `progress` whenever something has moved, then one `state` when it is over. Each holds the record without its report.
/// With `Last-Event-ID` the latest is sent if there is a newer one; after the end it is 204.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{id}/events",
    tag = "exports",
    params(PathId, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the caller has")),
    responses(
        (status = 200, description = "Events", content_type = "text/event-stream", body = serde_json::Value),
        (status = 204, description = "The caller has the last one"),
    )
)]
pub(super) async fn follow(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = service.export(&caller, &id).await?;
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    if seen == END && !job.is_unfinished() {
        // HTML Standard, "Server-sent events": 204 keeps a browser from connecting again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let permit = service
        .gate
        .streams()
        .enter(&caller.owner)
        .ok_or(Problem::TooManyStreams {
            limit: STREAMS_PER_PERSON,
        })?;
    let watched = watch(&service, &job).await?;
    let follower = Follower {
        seen,
        sent: false,
        stage: watched.map_or(Stage::Ending, Stage::Watching),
        owner: caller.owner,
        service,
        id,
        _permit: permit,
    };
    let events = Sse::new(events(follower)).keep_alive(KeepAlive::default());
    Ok(([UNBUFFERED], events).into_response())
}

/// Watches a job that is not over. It is looked at once more after that: it may have ended in between.
async fn watch(service: &Service, job: &Job) -> Result<Option<watch::Receiver<Snapshot>>, Problem> {
    if !job.is_unfinished() {
        return Ok(None);
    }
    let watched = service.runner.watch(&job.id).watch();
    let job = service.store.get(&job.owner, &job.id).await?.job;
    if job.is_unfinished() {
        return Ok(Some(watched));
    }
    service.runner.unwatch(&job.id);
    Ok(None)
}

struct Follower {
    service: Service,
    owner: UserId,
    id: JobId,
    /// The id of the event that the caller has.
    seen: String,
    sent: bool,
    stage: Stage,
    _permit: StreamPermit,
}

enum Stage {
    Watching(watch::Receiver<Snapshot>),
    Ending,
    Ended,
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        while let Stage::Watching(watched) = &mut self.stage {
            if self.sent {
                self.service.clock.sleep(AT_MOST_EVERY).await;
            }
            // What has changed before this is seen below.
            watched.borrow_and_update();
            let Some(job) = self.unfinished().await else {
                self.stage = Stage::Ending;
                break;
            };
            let now = self.service.clock.now();
            let progress = progress(&self.service, &job).await;
            let (id, data) = content(&job, now, progress)?;
            if id != self.seen {
                self.seen.clone_from(&id);
                self.sent = true;
                return Some(Event::default().event("progress").id(id).data(data));
            }
            self.changed().await;
        }
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Ended | Stage::Watching(_) => None,
            Stage::Ending => {
                let stored = self.service.store.get(&self.owner, &self.id).await.ok()?;
                let (_, data) = content(&stored.job, self.service.clock.now(), None)?;
                Some(Event::default().event("state").id(END).data(data))
            }
        }
    }

    /// Returns when something may have changed.
    async fn changed(&mut self) {
        let Stage::Watching(watched) = &mut self.stage else {
            return;
        };
        tokio::select! {
            // Without a sender it would return at once, for ever.
            Ok(()) = watched.changed() => {}
            () = self.service.clock.sleep(LOOK_EVERY) => {}
        }
    }

    async fn unfinished(&self) -> Option<Job> {
        let stored = self.service.store.get(&self.owner, &self.id).await.ok()?;
        stored.job.is_unfinished().then_some(stored.job)
    }
}

/// What an event holds, and its id.
fn content(job: &Job, now: Timestamp, progress: Option<JobProgress>) -> Option<(String, String)> {
    let data = serde_json::to_string(&ExportView::of(job, now, progress)).ok()?;
    let sum = Sha256::of(data.as_bytes()).to_string();
    Some((sum.get(..16)?.to_owned(), data))
}
