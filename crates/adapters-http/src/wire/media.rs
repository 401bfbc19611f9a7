//! What a `Content-Type` comes to.

use domain::model::Representation;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use super::{Unread, xml};

/// What kind of body it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Xml,
    Json,
    Page,
    Other,
}

/// A media type, without parameters, and the charset that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) essence: String,
    charset: Option<String>,
}

impl MediaType {
    /// `None` where the server does not say, or says nothing that can be one.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let mut parts = value.split(';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| value.trim().trim_matches('"').to_owned())
        });
        (essence.contains('/') && essence.len() <= 128).then_some(Self { essence, charset })
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

/// The media type of a document, where it can be one in this form.
pub(crate) fn expect(headers: &HeaderMap, form: Representation) -> Result<String, Unread> {
    // Where the server does not say what it sends, the reader will see.
    let Some(media_type) = MediaType::of(headers) else {
        return Ok(form.media_type().to_owned());
    };
    match (media_type.kind(), form) {
        (Kind::Xml, Representation::Xml) | (Kind::Json, Representation::Json) => {}
        (Kind::Page | Kind::Other, _) => return Err(Unread::Page(media_type.essence)),
        (Kind::Xml | Kind::Json, _) => {
            return Err(Unread::Detail(format!(
                "it is `{}` where `{}` was asked for",
                media_type.essence,
                form.media_type()
            )));
        }
    }
    match media_type.charset {
        Some(charset) if !xml::is_utf_8(&charset) => Err(Unread::Detail(format!(
            "it is encoded in `{charset}`, not in UTF-8"
        ))),
        _ => Ok(media_type.essence),
    }
}

/// Refuses a body that is packed: nobody asked for that, and its bytes would not be the platform's.
pub(crate) fn refuse_encoding(headers: &HeaderMap) -> Result<(), Unread> {
    let packed = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .find(|encoding| !matches!(encoding.as_bytes().trim_ascii(), b"" | b"identity"));
    match packed {
        Some(encoding) => Err(Unread::Detail(format!(
            "it has the content encoding `{}`, which was not asked for",
            encoding.to_str().unwrap_or("?")
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn check(content_type: &str, form: Representation) -> Result<String, Unread> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        expect(&headers, form)
    }

    #[test]
    fn a_document_s_media_type_may_have_any_spelling() {
        for spelling in [
            "application/xml",
            "text/xml; charset=UTF-8",
            "Application/XML;charset=\"utf-8\"",
        ] {
            let media_type = check(spelling, Representation::Xml).unwrap();
            assert!(["application/xml", "text/xml"].contains(&media_type.as_str()));
        }
        assert_eq!(
            expect(&HeaderMap::new(), Representation::Json),
            Ok("application/json".to_owned())
        );
    }

    #[test]
    fn another_media_type_is_another_answer() {
        for (content_type, form) in [
            ("text/html; charset=utf-8", Representation::Xml),
            ("text/html", Representation::Json),
            ("text/plain", Representation::Xml),
        ] {
            assert!(
                matches!(check(content_type, form), Err(Unread::Page(_))),
                "{content_type}"
            );
        }
        for (content_type, form, word) in [
            ("application/json", Representation::Xml, "application/json"),
            ("application/xml", Representation::Json, "application/xml"),
            (
                "application/xml;charset=ISO-8859-1",
                Representation::Xml,
                "ISO-8859-1",
            ),
        ] {
            let Err(Unread::Detail(detail)) = check(content_type, form) else {
                panic!("{content_type}")
            };
            assert!(detail.contains(word), "{detail}");
        }
    }
}
