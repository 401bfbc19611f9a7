//! The language of the platform: documents in XML and JSON, and errors in whatever form they come.
//!
//! Everything in here is a function of bytes. What is read becomes domain types at once; nothing is written back.

mod address;
pub(crate) mod error;
mod facts;
mod guard;
mod json;
mod media;
mod tickets;
mod xml;

use bytes::Bytes;
use domain::model::{Facts, Representation, Resource};
use domain::ports::ApiError;
use reqwest::header::HeaderMap;

pub(crate) use media::{Kind, MediaType, refuse_encoding};
pub(crate) use tickets::{open_tickets, started, status, statuses};

/// Why an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A page for people.
    Page(String),
    /// Something else, or damaged.
    Detail(String),
}

impl Unread {
    fn because(detail: impl Into<String>) -> Self {
        Self::Detail(detail.into())
    }

    /// As the error of the request that brought it.
    pub(crate) fn of(self, request: &str, expected: &'static str) -> ApiError {
        let request = request.to_owned();
        match self {
            Self::Page(media_type) => ApiError::NotUForge {
                request,
                media_type,
                expected,
            },
            Self::Detail(detail) => ApiError::Unreadable { request, detail },
        }
    }
}

/// What was asked for, in messages.
pub(crate) const XML_DOCUMENT: &str = "an XML document";

/// The name of a representation in messages.
pub(crate) fn expected(form: Representation) -> &'static str {
    match form {
        Representation::Xml => XML_DOCUMENT,
        Representation::Json => "a JSON document",
    }
}

/// The media type of a document that can be read in this form.
pub(crate) fn media_type(headers: &HeaderMap, form: Representation) -> Result<String, Unread> {
    media::refuse_encoding(headers)?;
    media::expect(headers, form)
}

/// Refuses an answer that cannot be an XML document.
pub(crate) fn expect_document(headers: &HeaderMap, request: &str) -> Result<(), ApiError> {
    media_type(headers, Representation::Xml)
        .map(|_| ())
        .map_err(|unread| unread.of(request, XML_DOCUMENT))
}

/// Refuses a page for people, such as a proxy's login page with status 200.
pub(crate) fn refuse_page(headers: &HeaderMap, request: &str) -> Result<(), ApiError> {
    match MediaType::of(headers) {
        Some(page) if page.kind() == Kind::Page => {
            Err(Unread::Page(page.essence).of(request, "no document"))
        }
        _ => Ok(()),
    }
}

/// Above this, reading is work enough to keep a runtime's thread from its sockets.
const LARGE_BYTES: usize = 256 * 1024;

/// Runs a reader, beside the runtime's threads where the document is large.
pub(crate) async fn read<T: Send + 'static>(
    bytes: Bytes,
    reader: impl FnOnce(&[u8]) -> Result<T, Unread> + Send + 'static,
) -> Result<T, Unread> {
    if bytes.len() < LARGE_BYTES {
        return reader(&bytes);
    }
    tokio::task::spawn_blocking(move || reader(&bytes))
        .await
        .unwrap_or_else(|_| Err(Unread::because("reading it was broken off")))
}

/// The facts of a document, which proves that it is one.
pub(crate) fn facts(bytes: &[u8], what: Resource, form: Representation) -> Result<Facts, Unread> {
    match form {
        Representation::Xml => facts::of(&xml::parse(bytes)?, what),
        Representation::Json => json::check(bytes).map(|()| Facts::default()),
    }
}

/// The version that a `serviceStatus` tells.
pub(crate) fn platform_version(bytes: &[u8]) -> Result<Option<String>, Unread> {
    let document = xml::parse(bytes)?;
    let root = xml::root(&document, &["serviceStatus"])?;
    Ok(xml::word(root, "version"))
}
