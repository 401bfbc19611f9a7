//! In which language somebody reads: as they chose here, else as their browser says.

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::Deserialize;

use super::words::{ENGLISH, FRENCH, JAPANESE, Words};
use crate::api::{Service, go, read_form, same_origin, weight};
use crate::place::Place;
use crate::problem::Problem;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
    Japanese,
}

const COOKIE_NAME: &str = "uforge-export-language";
const A_YEAR_IN_SECONDS: u32 = 31_536_000;

impl Language {
    /// Every language, in the order of the switch.
    pub(super) const ALL: [Self; 3] = [Self::English, Self::French, Self::Japanese];

    /// Its tag (BCP 47).
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Japanese => "ja",
        }
    }

    /// Its name in itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::Japanese => "日本語",
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
            Self::Japanese => &JAPANESE,
        }
    }

    fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.tag() == tag)
    }

    /// The language of whoever sends this.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        chosen(headers)
            .or_else(|| accepted(headers))
            .unwrap_or(Self::English)
    }
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    let cookies = headers.get_all(COOKIE).iter();
    let mut values = cookies
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value);
    values.find_map(Language::parse)
}

/// The first of those that are accepted most (RFC 9110 §12.5.4); `fr-CA` is French here.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let values = headers.get_all(ACCEPT_LANGUAGE).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut best: Option<(u32, Language)> = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let Some(language) = Language::parse(tag.split('-').next().unwrap_or_default()) else {
            continue;
        };
        let weight = weight(parts);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// What is filled in.
#[derive(Deserialize)]
struct Filled {
    language: String,
    #[serde(default)]
    next: String,
}

/// Chooses a language, and goes back to where that was done.
pub(super) async fn switch(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Problem> {
    same_origin(&service, request.method(), request.headers())?;
    let filled = read_form::<Filled>(request, &service).await?;
    let language = Language::parse(&filled.language).ok_or(Problem::InvalidForm)?;
    let next = Place::of(&filled.next).unwrap_or(Place::Home);
    Ok(go(&next, cookie(language, service.gate.is_https())))
}

fn cookie(language: Language, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let tag = language.tag();
    let text = format!(
        "{COOKIE_NAME}={tag}; Path=/; HttpOnly; SameSite=Lax; Max-Age={A_YEAR_IN_SECONDS}{secure}"
    );
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &'static str, cookie: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
        headers.insert(COOKIE, HeaderValue::from_static(cookie));
        Language::of(&headers)
    }

    #[test]
    fn the_language_that_is_accepted_most_is_taken() {
        for (accept, language) in [
            ("", Language::English),
            ("fr", Language::French),
            ("fr-CA,fr;q=0.9,en;q=0.8", Language::French),
            ("en;q=0.5, ja;q=0.9", Language::Japanese),
            ("de, ja;q=0.3, fr;q=0.2", Language::Japanese),
            ("de", Language::English),
            ("*", Language::English),
            ("fr;q=0, ja;q=0.001", Language::Japanese),
            ("fr;q=nonsense, ja", Language::Japanese),
            ("FR-fr", Language::French),
            ("ja, fr", Language::Japanese),
        ] {
            assert_eq!(of(accept, ""), language, "{accept}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn what_was_chosen_comes_before_what_is_accepted() {
        let chosen = "a=b; uforge-export-language=ja";
        assert_eq!(of("fr", chosen), Language::Japanese);
        assert_eq!(of("fr", "uforge-export-language=xx"), Language::French);
    }

    #[test]
    fn the_words_are_those_of_the_language() {
        for (language, sign_in) in [
            (Language::English, "Sign in"),
            (Language::French, "Se connecter"),
            (Language::Japanese, "ログイン"),
        ] {
            assert_eq!(language.words().sign_in, sign_in);
        }
    }
}
