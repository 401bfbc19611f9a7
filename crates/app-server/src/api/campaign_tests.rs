//! Campaigns over the interface, with runs that a test lets through.

use axum::body::Body;
use axum::http::Request;
use domain::jobs::{AuditAction, AuditPage};
use serde_json::{Value, json};

use super::bench::{Answer, Bench, basic, bench};
use crate::testing::Behaviour;

async fn send(bench: &Bench, who: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", basic(who, "secret"))
        .header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    bench.send(request.body(body).unwrap()).await
}

async fn order(bench: &Bench, body: &Value) -> String {
    let answer = send(bench, "root", "POST", "/api/v1/campaigns", Some(body)).await;
    assert_eq!(
        answer.status.as_u16(),
        202,
        "{:?}",
        String::from_utf8_lossy(&answer.body)
    );
    assert!(answer.headers.contains_key("retry-after"));
    answer.header("location").to_owned()
}

async fn until(bench: &Bench, path: &str, passes: impl Fn(&Value) -> bool) -> Value {
    loop {
        let campaign = send(bench, "root", "GET", path, None).await.json();
        if passes(&campaign) {
            return campaign;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

async fn rows(bench: &Bench, path: &str) -> Vec<Value> {
    let report = send(bench, "root", "GET", &format!("{path}/report"), None).await;
    report.json()["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn everybody_gets_an_export_of_their_own() {
    let bench = bench().await;
    bench.backend.let_through(10);
    let path = order(
        &bench,
        &json!({"everyone": true, "since": "last", "format": "tar"}),
    )
    .await;
    let done = until(&bench, &path, |campaign| campaign["state"] == "done").await;
    assert_eq!(done["counts"], json!({"ready": 4}));
    assert_eq!(
        (&done["total"], &done["requested_by"]),
        (&json!(4), &json!("root"))
    );
    let rows = rows(&bench, &path).await;
    let mut users: Vec<&str> = rows
        .iter()
        .map(|row| row["user"].as_str().unwrap())
        .collect();
    users.sort_unstable();
    assert_eq!(users, ["ann", "bob", "john", "root"]);
    assert!(
        rows.iter()
            .all(|row| row["outcome"] == "complete" && row["sha256"].is_string())
    );
    // The person and whoever ordered it fetch it, other administrators hear why not, strangers nothing.
    let ann = rows.iter().find(|row| row["user"] == "ann").unwrap();
    let archive = format!(
        "/api/v1/exports/{}/archive",
        ann["export"].as_str().unwrap()
    );
    let export = archive.trim_end_matches("/archive");
    for (who, status) in [("ann", 200), ("root", 200), ("john", 404), ("boss", 403)] {
        for what in ["archive", "receipt"] {
            let answer = send(&bench, who, "GET", &format!("{export}/{what}"), None).await;
            assert_eq!(answer.status.as_u16(), status, "{who} {what}");
        }
    }
    let refused = send(&bench, "boss", "DELETE", export, None).await;
    assert_eq!(refused.problem(403), "/problems/others-export");
    let mine = send(&bench, "ann", "GET", "/api/v1/exports", None)
        .await
        .json();
    assert_eq!(mine["exports"][0]["requested_by"], "root");
    assert!(mine["exports"][0]["links"]["archive"].is_string());
    let entries = bench
        .audit
        .page(AuditPage {
            before: None,
            limit: 100,
        })
        .await
        .unwrap();
    let of = |action| {
        entries
            .iter()
            .filter(|entry| entry.entry.action == action)
            .count()
    };
    assert_eq!(of(AuditAction::CampaignRequested), 1);
    assert_eq!(of(AuditAction::ExportReady), 4);
}

#[tokio::test]
async fn only_administrators_order_and_see_campaigns() {
    let bench = bench().await;
    let path = order(&bench, &json!({"users": ["ann"]})).await;
    for (method, path) in [
        ("POST", "/api/v1/campaigns".to_owned()),
        ("GET", "/api/v1/campaigns".to_owned()),
        ("GET", path.clone()),
        ("GET", format!("{path}/report")),
        ("POST", format!("{path}/pause")),
        ("POST", format!("{path}/resume")),
        ("DELETE", path.clone()),
    ] {
        let body = json!({"everyone": true});
        let body = (method == "POST").then_some(&body);
        let answer = send(&bench, "john", method, &path, body).await;
        assert_eq!(
            answer.problem(403),
            "/problems/not-administrator",
            "{method} {path}"
        );
    }
    for body in [
        json!({}),
        json!({"everyone": true, "users": ["ann"]}),
        json!({"everyone": false, "organization": 1}),
        json!({"users": []}),
        json!({"organization": 404}),
    ] {
        let answer = send(&bench, "root", "POST", "/api/v1/campaigns", Some(&body)).await;
        assert_eq!(answer.problem(422), "/problems/invalid-order");
    }
    let unknown = "/api/v1/campaigns/00000000-0000-7000-8000-000000000001";
    let answer = send(&bench, "root", "GET", unknown, None).await;
    assert_eq!(answer.problem(404), "/problems/unknown-campaign");
}

#[tokio::test]
async fn a_campaign_of_thousands_is_one_small_order() {
    let bench = bench().await;
    let users: Vec<String> = (0..10_000)
        .map(|number| format!("person-{number}"))
        .collect();
    let path = order(&bench, &json!({ "users": users })).await;
    let campaign = send(&bench, "root", "GET", &path, None).await.json();
    assert_eq!(campaign["total"], 10_000);
    let first = send(
        &bench,
        "root",
        "GET",
        &format!("{path}/report?limit=2"),
        None,
    )
    .await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains(&next));
    let second = send(&bench, "root", "GET", &next, None).await.json();
    assert_eq!(second["rows"].as_array().unwrap().len(), 2);
    assert_ne!(second["rows"], first.json()["rows"]);
}

#[tokio::test]
async fn a_pause_lets_what_runs_end_and_a_place_is_kept_for_others() {
    let bench = bench().await;
    let path = order(&bench, &json!({"users": ["ann", "bob", "cid"]})).await;
    // There are two places: one is kept.
    until(&bench, &path, |campaign| campaign["counts"]["running"] == 1).await;
    let own = send(&bench, "john", "POST", "/api/v1/exports", Some(&json!({}))).await;
    let own = own.header("location").to_owned();
    bench.until(&own, "running").await;
    let paused = send(&bench, "root", "POST", &format!("{path}/pause"), None).await;
    assert_eq!(paused.json()["state"], "paused");
    bench.backend.let_through(2);
    bench.until(&own, "ready").await;
    let counts = json!({"queued": 2, "ready": 1});
    until(&bench, &path, |campaign| campaign["counts"] == counts).await;
    bench.backend.let_through(2);
    send(&bench, "root", "POST", &format!("{path}/resume"), None).await;
    until(&bench, &path, |campaign| campaign["state"] == "done").await;
    let over = send(&bench, "root", "POST", &format!("{path}/pause"), None).await;
    assert_eq!(over.problem(409), "/problems/campaign-over");
}

#[tokio::test]
async fn a_campaign_that_is_given_up_leaves_no_ticket_and_keeps_what_is_ready() {
    let bench = bench().await;
    bench.backend.let_through(1);
    let path = order(&bench, &json!({"users": ["ann", "bob", "cid", "dan"]})).await;
    let is_there = |campaign: &Value| {
        let counts = &campaign["counts"];
        counts["ready"] == 1 && counts["running"] == 1
    };
    until(&bench, &path, is_there).await;
    let gone = send(&bench, "boss", "DELETE", &path, None).await;
    assert_eq!(gone.status.as_u16(), 202);
    let counts = json!({"ready": 1, "cancelled": 3});
    until(&bench, &path, |campaign| campaign["counts"] == counts).await;
    let campaign = send(&bench, "root", "GET", &path, None).await.json();
    assert_eq!(campaign["state"], "cancelled");
    assert_eq!(bench.backend.open_tickets(), 0);
    let page = AuditPage {
        before: None,
        limit: 100,
    };
    let entries = bench.audit.page(page).await.unwrap().into_iter();
    let given_up = entries.filter(|entry| entry.entry.action == AuditAction::ExportCancelled);
    for entry in given_up {
        assert_eq!(entry.entry.actor, Some(crate::testing::user("boss")));
    }
    let again = send(&bench, "root", "DELETE", &path, None).await;
    assert_eq!(again.status.as_u16(), 202);
}

#[tokio::test]
async fn a_key_stands_for_one_campaign() {
    let bench = bench().await;
    let ask = async |body: Value| {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/campaigns")
            .header("authorization", basic("root", "secret"))
            .header("content-type", "application/json")
            .header("idempotency-key", "once");
        bench
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await
    };
    let first = ask(json!({"users": ["ann", "bob"]})).await;
    let again = ask(json!({"users": ["bob", "ann"]})).await;
    assert_eq!(first.header("location"), again.header("location"));
    let other = ask(json!({"users": ["ann"]})).await;
    assert_eq!(other.problem(409), "/problems/idempotency-key-reused");
    let list = send(&bench, "root", "GET", "/api/v1/campaigns", None)
        .await
        .json();
    assert_eq!(list["campaigns"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_report_as_csv_has_a_line_for_each_person() {
    let bench = bench().await;
    bench.backend.let_through(2);
    let path = order(&bench, &json!({"organization": 2})).await;
    until(&bench, &path, |campaign| campaign["state"] == "done").await;
    let request = Request::builder()
        .uri(format!("{path}/report"))
        .header("authorization", basic("root", "secret"))
        .header("accept", "text/csv");
    let answer = bench.send(request.body(Body::empty()).unwrap()).await;
    assert!(answer.header("content-type").starts_with("text/csv"));
    let text = String::from_utf8(answer.body).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "user,export,state,outcome,missing,sha256");
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("\"ann\",") && lines[1].contains(",ready,complete,"));
}

#[tokio::test]
async fn people_are_known_as_the_platform_knows_them() {
    let bench = bench().await;
    bench.backend.let_through(10);
    let path = order(&bench, &json!({"users": ["Ann", "ann", "nobody"]})).await;
    let done = until(&bench, &path, |campaign| campaign["state"] == "done").await;
    assert_eq!(done["total"], 2);
    let rows = rows(&bench, &path).await;
    let users: Vec<&str> = rows
        .iter()
        .map(|row| row["user"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["ann", "nobody"]);
}

/// Where the exports of these states are in the report.
async fn exports(bench: &Bench, path: &str, state: &str) -> Vec<(String, String)> {
    let rows = rows(bench, path).await.into_iter();
    let of_state = rows.filter(|row| row["state"] == state);
    of_state
        .map(|row| {
            let export = format!("/api/v1/exports/{}", row["export"].as_str().unwrap());
            (row["user"].as_str().unwrap().to_owned(), export)
        })
        .collect()
}

async fn actors(bench: &Bench, action: AuditAction) -> Vec<String> {
    let page = AuditPage {
        before: None,
        limit: 100,
    };
    let entries = bench.audit.page(page).await.unwrap().into_iter();
    let of_it = entries.filter(|entry| entry.entry.action == action);
    of_it
        .filter_map(|entry| Some(entry.entry.actor?.to_string()))
        .collect()
}

#[tokio::test]
async fn a_failed_export_is_tried_again_by_its_person_and_by_who_ordered_it() {
    let bench = bench().await;
    bench.backend.add_service_account();
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(2);
    let path = order(&bench, &json!({"users": ["ann", "bob"]})).await;
    until(&bench, &path, |campaign| campaign["state"] == "done").await;
    let failed = exports(&bench, &path, "failed").await;
    assert_eq!(failed.len(), 2);
    bench.backend.behave(Behaviour::Deliver);
    for (person, export) in failed {
        let retry = format!("{export}/retry");
        let stranger = send(&bench, "john", "POST", &retry, None).await;
        assert_eq!(stranger.problem(404), "/problems/unknown-export");
        let other = send(&bench, "boss", "POST", &retry, None).await;
        assert_eq!(other.problem(403), "/problems/others-export");
        let who = if person == "ann" { "ann" } else { "root" };
        let retried = send(&bench, who, "POST", &retry, None).await;
        assert_eq!(retried.status.as_u16(), 202, "{who}");
        let campaign = send(&bench, "root", "GET", &path, None).await.json();
        assert_eq!(campaign["state"], "running");
        bench.backend.let_through(1);
        until(&bench, &path, |campaign| campaign["state"] == "done").await;
    }
    let done = send(&bench, "root", "GET", &path, None).await.json();
    assert_eq!(done["counts"], json!({"ready": 2}));
    let mut tried = actors(&bench, AuditAction::ExportRetried).await;
    tried.sort_unstable();
    assert_eq!(tried, ["ann", "root"]);
    // The service signed in each time.
    assert_eq!(bench.backend.passwords(), ["", "", "", ""]);
}

#[tokio::test]
async fn all_that_failed_of_a_campaign_is_tried_again() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(3);
    let path = order(&bench, &json!({"users": ["ann", "bob", "cid"]})).await;
    until(&bench, &path, |campaign| campaign["state"] == "done").await;
    bench.backend.behave(Behaviour::Deliver);
    let retry = format!("{path}/retry");
    let refused = send(&bench, "john", "POST", &retry, None).await;
    assert_eq!(refused.problem(403), "/problems/not-administrator");
    let refused = send(&bench, "boss", "POST", &retry, None).await;
    assert_eq!(refused.problem(403), "/problems/others-campaign");
    let retried = send(&bench, "root", "POST", &retry, None).await;
    assert_eq!(retried.status.as_u16(), 202);
    assert!(retried.headers.contains_key("retry-after"));
    assert_eq!(retried.json()["state"], "running");
    bench.backend.let_through(3);
    let done = until(&bench, &path, |campaign| campaign["state"] == "done").await;
    assert_eq!(done["counts"], json!({"ready": 3}));
    let nothing = send(&bench, "root", "POST", &retry, None).await;
    assert_eq!(nothing.problem(409), "/problems/nothing-to-retry");
    assert_eq!(actors(&bench, AuditAction::CampaignRetried).await, ["root"]);
}

#[tokio::test]
async fn of_a_campaign_that_was_given_up_only_single_exports_are_tried_again() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(1);
    let path = order(&bench, &json!({"users": ["ann", "bob"]})).await;
    until(&bench, &path, |campaign| campaign["counts"]["failed"] == 1).await;
    send(&bench, "root", "DELETE", &path, None).await;
    until(&bench, &path, |campaign| {
        campaign["counts"]["cancelled"] == 1
    })
    .await;
    let over = send(&bench, "root", "POST", &format!("{path}/retry"), None).await;
    assert_eq!(over.problem(409), "/problems/campaign-over");
    let (person, export) = exports(&bench, &path, "failed").await.remove(0);
    bench.backend.behave(Behaviour::Deliver);
    bench.backend.let_through(1);
    let retry = format!("{export}/retry");
    let retried = send(&bench, &person, "POST", &retry, None).await;
    assert_eq!(retried.status.as_u16(), 202);
    until(&bench, &path, |campaign| campaign["counts"]["ready"] == 1).await;
}

/// Ten exports that a person asked for are under way, and none of them is the campaign's.
#[tokio::test]
async fn a_campaign_s_export_is_tried_again_beside_a_full_share() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(1);
    let path = order(&bench, &json!({"users": ["ann"]})).await;
    until(&bench, &path, |campaign| campaign["state"] == "done").await;
    for number in 1..=10 {
        let own = json!({"include": ["appliances"], "appliances": [number]});
        let taken = send(&bench, "ann", "POST", "/api/v1/exports", Some(&own)).await;
        assert_eq!(taken.status.as_u16(), 202);
    }
    let (_, export) = exports(&bench, &path, "failed").await.remove(0);
    let retry = format!("{export}/retry");
    let retried = send(&bench, "ann", "POST", &retry, None).await;
    assert_eq!(retried.status.as_u16(), 202);
}

/// The service may sign in with an account that may read everybody: who is exported is up to what the platform lets the administrator read.
#[tokio::test]
async fn nobody_is_exported_whom_the_platform_does_not_let_the_administrator_read() {
    let bench = bench().await;
    bench.backend.add_service_account();
    for users in [json!(["john"]), json!(["boss", "john"])] {
        let body = json!({"users": users});
        let answer = send(&bench, "boss", "POST", "/api/v1/campaigns", Some(&body)).await;
        assert!(answer.problem(403).ends_with("/forbidden-person"));
    }
    bench
        .backend
        .is_away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let body = json!({"users": ["boss"]});
    let answer = send(&bench, "boss", "POST", "/api/v1/campaigns", Some(&body)).await;
    assert_eq!(answer.status.as_u16(), 502);
    bench
        .backend
        .is_away
        .store(false, std::sync::atomic::Ordering::SeqCst);
    let all = send(&bench, "root", "GET", "/api/v1/campaigns", None).await;
    assert_eq!(all.json()["campaigns"].as_array().map(Vec::len), Some(0));
}
