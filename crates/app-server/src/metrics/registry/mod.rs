//! What is counted in one service.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use domain::ports::Clock;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio_util::sync::CancellationToken;

use super::jobs::JobCounts;
use super::names::{
    ARCHIVE_BYTES, BUILD, DOWNLOADED_BYTES, ENDED, EXPORT_SECONDS, JOBS, KINDS, OUTCOMES, OVERDUE,
    PLATFORM_ERRORS, REFUSED, REQUEST_SECONDS, REQUESTS,
};

/// Upper ends in seconds: an answer of the service.
const REQUEST_BUCKETS: [f64; 9] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// Upper ends in seconds: an export, from half a minute to a week.
const EXPORT_BUCKETS: [f64; 10] = [
    5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 604_800.0,
];
/// Measured times are kept one by one until they are added up, by somebody who reads the metrics or else so often.
const ADD_UP_EVERY: Duration = Duration::from_secs(10);

/// What is counted in one service.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Nothing has happened yet; what can happen is listed with zero.
    pub(crate) fn new() -> Self {
        let recorder = recorder();
        let handle = recorder.handle();
        let metrics = Self { recorder, handle };
        metrics.with(begin);
        metrics
    }

    /// Counts in this service, and in no other of this process.
    pub(super) fn with<T>(&self, count: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&self.recorder, count)
    }

    /// A request was answered. `route` is the template of a route, or `None` where there is none: whatever paths are asked for, they are
    /// one.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        // Simple readers of the format take a brace for the end of the labels.
        let route = route.unwrap_or("none");
        let route = route.replace('{', ":").replace('}', "");
        let method = method_name(method);
        let class = class_of(status);
        self.with(|| {
            counter!(REQUESTS, "route" => route.clone(), "method" => method, "status" => class)
                .increment(1);
            histogram!(REQUEST_SECONDS, "route" => route, "method" => method).record(took);
        });
    }

    /// As Prometheus reads it: its text format 0.0.4.
    pub(crate) fn render(&self, jobs: Option<&JobCounts>) -> String {
        if let Some(jobs) = jobs {
            self.with(|| jobs.show());
        }
        self.handle.render()
    }

    /// Adds measured times up until `stopping`, so that they take no memory where nobody reads them.
    pub(crate) async fn add_up(
        self: Arc<Self>,
        clock: Arc<dyn Clock>,
        stopping: CancellationToken,
    ) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = clock.sleep(ADD_UP_EVERY) => self.handle.run_upkeep(),
            }
        }
    }
}

#[expect(clippy::expect_used, reason = "the buckets are there")]
fn recorder() -> PrometheusRecorder {
    let buckets = |builder: PrometheusBuilder, name: &str, buckets: &[f64]| {
        builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
            .expect("there are buckets")
    };
    let builder = PrometheusBuilder::new();
    let builder = buckets(builder, REQUEST_SECONDS, &REQUEST_BUCKETS);
    buckets(builder, EXPORT_SECONDS, &EXPORT_BUCKETS).build_recorder()
}

fn begin() {
    describe_gauge!(BUILD, "Which version runs");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
    describe_counter!(REQUESTS, "Requests answered");
    describe_histogram!(REQUEST_SECONDS, "Time until an answer began");
    describe_gauge!(JOBS, "Exports by state");
    describe_gauge!(
        OVERDUE,
        "Exports under way whose month (GDPR article 12(3)) is over"
    );
    describe_counter!(ENDED, "Exports that ended");
    describe_histogram!(
        EXPORT_SECONDS,
        "Time from the begin of an export's run to its end"
    );
    describe_counter!(ARCHIVE_BYTES, "Bytes of archives that became ready");
    counter!(ARCHIVE_BYTES).absolute(0);
    describe_counter!(DOWNLOADED_BYTES, "Bytes of archives handed over");
    counter!(DOWNLOADED_BYTES).absolute(0);
    describe_counter!(PLATFORM_ERRORS, "Requests to the UForge that failed");
    for kind in KINDS {
        counter!(PLATFORM_ERRORS, "kind" => kind).absolute(0);
    }
    describe_counter!(REFUSED, "Sign-ins that the UForge refused");
    counter!(REFUSED).absolute(0);
    for outcome in OUTCOMES {
        counter!(ENDED, "outcome" => outcome).absolute(0);
    }
}

/// Anybody can make methods up.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests;
