//! What a `Content-Type` comes to.

use domain::model::{Representation, document_text};
use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// What kind of body it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Xml,
    Json,
    Page,
    Other,
}

/// A media type, without parameters. It is what the server says, not what the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) essence: String,
}

impl MediaType {
    /// `None` where the server does not say, or says nothing that can be one.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next()?.trim().to_ascii_lowercase();
        (essence.contains('/') && essence.len() <= 128).then_some(Self { essence })
    }

    /// Whether it announces a page, or any text.
    pub(super) fn is_for_people(&self) -> bool {
        self.kind() == Kind::Page || self.essence == "text/plain"
    }

    fn is_of(&self, form: Representation) -> bool {
        matches!(
            (self.kind(), form),
            (Kind::Xml, Representation::Xml) | (Kind::Json, Representation::Json)
        )
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.essence.as_str() {
            "text/html" | "application/xhtml+xml" => Kind::Page,
            "application/xml" | "text/xml" => Kind::Xml,
            "application/json" | "text/json" => Kind::Json,
            essence if essence.ends_with("+xml") => Kind::Xml,
            essence if essence.ends_with("+json") => Kind::Json,
            _ => Kind::Other,
        }
    }
}

/// The media type of a document that was read in this form: its label's, where that says the same.
pub(crate) fn of_document(label: Option<MediaType>, form: Representation) -> String {
    match label {
        Some(label) if label.is_of(form) => label.essence,
        _ => form.media_type().to_owned(),
    }
}

/// Whether this begins like a page for people. What stands before its root element does not count.
pub(crate) fn looks_like_page(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(LONGEST_PROLOGUE)];
    let text = document_text(start).map_or_else(
        |_| String::from_utf8_lossy(start).into_owned(),
        std::borrow::Cow::into_owned,
    );
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if rest.starts_with("<!--") {
            rest.split_once("-->")
        } else if rest.starts_with("<?") {
            rest.split_once("?>")
        } else {
            break;
        };
        match after {
            Some((_, after)) => rest = after.trim_start(),
            None => return false,
        }
    }
    let rest = rest.to_ascii_lowercase();
    [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<script",
        "<meta",
    ]
    .iter()
    .any(|sign| {
        rest.strip_prefix(sign)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
    })
}

/// Bytes before the root element that are looked through.
const LONGEST_PROLOGUE: usize = 4096;

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn label(content_type: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        MediaType::of(&headers)
    }

    #[test]
    fn a_label_counts_where_it_says_what_the_bytes_say() {
        for (content_type, form, media_type) in [
            ("text/xml; charset=UTF-8", Representation::Xml, "text/xml"),
            (
                "Application/XML;charset=x",
                Representation::Xml,
                "application/xml",
            ),
            ("text/html", Representation::Xml, "application/xml"),
            ("application/json", Representation::Xml, "application/xml"),
            ("text/plain", Representation::Json, "application/json"),
            ("nonsense", Representation::Json, "application/json"),
        ] {
            assert_eq!(of_document(label(content_type), form), media_type);
        }
        assert_eq!(of_document(None, Representation::Xml), "application/xml");
    }

    #[test]
    fn a_page_is_known_by_its_bytes() {
        for page in [
            "<!DOCTYPE html><p>hi",
            "\u{feff}\n <HTML lang=en>",
            "<!-- proxy --><html>",
            "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'><html/>",
            "<head><title>Sign in",
        ] {
            assert!(looks_like_page(page.as_bytes()), "{page}");
        }
        for other in [
            "",
            "<user/>",
            "<header/>",
            "<!DOCTYPE svg><svg/>",
            "{}",
            "<!-- <html>",
        ] {
            assert!(!looks_like_page(other.as_bytes()), "{other}");
        }
    }
}
