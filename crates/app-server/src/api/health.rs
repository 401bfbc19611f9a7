//! Whether the service lives, and whether it could do its work.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::readiness::Reachable;
use super::service::Service;

const WITHIN: Duration = Duration::from_secs(5);

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
    readiness.record(service.clock.elapsed(), reachable);
    reachable
}
