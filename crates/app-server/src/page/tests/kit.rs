//! Somebody with a browser, before a service with a platform and runs that the test decides about.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::api::bench::{Answer, Bench};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody with a browser.
pub(super) struct Visitor<'a> {
    bench: &'a Bench,
    pub(super) cookie: String,
    pub(super) language: &'static str,
}

impl<'a> Visitor<'a> {
    /// Somebody who has no session yet.
    pub(super) fn stranger(bench: &'a Bench) -> Self {
        Self {
            bench,
            cookie: String::new(),
            language: "en",
        }
    }

    pub(super) async fn signed_in(bench: &'a Bench, login: &str) -> Self {
        let mut visitor = Self::stranger(bench);
        let form = format!("login={login}&password=secret&next=%2F");
        let answer = visitor.post("/sign-in", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let set = answer.header("set-cookie");
        visitor.cookie = set.split(';').next().unwrap().to_owned();
        visitor
    }

    pub(super) fn reading(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    pub(super) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "exports.example.com")
            .header("accept", BROWSER)
            .header("accept-language", self.language)
            .header("cookie", &self.cookie)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.bench.send(request).await
    }

    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        String::from_utf8(answer.body).unwrap()
    }

    pub(super) async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self
            .request("POST", path)
            .header("origin", "http://exports.example.com")
            .header("content-type", FORM);
        let request = request.body(Body::from(form.to_owned())).unwrap();
        self.bench.send(request).await
    }

    /// Asks for everything, and gives the page of the export.
    pub(super) async fn ask(&self) -> String {
        let asked = self.post("/exports", "what=everything&format=zip").await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER);
        asked.header("location").to_owned()
    }

    /// Loads the page until it says this.
    pub(super) async fn until(&self, path: &str, said: &str) -> String {
        loop {
            let page = self.page(path).await;
            if page.contains(said) {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }
}
