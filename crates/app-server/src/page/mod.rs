//! The page: what people see of the service. HTML made here, in English, French and Japanese; it works without scripts, and with them an
//! export's page keeps itself up to date.
//!
//! A handler asks the functions that the interface for programs uses, and puts what they give into words ([`words`]). What
//! cannot be done is a [`Problem`](crate::problem::Problem), which [`problems_as_pages`] makes a page for whoever reads HTML.

mod actions;
mod ask;
mod assets;
mod audit;
mod campaign_order;
mod campaigns;
mod card;
mod everybody;
mod export;
mod form;
mod frame;
mod home;
mod language;
mod problems;
mod sign_in;
mod text;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::api::{CAMPAIGN_LIMIT_BYTES, Service};

pub(crate) use problems::problems_as_pages;

/// All routes of the page.
pub(crate) fn routes() -> Router<Service> {
    Router::new()
        .route("/", get(home::show))
        .route("/exports", post(ask::ask).get(to_home))
        .route("/exports/{id}", get(export::show))
        .route("/exports/{id}/progress", get(export::progress))
        .route(
            "/exports/{id}/delete",
            get(actions::confirm).post(actions::give_up),
        )
        .route(
            "/exports/{id}/retry",
            post(actions::try_again).get(actions::look),
        )
        .merge(orders_of_campaigns())
        .route("/everybody", get(everybody::show))
        .route(
            "/campaigns/{id}/pause",
            post(campaigns::pause).get(campaigns::look),
        )
        .route(
            "/campaigns/{id}/resume",
            post(campaigns::resume).get(campaigns::look),
        )
        .route(
            "/campaigns/{id}/retry",
            post(campaigns::retry).get(campaigns::look),
        )
        .route("/campaigns/{id}/report.csv", get(campaigns::report))
        .route(
            "/campaigns/{id}/delete",
            get(campaigns::confirm).post(campaigns::give_up),
        )
        .route("/audit", get(audit::show))
        .route("/audit.csv", get(audit::csv))
        .route("/language", post(language::switch).get(to_home))
        .route("/sign-in", get(to_home))
        .route("/sign-out", get(to_home))
        .route("/assets/{name}", get(assets::serve))
}

/// An order of a campaign may name many people.
fn orders_of_campaigns() -> Router<Service> {
    let form = get(campaign_order::show).post(campaign_order::confirm);
    Router::new()
        .route(
            "/campaigns",
            get(campaigns::show).post(campaign_order::take),
        )
        .route("/campaigns/new", form)
        .layer(DefaultBodyLimit::max(CAMPAIGN_LIMIT_BYTES))
}

/// Whoever loads the address of a form again.
async fn to_home() -> Redirect {
    Redirect::to("/")
}

#[cfg(test)]
mod tests;
