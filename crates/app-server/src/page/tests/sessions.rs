//! Signing in, and the language.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::kit::{FORM, Visitor};
use crate::api::bench::bench;

#[tokio::test]
async fn without_a_session_the_first_page_is_the_form_to_sign_in() {
    let bench = bench().await;
    let mut visitor = Visitor::stranger(&bench);
    for (language, said) in [
        ("en", "lang=\"en\""),
        ("fr-CA", "Se connecter"),
        ("ja", "ログイン"),
        ("de", "Sign in"),
    ] {
        visitor.language = language;
        let page = visitor.page("/").await;
        assert!(page.contains(said), "{page}");
        assert!(page.contains("action=\"/sign-in\""));
    }
    visitor.language = "en";
    let elsewhere = visitor.get("/everybody").await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    assert_eq!(elsewhere.header("www-authenticate"), "Form");
    let page = String::from_utf8(elsewhere.body).unwrap();
    assert!(
        page.contains("name=\"next\" value=\"/everybody\""),
        "{page}"
    );
    visitor.cookie = "uforge-export=x".to_owned();
    assert!(visitor.page("/").await.contains("Your session is over"));
}

#[tokio::test]
async fn a_wrong_password_is_a_page_in_the_person_s_language_and_a_document_for_programs() {
    let bench = bench().await;
    let visitor = Visitor::stranger(&bench).reading("fr");
    let wrong = "login=john&password=wrong&next=%2Faudit";
    let refused = visitor.post("/sign-in", wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let page = String::from_utf8(refused.body.clone()).unwrap();
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.contains("role=\"alert\"") && page.contains("n’a pas accepté"),
        "{page}"
    );
    assert!(!page.contains("wrong"));
    for number in 0..4 {
        visitor
            .post("/sign-in", &format!("login=john&password=w{number}"))
            .await;
    }
    let slowed = visitor.post("/sign-in", "login=john&password=w9").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.headers.contains_key("retry-after"));
    let page = String::from_utf8(slowed.body).unwrap();
    assert!(page.contains("Trop de mots de passe"), "{page}");
    let program = Request::post("/sign-in").header("content-type", FORM);
    let program = program.body(Body::from("login=john&password=w9")).unwrap();
    assert_eq!(
        bench.send(program).await.problem(429),
        "/problems/too-many-attempts"
    );
}

#[tokio::test]
async fn a_language_is_chosen_and_leads_back_and_nowhere_else() {
    let bench = bench().await;
    let john = Visitor::signed_in(&bench, "john").await;
    for (next, location) in [
        ("%2Faudit", "/audit"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("", "/"),
    ] {
        let form = format!("language=ja&next={next}");
        let chosen = john.post("/language", &form).await;
        assert_eq!(chosen.status, StatusCode::SEE_OTHER);
        assert_eq!(chosen.header("location"), location, "{next}");
        let set = chosen.header("set-cookie").to_owned();
        assert!(set.starts_with("uforge-export-language=ja;"), "{set}");
        let form = format!("login=john&password=secret&next={next}");
        let signed_in = john.post("/sign-in", &form).await;
        assert_eq!(signed_in.header("location"), location, "{next}");
    }
    let unknown = john.post("/language", "language=%0d%0aset-cookie:x").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut john = john;
    john.cookie.push_str("; uforge-export-language=ja");
    assert!(john.page("/").await.contains("<html lang=\"ja\">"));
}
