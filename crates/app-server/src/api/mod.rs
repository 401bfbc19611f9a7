//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod announced;
mod archive;
mod audit;
mod caller;
mod events;
mod exports;
mod extract;
mod health;
mod metrics;
mod middleware;
mod openapi;
mod orders;
mod published;
mod range;
mod readiness;
mod reference;
mod request;
mod service;
mod sign_in;
mod tagged;
mod trail;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use extract::BODY_LIMIT_BYTES;
use published::Published;
pub(crate) use readiness::Readiness;
pub(crate) use service::{Parts, Service};

/// Where metrics are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scraped {
    /// Where everything else is.
    Here,
    /// At an address of their own.
    Elsewhere,
}

/// All routes that the document describes.
fn described(scraped: Scraped) -> OpenApiRouter<Service> {
    let routes = OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(exports::list, orders::create))
        .routes(routes!(exports::show, exports::remove))
        .routes(routes!(archive::download))
        .routes(routes!(events::follow))
        .routes(routes!(exports::retry))
        .routes(routes!(audit::read))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::document))
        .routes(routes!(reference::page))
        .routes(routes!(reference::style));
    match scraped {
        Scraped::Here => routes.routes(routes!(metrics::scrape)),
        Scraped::Elsewhere => routes,
    }
}

/// All routes of the service.
pub(crate) fn router(service: Service, scraped: Scraped) -> Router {
    let (router, document) = described(scraped).split_for_parts();
    let document = openapi::completed(document);
    let published = Published {
        page: reference::rendered(&document).into(),
        document: document.to_string().into(),
    };
    bounded(router.layer(axum::Extension(published)), service)
}

/// The routes of the address where only metrics are read.
pub(crate) fn metrics_router(service: Service) -> Router {
    let router = Router::new().route("/metrics", axum::routing::get(metrics::scrape));
    bounded(router, service)
}

/// Routes with what every answer has in common.
fn bounded(router: Router<Service>, service: Service) -> Router {
    let is_https = service.gate.is_https();
    let metrics = Arc::clone(&service.metrics);
    let router = router
        .fallback(async || Problem::UnknownPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(announced::refuse_too_large))
        .with_state(service);
    middleware::around(router, is_https, metrics)
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod strangers_tests;
#[cfg(test)]
mod tests;
