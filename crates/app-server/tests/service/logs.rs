//! What the log says, and what it never says.

use serde_json::Value;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::bench::{bench, create, quick, until};
use crate::caller::Caller;
use crate::process::Start;

const HOSTILE: &str = "%1b%5b2J%0d%0aINFO%20forged%20%e2%80%ae";

async fn use_it(url: &str, login: &str, password: &str) -> String {
    let user = Caller::new(url, login, password);
    let path = create(&user, "").await;
    until(&user, &path, "ready").await;
    user.get(&format!("{path}/archive")).await;
    let stranger = Caller::new(url, "stranger", "hunter2");
    assert_eq!(
        stranger.get("/api/v1/exports?q=secret-query").await.status,
        401
    );
    path
}

/// Everything that comes from outside, with letters that act on a terminal.
async fn attack(url: &str, login: &str, password: &str) {
    let user = Caller::new(url, login, password);
    user.get(&format!("/odd/{HOSTILE}?{HOSTILE}")).await;
    user.get(&format!("/api/v1/exports/{HOSTILE}")).await;
    let headers = [
        ("x-forwarded-for", "10.9.8.7\u{9b}31m"),
        ("user-agent", "\u{202e}agent-name"),
        ("idempotency-key", "\u{202e}key"),
        ("x-request-id", "\u{202e}own-id"),
        ("accept-language", "\u{202e}"),
    ];
    user.send("GET", "/api/v1/exports", &headers, "").await;
    let json = [("content-type", "application/json")];
    for body in [
        "{\"user\": \"jo\\u001b[2Jhn\"}",
        "{\"user\": \"jo\\u202ehn\"}",
        "{\"\\u202eodd\": 1}",
        "\u{1b}[2J",
    ] {
        user.send("POST", "/api/v1/exports", &json, body).await;
    }
    for login in ["ev\u{202e}e", "ev\u{1b}[2Je", "ev\r\ne"] {
        let caller = Caller::new(url, login, "hunter2");
        caller.get("/api/v1/exports").await;
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let typed = format!("login=ev{HOSTILE}e&password={HOSTILE}");
    user.send("POST", "/sign-in", &form, &typed).await;
}

/// Signs in by the form, uses the session, and gives its cookie's value.
async fn session(url: &str, login: &str, password: &str) -> String {
    let user = Caller::new(url, login, password);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let form = format!("login={login}&password={password}");
    let answer = user.send("POST", "/sign-in", &headers, &form).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.headers["set-cookie"].clone();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    user.send("GET", "/", &[("cookie", &cookie)], "").await;
    cookie.split_once('=').unwrap().1.to_owned()
}

fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}')
}

#[tokio::test]
async fn the_log_names_nobody_whatever_its_detail_and_its_form() {
    let bench = bench(quick()).await;
    let scenario = bench.forge.platform().scenario().clone();
    for (format, filter) in [("text", "info"), ("json", "trace"), ("text", "trace")] {
        let data = bench.folder.path().join(format!("{format}-{filter}"));
        let start = Start::new(bench.forge.url(), &data)
            .with("--log-format", format)
            .with("--trusted-proxy", "127.0.0.1")
            .with("--log", filter);
        let process = start.run().await;
        let path = use_it(&process.url, &scenario.user.login, &scenario.user.password).await;
        attack(&process.url, &scenario.user.login, &scenario.user.password).await;
        let token = session(&process.url, &scenario.user.login, &scenario.user.password).await;
        let around = process.arguments_and_environment();
        assert!(!around.contains(&scenario.user.password));
        let url = process.url.clone();
        let log = process.terminate().await.1;
        let id = path.rsplit('/').next().unwrap();
        assert!(log.contains(id), "{log}");
        for line in log.lines() {
            assert!(!line.chars().any(acts), "{line:?}");
        }
        assert!(
            !log.lines()
                .any(|line| line.trim_start().starts_with("INFO forged"))
        );
        for named in [
            scenario.user.login.as_str(),
            &scenario.user.password,
            &token,
            "stranger",
            "hunter2",
            "secret-query",
            "10.9.8.7",
            "agent-name",
            "own-id",
        ] {
            let line = log.lines().find(|line| line.contains(named));
            assert_eq!(line, None, "{named}");
        }
        let first = log.lines().find(|line| line.contains("started")).unwrap();
        for said in [env!("CARGO_PKG_VERSION"), bench.forge.url(), &url] {
            assert!(first.contains(said), "{said} {first}");
        }
        assert!(first.contains(data.to_str().unwrap()), "{first}");
        if format == "json" {
            for line in log.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                assert!(line["level"].is_string() && line["timestamp"].is_string());
            }
            assert!(log.contains("\"id\":\""), "{log}");
        } else {
            assert!(log.contains("request{id="), "{log}");
        }
    }
}

/// A platform whose every answer is a refusal in words of its own.
async fn hostile_platform() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let said =
                "<error><message>\u{202e}evil\u{9b}31m&#10;INFO forged</message>\u{1b}[2J</error>";
            let answer = format!(
                "HTTP/1.1 500 \u{9b}odd\r\ncontent-type: text/\u{1b}xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{said}",
                said.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn what_the_platform_says_does_not_act_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let url = hostile_platform().await;
    let start = Start::new(&url, &folder.path().join("data")).with("--log", "debug");
    let process = start.run().await;
    let user = Caller::new(&process.url, "john-doe", "hunter2");
    assert_eq!(user.get("/api/v1/exports").await.status, 502);
    while user.get("/readyz").await.json()["platform"] == "unknown" {}
    let log = process.terminate().await.1;
    assert!(log.contains("cannot be asked"), "{log}");
    for line in log.lines() {
        assert!(!line.chars().any(acts), "{line:?}");
    }
    for named in ["john-doe", "hunter2", "\nINFO forged"] {
        assert!(!log.contains(named), "{log}");
    }
}
