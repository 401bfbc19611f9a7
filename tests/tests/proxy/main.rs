//! The service behind a real proxy with TLS: nginx and Caddy, each with its file of `deploy/`, as docs/deploy.md says.
//!
//! They need `nginx`, `caddy`, `curl` and `openssl`, which `cargo xtask test` brings and names in `UFORGE_EXPORT_TEST_PROXIES`. Without
//! that variable every test here is ignored, and counted as such. `UFORGE_EXPORT_TEST_ARCHIVE_BYTES` makes the download as large as one
//! likes: `cargo xtask proxy` takes 2 GiB.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod certificates;
mod client;
mod proxies;
mod service;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use sandbox::Scenario;

use client::Client;
use proxies::Kind;
use service::Site;

const TOOLS: &str = "UFORGE_EXPORT_TEST_PROXIES";
const ARCHIVE_BYTES: &str = "UFORGE_EXPORT_TEST_ARCHIVE_BYTES";

/// A test: its name, and what it does behind one kind of proxy.
type Check = (&'static str, fn(Kind));

const CHECKS: [Check; 5] = [
    ("progress_arrives_while_the_export_runs", progress),
    ("a_download_that_broke_off_is_resumed", resumed_download),
    ("the_record_has_the_callers_own_address", addresses),
    ("people_sign_in_with_a_form", form),
    ("the_rest_is_as_without_a_proxy", the_rest),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_tools = std::env::var_os(TOOLS).is_some();
    if !has_tools && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe tests of the service behind nginx and Caddy are NOT run: they need both. `cargo xtask test` brings them and runs all tests.\n",
        );
    }
    let kinds = [Kind::Nginx, Kind::Caddy].into_iter();
    let trials = kinds.flat_map(|kind| {
        CHECKS.into_iter().map(move |(name, check)| {
            Trial::test(format!("{}::{name}", kind.name()), move || {
                check(kind);
                Ok(())
            })
            .with_ignored_flag(!has_tools)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn quick() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 1;
    scenario.data.software = 1;
    scenario.data.archive_bytes = 40_000;
    scenario.timing.export_millis = 10;
    scenario
}

/// Of all archives together.
fn archive_bytes() -> u64 {
    let asked = std::env::var(ARCHIVE_BYTES).ok();
    let asked = asked.map(|text| text.parse().expect("a number of bytes"));
    asked.unwrap_or(32 * 1024 * 1024)
}

/// An export that goes on for as long as the test wants: what arrives before its end was not kept back.
fn progress(kind: Kind) {
    let mut endless = quick();
    endless.timing.export_millis = 3_600_000;
    let site = Site::start(kind, endless);
    let client = site.client();
    let export = client.order();
    let mut events = client
        .curl(&["--silent", "--no-buffer", &format!("{export}/events")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl");
    let mut lines = BufReader::new(events.stdout.take().expect("its output")).lines();
    let mut next = |wanted: &str| {
        let mut lines = lines.by_ref().map(|line| line.expect("a line"));
        lines
            .find(|line| line.contains(wanted))
            .unwrap_or_else(|| panic!("the stream ended without `{wanted}`"))
    };
    next("event: progress");
    assert!(next("data: ").contains("\"state\":\""));
    assert_ne!(client.json(&export)["state"], "cancelled");
    assert_eq!(client.status(&["--request", "DELETE", &export]), 204);
    next("event: state");
    assert!(next("data: ").contains("\"state\":\"cancelled\""));
    assert!(events.wait().expect("curl").success());
}

/// As people do it: the same command once more.
fn resumed_download(kind: Kind) {
    let mut large = quick();
    large.data.archive_bytes = archive_bytes() / 2;
    let site = Site::start(kind, large);
    let client = site.client();
    let export = client.order();
    let record = client.ready(&export);
    let whole = record["archive"]["bytes"].as_u64().expect("a size");
    let file = site.path("bag.zip");
    let download = |more: &[&str]| {
        let mut curl = client.curl(&["--silent", "--continue-at", "-", "--output"]);
        curl.arg(&file).args(more);
        curl.arg(client.url(&format!("{export}/archive")));
        curl
    };
    // All of it takes a minute: nobody gets through before the kill.
    let rate = (whole / 60).to_string();
    let mut first = download(&["--limit-rate", &rate]).spawn().expect("curl");
    while size(&file) < whole / 60 {
        assert_eq!(first.try_wait().expect("curl"), None, "it ended early");
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    let before = size(&file);
    assert!(before < whole, "{before} of {whole}");
    let resumed = download(&["--write-out", "%{http_code} %{size_download}"]).output();
    let said = String::from_utf8(resumed.expect("curl").stdout).expect("text");
    assert_eq!(said, format!("206 {}", whole - before));
    assert_eq!(record["archive"]["sha256"], service::sha256(&file));
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

/// Not the proxy's, and not what somebody writes into a header.
fn addresses(kind: Kind) {
    let site = Site::start(kind, quick());
    let client = site.client();
    let export = client.order();
    client.ready(&export);
    let elsewhere = ["--interface", "127.0.0.2", "--range", "0-9"];
    let forged = ["--header", "X-Forwarded-For: 203.0.113.9"];
    let archive = format!("{export}/archive");
    let status = client.status(&[&elsewhere[..], &forged, &[&archive]].concat());
    assert_eq!(status, 206);
    let text = client.recorded_downloads(&export).to_string();
    assert!(text.contains("\"127.0.0.2\""), "{text}");
    assert!(!text.contains("203.0.113.9"), "{text}");
    assert!(!text.contains("\"127.0.0.1\""), "{text}");
}

/// The service knows its own name behind the proxy: cookies are for TLS, and other sites' forms are refused.
fn form(kind: Kind) {
    let site = Site::start(kind, quick());
    let client = site.client();
    let (login, password) = client.credentials();
    let form = [format!("login={login}"), format!("password={password}")];
    let sign_in = |origin: &str| {
        let header = format!("Origin: {origin}");
        let mut curl = client.anonymous(&["--silent", "--include", "--header", &header]);
        curl.args(["--data-urlencode", &form[0], "--data-urlencode", &form[1]]);
        let answer = curl.arg(client.url("/sign-in")).output().expect("curl");
        String::from_utf8(answer.stdout)
            .expect("text")
            .to_lowercase()
    };
    let own = sign_in(&client.origin());
    assert!(own.contains(" 303 "), "{own}");
    assert!(own.contains("set-cookie: __host-"), "{own}");
    assert!(own.contains("secure"), "{own}");
    assert!(own.contains("strict-transport-security: "), "{own}");
    let foreign = sign_in("https://other.example.com");
    assert!(foreign.contains(" 403 "), "{foreign}");
    assert!(!foreign.contains("set-cookie"), "{foreign}");
}

fn the_rest(kind: Kind) {
    let site = Site::start(kind, quick());
    let client = site.client();
    assert_eq!(client.status(&["/healthz"]), 200);
    assert_eq!(client.status(&["/readyz"]), 200);
    assert_eq!(client.status(&["/metrics"]), 404);
    assert_eq!(
        client.status(&["--user", "john:wrong", "/api/v1/exports"]),
        401
    );
    let large = site.path("large");
    std::fs::write(&large, vec![b' '; 70 * 1024]).expect("a file");
    let body = format!("@{}", large.display());
    let json = "Content-Type: application/json";
    let sent = ["--header", json, "--data-binary", &body, "/api/v1/exports"];
    assert_eq!(client.status(&sent), 413);
    assert_eq!(
        client.json("/api/v1/exports")["exports"],
        serde_json::json!([])
    );
    // In the clear there is nothing but the way to TLS.
    let clear = Client::in_the_clear(&site);
    assert!(clear.starts_with("30"), "{clear}");
}
