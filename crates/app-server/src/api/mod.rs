//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod accept;
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
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use accept::{quality, weight};
pub(crate) use announced::refuse_too_large;
pub(crate) use audit::{AuditQuery, page as trail};
pub(crate) use caller::same_origin;
pub(crate) use exports::{find, give_up, page as exports, progress, try_again};
pub(crate) use extract::{BODY_LIMIT_BYTES, ListQuery, PathId};
pub(crate) use middleware::{FOR_EVER, around, unbroken};
pub(crate) use orders::ask;
use published::Published;
pub(crate) use readiness::Readiness;
pub(crate) use request::NewExport;
pub(crate) use service::{Parts, Service};
pub(crate) use sign_in::{go, read_form};

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

/// All routes of the interface.
pub(crate) fn routes() -> Router<Service> {
    let (router, document) = described().split_for_parts();
    let document = openapi::completed(document);
    let published = Published {
        page: reference::rendered(&document).into(),
        document: document.to_string().into(),
    };
    router.layer(axum::Extension(published))
}

#[cfg(test)]
pub(crate) mod bench;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod tests;
