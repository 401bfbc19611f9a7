//! Sessions, and requests from elsewhere, as a browser and a program send them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::jobs::{AuditAction, AuditPage};

use tower::ServiceExt as _;

use super::bench::{Answer, Bench, basic, bench};
use crate::auth::Peer;

const OWN: (&str, &str) = ("origin", "http://exports.example.com");

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "exports.example.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn sign_in(bench: &Bench, headers: &[(&str, &str)], form: &str) -> Answer {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    bench.send(request("POST", "/sign-in", &all, form)).await
}

const JOHN: &str = "login=john&password=secret";

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

async fn actions(bench: &Bench) -> Vec<AuditAction> {
    let page = AuditPage {
        before: None,
        limit: 50,
    };
    let entries = bench.audit.page(page).await.unwrap();
    entries
        .into_iter()
        .map(|entry| entry.entry.action)
        .collect()
}

#[tokio::test]
async fn a_session_is_somebody_until_they_sign_out() {
    let bench = bench().await;
    let signed_in = sign_in(&bench, &[OWN], JOHN).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER);
    assert_eq!(signed_in.header("location"), "/");
    let cookie = cookie(&signed_in);
    let list = request("GET", "/api/v1/exports", &[("cookie", &cookie)], "");
    assert_eq!(bench.send(list).await.status, StatusCode::OK);
    let order = request(
        "POST",
        "/api/v1/exports",
        &[
            ("cookie", &cookie),
            OWN,
            ("content-type", "application/json"),
        ],
        "{}",
    );
    assert_eq!(bench.send(order).await.status, StatusCode::ACCEPTED);

    let again = sign_in(&bench, &[OWN, ("cookie", &cookie)], JOHN).await;
    let fresh = self::cookie(&again);
    assert_ne!(fresh, cookie);
    let stale = request("GET", "/api/v1/exports", &[("cookie", &cookie)], "");
    assert_eq!(
        bench.send(stale).await.problem(401),
        "/problems/unauthenticated"
    );

    let out = request("POST", "/sign-out", &[("cookie", &fresh), OWN], "");
    let out = bench.send(out).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let ended = request("GET", "/api/v1/exports", &[("cookie", &fresh)], "");
    assert_eq!(bench.send(ended).await.status, StatusCode::UNAUTHORIZED);
    let actions = actions(&bench).await;
    for action in [AuditAction::SignedIn, AuditAction::SignedOut] {
        assert!(actions.contains(&action), "{action}");
    }
}

#[tokio::test]
async fn another_site_s_page_changes_nothing() {
    let bench = bench().await;
    let cookie = cookie(&sign_in(&bench, &[], JOHN).await);
    let foreign = [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![OWN, ("sec-fetch-site", "same-site")],
    ];
    for headers in &foreign {
        let refused = sign_in(&bench, headers, JOHN).await;
        assert_eq!(refused.problem(403), "/problems/cross-origin");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    for (method, path) in [
        ("POST", "/api/v1/exports"),
        (
            "DELETE",
            "/api/v1/exports/00000000-0000-7000-8000-000000000000",
        ),
        ("POST", "/sign-out"),
        ("POST", "/sign-in"),
    ] {
        for headers in foreign.iter().chain([&vec![]]) {
            let mut headers = headers.clone();
            headers.push(("cookie", &cookie));
            let refused = bench.send(request(method, path, &headers, "")).await;
            assert_eq!(
                refused.problem(403),
                "/problems/cross-origin",
                "{path} {headers:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_browser_is_shown_no_dialog_and_a_program_is_asked_for_basic() {
    let bench = bench().await;
    for headers in [
        vec![("sec-fetch-mode", "cors")],
        vec![("accept", "text/html,application/xhtml+xml")],
    ] {
        for (method, path) in [("GET", "/api/v1/exports"), ("POST", "/api/v1/exports")] {
            let refused = bench.send(request(method, path, &headers, "")).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            assert!(!refused.header("www-authenticate").contains("Basic"));
        }
    }
    let refused = bench
        .send(request("GET", "/api/v1/exports", &[("accept", "*/*")], ""))
        .await;
    assert!(refused.header("www-authenticate").starts_with("Basic"));
}

#[tokio::test]
async fn the_form_counts_with_the_api() {
    let bench = bench().await;
    for attempt in 0..5 {
        let form = format!("login=john&password=guess{attempt}");
        let refused = sign_in(&bench, &[OWN], &form).await;
        assert_eq!(refused.problem(401), "/problems/unauthenticated");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let slowed = sign_in(&bench, &[OWN], "login=john&password=guess9").await;
    assert_eq!(slowed.problem(429), "/problems/too-many-attempts");
    assert!(slowed.headers.contains_key("retry-after"));
    let api = bench.ask("GET", "/api/v1/exports").await;
    assert_eq!(api.problem(429), "/problems/too-many-attempts");
    assert_eq!(actions(&bench).await, [AuditAction::SignInRefused; 5]);
}

#[tokio::test]
async fn what_is_no_login_or_no_form_is_said_at_the_door() {
    let bench = bench().await;
    for login in ["", "root%5Cjohn", "%E2%80%AEnhoj", "a%0Ab"] {
        let refused = sign_in(&bench, &[OWN], &format!("login={login}&password=x")).await;
        assert_eq!(refused.problem(400), "/problems/invalid-login", "{login}");
    }
    for form in ["", "login=john", "login=a&login=b&password=x", "{}"] {
        let refused = sign_in(&bench, &[OWN], form).await;
        assert_eq!(refused.problem(422), "/problems/invalid-form", "{form}");
    }
    assert_eq!(bench.backend.questions(), 0);
}

#[tokio::test]
async fn a_seventh_event_stream_of_one_person_is_refused() {
    let bench = bench().await;
    let events = format!("{}/events", bench.create().await);
    let open = |headers: &'static str| {
        let mut request = request("GET", &events, &[("authorization", headers)], "");
        request
            .extensions_mut()
            .insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        bench.router.clone().oneshot(request)
    };
    let john: &'static str = basic("john", "secret").leak();
    let mut streams = Vec::new();
    for _ in 0..6 {
        let stream = open(john).await.unwrap();
        assert_eq!(stream.status(), StatusCode::OK);
        streams.push(stream);
    }
    let refused = open(john).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    streams.pop();
    assert_eq!(open(john).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_with_its_account_and_outlives_an_outage() {
    let bench = bench().await;
    let cookie = cookie(&sign_in(&bench, &[OWN], JOHN).await);
    let list = || request("GET", "/api/v1/exports", &[("cookie", &cookie)], "");
    bench.backend.is_away.store(true, Ordering::SeqCst);
    *bench.later.lock().unwrap() += Duration::from_mins(2);
    assert_eq!(bench.send(list()).await.status, StatusCode::OK);
    bench.backend.is_away.store(false, Ordering::SeqCst);
    *bench.backend.accepts.lock().unwrap() = "another";
    *bench.later.lock().unwrap() += Duration::from_mins(2);
    assert_eq!(
        bench.send(list()).await.problem(401),
        "/problems/unauthenticated"
    );
    // It does not come back with the old password.
    *bench.backend.accepts.lock().unwrap() = "secret";
    *bench.later.lock().unwrap() += Duration::from_mins(2);
    assert_eq!(
        bench.send(list()).await.problem(401),
        "/problems/unauthenticated"
    );
}
