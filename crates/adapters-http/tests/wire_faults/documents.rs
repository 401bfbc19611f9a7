use std::time::Duration;

use domain::model::{ListResource, Page, Representation, Resource};
use domain::ports::{ApiError, Document, UserDataApi as _};

use crate::server::{IMPATIENCE, Reply, Server, settings};

const USER: Resource = Resource::User;

async fn user(reply: Reply) -> Result<Document, ApiError> {
    fetched(Server::replying([reply]).await).await
}

/// The same of a server that falls silent.
async fn user_of_silent(reply: Reply) -> Result<Document, ApiError> {
    fetched(Server::replying([reply]).await.silent()).await
}

async fn fetched(server: Server) -> Result<Document, ApiError> {
    let api = server.api();
    let fetched = api.document(USER, Representation::Xml);
    let fetched = tokio::time::timeout(Duration::from_mins(1), fetched).await;
    fetched.unwrap()
}

fn ok(head: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::answer("200 OK", head, body.as_ref())
}

fn detail(result: Result<Document, ApiError>) -> String {
    match result {
        Err(ApiError::Unreadable { request, detail }) => {
            assert_eq!(request, "GET users/john");
            detail
        }
        Err(error @ ApiError::Empty { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_is_its_bytes_and_its_facts() {
    let body = "\u{feff}<?xml version=\"1.0\"?>\r\n<q:user xmlns:q='http://www.usharesoft.com/uforge'><dbId>3</dbId><loginName>john</loginName></q:user>\n";
    let document = user(ok(
        "Content-Type: text/xml; charset=utf-8\r\nSet-Cookie: JSESSIONID=1\r\n",
        body,
    ))
    .await
    .unwrap();
    assert_eq!(document.bytes, body.as_bytes());
    assert_eq!(document.media_type, "text/xml");
    assert_eq!(document.request, "GET users/john");
    assert_eq!(document.facts.objects[0].id, Some(3));
}

#[tokio::test]
async fn a_twin_in_json_is_kept_without_facts() {
    let server =
        Server::replying([ok("Content-Type: application/json\r\n", "{\"users\": []}")]).await;
    let what = Resource::List(
        ListResource::Appliances,
        Page::From {
            offset: 5,
            count: 2,
        },
    );
    let document = server
        .api()
        .document(what, Representation::Json)
        .await
        .unwrap();
    assert_eq!(
        (&document.bytes[..], document.facts.objects.len()),
        (&b"{\"users\": []}"[..], 0)
    );
    assert_eq!(
        document.request,
        "GET users/john/appliances?count=2&offset=5"
    );
    assert!(server.heads()[0].contains("accept: application/json\r\n"));
}

#[tokio::test]
async fn a_request_asks_for_plain_bytes_keeps_no_cookie_and_the_connection() {
    let cookie = "Content-Type: application/xml\r\nSet-Cookie: JSESSIONID=1\r\n";
    let server = Server::replying([ok(cookie, "<user/>")]).await;
    let api = server.api();
    for _ in 0..2 {
        api.document(USER, Representation::Xml).await.unwrap();
    }
    for head in server.heads() {
        assert!(
            head.starts_with("GET /api/users/john HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
        assert!(head.contains("user-agent: test/1\r\n"), "{head}");
        assert!(
            head.contains("authorization: Basic am9objpodW50ZXIy\r\n"),
            "{head}"
        );
        assert!(!head.contains("cookie"), "{head}");
    }
}

#[tokio::test]
async fn a_login_page_with_status_200_is_not_a_uforge() {
    for (head, body) in [
        (
            "Content-Type: text/html\r\n",
            "<!DOCTYPE html><title>Log in</title>",
        ),
        (
            "Content-Type: application/xml\r\n",
            "<!doctype HTML><title>Log in</title>",
        ),
        ("", "<html><body></body></html>"),
    ] {
        let result = user(ok(head, body)).await;
        assert!(
            matches!(&result, Err(ApiError::NotUForge { media_type, .. }) if media_type == "text/html"),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_document_that_is_something_else_says_what() {
    let xml = "Content-Type: application/xml\r\n";
    for (head, body, word) in [
        (
            xml,
            b"<!DOCTYPE u [<!ENTITY a 'b'>]><user>&a;</user>".to_vec(),
            "document type",
        ),
        (xml, b"<user><name>\xff</name></user>".to_vec(), "UTF-8"),
        (xml, "<a>".repeat(10_000).into_bytes(), "deeper"),
        (xml, b"<user>".to_vec(), "well-formed"),
        (xml, b"<appliances/>".to_vec(), "`appliances`"),
        (xml, Vec::new(), "empty"),
        (xml, b"{}".to_vec(), "JSON"),
        (
            "Content-Type: application/xml\r\nContent-Encoding: gzip\r\n",
            b"\x1f\x8b".to_vec(),
            "gzip",
        ),
    ] {
        let said = detail(user(ok(head, body)).await);
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn a_document_beyond_the_limit_is_not_read_to_its_end() {
    let announced = Reply::Silence(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 10737418240\r\n\r\n<user>".to_vec());
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let endless = Reply::Drip(head.into(), chunk.into(), Duration::ZERO);
    for reply in [announced, endless] {
        let result = user(reply).await;
        assert_eq!(
            result,
            Err(ApiError::TooLarge {
                request: "GET users/john".to_owned(),
                limit: 64 * 1024
            })
        );
    }
}

#[tokio::test]
async fn silence_ends() {
    let half_head = b"HTTP/1.1 200 OK\r\nContent-".to_vec();
    let half_body =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 100\r\n\r\n<user>"
            .to_vec();
    for reply in [
        Reply::Silence(Vec::new()),
        Reply::Silence(half_head),
        Reply::Silence(half_body),
    ] {
        let result = user_of_silent(reply).await;
        assert!(
            matches!(result, Err(ApiError::Stalled { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_lets_single_bytes_drip_ends() {
    let tick = Duration::from_millis(50);
    let head = Reply::Drip(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X".to_vec(), tick);
    let body = Reply::Drip(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 60000\r\n\r\n"
            .to_vec(),
        b" ".to_vec(),
        tick,
    );
    let result = user_of_silent(head).await;
    assert!(
        matches!(result, Err(ApiError::Stalled { .. })),
        "{result:?}"
    );
    let result = user_of_silent(body).await;
    // On a busy machine a pause between two bytes may be as long as a stall.
    assert!(
        matches!(
            result,
            Err(ApiError::Interrupted { .. } | ApiError::Stalled { .. })
        ),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_interrupted() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n";
    for framing in [
        "Content-Length: 100\r\n\r\n<user/>",
        "Transfer-Encoding: chunked\r\n\r\n7\r\n<user/>\r\n",
    ] {
        let result = user(Reply::Close(format!("{head}{framing}").into_bytes())).await;
        assert_eq!(
            result,
            Err(ApiError::Interrupted {
                request: "GET users/john".to_owned(),
                received: 7
            })
        );
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_may_have_been_asked_for() {
    let result = user(Reply::Close(Vec::new())).await;
    assert!(
        matches!(result, Err(ApiError::NoAnswer { sent: true, .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn headers_without_an_end_do_not_fill_the_memory() {
    let line = format!("X-Filler: {}\r\n", "x".repeat(8000));
    let result = user(Reply::Drip(
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        line.into(),
        Duration::ZERO,
    ))
    .await;
    assert!(
        matches!(result, Err(ApiError::NoAnswer { sent: true, .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let server = Server::replying([]).await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    assert_ne!(gone, server.port);
    let api =
        adapters_http::UforgeApi::new(settings(&format!("http://127.0.0.1:{gone}/api"))).unwrap();
    let result = api.document(USER, Representation::Xml).await;
    let Err(ApiError::Unreachable { host, detail, .. }) = &result else {
        panic!("{result:?}")
    };
    assert_eq!(host, &format!("127.0.0.1:{gone}"));
    assert!(detail.contains("refused"), "{detail}");
}

#[tokio::test]
async fn a_server_without_tls_on_its_port_is_distinguished_from_one_that_is_not_trusted() {
    let server =
        Server::replying([Reply::Close(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let mut settings = settings(&format!("https://127.0.0.1:{}/api", server.port));
    settings.trust = adapters_http::TlsTrust::AcceptAny;
    settings.silence = IMPATIENCE;
    let api = adapters_http::UforgeApi::new(settings).unwrap();
    let result = tokio::time::timeout(
        Duration::from_mins(1),
        api.document(USER, Representation::Xml),
    )
    .await
    .unwrap();
    assert!(
        matches!(result, Err(ApiError::Unreachable { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let other = Server::replying([Reply::xml("<user/>")]).await;
    for (location, to) in [
        (
            format!("http://x:y@localhost:{}/login?next=secret", other.port),
            format!("http://localhost:{}/login", other.port),
        ),
        (
            "javascript:alert(1)".to_owned(),
            "an address that is not one".to_owned(),
        ),
    ] {
        let head = format!("Location: {location}\r\n");
        let result = user(Reply::answer("302 Found", &head, b"")).await;
        assert_eq!(
            result,
            Err(ApiError::Redirected {
                request: "GET users/john".to_owned(),
                to
            })
        );
    }
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refusal_carries_the_server_s_words() {
    let error = "<e:uforgeError xmlns:e='u'><localizedErrorMsg><message>bad login</message></localizedErrorMsg></e:uforgeError>";
    let result = user(Reply::answer(
        "401 Unauthorized",
        "Content-Type: application/xml\r\n",
        error.as_bytes(),
    ))
    .await;
    assert_eq!(
        result.unwrap_err().to_string(),
        "GET users/john: the server refused the credentials: \"bad login\""
    );
    let busy = user(Reply::answer(
        "503 Busy",
        "Retry-After: 3\r\nContent-Type: text/html\r\n",
        b"<html><title>Upgrading</title>",
    ))
    .await;
    assert_eq!(
        busy,
        Err(ApiError::Overloaded {
            request: "GET users/john".to_owned(),
            status: 503,
            retry_after: Some(Duration::from_secs(3)),
            proxy: None,
            message: Some("Upgrading".to_owned()),
        })
    );
}

#[tokio::test]
async fn a_refusal_without_an_end_still_is_one() {
    let head = "HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let result = user(Reply::Drip(head.into(), chunk.into(), Duration::ZERO)).await;
    assert!(
        matches!(result, Err(ApiError::ServerFault { status: 500, .. })),
        "{result:?}"
    );
    let silent = user_of_silent(Reply::Silence(
        b"HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\n".to_vec(),
    ))
    .await;
    assert!(
        matches!(silent, Err(ApiError::NotFound { status: 404, .. })),
        "{silent:?}"
    );
}

#[tokio::test]
async fn the_platform_states_its_version_without_credentials() {
    let status = "<serviceStatus><alive>true</alive><version>3.8.13</version></serviceStatus>";
    let server = Server::replying([
        Reply::xml(status),
        ok(
            "Content-Type: application/xml\r\nversion: 3.7\r\n",
            "<serviceStatus/>",
        ),
    ])
    .await;
    let api = server.api();
    assert_eq!(
        api.platform().await.unwrap().version.as_deref(),
        Some("3.8.13")
    );
    assert_eq!(
        api.platform().await.unwrap().version.as_deref(),
        Some("3.7")
    );
    for head in server.heads() {
        assert!(
            head.starts_with("GET /api/status ") && !head.contains("authorization"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn the_root_of_a_host_is_looked_through_once() {
    let status = || Reply::xml("<serviceStatus/>");
    let missing = || Reply::answer("404 Not Found", "Content-Type: text/html\r\n", b"<html>");
    let at_root = Server::replying([missing(), status(), Reply::xml("<user/>")]).await;
    let below = Server::replying([status(), Reply::xml("<user/>")]).await;
    for server in [&at_root, &below] {
        let api =
            adapters_http::UforgeApi::new(settings(&format!("http://127.0.0.1:{}", server.port)))
                .unwrap();
        for _ in 0..2 {
            api.document(USER, Representation::Xml).await.unwrap();
        }
    }
    assert_eq!(
        at_root.requests(),
        [
            "GET /api/status",
            "GET /status",
            "GET /users/john",
            "GET /users/john"
        ]
    );
    assert_eq!(
        below.requests(),
        [
            "GET /api/status",
            "GET /api/users/john",
            "GET /api/users/john"
        ]
    );
}
