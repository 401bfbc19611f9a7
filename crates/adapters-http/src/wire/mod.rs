//! The language of the platform: documents in XML and JSON, and errors in whatever form they come.
//!
//! Everything in here is a function of bytes. What is read becomes domain types at once; nothing is written back.

mod address;
mod bundles;
pub(crate) mod error;
mod facts;
mod guard;
mod imports;
mod json;
mod long_list;
mod media;
mod packed;
mod people;
mod pieces;
mod tickets;
mod unread;
mod xml;

use bytes::Bytes;
use domain::model::{Facts, Representation, Resource, document_text};

pub(crate) use imports::{import_opened, import_ticket, open_imports};
pub(crate) use long_list::{LONG_LIST_BYTES, LongList};
pub(crate) use media::{Kind, MediaType, looks_like_page, of_document};
pub(crate) use packed::{Packed, is_gzip, is_packed_twice, unpacked, unpacking};
pub(crate) use people::people;
pub(crate) use tickets::{TicketPage, open_tickets, started, status, statuses};
pub(crate) use unread::Unread;

/// What was asked for, in messages.
pub(crate) const XML_DOCUMENT: &str = "an XML document";

/// The name of a representation in messages.
pub(crate) fn expected(form: Representation) -> &'static str {
    match form {
        Representation::Xml => XML_DOCUMENT,
        Representation::Json => "a JSON document",
    }
}

/// Refuses a page for people, such as a proxy's login page with status 200.
pub(crate) fn refuse_page(label: Option<MediaType>, body: &[u8]) -> Result<(), Unread> {
    if looks_like_page(body) {
        return Err(Unread::Page("text/html".to_owned()));
    }
    match label {
        // A label alone says nothing of a document, nor of no body at all.
        Some(label)
            if label.kind() == Kind::Page
                && !body.trim_ascii().is_empty()
                && xml::parse(body).is_err() =>
        {
            Err(Unread::Page(label.essence))
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
    let reader = move |bytes: &[u8]| {
        let text = document_text(bytes).map_err(|error| Unread::Detail(error.to_string()))?;
        reader(text.as_bytes())
    };
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
        Representation::Xml => long_list::read(bytes, what),
        Representation::Json => json::check(bytes).map(|()| Facts::default()),
    }
}

/// The version that a `serviceStatus` states.
pub(crate) fn platform_version(bytes: &[u8]) -> Result<Option<String>, Unread> {
    let document = xml::parse(bytes)?;
    let root = xml::root(&document, &["serviceStatus"])?;
    Ok(xml::word(root, "version"))
}
