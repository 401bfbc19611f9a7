//! What administrators see of everybody, and others do not.

use axum::http::StatusCode;

use super::kit::Visitor;
use crate::api::bench::bench;

#[tokio::test]
async fn pages_for_administrators_are_for_them_alone() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    let root = Visitor::signed_in(&bench, "root").await;
    let path = john.ask().await;
    for page in ["/everybody", "/campaigns", "/audit", "/audit.csv"] {
        assert_eq!(john.get(page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    assert!(!john.page("/").await.contains("/everybody"));
    assert!(!john.page("/").await.contains("id=\"user\""));
    let everybody = root.page("/everybody").await;
    assert!(
        everybody.contains(&path) && everybody.contains("<bdi>john</bdi>"),
        "{everybody}"
    );
    assert!(everybody.contains("Not answered yet"));
    let trail = root.page("/audit").await;
    assert!(
        trail.contains("export asked for") && trail.contains(&path),
        "{trail}"
    );
    let csv = root.get("/audit.csv?limit=2").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"audit.csv\""
    );
    let home = root.page("/").await;
    assert!(home.contains("id=\"user\""), "{home}");
    // Somebody else's export: its record, nothing to fetch, to change or to follow.
    bench.backend.let_through(1);
    john.until(&path, "Ready, complete").await;
    let theirs = root.page(&path).await;
    assert!(
        !theirs.contains("/archive") && !theirs.contains("/delete"),
        "{theirs}"
    );
    assert_eq!(
        root.get(&format!("{path}/delete")).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        root.post(&format!("{path}/delete"), "").await.status,
        StatusCode::NOT_FOUND
    );
    // And to people who are no administrators it is not there at all.
    let mary = Visitor::signed_in(&bench, "mary").await;
    assert_eq!(mary.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_administrator_asks_for_somebody() {
    let bench = bench().await;
    let root = Visitor::signed_in(&bench, "root").await;
    let asked = root.post("/exports", "what=everything&user=Mary").await;
    let path = asked.header("location").to_owned();
    let page = root.page(&path).await;
    assert!(
        page.contains("<bdi>mary</bdi>") && page.contains("<bdi>root</bdi>"),
        "{page}"
    );
}
