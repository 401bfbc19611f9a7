//! Paths that are no page: files of the pages, and addresses of forms.

use axum::http::StatusCode;

use super::kit::Visitor;
use crate::api::bench::bench;

#[tokio::test]
async fn files_of_the_pages_may_be_kept_and_pages_may_not() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    let path = john.ask().await;
    let page = john.page(&path).await;
    for (before, kind) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("defer src=\"", "text/javascript; charset=utf-8"),
        ("type=\"image/svg+xml\" href=\"", "image/svg+xml"),
    ] {
        let (_, rest) = page.split_once(before).unwrap();
        let asset = rest.split('"').next().unwrap();
        let file = john.get(asset).await;
        assert_eq!(file.status, StatusCode::OK, "{asset}");
        assert_eq!(file.header("content-type"), kind);
        assert!(file.header("cache-control").contains("immutable"));
        assert!(file.headers.contains_key("content-security-policy"));
    }
    assert_eq!(john.get(&path).await.header("cache-control"), "no-store");
    let other = john.get("/assets/page-0000000000000000.css").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(other.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_address_of_a_form_loaded_again_leads_to_a_page() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    let path = john.ask().await;
    for (address, location) in [
        ("/sign-in".to_owned(), "/".to_owned()),
        ("/sign-out".to_owned(), "/".to_owned()),
        ("/exports".to_owned(), "/".to_owned()),
        ("/language".to_owned(), "/".to_owned()),
        (format!("{path}/retry"), path.clone()),
    ] {
        let answer = john.get(&address).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{address}");
        assert_eq!(answer.header("location"), location);
    }
    assert_eq!(john.get("/nowhere").await.status, StatusCode::NOT_FOUND);
}
