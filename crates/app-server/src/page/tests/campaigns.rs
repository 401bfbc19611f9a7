//! Campaigns: ordered, watched, paused, given up, what failed tried again.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::kit::{FORM, Visitor};
use crate::api::bench::bench;
use crate::testing::Behaviour;

#[tokio::test]
async fn a_campaign_is_watched_paused_and_given_up() {
    let bench = bench().await;
    let root = Visitor::signed_in(&bench, "root").await;
    assert!(
        root.page("/campaigns")
            .await
            .contains("No campaign was ordered yet")
    );
    let order = Request::builder()
        .method("POST")
        .uri("/api/v1/campaigns")
        .header("authorization", crate::api::bench::basic("root", "secret"))
        .header("content-type", "application/json")
        .body(Body::from(r#"{"everyone":true}"#))
        .unwrap();
    let ordered = bench.send(order).await;
    let path = ordered
        .header("location")
        .strip_prefix("/api/v1")
        .unwrap()
        .to_owned();
    let page = root.until("/campaigns", "class=\"running\"").await;
    assert!(
        page.contains("Under way") && page.contains("/pause"),
        "{page}"
    );
    let paused = root.post(&format!("{path}/pause"), "").await;
    assert_eq!(paused.header("location"), "/campaigns");
    let page = root.page("/campaigns").await;
    assert!(page.contains("Paused"));
    let report = format!("{path}/report.csv");
    assert!(page.contains(&report), "{page}");
    let saved = root.get(&report).await;
    assert!(saved.header("content-disposition").contains("attachment"));
    let text = String::from_utf8(saved.body).unwrap();
    assert!(text.starts_with("user,export,state,outcome,missing,sha256\r\n"));
    assert_eq!(text.lines().count(), 5, "{text}");
    root.post(&format!("{path}/resume"), "").await;
    let question = root.page(&format!("{path}/delete")).await;
    assert!(question.contains("Cancel the campaign?"), "{question}");
    let mary = Visitor::signed_in(&bench, "mary").await;
    for action in ["pause", "resume", "delete"] {
        let answer = mary.post(&format!("{path}/{action}"), "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{action}");
    }
    root.post(&format!("{path}/delete"), "").await;
    let page = root.until("/campaigns", "Cancelled").await;
    assert!(!page.contains("/pause"), "{page}");
    for language in ["fr", "ja"] {
        let foreign = Visitor::signed_in(&bench, "root").await.reading(language);
        let page = foreign.page("/campaigns").await;
        assert!(
            !page.contains("Cancelled") && page.contains("class=\"cancelled\""),
            "{page}"
        );
    }
}

/// The names and values of the hidden fields of a page, as a form that is sent.
fn hidden(page: &str) -> String {
    let fields = page.split("<input type=\"hidden\" name=\"").skip(1);
    let fields = fields.filter_map(|field| {
        let (name, rest) = field.split_once("\" value=\"")?;
        let value = rest.split('"').next()?;
        (name != "next").then(|| format!("{name}={}", value.replace('\n', "%0A")))
    });
    fields.collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_campaign_is_ordered_after_a_look_at_what_it_comes_to() {
    let bench = bench().await;
    let root = Visitor::signed_in(&bench, "root").await;
    let form = root.page("/campaigns/new").await;
    assert!(
        root.page("/campaigns").await.contains("\"/campaigns/new\"")
            && form.contains("name=\"users\"")
            && form.contains("name=\"since\""),
        "{form}"
    );
    for (whom, said) in [
        (
            "whom=everyone",
            "For everybody whom UForge lists: 4 people.",
        ),
        (
            "whom=organization&organization=2",
            "For the members of organization 2: 2 people.",
        ),
        (
            "whom=users&users=ann%0Abob&organization=",
            "For 2 people by name.",
        ),
    ] {
        let filled = format!("{whom}&what=some&include=profile&format=tar&since=last");
        let asked = root.post("/campaigns/new", &filled).await;
        assert_eq!(asked.status, StatusCode::OK);
        let page = String::from_utf8(asked.body).unwrap();
        assert!(
            page.contains(said) && page.contains("1 kind of data · TAR"),
            "{page}"
        );
        let none = root.page("/campaigns").await;
        assert!(!none.contains("class=\"states\"") || !none.contains(said));
        // Sent twice, it is one campaign.
        for _ in 0..2 {
            let ordered = root.post("/campaigns", &hidden(&page)).await;
            assert_eq!(ordered.header("location"), "/campaigns");
        }
    }
    let list = root.page("/campaigns").await;
    assert_eq!(list.matches("class=\"states\"").count(), 3, "{list}");
    for incomplete in [
        "whom=users&users=+%0A",
        "whom=organization&organization=x",
        "whom=everyone&what=some",
    ] {
        let refused = root.post("/campaigns/new", incomplete).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = String::from_utf8(refused.body).unwrap();
        assert!(page.contains("role=\"alert\""), "{page}");
    }
    let john = Visitor::signed_in(&bench, "john").await;
    assert_eq!(
        john.get("/campaigns/new").await.status,
        StatusCode::FORBIDDEN
    );
    for path in ["/campaigns", "/campaigns/new"] {
        let refused = john.post(path, "whom=everyone").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        // Another site's page cannot send it.
        let request = root
            .request("POST", path)
            .header("origin", "https://evil.example")
            .header("content-type", FORM);
        let request = request.body(Body::from("whom=everyone")).unwrap();
        let refused = bench.send(request).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let many = "x%0A".repeat(50_000);
    let large = root
        .post("/campaigns/new", &format!("whom=users&users={many}"))
        .await;
    assert_eq!(large.status, StatusCode::OK);
}

#[tokio::test]
async fn what_failed_of_a_campaign_is_tried_again_on_its_page() {
    let bench = bench().await;
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(2);
    let root = Visitor::signed_in(&bench, "root").await;
    let boss = Visitor::signed_in(&bench, "boss").await;
    let ordered = root.post("/campaigns", "whom=organization&organization=2");
    assert_eq!(ordered.await.status, StatusCode::SEE_OTHER);
    let page = root.until("/campaigns", "Done").await;
    let (_, rest) = page.split_once("action=\"/campaigns/").unwrap();
    let retry = format!("/campaigns/{}", rest.split('"').next().unwrap());
    assert!(retry.ends_with("/retry"), "{page}");
    assert!(!boss.page("/campaigns").await.contains("/retry"));
    let refused = boss.post(&retry, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    bench.backend.behave(Behaviour::Deliver);
    let retried = root.post(&retry, "").await;
    assert_eq!(retried.header("location"), "/campaigns");
    assert!(root.page("/campaigns").await.contains("Under way"));
    bench.backend.let_through(2);
    let page = root.until("/campaigns", "Done").await;
    assert!(!page.contains("/retry"), "{page}");
    // Whoever ordered it fetches what came of it.
    let trail = root.page("/audit").await;
    let (_, rest) = trail.split_once("href=\"/exports/").unwrap();
    let theirs = format!("/exports/{}", rest.split('"').next().unwrap());
    let page = root.page(&theirs).await;
    assert!(
        page.contains("/archive") && page.contains("<bdi>root</bdi>"),
        "{page}"
    );
    assert!(!boss.page(&theirs).await.contains("/archive"));
    assert_eq!(
        root.get(&format!("{theirs}/delete")).await.status,
        StatusCode::OK
    );
}
