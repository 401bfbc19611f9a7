//! Whether the service lives, and whether it can do its work.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::readiness::Reachable;
use super::service::Service;
use crate::causes::Causes;

/// How long the platform may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How long an answer is held back for the platform's.
const WAIT_FOR_PLATFORM: Duration = Duration::from_millis(300);
/// How long the service's own stores may take.
const STORES_WITHIN: Duration = Duration::from_secs(5);

/// Whether the service lives
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    responses((status = 200, description = "It does", body = Object))
)]
pub(super) async fn alive() -> Json<serde_json::Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// Whether the service can do its work
///
/// Its database and its store of archives decide. The platform is named too: finished archives can be fetched without it.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    responses(
        (status = 200, description = "It can", body = Object),
        (status = 503, description = "Its database or its store of archives cannot be used", body = Object),
    )
)]
pub(super) async fn ready(State(service): State<Service>) -> Response {
    let (database, store, platform) =
        tokio::join!(database(&service), store(&service), platform(&service));
    let word = |works: bool| if works { "ok" } else { "unavailable" };
    let is_ready = database && store;
    let body = json!({
        "status": if is_ready { "ready" } else { "not ready" },
        "database": word(database),
        "store": word(store),
        "platform": match platform {
            Some(Reachable::Yes) => "reachable",
            Some(Reachable::No) => "unreachable",
            None => "unknown",
        },
    });
    if is_ready {
        Json(body).into_response()
    } else {
        let wait = [(axum::http::header::RETRY_AFTER, "5")];
        (StatusCode::SERVICE_UNAVAILABLE, wait, Json(body)).into_response()
    }
}

async fn database(service: &Service) -> bool {
    works("database", service.store.count()).await
}

async fn store(service: &Service) -> bool {
    works("store of archives", service.bags.answers()).await
}

async fn works<T, E: std::error::Error>(
    what: &'static str,
    asked: impl Future<Output = Result<T, E>>,
) -> bool {
    match tokio::time::timeout(STORES_WITHIN, asked).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::error!(what, error = %Causes(&error), "something that the service needs does not work");
            false
        }
        Err(_) => {
            tracing::error!(
                what,
                "something that the service needs does not answer in time"
            );
            false
        }
    }
}

/// What is known of the platform. It is asked in the background: a slow one must not make this answer slow.
async fn platform(service: &Service) -> Option<Reachable> {
    let readiness = &service.readiness;
    if let Some(reachable) = readiness.fresh(service.clock.elapsed()) {
        return Some(reachable);
    }
    let asked = tokio::spawn(ask(service.clone()));
    match tokio::time::timeout(WAIT_FOR_PLATFORM, asked).await {
        Ok(Ok(reachable)) => Some(reachable),
        Ok(Err(_)) | Err(_) => readiness.last(),
    }
}

async fn ask(service: Service) -> Reachable {
    let readiness = &service.readiness;
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
