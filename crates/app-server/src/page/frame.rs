//! What is around every page: language, who is signed in, the way to other pages.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{Html, IntoResponse, Response};

use super::assets::{ICON, SCRIPT, STYLE};
use super::language::Language;
use super::text::shown;
use super::words::Words;
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

/// A request for a page: in which language, and to where.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) language: Language,
    place: Place,
}

impl Visit {
    pub(super) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        Self {
            language: Language::of(headers),
            place: place(uri.path()),
        }
    }

    pub(super) fn words(&self) -> &'static Words {
        self.language.words()
    }
}

/// Where to come back to: whoever cannot be given a file is at the page of its export.
fn place(path: &str) -> Place {
    let page = path
        .strip_prefix("/api/v1")
        .and_then(|path| path.strip_suffix("/archive"));
    Place::of(page.unwrap_or(path)).unwrap_or(Place::Home)
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.uri))
    }
}

/// What every template needs.
pub(super) struct Frame {
    pub(super) words: &'static Words,
    pub(super) tag: &'static str,
    pub(super) style: &'static str,
    pub(super) script: &'static str,
    pub(super) icon: &'static str,
    /// Where this page is, for forms that come back to it.
    pub(super) place: String,
    pub(super) languages: Vec<Choice>,
    pub(super) person: Option<Person>,
}

/// A language to choose.
pub(super) struct Choice {
    pub(super) tag: &'static str,
    pub(super) name: &'static str,
    pub(super) is_chosen: bool,
}

/// Who is signed in.
pub(super) struct Person {
    pub(super) login: String,
    pub(super) is_administrator: bool,
}

impl Frame {
    /// The frame of a page for whoever is not signed in, or is not known to be.
    pub(super) fn of(visit: &Visit) -> Self {
        let choice = |language: Language| Choice {
            tag: language.tag(),
            name: language.name(),
            is_chosen: language == visit.language,
        };
        Self {
            words: visit.words(),
            tag: visit.language.tag(),
            style: &STYLE.path,
            script: &SCRIPT.path,
            icon: &ICON.path,
            place: visit.place.path(),
            languages: Language::ALL.map(choice).into(),
            person: None,
        }
    }

    /// The frame of a page for this person.
    pub(super) fn for_person(visit: &Visit, caller: &Caller) -> Self {
        let person = Person {
            login: shown(caller.owner.as_str()),
            is_administrator: caller.is_administrator(),
        };
        Self {
            person: Some(person),
            ..Self::of(visit)
        }
    }

    /// Whether this page is the one at that path.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.place == path
    }
}

/// A page as an answer.
pub(super) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            Problem::Internal.into_response()
        }
    }
}
