//! Orders that are repeated, shares, other people's data, the audit trail, the document of the interface.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::jobs::{AuditAction, AuditPage, NumberedEntry};
use serde_json::{Value, json};

use super::bench::{Answer, Bench, as_john, basic, bench};
use crate::testing::{BAG, Behaviour};

/// Who administers the service of these tests.
const ADMINISTRATOR: &str = "root";

async fn as_person(bench: &Bench, login: &str, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", basic(login, "secret"));
    bench.send(request.body(Body::empty()).unwrap()).await
}

async fn order(bench: &Bench, key: &str, body: &str) -> Answer {
    let request = as_john("POST", "/api/v1/exports")
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    bench
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn trail(bench: &Bench) -> Vec<NumberedEntry> {
    let page = AuditPage {
        before: None,
        limit: 1000,
    };
    let mut entries = bench.audit.page(page).await.unwrap();
    entries.reverse();
    entries
}

async fn entries(bench: &Bench, action: AuditAction) -> Vec<NumberedEntry> {
    let mut entries = trail(bench).await;
    entries.retain(|entry| entry.entry.action == action);
    entries
}

#[tokio::test]
async fn no_body_at_all_is_an_order_for_everything() {
    let bench = bench().await;
    let nothing = bench.ask("POST", "/api/v1/exports").await;
    assert_eq!(nothing.status, StatusCode::ACCEPTED);
    let sections = nothing.json()["order"]["include"].clone();
    assert_eq!(
        sections.as_array().unwrap().len(),
        domain::model::Section::ALL.len()
    );
    // What `curl -d ''` sends.
    let request = as_john("POST", "/api/v1/exports")
        .header("content-type", "application/x-www-form-urlencoded");
    let form = bench.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(form.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_same_order_twice_is_one_export_while_it_is_under_way() {
    let bench = bench().await;
    let first = bench.post("{}").await;
    let second = bench.post("").await;
    assert_eq!(second.status, StatusCode::ACCEPTED);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.header("retry-after"), "5");
    let other = bench.post(r#"{"format":"tar"}"#).await;
    assert_ne!(first.header("location"), other.header("location"));
    assert_eq!(entries(&bench, AuditAction::ExportRequested).await.len(), 2);
}

#[tokio::test]
async fn a_key_stands_for_one_order() {
    let bench = bench().await;
    bench.backend.let_through(1);
    let first = order(&bench, "k1", "{}").await;
    let path = first.header("location").to_owned();
    bench.until(&path, "ready").await;
    // Without a key this would be a new export by now.
    let again = order(&bench, "k1", "{}").await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(again.header("location"), path);
    let other = order(&bench, "k1", r#"{"format":"tar"}"#).await;
    assert_eq!(other.problem(409), "/problems/idempotency-key-reused");
    assert!(other.headers.contains_key("retry-after"));
    let free = order(&bench, "k2", "{}").await;
    assert_ne!(free.header("location"), path);
    for key in ["", "\u{e4}", &"k".repeat(256)] {
        let answer = order(&bench, key, "{}").await;
        assert_eq!(answer.problem(400), "/problems/invalid-idempotency-key");
    }
}

#[tokio::test]
async fn a_key_of_an_order_that_is_under_way_stands_for_that_one() {
    let bench = bench().await;
    let path = bench.create().await;
    let keyed = order(&bench, "k", "{}").await;
    assert_eq!(keyed.header("location"), path);
    bench.backend.let_through(1);
    bench.until(&path, "ready").await;
    assert_eq!(order(&bench, "k", "{}").await.header("location"), path);
}

#[tokio::test]
async fn a_key_is_free_again_when_its_order_is_refused() {
    let bench = bench().await;
    for _ in 0..3 {
        bench.ready().await;
    }
    let refused = order(&bench, "k", "{}").await;
    assert_eq!(refused.problem(409), "/problems/too-many-archives");
    let other = order(&bench, "k", r#"{"format":"tar"}"#).await;
    assert_eq!(other.problem(409), "/problems/too-many-archives");
}

#[tokio::test]
async fn requests_with_one_key_at_once_are_one_export() {
    let bench = bench().await;
    let orders = (0..8).map(|_| order(&bench, "k", "{}"));
    let mut paths: Vec<String> = futures_util::future::join_all(orders)
        .await
        .iter()
        .map(|answer| answer.header("location").to_owned())
        .collect();
    paths.dedup();
    assert_eq!(paths.len(), 1);
    assert_eq!(entries(&bench, AuditAction::ExportRequested).await.len(), 1);
}

#[tokio::test]
async fn too_many_archives_are_named_and_one_of_them_can_be_deleted() {
    let bench = bench().await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(bench.ready().await);
    }
    let refused = bench.post("{}").await;
    assert_eq!(refused.problem(409), "/problems/too-many-archives");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(kept.iter().all(|path| detail.contains(path)), "{detail}");
    // The first of them expires within an hour.
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    bench.ask("DELETE", &kept[0]).await;
    assert_eq!(bench.post("{}").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn too_many_unfinished_exports_and_too_many_orders_say_when_to_try_again() {
    let bench = bench().await;
    let body = |number: usize| format!("{{\"appliances\":[{}]}}", number + 1);
    let mut paths = Vec::new();
    for number in 0..10 {
        let created = bench.post(&body(number)).await;
        paths.push(created.header("location").to_owned());
    }
    let refused = bench.post(&body(10)).await;
    assert_eq!(refused.problem(429), "/problems/too-many-exports");
    assert_eq!(refused.header("retry-after"), "30");
    for number in 10..20 {
        bench.ask("DELETE", &paths.pop().unwrap()).await;
        let created = bench.post(&body(number)).await;
        assert_eq!(created.status, StatusCode::ACCEPTED, "{number}");
        paths.push(created.header("location").to_owned());
    }
    bench.ask("DELETE", &paths.pop().unwrap()).await;
    let refused = bench.post(&body(20)).await;
    assert_eq!(refused.problem(429), "/problems/too-many-orders");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
}

#[tokio::test]
async fn somebody_else_s_data_is_for_whom_the_platform_lets_read_it() {
    let bench = bench().await;
    let refused = bench.post(r#"{"user":"mary"}"#).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let entry = &entries(&bench, AuditAction::ExportRefused).await[0].entry;
    assert_eq!(entry.actor.as_ref().unwrap().as_str(), "john");
    assert_eq!(entry.subject.as_ref().unwrap().as_str(), "mary");
    assert_eq!(entry.from.as_deref(), Some("127.0.0.1"));
    assert!(
        entries(&bench, AuditAction::ExportRequested)
            .await
            .is_empty()
    );

    let request = Request::builder().method("POST").uri("/api/v1/exports");
    let request = request
        .header("authorization", basic(ADMINISTRATOR, "secret"))
        .header("content-type", "application/json");
    let created = bench
        .send(request.body(Body::from(r#"{"user":"mary"}"#)).unwrap())
        .await;
    assert_eq!(created.status, StatusCode::ACCEPTED);
    let record = created.json();
    assert_eq!(
        (&record["user"], &record["requested_by"]),
        (&json!("mary"), &json!(ADMINISTRATOR))
    );
    let path = created.header("location");
    assert_eq!(
        as_person(&bench, "mary", "GET", path).await.problem(404),
        "/problems/unknown-export"
    );
}

#[tokio::test]
async fn administrators_read_every_record_and_no_archive() {
    let bench = bench().await;
    let path = bench.ready().await;
    let refused = bench.ask("GET", "/api/v1/exports?all=true").await;
    assert_eq!(refused.problem(403), "/problems/not-administrator");
    let list = as_person(&bench, ADMINISTRATOR, "GET", "/api/v1/exports?all=true")
        .await
        .json();
    assert_eq!(list["exports"][0]["requested_by"], "john");
    assert_eq!(list["exports"][0]["links"]["archive"], Value::Null);
    let own = as_person(&bench, ADMINISTRATOR, "GET", "/api/v1/exports")
        .await
        .json();
    assert_eq!(own["exports"], json!([]));
    let record = as_person(&bench, ADMINISTRATOR, "GET", &path).await;
    assert_eq!(record.json()["state"], "ready");
    for (method, rest) in [
        ("GET", "/archive"),
        ("HEAD", "/archive"),
        ("DELETE", ""),
        ("POST", "/retry"),
    ] {
        let answer = as_person(&bench, ADMINISTRATOR, method, &format!("{path}{rest}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {rest}");
    }
}

#[tokio::test]
async fn a_record_that_is_known_is_not_sent_again() {
    let bench = bench().await;
    let path = bench.ready().await;
    for path in [path.as_str(), "/api/v1/exports"] {
        let tag = bench.ask("GET", path).await.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        let known = bench.get_with(path, ("if-none-match", &tag)).await;
        assert_eq!(
            (known.status, known.body.len()),
            (StatusCode::NOT_MODIFIED, 0)
        );
        let other = bench.get_with(path, ("if-none-match", "\"other\"")).await;
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn only_a_failed_export_of_which_something_is_kept_is_tried_again() {
    let bench = bench().await;
    let ready = bench.ready().await;
    bench.backend.behave(Behaviour::Fail);
    bench.backend.let_through(1);
    let failed = bench.create().await;
    bench.until(&failed, "failed").await;
    for path in [ready, failed] {
        let wrong = bench.ask("POST", &format!("{path}/retry")).await;
        assert_eq!(wrong.problem(409), "/problems/not-resumable");
        assert!(wrong.headers.contains_key("retry-after"));
    }
    assert!(entries(&bench, AuditAction::ExportRetried).await.is_empty());
}

#[tokio::test]
async fn a_waiting_export_says_for_what_and_is_followed() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::BeAway);
    bench.backend.let_through(1_000);
    let path = bench.create().await;
    let record = bench.until(&path, "waiting").await;
    assert_eq!(record["waiting_for"], "platform");
    assert!(record["retry"].is_string());
    bench.backend.behave(Behaviour::Deliver);
    let events = bench.ask("GET", &format!("{path}/events")).await;
    assert_eq!(events.header("x-accel-buffering"), "no");
    assert_eq!(events.header("content-type"), "text/event-stream");
    let text = String::from_utf8(events.body).unwrap();
    assert!(text.contains(r#""state":"ready""#), "{text}");
}

#[tokio::test]
async fn a_download_is_one_entry_however_many_ranges() {
    let bench = bench().await;
    let path = bench.ready().await;
    let archive = format!("{path}/archive");
    for range in ["bytes=0-9", "bytes=10-19", "bytes=20-"] {
        assert_eq!(
            bench.get_with(&archive, ("range", range)).await.status,
            StatusCode::PARTIAL_CONTENT
        );
    }
    let record = loop {
        let record = bench.ask("GET", &path).await.json();
        if record["downloads"][0]["transfers"] == 3 {
            break record;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(record["downloads_total"], 1);
    assert_eq!(record["downloads"][0]["complete"], true);
    let downloaded = entries(&bench, AuditAction::Downloaded).await;
    assert_eq!(downloaded.len(), 1);
    let entry = &downloaded[0].entry;
    assert_eq!(entry.bytes, Some(BAG.len() as u64));
    assert_eq!(
        entry.sha256.unwrap().to_string(),
        record["archive"]["sha256"]
    );
    bench.ask("DELETE", &path).await;
    let deleted = entries(&bench, AuditAction::Deleted).await;
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].entry.sha256, entry.sha256);
}

#[tokio::test]
async fn the_trail_is_read_by_administrators_in_pages_and_that_is_an_entry_too() {
    let bench = bench().await;
    let refused = bench.ask("GET", "/api/v1/audit").await;
    assert_eq!(refused.problem(403), "/problems/not-administrator");
    bench.ready().await;
    bench.ready().await;
    let first = as_person(&bench, ADMINISTRATOR, "GET", "/api/v1/audit?limit=3").await;
    let page = first.json();
    assert_eq!(page["entries"].as_array().unwrap().len(), 3);
    assert_eq!(page["entries"][0]["number"], 4);
    let next = page["next"].as_str().unwrap();
    assert_eq!(first.header("link"), format!("<{next}>; rel=\"next\""));
    let second = as_person(&bench, ADMINISTRATOR, "GET", next).await.json();
    assert_eq!(second["entries"].as_array().unwrap().len(), 1);
    assert_eq!(second["entries"][0]["action"], "export-requested");
    assert_eq!(second["next"], Value::Null);
    let read = entries(&bench, AuditAction::AuditRead).await;
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].entry.detail.as_deref(), Some("entries 2 to 4"));
    for query in ["limit=0", "limit=1001", "before=x", "before=-1", "page=1"] {
        let path = format!("/api/v1/audit?{query}");
        let answer = as_person(&bench, ADMINISTRATOR, "GET", &path).await;
        assert_eq!(answer.problem(400), "/problems/invalid-query", "{query}");
    }
}

#[tokio::test]
async fn the_trail_is_csv_where_that_is_asked_for() {
    let bench = bench().await;
    bench.create().await;
    let request = Request::builder()
        .uri("/api/v1/audit")
        .header("accept", "text/csv");
    let request = request.header("authorization", basic(ADMINISTRATOR, "secret"));
    let answer = bench.send(request.body(Body::empty()).unwrap()).await;
    assert!(answer.header("content-type").starts_with("text/csv"));
    let text = String::from_utf8(answer.body).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("number,at,action,actor"));
    assert!(
        lines
            .next()
            .unwrap()
            .contains("export-requested,\"john\",\"john\",\"127.0.0.1\"")
    );
}

/// Every route that is registered is described: both come from the same list, and what is not in it is not there.
#[tokio::test]
async fn the_document_describes_every_route() {
    let bench = bench().await;
    let answer = bench
        .send(
            Request::builder()
                .uri("/api/v1/openapi.json")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(
                operation["responses"]["default"].is_object(),
                "{method} {path}"
            );
            described.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    described.sort();
    assert_eq!(
        described,
        [
            "DELETE /api/v1/campaigns/{id}",
            "DELETE /api/v1/exports/{id}",
            "GET /api/v1/audit",
            "GET /api/v1/campaigns",
            "GET /api/v1/campaigns/{id}",
            "GET /api/v1/campaigns/{id}/report",
            "GET /api/v1/exports",
            "GET /api/v1/exports/{id}",
            "GET /api/v1/exports/{id}/archive",
            "GET /api/v1/exports/{id}/events",
            "GET /api/v1/exports/{id}/receipt",
            "GET /api/v1/exports/{id}/receipt.minisig",
            "GET /api/v1/openapi.json",
            "GET /api/v1/reference",
            "GET /api/v1/reference.css",
            "GET /healthz",
            "GET /metrics",
            "GET /readyz",
            "POST /api/v1/campaigns",
            "POST /api/v1/campaigns/{id}/pause",
            "POST /api/v1/campaigns/{id}/resume",
            "POST /api/v1/campaigns/{id}/retry",
            "POST /api/v1/exports",
            "POST /api/v1/exports/{id}/retry",
            "POST /sign-in",
            "POST /sign-out",
        ]
    );
    references_exist(&document, &document);
}

fn references_exist(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            fields
                .values()
                .for_each(|field| references_exist(document, field));
        }
        Value::Array(parts) => parts
            .iter()
            .for_each(|part| references_exist(document, part)),
        _ => {}
    }
}

#[tokio::test]
async fn the_reference_page_is_plain() {
    let bench = bench().await;
    let page = bench
        .send(
            Request::builder()
                .uri("/api/v1/reference")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(page.header("content-type").starts_with("text/html"));
    let text = String::from_utf8(page.body.clone()).unwrap();
    for path in [
        "/api/v1/exports/{id}/archive",
        "/api/v1/audit",
        "requested_by",
    ] {
        assert!(text.contains(path), "{path}");
    }
    for forbidden in [
        "<script", "http://", "https://", "style=", "<style", "onclick",
    ] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    let policy = page.header("content-security-policy");
    for rule in [
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
}

#[tokio::test]
async fn other_origins_get_no_permission() {
    let bench = bench().await;
    let request = as_john("OPTIONS", "/api/v1/exports")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST");
    let answer = bench.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let cors = answer
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control"));
    assert!(!cors);
}
