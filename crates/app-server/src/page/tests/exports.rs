//! The pages of one's own exports: asked for, watched, fetched, given up, tried again.

use axum::http::StatusCode;

use super::kit::Visitor;
use crate::api::bench::bench;
use crate::testing::Behaviour;

#[tokio::test]
async fn an_export_is_asked_for_watched_and_given_up() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    let path = john.ask().await;
    let page = john.until(&path, "web shop").await;
    assert!(page.contains("data-events=\"/api/v1/exports/"), "{page}");
    assert!(page.contains("0 of 1 archive"), "{page}");
    let part = john.page(&format!("{path}/progress")).await;
    assert!(
        part.contains("web shop") && !part.contains("<html"),
        "{part}"
    );
    let list = john.page("/").await;
    assert!(list.contains(&path) && list.contains("Under way"), "{list}");
    let question = john.page(&format!("{path}/delete")).await;
    assert!(question.contains("Give this export up?"), "{question}");
    let given_up = john.post(&format!("{path}/delete"), "").await;
    assert_eq!(given_up.header("location"), path);
    let page = john.page(&path).await;
    assert!(
        page.contains("Given up") && !page.contains("data-events"),
        "{page}"
    );
    let over = john.get(&format!("{path}/progress")).await;
    assert_eq!(over.status, StatusCode::GONE);
    let again = john.post(&format!("{path}/delete"), "").await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_ready_one_has_its_file_and_sum_until_it_is_deleted() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    bench.backend.let_through(1);
    let path = john.ask().await;
    let page = john.until(&path, "Ready, complete").await;
    let sum = domain::model::Sha256::of(crate::testing::BAG).to_string();
    assert!(page.contains(&sum) && page.contains("sha256sum"), "{page}");
    let archive = path.replace("/exports/", "/api/v1/exports/") + "/archive";
    assert!(page.contains(&format!("href=\"{archive}\"")), "{page}");
    assert!(page.contains("Nobody yet."));
    assert_eq!(john.get(&archive).await.body, crate::testing::BAG);
    let nobody = Visitor::stranger(&bench);
    let refused = nobody.get(&archive).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let form = String::from_utf8(refused.body).unwrap();
    assert!(
        form.contains(&format!("name=\"next\" value=\"{path}\"")),
        "{form}"
    );
    john.until(&path, "the whole file").await;
    let question = john.page(&format!("{path}/delete")).await;
    assert!(question.contains("Delete the file?"), "{question}");
    john.post(&format!("{path}/delete"), "").await;
    let page = john.page(&path).await;
    assert!(
        page.contains("Deleted") && !page.contains("/archive\""),
        "{page}"
    );
    let gone = john.get(&archive).await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(
        String::from_utf8(gone.body)
            .unwrap()
            .contains("There is no file any more")
    );
}

#[tokio::test]
async fn a_failed_one_says_why_and_can_be_tried_again() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(1);
    let path = john.ask().await;
    let page = john.until(&path, "Failed").await;
    for said in [
        "the run broke off",
        "ask again",
        "Possible until",
        "/retry\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let list = john.page("/").await;
    assert!(
        list.contains("the run broke off") && list.contains("/retry\""),
        "{list}"
    );
    bench.backend.behave(Behaviour::Deliver);
    bench.backend.let_through(1);
    let retried = john.post(&format!("{path}/retry"), "").await;
    assert_eq!(retried.header("location"), path);
    john.until(&path, "Ready, complete").await;
    let refused = john.post(&format!("{path}/retry"), "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_waiting_one_says_what_it_waits_for() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    bench.backend.behave(Behaviour::BeAway);
    bench.backend.let_through(1);
    let path = john.ask().await;
    john.until(&path, "UForge does not answer at the moment.")
        .await;
}

#[tokio::test]
async fn nothing_chosen_and_an_unknown_person_are_refused_in_words() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    for (form, status, said) in [
        ("what=some", 422, "Nothing to export"),
        ("user=mary", 403, "does not show you this person"),
        ("surprise=1", 422, "The form was not understood"),
    ] {
        let refused = john.post("/exports", form).await;
        assert_eq!(refused.status.as_u16(), status, "{form}");
        let page = String::from_utf8(refused.body).unwrap();
        assert!(page.contains(said), "{page}");
    }
}
