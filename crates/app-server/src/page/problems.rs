//! Problems as pages, for whoever reads HTML. Programs keep their documents.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::frame::{Frame, Visit, html};
use super::sign_in::form_after;
use super::words::Said;
use crate::api::quality;
use crate::place::Place;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "page/problem.html")]
struct ProblemPage {
    frame: Frame,
    said: Said,
    /// Pages that help.
    links: Vec<String>,
}

/// Makes a page of a problem where one is wanted; status and headers stay.
pub(crate) async fn problems_as_pages(request: Request, next: Next) -> Response {
    if !wants_page(request.headers()) {
        return next.run(request).await;
    }
    let visit = Visit::of(request.headers(), request.uri());
    let signs_in = request.uri().path() == "/sign-in";
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Arc<Problem>>().cloned() else {
        return response;
    };
    let page = page(&visit, &problem, signs_in);
    let (mut head, _) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    head.headers.insert(CONTENT_TYPE, kind);
    let body = page.into_body();
    Response::from_parts(head, Body::new(body))
}

fn page(visit: &Visit, problem: &Problem, signs_in: bool) -> Response {
    let words = visit.words();
    let is_unknown = matches!(problem, Problem::Unauthenticated { .. });
    let said = if signs_in && is_unknown {
        Said {
            title: words.refused,
            text: words.refused_text.to_owned(),
        }
    } else {
        (words.problem)(problem)
    };
    if signs_in || is_unknown {
        return form_after(visit, said);
    }
    let links = match problem {
        Problem::TooManyArchives { archives, .. } => archives
            .iter()
            .map(|id| Place::Export(id.clone()).path())
            .collect(),
        _ => Vec::new(),
    };
    html(&ProblemPage {
        frame: Frame::of(visit),
        said,
        links,
    })
}

/// Whether HTML is wanted rather than a document for programs: as browsers say, and nobody else.
fn wants_page(headers: &HeaderMap) -> bool {
    let html = quality(headers, "text", "html");
    let documents = ["json", "problem+json"].map(|kind| quality(headers, "application", kind));
    documents.into_iter().all(|document| html > document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::ACCEPT;

    #[test]
    fn browsers_want_pages_and_programs_do_not() {
        for (accept, page) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("text/html", true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/html", false),
            ("text/event-stream", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_page(&headers), page, "{accept}");
        }
        assert!(!wants_page(&HeaderMap::new()));
    }
}
