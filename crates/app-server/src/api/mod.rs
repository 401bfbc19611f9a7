//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod announced;
mod archive;
mod audit;
mod caller;
mod events;
mod exports;
mod extract;
mod health;
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

/// All routes that the document describes.
fn described() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(openapi::frame())
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
        .routes(routes!(reference::style))
}

/// All routes of the service.
pub(crate) fn router(service: Service) -> Router {
    let is_https = service.gate.is_https();
    let (router, document) = described().split_for_parts();
    let document = openapi::completed(document);
    let published = Published {
        page: reference::rendered(&document).into(),
        document: document.to_string().into(),
    };
    let router = router
        .layer(axum::Extension(published))
        .fallback(async || Problem::UnknownPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(announced::refuse_too_large))
        .with_state(service);
    middleware::around(router, is_https)
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
