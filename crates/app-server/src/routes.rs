//! All routes of the service: its interface for programs and its page for people.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;

use crate::api::{self, BODY_LIMIT_BYTES, Scraped, Service};
use crate::page;
use crate::problem::Problem;

/// All routes, with what every answer has in common around them.
pub(crate) fn router(service: Service, scraped: Scraped) -> Router {
    bounded(api::routes(scraped).merge(page::routes()), service)
}

/// The routes of the address where only metrics are read.
pub(crate) fn metrics_router(service: Service) -> Router {
    bounded(api::metrics_routes(), service)
}

fn bounded(routes: Router<Service>, service: Service) -> Router {
    let is_https = service.gate.is_https();
    let metrics = Arc::clone(&service.metrics);
    let answered = routes
        .fallback(async || Problem::UnknownPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(api::refuse_too_large))
        .layer(from_fn(api::refuse_unclear_host))
        .layer(from_fn(api::refuse_large_headers))
        .with_state(service);
    let answered = answered.layer(from_fn(api::read_remainder));
    let readable = api::unbroken(answered).layer(from_fn(page::problems_as_pages));
    api::around(readable, is_https, metrics)
}
