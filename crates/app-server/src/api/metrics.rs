//! What Prometheus reads.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::service::Service;
use crate::causes::Causes;
use crate::metrics::JobCounts;

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is counted, for Prometheus
///
/// Names nobody. Where the service was started with `--metrics-listen`, it is there and not here.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses((status = 200, description = "Counts and times", body = String, content_type = "text/plain"))
)]
pub(super) async fn scrape(State(service): State<Service>) -> Response {
    let counts = JobCounts::of(&service.store, &service.clock, &service.last_counts).await;
    // The rest is worth reading all the same.
    let counts = counts.inspect_err(|error| {
        tracing::error!(error = %Causes(error), "exports could not be counted");
    });
    let text = service.metrics.render(counts.ok().as_ref());
    ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}
