//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod archive;
mod events;
mod exports;
mod extract;
mod health;
mod middleware;
mod range;
mod request;
mod view;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use domain::jobs::{BagStore, JobStore};
use domain::ports::Clock;

use crate::auth::Gate;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::runner::Runner;
pub(crate) use health::Readiness;

/// Bytes that a request's body may have.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Everything that a handler works with.
#[derive(Clone)]
pub(crate) struct Service(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) gate: Gate,
    pub(crate) readiness: Readiness,
}

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Service {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// All routes of the service.
pub(crate) fn router(service: Service) -> Router {
    let exports = Router::new()
        .route("/", get(exports::list).post(exports::create))
        .route("/{id}", get(exports::show).delete(exports::remove))
        .route("/{id}/archive", get(archive::download))
        .route("/{id}/events", get(events::follow));
    let router = Router::new()
        .nest("/api/v1/exports", exports)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(async || Problem::UnknownPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .with_state(service);
    middleware::around(router)
}

#[cfg(test)]
mod tests;
