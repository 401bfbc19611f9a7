//! A network that fails, and a server that is not well.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::model::Section;
use domain::ports::Event;
use domain::workflow::RunError;
use tests::kit::{Visit, small};

/// Short only where it has to pass, and then longer than a busy machine is silent: a start of software whose answer is not waited for leaves
/// a ticket.
fn silence_for(fault: &str) -> Duration {
    Duration::from_secs(if fault.contains("stall") { 2 } else { 20 })
}

fn first(request: &str, times: &str, fault: &str) -> String {
    format!("[[faults]]\nrequest = \"{request}\"\ntimes = {times}\nfault = {fault}\n")
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for() {
    for fault in [
        "\"reset\"",
        "\"stall\"",
        "\"close-connection\"",
        "{ refuse = { status = 503, retry-after = 3 } }",
        "{ refuse = { status = 429 } }",
        "{ refuse = { status = 500 } }",
        "{ proxy-error = { status = 502 } }",
        "{ proxy-error = { status = 504, retry-after = 1 } }",
        "{ damaged = { truncated = { after = 30 } } }",
        "{ damaged = { stalled = { after = 30 } } }",
        "\"html-login\"",
    ] {
        // Of each resource's requests the first two go wrong.
        let toml: String = [
            "users/*",
            "users/*/roles",
            "users/*/appliances",
            "users/*/accounts/401",
            "users/*/photo/*",
            "users/*/appliances/201/exports/*/downloads",
            "users/*/exports",
            "status",
        ]
        .iter()
        .map(|path| first(&format!("GET {path}"), "2", fault))
        .collect();
        let visit = Visit::to(small(&toml))
            .await
            .with_silence(silence_for(fault));
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let visit = Visit::to(small(&first(
        "GET users/*/roles",
        "1",
        "{ refuse = { status = 503, retry-after = 20 } }",
    )))
    .await;
    let ended = visit.export().await;
    ended.assert_whole(&visit);
    let waits: Vec<u64> = ended
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Retry { wait_ms, .. } => Some(*wait_ms),
            _ => None,
        })
        .collect();
    assert!(
        matches!(waits.as_slice(), [wait] if *wait >= 20_000),
        "{waits:?}"
    );
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_for_a_day_has_refused() {
    let visit = Visit::to(small(&first(
        "GET users/*/roles",
        "\"always\"",
        "{ refuse = { status = 503, retry-after = 86400 } }",
    )))
    .await;
    let ended = visit.export().await;
    let failure = ended.only_failure();
    assert_eq!(
        (failure.section, failure.http_status, failure.attempts),
        (Section::Roles, Some(503), 1)
    );
}

#[tokio::test]
async fn what_does_not_pass_costs_only_what_it_strikes() {
    for fault in [
        "\"reset\"",
        "\"stall\"",
        "{ refuse = { status = 503 } }",
        "{ refuse = { status = 500 } }",
        "{ refuse = { status = 418 } }",
        "{ damaged = { stalled = { after = 30 } } }",
    ] {
        let visit = Visit::to(small(&first("GET users/*/roles", "\"always\"", fault)))
            .await
            .with_silence(silence_for(fault));
        let ended = visit.export().await;
        let missing = ["users/jleaver/roles xml", "users/jleaver/roles json"];
        assert_eq!(
            ended.missing(&visit),
            BTreeSet::from(missing.map(str::to_owned)),
            "{fault}"
        );
        assert_eq!(ended.only_failure().section, Section::Roles, "{fault}");
    }
}

#[tokio::test]
async fn a_slow_line_is_enough() {
    let visit = Visit::to(small(&first(
        "* **",
        "\"always\"",
        "{ slow = { bytes-per-second = 400000 } }",
    )))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_reported_as_one() {
    let mut visit = Visit::to(small("")).await;
    let gone = tests::kit::start(small("")).await;
    visit.settings = tests::kit::settings_for(&gone);
    gone.shutdown().await;
    let ended = visit.export().await;
    let Err(RunError::Platform(error)) = &ended.result else {
        panic!("a bag of nothing");
    };
    assert!(
        error
            .to_string()
            .contains("could not connect to `127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn a_password_that_ceases_to_be_accepted_ends_the_run() {
    let visit = Visit::to(small(&first(
        "GET users/*/appliances/*/exports/*/downloads",
        "\"always\"",
        "{ refuse = { status = 401 } }",
    )))
    .await;
    visit.leaves_tickets("nothing can be deleted without a password");
    let ended = visit.export().await;
    assert!(matches!(ended.result, Err(RunError::Unauthorized { .. })));
    assert!(ended.sink.state().tags.is_none());
}
