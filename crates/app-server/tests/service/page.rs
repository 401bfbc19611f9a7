//! The page over real sockets: people with browsers, and other sites that mean harm.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::Scenario;
use sandbox::scenario::{Names, Person};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{Bench, bench, bench_with, create, endless, quick, until};
use crate::caller::{Answer, parse};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A browser at the service.
struct Visitor {
    address: String,
    cookie: String,
}

impl Visitor {
    fn new(bench: &Bench) -> Self {
        let url = bench.service.url();
        Self {
            address: url.strip_prefix("http://").unwrap().to_owned(),
            cookie: String::new(),
        }
    }

    async fn signed_in(bench: &Bench, person: &Person) -> Self {
        let mut visitor = Self::new(bench);
        let answer = visitor.post("/sign-in", &sign_in_form(person)).await;
        assert_eq!(answer.status, 303);
        visitor.cookie = cookie(&answer);
        visitor
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn send(&self, method: &str, path: &str, more: &[(&str, &str)], form: &str) -> Answer {
        let mut headers = BTreeMap::from([
            ("host", self.address.as_str()),
            ("accept", BROWSER),
            ("connection", "close"),
            ("content-type", "application/x-www-form-urlencoded"),
        ]);
        if !self.cookie.is_empty() {
            headers.insert("cookie", &self.cookie);
        }
        headers.extend(more.iter().copied());
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        let length = form.len().to_string();
        request.extend(["content-length: ", &length, "\r\n\r\n", form]);
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        parse(&answer)
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        text(&answer)
    }

    /// As this service's own page sends it.
    async fn post(&self, path: &str, form: &str) -> Answer {
        let origin = self.origin();
        let own = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &own, form).await
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

fn cookie(answer: &Answer) -> String {
    let set = &answer.headers["set-cookie"];
    set.split(';').next().unwrap().to_owned()
}

/// As a form sends it.
fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    bytes.concat()
}

fn sign_in_form(person: &Person) -> String {
    let (login, password) = (encoded(&person.login), encoded(&person.password));
    format!("login={login}&password={password}")
}

fn user(bench: &Bench) -> Person {
    bench.forge.platform().scenario().user.clone()
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_or_made_up_is_nobody_s() {
    let bench = bench(quick()).await;
    let user = user(&bench);
    let mut visitor = Visitor::new(&bench);
    let fixed = format!("uforge-export={}", "A".repeat(43));
    visitor.cookie = fixed.clone();
    let signed_in = visitor.post("/sign-in", &sign_in_form(&user)).await;
    assert_eq!(signed_in.status, 303);
    let own = cookie(&signed_in);
    assert_ne!(own, fixed);
    let set = &signed_in.headers["set-cookie"];
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    for forged in [
        fixed.clone(),
        format!("{own}; {fixed}"),
        format!("{own}x"),
        "uforge-export=".to_owned(),
        "uforge-export=../../etc/passwd".to_owned(),
    ] {
        visitor.cookie = forged;
        let refused = visitor.get("/api/v1/exports").await;
        assert_eq!(refused.status, 401, "{}", visitor.cookie);
        let page = visitor.page("/").await;
        assert!(page.contains("id=\"password\"") && !page.contains("/sign-out"));
    }
    visitor.cookie = own.clone();
    assert!(visitor.page("/").await.contains("/sign-out"));
    assert_eq!(visitor.post("/sign-out", "").await.status, 303);
    assert!(visitor.page("/").await.contains("id=\"password\""));
}

#[tokio::test]
async fn another_site_s_forms_do_nothing() {
    let bench = bench(endless()).await;
    let user = user(&bench);
    let visitor = Visitor::signed_in(&bench, &user).await;
    let asked = visitor.post("/exports", "what=everything").await;
    let path = asked.headers["location"].clone();
    let own = visitor.origin();
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
        &[("origin", "http://127.0.0.1")],
        // A session's cookie, and not a word of where it comes from.
        &[],
    ];
    let forms = [
        ("/sign-out".to_owned(), String::new()),
        ("/sign-in".to_owned(), sign_in_form(&user)),
        ("/language".to_owned(), "language=ja".to_owned()),
        (
            "/exports".to_owned(),
            "what=everything&format=tar".to_owned(),
        ),
        (format!("{path}/delete"), String::new()),
        (format!("{path}/retry"), String::new()),
    ];
    for (action, form) in &forms {
        for headers in foreign {
            if action == "/language" && headers.is_empty() {
                continue;
            }
            let refused = visitor.send("POST", action, headers, form).await;
            assert_eq!(refused.status, 403, "{action} {headers:?}");
            assert!(!refused.headers.contains_key("set-cookie"), "{action}");
            assert!(text(&refused).contains("<html lang=\"en\">"), "{action}");
        }
    }
    // Somebody who is not signed in yet is not signed in as the attacker.
    let nobody = Visitor::new(&bench);
    for headers in &foreign[..5] {
        let form = sign_in_form(&user);
        let refused = nobody.send("POST", "/sign-in", headers, &form).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let exports = visitor.get("/api/v1/exports").await.json();
    assert_eq!(exports["exports"].as_array().unwrap().len(), 1);
    assert_ne!(exports["exports"][0]["state"], "cancelled");
    // Nor does a link: whatever changes something is a form.
    for action in ["/delete", "/retry"] {
        visitor.get(&format!("{path}{action}")).await;
    }
    let export = visitor.get("/api/v1/exports").await.json();
    assert_ne!(export["exports"][0]["state"], "cancelled");
}

#[tokio::test]
async fn nothing_leads_to_another_site() {
    let bench = bench(quick()).await;
    let user = user(&bench);
    let visitor = Visitor::signed_in(&bench, &user).await;
    for target in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "/exports/../../evil.example",
        "/\r\nset-cookie: x=y",
    ] {
        let next = encoded(target);
        for (action, form) in [
            ("/sign-in", format!("{}&next={next}", sign_in_form(&user))),
            ("/language", format!("language=fr&next={next}")),
        ] {
            let answer = visitor.post(action, &form).await;
            assert_eq!(answer.status, 303, "{action} {target:?}");
            assert_eq!(answer.headers["location"], "/", "{action} {target:?}");
        }
        let path = format!("/?next={next}&lang={next}");
        let page = text(&visitor.get(&path).await);
        assert!(!page.contains("evil"), "{target:?}: {page}");
    }
    let mut nobody = Visitor::new(&bench);
    nobody.cookie = "uforge-export-language=\"><script>".to_owned();
    let page = nobody.page("/?next=https://evil.example").await;
    assert!(
        !page.contains("evil") && !page.contains("<script>"),
        "{page}"
    );
}

/// Names and logins that are more than text wherever they are not escaped.
fn hostile() -> Scenario {
    let mut scenario = quick();
    scenario.data.names = Names::Hostile;
    scenario.data.appliances = 30;
    scenario.data.archive_bytes = 1_000;
    scenario.timing.export_millis = 1;
    scenario.timing.slots = 16;
    "<script>alert(1)</script>\"'&".clone_into(&mut scenario.user.login);
    scenario
}

#[tokio::test]
async fn names_are_text_on_every_page_whatever_is_in_them() {
    let scenario = hostile();
    let administrator = scenario.administrator.clone();
    let login = domain::model::UserId::parse(&administrator.login).unwrap();
    let bench = bench_with(scenario, |settings| settings.administrators.push(login)).await;
    let user = bench.user();
    let visitor = Visitor::signed_in(&bench, &self::user(&bench)).await;
    let root = Visitor::signed_in(&bench, &administrator).await;
    let export = create(&user, "{}").await;
    let page = export.replace("/api/v1", "");
    let mut seen = Vec::new();
    // What is under way is shown by name as well.
    loop {
        let part = visitor.get(&format!("{page}/progress")).await;
        seen.push(text(&part));
        if part.status != 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    until(&user, &export, "ready").await;
    assert_eq!(visitor.get(&format!("{export}/archive")).await.status, 200);
    for path in ["/", &page, &format!("{page}/delete")] {
        seen.push(visitor.page(path).await);
    }
    for path in ["/", "/everybody", "/audit", &page] {
        seen.push(root.page(path).await);
    }
    for page in &seen {
        for raw in [
            "<script>alert",
            "onmouseover=\"",
            "\u{202e}",
            "\u{0}",
            "]]>",
        ] {
            assert!(!page.contains(raw), "{raw:?}: {page}");
        }
        assert!(!page.contains(&"x".repeat(301)));
    }
    let all = seen.join("\n");
    assert!(
        all.contains("&#60;script&#62;alert(1)&#60;/script&#62;"),
        "{all}"
    );
}

#[tokio::test]
async fn no_page_can_be_framed_or_run_what_is_not_its_own() {
    let bench = bench(quick()).await;
    let visitor = Visitor::signed_in(&bench, &user(&bench)).await;
    let nobody = Visitor::new(&bench);
    let asked = visitor.post("/exports", "what=everything").await;
    let export = asked.headers["location"].clone();
    let mut answers = vec![
        nobody.get("/").await,
        nobody.get("/audit").await,
        visitor.send("POST", "/exports", &[], "what=some").await,
    ];
    for path in [
        "/",
        "/nowhere",
        "/everybody",
        &export,
        &format!("{export}/delete"),
    ] {
        answers.push(visitor.get(path).await);
    }
    for answer in &answers {
        let policy = &answer.headers["content-security-policy"];
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(answer.headers[name], value, "{name}");
        }
        let page = text(answer);
        for never in [
            " style=",
            " onclick=",
            "<style",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(never), "{never}: {page}");
        }
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script defer src=\"/assets/").count()
        );
    }
}
