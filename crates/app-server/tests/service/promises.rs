//! What the built program keeps over a restart, and how it begins and ends.

use std::time::Duration;

use crate::bench::{create, until};
use crate::caller::Caller;
use crate::process::Process;
use crate::resume::{busy, place};

const PROFILE: &str = r#"{"include":["profile"]}"#;

async fn order_with_key(caller: &Caller, key: &str, body: &str) -> crate::caller::Answer {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    caller.send("POST", "/api/v1/exports", &headers, body).await
}

/// Signs in with the form. Gives the cookie.
async fn sign_in(process: &Process, login: &str, password: &str) -> String {
    let nobody = Caller::new(&process.url, "nobody", "nothing");
    let origin = process.url.clone();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", &*origin),
    ];
    let form = format!("login={login}&password={password}");
    let answer = nobody.send("POST", "/sign-in", &headers, &form).await;
    assert_eq!(answer.status, 303);
    let set = &answer.headers["set-cookie"];
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn keys_and_the_audit_trail_survive_a_kill_and_sessions_do_not() {
    let place = place(busy()).await;
    let administrator = place.forge.platform().scenario().administrator.clone();
    let start = place.start().with("--admin", &administrator.login);
    let process = start.run().await;
    let user = place.user(&process);
    let first = order_with_key(&user, "key", PROFILE).await;
    assert_eq!(first.status, 202);
    let path = first.headers["location"].clone();
    until(&user, &path, "ready").await;
    assert_eq!(user.get(&format!("{path}/archive")).await.status, 200);
    let person = place.forge.platform().scenario().user.clone();
    let cookie = sign_in(&process, &person.login, &person.password).await;
    assert_eq!(with_cookie(&process, &cookie).await, 200);
    process.kill().await;

    let process = start.run().await;
    assert_eq!(with_cookie(&process, &cookie).await, 401);
    let user = place.user(&process);
    let again = order_with_key(&user, "key", PROFILE).await;
    assert_eq!((again.status, &again.headers["location"]), (202, &path));
    let other = order_with_key(&user, "key", r#"{"include":["quotas"]}"#).await;
    assert_eq!(other.status, 409);
    let root = Caller::new(&process.url, &administrator.login, &administrator.password);
    let trail = root.get("/api/v1/audit").await;
    let text = String::from_utf8(trail.body).unwrap();
    for action in [
        "signed-in",
        "export-requested",
        "export-ready",
        "downloaded",
    ] {
        assert!(text.contains(action), "{action}: {text}");
    }
    assert_eq!(user.get("/api/v1/audit").await.status, 403);
}

async fn with_cookie(process: &Process, cookie: &str) -> u16 {
    let address = process.url.strip_prefix("http://").unwrap();
    let request = format!(
        "GET /api/v1/exports HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    crate::caller::send_raw(address, request.as_bytes())
        .await
        .status
}

#[tokio::test]
async fn under_https_browsers_are_held_to_it() {
    let place = place(busy()).await;
    let origin = "https://exports.example.com";
    let start = place.start().with("--public-url", origin);
    let process = start.run().await;
    let user = place.user(&process);
    let answer = user.get("/healthz").await;
    assert!(answer.headers["strict-transport-security"].starts_with("max-age="));
    let person = place.forge.platform().scenario().user.clone();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", origin),
    ];
    let form = format!("login={}&password={}", person.login, person.password);
    let answer = user.send("POST", "/sign-in", &headers, &form).await;
    let cookie = &answer.headers["set-cookie"];
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");

    let plain = place.second().run().await;
    let answer = place.user(&plain).get("/healthz").await;
    assert!(!answer.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn every_signal_that_ends_it_keeps_the_runs() {
    let mut scenario = busy();
    scenario.timing.export_millis = 3_600_000;
    let place = place(scenario).await;
    let mut process = place.start().run().await;
    let path = create(&place.user(&process), r#"{"include":["appliances"]}"#).await;
    for signal in ["HUP", "INT", "TERM"] {
        place.until_tickets().await;
        let (status, log) = process.signal(signal).await;
        assert_eq!(status, Some(0), "{signal}: {log}");
        process = place.start().run().await;
        let export = place.user(&process).get(&path).await.json();
        let state = export["state"].as_str().unwrap().to_owned();
        assert!(
            ["queued", "running", "waiting"].contains(&&*state),
            "{export:#}"
        );
    }
    assert_eq!(place.user(&process).delete(&path).await.status, 204);
    place.no_tickets();
}

#[tokio::test]
async fn a_newer_and_a_damaged_database_are_named_and_left_byte_for_byte() {
    let place = place(busy()).await;
    let process = place.start().run().await;
    let user = place.user(&process);
    let path = create(&user, PROFILE).await;
    until(&user, &path, "ready").await;
    process.terminate().await;
    let database = place.data().join("jobs.sqlite");
    let whole = std::fs::read(&database).unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut content = whole.clone();
        content[at..at + bytes.len()].copy_from_slice(bytes);
        content
    };
    // `user_version` in the head of the file (SQLite, "Database File Format", 1.3).
    let contents = [
        (changed(60, &99_u32.to_be_bytes()), "newer version"),
        (changed(4096, &[0xa5; 4096]), "damaged"),
        (vec![0x5a; 8192], "damaged"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
    ];
    for (content, word) in contents {
        std::fs::write(&database, &content).unwrap();
        let before = place.files();
        let (status, said) = place.start().refused().await;
        assert_eq!(status, Some(1), "{said}");
        assert!(
            said.contains("jobs.sqlite") && said.contains(word),
            "{said}"
        );
        assert_eq!(std::fs::read(&database).unwrap(), content);
        let bags = |files: Vec<(String, Vec<u8>)>| {
            let bags = files
                .into_iter()
                .filter(|(name, _)| name.contains("/bags/"));
            bags.collect::<Vec<_>>()
        };
        assert!(bags(before) == bags(place.files()));
    }
    std::fs::write(&database, &whole).unwrap();
    let process = place.start().run().await;
    let user = place.user(&process);
    assert_eq!(user.get(&format!("{path}/archive")).await.status, 200);
}

#[tokio::test]
async fn finished_archives_can_be_had_while_the_platform_is_away() {
    let place = place(busy()).await;
    let process = place.start().run().await;
    let user = place.user(&process);
    let path = create(&user, PROFILE).await;
    until(&user, &path, "ready").await;
    let stranger = place.forge.platform().scenario().colleague.clone();
    place.forge.shutdown().await;
    let ready = loop {
        let ready = user.get("/readyz").await;
        assert_eq!(ready.status, 200);
        // Its last answer holds for some seconds.
        if ready.json()["platform"] == "unreachable" {
            break ready;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(ready.json()["status"], "ready");
    assert_eq!(user.get(&format!("{path}/archive")).await.status, 200);
    let stranger = Caller::new(&process.url, &stranger.login, &stranger.password);
    assert_eq!(stranger.get("/api/v1/exports").await.status, 502);
}

#[tokio::test]
async fn settings_that_mean_nothing_are_refused() {
    let place = place(busy()).await;
    for (name, value) in [
        ("--keep-archive", "0s"),
        ("--keep-archive", "for ever"),
        ("--give-up-after", "0s"),
        ("--store-limit", "much"),
        ("--store-limit", "0"),
    ] {
        let (status, said) = place.start().with(name, value).refused().await;
        assert_eq!(status, Some(2), "{name} {value}: {said}");
    }
}
