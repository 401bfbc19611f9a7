//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod announced;
mod archive;
mod caller;
mod events;
mod exports;
mod extract;
mod health;
mod middleware;
mod range;
mod readiness;
mod request;
mod service;
mod sign_in;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::problem::Problem;
use extract::BODY_LIMIT_BYTES;
pub(crate) use readiness::Readiness;
pub(crate) use service::{Parts, Service};

/// All routes of the service.
pub(crate) fn router(service: Service) -> Router {
    let exports = Router::new()
        .route("/", get(exports::list).post(exports::create))
        .route("/{id}", get(exports::show).delete(exports::remove))
        .route("/{id}/archive", get(archive::download))
        .route("/{id}/events", get(events::follow));
    let router = Router::new()
        .nest("/api/v1/exports", exports)
        .route("/sign-in", post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(async || Problem::UnknownPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(announced::refuse_too_large))
        .with_state(service);
    middleware::around(router)
}

#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod tests;
