use std::collections::BTreeSet;

use prometheus_parse::{Sample, Scrape, Value};

use super::*;

fn samples(metrics: &Metrics) -> Vec<Sample> {
    let text = metrics.render(None);
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    Scrape::parse(lines).unwrap().samples
}

fn series(metrics: &Metrics) -> BTreeSet<String> {
    let samples = samples(metrics).into_iter();
    samples
        .map(|sample| format!("{} {}", sample.metric, sample.labels))
        .collect()
}

#[test]
fn odd_paths_and_methods_add_no_series() {
    let metrics = Metrics::new();
    let took = Duration::from_millis(7);
    let odd = |number: u32| {
        let method = Method::from_bytes(format!("ODD{number}").as_bytes()).unwrap();
        metrics.answered(&method, None, StatusCode::NOT_FOUND, took);
    };
    odd(0);
    let before = series(&metrics);
    for number in 1..1_000 {
        odd(number);
    }
    assert_eq!(series(&metrics), before);
    let counted = samples(&metrics).into_iter().find_map(|sample| {
        (sample.metric == REQUESTS).then_some(match sample.value {
            Value::Counter(number) | Value::Untyped(number) | Value::Gauge(number) => number,
            other => panic!("{other:?}"),
        })
    });
    assert_eq!(counted, Some(1_000.0));
}

#[test]
fn times_are_a_histogram() {
    let metrics = Metrics::new();
    for millis in [1, 700] {
        let took = Duration::from_millis(millis);
        metrics.answered(&Method::GET, Some("/healthz"), StatusCode::OK, took);
    }
    let text = metrics.render(None);
    for line in [
        "# TYPE uforge_export_http_request_duration_seconds histogram",
        r#"uforge_export_http_request_duration_seconds_bucket{route="/healthz",method="GET",le="0.5"} 1"#,
        r#"uforge_export_http_request_duration_seconds_bucket{route="/healthz",method="GET",le="1"} 2"#,
        r#"uforge_export_http_requests_total{route="/healthz",method="GET",status="2xx"} 2"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
