//! The interface as a caller sees it, with a platform and runs that the test decides about.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::BODY_LIMIT_BYTES;
use super::bench::{as_john, basic, bench, bench_keeping};
use crate::auth::Peer;
use crate::testing::{BAG, Behaviour};

#[tokio::test]
async fn an_export_is_asked_for_followed_and_fetched() {
    let bench = bench().await;
    let created = bench.post(r#"{"format":"zip"}"#).await;
    assert_eq!(created.status, StatusCode::ACCEPTED);
    assert_eq!(created.header("retry-after"), "5");
    assert_eq!(created.json()["state"], "queued");
    let path = created.header("location").to_owned();

    let running = bench.until(&path, "running").await;
    assert_eq!(running["user"], "john");
    assert!(running["archive"].is_null());
    let early = bench.ask("GET", &format!("{path}/archive")).await;
    assert_eq!(early.problem(409), "/problems/not-ready");
    assert_eq!(early.header("retry-after"), "5");

    bench.backend.let_through(1);
    let ready = bench.until(&path, "ready").await;
    assert_eq!(ready["outcome"], "complete");
    assert_eq!(ready["report"]["format"], "uforge-export/1");
    assert_eq!(ready["archive"]["bytes"], BAG.len());

    let archive = bench.ask("GET", &format!("{path}/archive")).await;
    assert_eq!(archive.status, StatusCode::OK);
    assert_eq!(archive.body, BAG);
    assert_eq!(archive.header("content-type"), "application/zip");
    assert_eq!(
        archive.header("etag"),
        format!("\"{}\"", ready["archive"]["sha256"].as_str().unwrap())
    );
    assert!(
        archive
            .header("content-disposition")
            .starts_with("attachment; filename=\"uforge-john-")
    );

    let downloads = bench.until_downloads(&path, 1).await;
    assert_eq!(downloads[0]["by"], "john");
    assert_eq!(downloads[0]["from"], "127.0.0.1");
    assert_eq!(downloads[0]["complete"], true);
}

#[tokio::test]
async fn whoever_is_not_known_to_the_platform_gets_nothing() {
    let bench = bench().await;
    let path = bench.ready().await;
    for (method, path) in [
        ("GET", "/api/v1/exports"),
        ("POST", "/api/v1/exports"),
        ("GET", &path),
        ("DELETE", &path),
        ("GET", &format!("{path}/archive")),
        ("GET", &format!("{path}/events")),
    ] {
        for header in [None, Some(basic("john", "wrong"))] {
            let request = Request::builder().method(method).uri(path);
            let request = match header {
                Some(header) => request.header("authorization", header),
                None => request,
            };
            let answer = bench.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.problem(401), "/problems/unauthenticated");
            assert!(
                answer
                    .header("www-authenticate")
                    .starts_with("Basic realm=")
            );
        }
    }
}

#[tokio::test]
async fn an_export_is_there_for_its_owner_alone() {
    let bench = bench().await;
    let path = bench.ready().await;
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/archive")),
        ("GET", format!("{path}/events")),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header("authorization", basic("mary", "secret"))
            .body(Body::empty())
            .unwrap();
        let answer = bench.send(request).await;
        assert_eq!(answer.problem(404), "/problems/unknown-export");
    }
    assert_eq!(bench.ask("GET", &path).await.json()["state"], "ready");
}

#[tokio::test]
async fn a_list_comes_in_pages_newest_first() {
    let bench = bench().await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        paths.push(bench.ready().await);
    }
    let ids = |page: &Value| -> Vec<String> {
        let exports = page["exports"].as_array().unwrap().iter();
        exports
            .map(|export| export["links"]["self"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = bench.ask("GET", "/api/v1/exports?limit=2").await;
    assert_eq!(ids(&first.json()), [paths[2].clone(), paths[1].clone()]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(first.header("link"), format!("<{next}>; rel=\"next\""));
    let second = bench.ask("GET", &next).await.json();
    assert_eq!(ids(&second), [paths[0].clone()]);
    assert!(second["next"].is_null());
    for query in ["limit=0", "limit=101", "limit=x", "after=1", "page=2"] {
        let answer = bench.ask("GET", &format!("/api/v1/exports?{query}")).await;
        assert_eq!(answer.problem(400), "/problems/invalid-query", "{query}");
    }
}

#[tokio::test]
async fn a_part_of_an_archive_is_fetched_and_joined() {
    let bench = bench().await;
    let path = format!("{}/archive", bench.ready().await);
    let part = bench.get_with(&path, ("range", "bytes=10-")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body, &BAG[10..]);
    assert_eq!(
        part.header("content-range"),
        format!("bytes 10-{}/{}", BAG.len() - 1, BAG.len())
    );
    let beyond = bench.get_with(&path, ("range", "bytes=1000-")).await;
    assert_eq!(beyond.problem(416), "/problems/range-not-satisfiable");
    assert_eq!(
        beyond.header("content-range"),
        format!("bytes */{}", BAG.len())
    );
    let head = bench.ask("HEAD", &path).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.header("content-length"), BAG.len().to_string());
    assert!(head.body.is_empty());
    let etag = head.header("etag").to_owned();
    for method in ["GET", "HEAD"] {
        let known = bench.ask_with(method, &path, ("if-none-match", &etag));
        let known = known.await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{method}");
        assert_eq!(known.header("etag"), etag);
        let meant = bench.ask_with(method, &path, ("if-match", &etag)).await;
        assert_eq!(meant.status, StatusCode::OK, "{method}");
        let other = bench.ask_with(method, &path, ("if-match", "\"other\""));
        let other = other.await;
        assert_eq!(other.status, StatusCode::PRECONDITION_FAILED, "{method}");
    }
    let other = bench.get_with(&path, ("if-match", "\"other\"")).await;
    assert_eq!(other.problem(412), "/problems/other-archive");
}

#[tokio::test]
async fn large_headers_are_a_problem_like_any_other() {
    let bench = bench().await;
    for (bytes, status) in [
        (30_000, StatusCode::OK),
        (33_000, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        let filled = "y".repeat(bytes);
        let answer = bench.get_with("/healthz", ("x", &filled)).await;
        assert_eq!(answer.status, status, "{bytes}");
        if status != StatusCode::OK {
            assert_eq!(answer.problem(431), "/problems/headers-too-large");
        }
    }
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_end_is_recorded_as_such() {
    let bench = bench().await;
    let path = bench.ready().await;
    let mut request = as_john("GET", &format!("{path}/archive"))
        .body(Body::empty())
        .unwrap();
    request
        .extensions_mut()
        .insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    drop(bench.router.clone().oneshot(request).await.unwrap());
    let downloads = bench.until_downloads(&path, 1).await;
    assert_eq!(downloads[0]["complete"], false);
    assert_eq!(downloads[0]["bytes"], 0);
}

#[tokio::test]
async fn a_deleted_archive_is_gone_and_its_record_stays() {
    let bench = bench().await;
    let path = bench.ready().await;
    for _ in 0..2 {
        let deleted = bench.ask("DELETE", &path).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    }
    let gone = bench.ask("GET", &format!("{path}/archive")).await;
    assert_eq!(gone.problem(410), "/problems/gone");
    let record = bench.ask("GET", &path).await.json();
    assert_eq!(record["state"], "deleted");
    assert_eq!(record["report"]["format"], "uforge-export/1");
    assert_eq!(record["archive"]["available"], false);
    let left = std::fs::read_dir(bench.folder.path().join("bags")).unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn an_archive_whose_time_is_over_is_gone_before_anybody_sweeps() {
    let bench = bench_keeping(Duration::ZERO).await;
    bench.backend.let_through(1);
    let path = bench.create().await;
    let record = bench.until(&path, "expired").await;
    assert_eq!(record["archive"]["available"], false);
    let gone = bench.ask("GET", &format!("{path}/archive")).await;
    assert_eq!(gone.problem(410), "/problems/gone");
}

#[tokio::test]
async fn a_cancelled_export_leaves_no_ticket_and_no_file() {
    let bench = bench().await;
    let path = bench.create().await;
    while bench.backend.open_tickets() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let cancelled = bench.ask("DELETE", &path).await;
    assert_eq!(cancelled.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.backend.open_tickets(), 0);
    assert_eq!(bench.ask("GET", &path).await.json()["state"], "cancelled");
    let gone = bench.ask("GET", &format!("{path}/archive")).await;
    assert_eq!(gone.problem(410), "/problems/gone");
}

#[tokio::test]
async fn a_failed_export_says_why() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::Fail);
    bench.backend.let_through(1);
    let path = bench.create().await;
    let failed = bench.until(&path, "failed").await;
    assert_eq!(
        failed["failure"],
        json!({"message": "the platform went away", "hint": "ask again"})
    );
}

#[tokio::test]
async fn a_body_that_is_no_order_is_refused_with_a_reason() {
    let bench = bench().await;
    let large = format!("{{\"user\":\"{}\"}}", "j".repeat(BODY_LIMIT_BYTES));
    for (body, status, kind) in [
        ("{", 400, "/problems/invalid-json"),
        (r#"{"formt":"zip"}"#, 422, "/problems/invalid-order"),
        (r#"{"include":["secrets"]}"#, 422, "/problems/invalid-order"),
        (r#"["jane"]"#, 422, "/problems/invalid-order"),
        ("[]", 422, "/problems/invalid-order"),
        (r#""jane""#, 422, "/problems/invalid-order"),
        ("null", 422, "/problems/invalid-order"),
        (r#"{"format":{"zip":null}}"#, 422, "/problems/invalid-order"),
        (r#"{"user":"a","user":"b"}"#, 422, "/problems/invalid-order"),
        ("{} {}", 400, "/problems/invalid-json"),
        (&*large, 413, "/problems/body-too-large"),
    ] {
        let answer = bench.post(body).await;
        assert_eq!(answer.problem(status), kind);
    }
    let request = as_john("POST", "/api/v1/exports").body(Body::from("{}"));
    let answer = bench.send(request.unwrap()).await;
    assert_eq!(answer.problem(415), "/problems/unsupported-media-type");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let bench = bench().await;
    for path in ["/api/v1", "/api/v1/exports/1/2/3", "/x"] {
        let answer = bench.ask("GET", path).await;
        assert_eq!(answer.problem(404), "/problems/unknown-path", "{path}");
    }
    for id in [
        "1",
        "..%2f..",
        "%ff",
        "018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f",
    ] {
        let answer = bench.ask("GET", &format!("/api/v1/exports/{id}")).await;
        assert_eq!(answer.problem(404), "/problems/unknown-export", "{id}");
    }
    let answer = bench.ask("PUT", "/api/v1/exports").await;
    assert_eq!(answer.problem(405), "/problems/method-not-allowed");
    assert!(answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn every_answer_keeps_browsers_careful_and_can_be_found_in_the_log() {
    let bench = bench().await;
    for path in ["/healthz", "/readyz", "/api/v1/exports", "/nothing"] {
        let answer = bench.ask("GET", path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
}

#[tokio::test]
async fn events_report_the_progress_and_then_the_end() {
    let bench = bench().await;
    let path = bench.create().await;
    while bench.backend.open_tickets() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let follow = async {
        let path = format!("{path}/events");
        String::from_utf8(bench.ask("GET", &path).await.body).unwrap()
    };
    let go_on = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        bench.backend.let_through(1);
    };
    let (events, ()) = tokio::join!(follow, go_on);
    assert!(events.starts_with("event: progress\nid: "), "{events}");
    assert!(events.contains(r#""stage":"downloading""#), "{events}");
    let end = events.trim_end().rsplit("\n\n").next().unwrap();
    assert!(end.starts_with("event: state\nid: end\n"), "{events}");
    assert!(end.contains(r#""state":"ready""#), "{events}");

    let again = bench
        .get_with(&format!("{path}/events"), ("last-event-id", "end"))
        .await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
}
