//! The pages with a platform and runs that the test decides about.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::api::bench::{Answer, Bench, bench};
use crate::testing::Behaviour;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody with a browser.
struct Visitor<'a> {
    bench: &'a Bench,
    cookie: String,
    language: &'static str,
}

impl<'a> Visitor<'a> {
    async fn signed_in(bench: &'a Bench, login: &str) -> Self {
        let mut visitor = Self {
            bench,
            cookie: String::new(),
            language: "en",
        };
        let form = format!("login={login}&password=secret&next=%2F");
        let answer = visitor.post("/sign-in", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let set = answer.header("set-cookie");
        visitor.cookie = set.split(';').next().unwrap().to_owned();
        visitor
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "exports.example.com")
            .header("accept", BROWSER)
            .header("accept-language", self.language)
            .header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.bench.send(request).await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        String::from_utf8(answer.body).unwrap()
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self
            .request("POST", path)
            .header("origin", "http://exports.example.com")
            .header("content-type", FORM);
        let request = request.body(Body::from(form.to_owned())).unwrap();
        self.bench.send(request).await
    }

    /// Asks for everything, and gives the page of the export.
    async fn ask(&self) -> String {
        let asked = self.post("/exports", "what=everything&format=zip").await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER);
        asked.header("location").to_owned()
    }

    /// Loads the page until it says this.
    async fn until(&self, path: &str, said: &str) -> String {
        loop {
            let page = self.page(path).await;
            if page.contains(said) {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn without_a_session_the_first_page_is_the_form_to_sign_in() {
    let bench = bench().await;
    let mut visitor = Visitor {
        bench: &bench,
        cookie: String::new(),
        language: "en",
    };
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
    let visitor = Visitor {
        bench: &bench,
        cookie: String::new(),
        language: "fr",
    };
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
    let nobody = Visitor {
        bench: &bench,
        cookie: String::new(),
        language: "en",
    };
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
        let foreign = Visitor {
            language,
            ..Visitor::signed_in(&bench, "root").await
        };
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
