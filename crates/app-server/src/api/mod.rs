//! The HTTP interface: routes, and what every answer has in common. Contract, part 6.

mod accept;
mod access;
mod announced;
mod archive;
mod audit;
mod caller;
mod campaign_people;
mod campaign_report;
mod campaign_request;
mod campaign_steps;
mod campaign_view;
mod campaigns;
mod events;
mod exports;
mod extract;
mod headers;
mod health;
mod host;
mod metrics;
mod middleware;
mod openapi;
mod orders;
mod published;
mod range;
mod readiness;
mod receipt;
mod reference;
mod remainder;
mod request;
mod service;
mod sign_in;
mod tagged;
mod trail;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use accept::{quality, weight};
pub(crate) use access::permitted;
pub(crate) use announced::refuse_too_large;
pub(crate) use archive::is_lost;
pub(crate) use audit::{AuditQuery, page as trail};
pub(crate) use caller::same_origin;
pub(crate) use campaign_report::whole_report;
pub(crate) use campaign_request::NewCampaign;
pub(crate) use campaign_steps::{cancel_campaign, pause_campaign, resume_campaign, retry_campaign};
pub(crate) use campaigns::{PathCampaign, administrator, order_campaign, propose};
pub(crate) use exports::{find, give_up, page as exports, progress, report, try_again};
pub(crate) use extract::{BODY_LIMIT_BYTES, CAMPAIGN_LIMIT_BYTES, ListQuery, PathId};
pub(crate) use headers::{HEADER_LIMIT_BYTES, refuse_large_headers};
pub(crate) use host::refuse_unclear_host;
pub(crate) use middleware::{FOR_EVER, around, unbroken};
pub(crate) use orders::ask;
use published::Published;
pub(crate) use readiness::Readiness;
pub(crate) use remainder::read_remainder;
pub(crate) use request::NewExport;
pub(crate) use service::{Parts, Service};
pub(crate) use sign_in::{go, read_form};

/// Where metrics are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scraped {
    /// Where everything else is.
    Here,
    /// At an address of their own.
    Elsewhere,
}

/// An order for a campaign may name many people.
fn with_many_people() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(campaigns::list, campaigns::create))
        .layer(DefaultBodyLimit::max(extract::CAMPAIGN_LIMIT_BYTES))
}

/// All routes that the document describes.
fn described(scraped: Scraped) -> OpenApiRouter<Service> {
    let routes = OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(exports::list, orders::create))
        .routes(routes!(exports::show, exports::remove))
        .routes(routes!(archive::download))
        .routes(routes!(receipt::download))
        .routes(routes!(receipt::signature))
        .routes(routes!(events::follow))
        .routes(routes!(exports::retry))
        .routes(routes!(audit::read))
        .merge(with_many_people())
        .routes(routes!(campaigns::show, campaign_steps::remove))
        .routes(routes!(campaign_report::report))
        .routes(routes!(campaign_steps::pause))
        .routes(routes!(campaign_steps::resume))
        .routes(routes!(campaign_steps::retry))
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

/// All routes of the interface.
pub(crate) fn routes(scraped: Scraped) -> Router<Service> {
    let (router, document) = described(scraped).split_for_parts();
    let document = openapi::completed(document);
    let published = Published {
        page: reference::rendered(&document).into(),
        document: document.to_string().into(),
    };
    router.layer(axum::Extension(published))
}

/// The route of the address where only metrics are read.
pub(crate) fn metrics_routes() -> Router<Service> {
    Router::new().route("/metrics", axum::routing::get(metrics::scrape))
}

#[cfg(test)]
pub(crate) mod bench;
#[cfg(test)]
mod campaign_tests;
#[cfg(test)]
mod receipt_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod strangers_tests;
#[cfg(test)]
mod tests;
