//! Who somebody is: what a platform of the test's own says, and what the service makes of it.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse as _, Response};

use app_server::{Running, Settings, start};

use crate::caller::Caller;

fn xml(body: &'static str) -> Response {
    ([(CONTENT_TYPE, "application/xml")], body).into_response()
}

/// A platform that answers everybody alike, and a service in front of it.
async fn service(answer: fn() -> Response) -> (Running, tempfile::TempDir) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    let platform = Router::new().fallback(async move || answer());
    tokio::spawn(async move { axum::serve(listener, platform).await });
    let folder = tempfile::tempdir().unwrap();
    let service = start(Settings::new(url, folder.path().join("data")))
        .await
        .unwrap();
    (service, folder)
}

#[tokio::test]
async fn an_answer_without_a_login_authenticates_nobody() {
    let answers: [fn() -> Response; 7] = [
        || xml("<user><dbId>1</dbId><name>mary</name></user>"),
        || xml("<user><name>mary</name><loginName></loginName></user>"),
        || xml("<user><name>mary</name><loginName>\u{202e}yram</loginName></user>"),
        || xml("<users><user><loginName>mary</loginName></user></users>"),
        || {
            (
                [(CONTENT_TYPE, "text/html")],
                "<html><body>Sign in</body></html>",
            )
                .into_response()
        },
        || (StatusCode::FOUND, [(LOCATION, "/login")]).into_response(),
        || "garbage".into_response(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (service, _folder) = service(answer).await;
        let refused = Caller::new(service.url(), "john", "secret")
            .get("/api/v1/exports")
            .await;
        assert_eq!(refused.status, 502, "answer {number}");
    }
}

#[tokio::test]
async fn somebody_is_whom_the_platform_says() {
    let (service, _folder) =
        service(|| xml("<user><name>mary</name><loginName>john</loginName></user>")).await;
    let typed = Caller::new(service.url(), "JOHN", "secret");
    let list = typed.get("/api/v1/exports").await;
    assert_eq!(list.status, 200);
    let created = typed.post("{}").await;
    assert_eq!(created.status, 202);
    let export = typed.get(&created.headers["location"]).await.json();
    assert_eq!(export["user"], "john", "{export:#}");
}
