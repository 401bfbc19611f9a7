//! `GET /api/v1/exports/{id}/events`: progress as Server-Sent Events.
//!
//! Every event holds the whole progress, so a client that reconnects with `Last-Event-ID` needs only the latest one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::jobs::{Job, JobId};
use domain::model::UserId;
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use tokio::sync::watch;

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

/// Progress until the export is over; then its end, and no more.
pub(super) async fn follow(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = service.store.get(&caller.owner, &id).await?.job;
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
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
        seen: seen.parse().ok(),
        sent: false,
        stage: watched.map_or(Stage::Ending, Stage::Watching),
        owner: caller.owner,
        service,
        id,
        _permit: permit,
    };
    Ok(Sse::new(events(follower))
        .keep_alive(KeepAlive::default())
        .into_response())
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
    seen: Option<u64>,
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
        if let Stage::Watching(watched) = &mut self.stage {
            if self.sent {
                self.service.clock.sleep(AT_MOST_EVERY).await;
            }
            let fresh = watched
                .wait_for(|snapshot| self.seen != Some(snapshot.serial))
                .await
                .map(|snapshot| snapshot.clone());
            if let (Ok(snapshot), Some(job)) = (fresh, self.unfinished().await) {
                self.seen = Some(snapshot.serial);
                self.sent = true;
                let id = snapshot.serial.to_string();
                let now = self.service.clock.now();
                return event("progress", &id, &job, now, Some(snapshot));
            }
            self.stage = Stage::Ending;
        }
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Ended | Stage::Watching(_) => None,
            Stage::Ending => {
                let stored = self.service.store.get(&self.owner, &self.id).await.ok()?;
                event("state", END, &stored.job, self.service.clock.now(), None)
            }
        }
    }

    async fn unfinished(&self) -> Option<Arc<Job>> {
        let stored = self.service.store.get(&self.owner, &self.id).await.ok()?;
        stored.job.is_unfinished().then(|| Arc::new(stored.job))
    }
}

fn event(
    name: &str,
    id: &str,
    job: &Job,
    now: Timestamp,
    snapshot: Option<Snapshot>,
) -> Option<Event> {
    let view = ExportView::of(job, now, snapshot.map(|snapshot| snapshot.progress));
    Event::default().event(name).id(id).json_data(view).ok()
}
