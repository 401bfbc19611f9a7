//! What Prometheus reads.

use std::collections::BTreeMap;

use prometheus_parse::{Scrape, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{bench, bench_with, create, quick, until};
use crate::caller::{Caller, parse};
use crate::process::Start;

/// Every series and its value as text; of a histogram its number of times.
fn read(text: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(text).unwrap();
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let number = |value: Value| match value {
        Value::Counter(number) | Value::Gauge(number) | Value::Untyped(number) => number,
        Value::Histogram(counts) => counts.last().unwrap().count,
        Value::Summary(_) => panic!("there are no summaries"),
    };
    let samples = scrape.samples.into_iter().map(|sample| {
        let mut labels: Vec<_> = sample
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        labels.sort();
        let name = format!("{}{{{}}}", sample.metric, labels.join(","));
        (name, number(sample.value).to_string())
    });
    samples.collect()
}

async fn scrape(caller: &Caller) -> BTreeMap<String, String> {
    let answer = caller.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    read(&answer.body)
}

#[tokio::test]
async fn exports_sign_ins_and_bytes_are_counted_and_nobody_is_named() {
    let bench = bench(quick()).await;
    let user = bench.user();
    let before = scrape(&user).await;
    assert_eq!(before["uforge_export_jobs{state=ready}"], "0");
    assert_eq!(before["uforge_export_jobs_overdue{}"], "0");
    assert_eq!(before["uforge_export_sign_ins_refused_total{}"], "0");
    let version = format!(
        "uforge_export_build_info{{version={}}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(before[&version], "1");
    let stranger = Caller::new(bench.service.url(), "stranger", "hunter2");
    assert_eq!(stranger.get("/api/v1/exports").await.status, 401);
    let path = create(&user, "").await;
    let export = until(&user, &path, "ready").await;
    let archive = user.get(&format!("{path}/archive")).await;
    // Counts of exports hold for a moment, and a download is counted after its last byte.
    let bytes = export["archive"]["bytes"].to_string();
    let after = loop {
        let after = scrape(&user).await;
        let downloaded = after["uforge_export_downloaded_bytes_total{}"] != "0";
        if after["uforge_export_jobs{state=ready}"] != "0" && downloaded {
            break after;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    for (series, expected) in [
        ("uforge_export_jobs{state=ready}", "1"),
        ("uforge_export_jobs{state=running}", "0"),
        ("uforge_export_exports_ended_total{outcome=ready}", "1"),
        ("uforge_export_export_duration_seconds{outcome=ready}", "1"),
        ("uforge_export_archive_bytes_total{}", bytes.as_str()),
        ("uforge_export_downloaded_bytes_total{}", bytes.as_str()),
        ("uforge_export_sign_ins_refused_total{}", "1"),
        (
            "uforge_export_http_requests_total{method=GET,route=/api/v1/exports/:id/archive,status=2xx}",
            "1",
        ),
    ] {
        assert_eq!(after[series], expected, "{series}");
    }
    assert_eq!(archive.body.len().to_string(), bytes);
    assert_ne!(
        after["uforge_export_platform_errors_total{kind=unauthorized}"],
        "0"
    );
    let text = user.get("/metrics").await.body;
    let text = String::from_utf8(text).unwrap();
    let scenario = bench.forge.platform().scenario().clone();
    let id = path.rsplit('/').next().unwrap();
    for secret in [
        scenario.user.login.as_str(),
        &scenario.user.password,
        "stranger",
        "hunter2",
        "127.0.0.1",
        id,
    ] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[tokio::test]
async fn ten_thousand_odd_paths_add_no_series() {
    const PATHS: usize = 10_000;
    let bench = bench(quick()).await;
    let user = bench.user();
    let address = bench.service.url().strip_prefix("http://").unwrap();
    for path in ["/odd", "/api/v1/exports/odd", "/api/v1/exports/odd/archive"] {
        user.get(path).await;
    }
    scrape(&user).await;
    let before = scrape(&user).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut requests = String::new();
    for number in 0..PATHS {
        let last = if number + 1 == PATHS {
            "close"
        } else {
            "keep-alive"
        };
        let path = match number % 3 {
            0 => format!("/odd/{number}?user=eve{number}"),
            1 => format!("/odd%2f{number}/archive"),
            _ => format!("/{number}/..%5c{number}"),
        };
        requests.extend(["GET ", &path, " HTTP/1.1\r\nhost: x\r\nconnection: "]);
        requests.extend([last, "\r\n\r\n"]);
    }
    let (mut reader, mut writer) = stream.split();
    let mut answers = Vec::new();
    let (read, written) = tokio::join!(
        reader.read_to_end(&mut answers),
        writer.write_all(requests.as_bytes())
    );
    read.unwrap();
    written.unwrap();
    let answers = String::from_utf8_lossy(&answers);
    assert_eq!(answers.matches("HTTP/1.1 404").count(), PATHS);
    let after = scrape(&user).await;
    assert!(before.keys().eq(after.keys()));
    let odd = "uforge_export_http_requests_total{method=GET,route=none,status=4xx}";
    let odd: usize = after[odd].parse().unwrap();
    assert!(odd > PATHS, "{after:?}");
}

#[tokio::test]
async fn metrics_can_have_an_address_of_their_own() {
    let bench = bench_with(quick(), |settings| {
        settings.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    assert_eq!(bench.user().get("/metrics").await.status, 404);
    let document = bench.user().get("/api/v1/openapi.json").await.json();
    assert!(document["paths"].get("/metrics").is_none());
    let url = bench.service.metrics_url().unwrap();
    let there = Caller::new(url.strip_suffix("/metrics").unwrap(), "", "");
    assert!(!scrape(&there).await.is_empty());
    assert_eq!(there.get("/api/v1/exports").await.status, 404);
    assert_eq!(there.get("/healthz").await.status, 404);
}

#[tokio::test]
async fn the_program_says_where_its_metrics_are_and_nobody_needs_a_password() {
    let bench = bench(quick()).await;
    let data = bench.folder.path().join("other");
    let start = Start::new(bench.forge.url(), &data).with("--metrics-listen", "127.0.0.1:0");
    let process = start.run().await;
    let url = process.announced["metrics"].as_str().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    let (address, path) = address.split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = parse(&answer);
    assert_eq!(answer.status, 200);
    assert!(read(&answer.body).contains_key("uforge_export_jobs{state=queued}"));
    assert_eq!(process.terminate().await.0, Some(0));
}
