//! Whether the service lives, and whether it could do its work.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Service;

/// How long an answer holds: whoever asks often does not make the platform answer often.
const HOLDS_FOR: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_secs(5);

/// The platform's last answer, and when it was given.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    last: Mutex<Option<(Duration, Reachable)>>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reachable {
    Yes,
    No,
}

impl Readiness {
    fn fresh(&self, now: Duration) -> Option<Reachable> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| now.saturating_sub(*at) < HOLDS_FOR)
            .map(|(_, reachable)| reachable)
    }

    fn remember(&self, now: Duration, reachable: Reachable) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, reachable));
    }
}

/// `GET /healthz`: the service answers.
pub(super) async fn alive() -> Json<serde_json::Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// `GET /readyz`: the platform answers too.
pub(super) async fn ready(State(service): State<Service>) -> Response {
    match reachable(&service).await {
        Reachable::Yes => Json(json!({"status": "ready"})).into_response(),
        Reachable::No => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "platform unreachable"})),
        )
            .into_response(),
    }
}

async fn reachable(service: &Service) -> Reachable {
    let readiness = &service.readiness;
    if let Some(reachable) = readiness.fresh(service.clock.elapsed()) {
        return reachable;
    }
    let _asking = readiness.asking.lock().await;
    if let Some(reachable) = readiness.fresh(service.clock.elapsed()) {
        return reachable;
    }
    let reachable = match tokio::time::timeout(WITHIN, service.backend.platform()).await {
        Ok(Ok(_)) => Reachable::Yes,
        Ok(Err(_)) | Err(_) => Reachable::No,
    };
    readiness.remember(service.clock.elapsed(), reachable);
    reachable
}
