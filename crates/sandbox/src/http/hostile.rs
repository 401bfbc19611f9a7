//! Documents that no platform should send: each is a way in which a careless reader loses.

use std::io::Write;

use bytes::Bytes;
use domain::model::Representation;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::document::{Element, number, render_json, render_xml};
use crate::scenario::Ids;

use super::payload::Payload;

pub(super) const LOGIN_PAGE: &[u8] = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=post>\
<label>Login <input name=login></label><label>Password <input name=password type=password></label></form></body></html>";

/// The error page of a proxy in front of the platform.
pub(super) fn proxy_page(status: u16) -> Vec<u8> {
    format!("<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy/1.1</body></html>").into_bytes()
}

pub(super) fn render(root: &Element, representation: Representation) -> Vec<u8> {
    match representation {
        Representation::Xml => render_xml(root),
        Representation::Json => render_json(root),
    }
}

/// A document type declaration before the root.
pub(super) fn with_doctype(xml: &[u8]) -> Vec<u8> {
    after_declaration(xml, b"<!DOCTYPE user [<!ENTITY greeting \"hello\">]>")
}

/// A nest of entities that would expand to gigabytes, before the root.
pub(super) fn with_entities(xml: &[u8]) -> Vec<u8> {
    let entity = |level: u32| {
        let inner = format!("&lol{};", level - 1).repeat(10);
        format!("<!ENTITY lol{level} \"{inner}\">")
    };
    let entities: String = (1..=12).map(entity).collect();
    let declared = format!("<!DOCTYPE user [<!ENTITY lol0 \"lol\">{entities}]>");
    let bomb = after_declaration(xml, declared.as_bytes());
    insert_before(&bomb, b"</", b"&lol12;")
}

fn after_declaration(xml: &[u8], inserted: &[u8]) -> Vec<u8> {
    let at = find(xml, b"?>").map_or(0, |at| at + 2);
    [&xml[..at], inserted, &xml[at..]].concat()
}

/// Bytes that are not UTF-8 in the first value.
pub(super) fn with_invalid_utf8(document: &[u8]) -> Vec<u8> {
    if document.starts_with(b"{") {
        insert_before(document, b"\"}", b"\xff\xfe\xc3")
    } else {
        insert_before(document, b"</", b"\xff\xfe\xc3")
    }
}

fn insert_before(document: &[u8], mark: &[u8], inserted: &[u8]) -> Vec<u8> {
    let at = find(document, mark).unwrap_or(document.len());
    [&document[..at], inserted, &document[at..]].concat()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Elements (or arrays) inside one another.
pub(super) fn deep(representation: Representation, levels: u32) -> Vec<u8> {
    // What is deeper than ten million levels makes no difference any more.
    let levels = usize::try_from(levels.min(10_000_000)).unwrap_or(0);
    match representation {
        Representation::Xml => {
            let root = "http://www.usharesoft.com/uforge";
            format!(
                "<u:user xmlns:u=\"{root}\">{}{}</u:user>",
                "<a>".repeat(levels),
                "</a>".repeat(levels)
            )
            .into_bytes()
        }
        Representation::Json => {
            format!("{{\"user\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).into_bytes()
        }
    }
}

/// The document with its last listed item repeated for ever; a document without list repeats its last field.
pub(super) fn endless(root: &Element, representation: Representation) -> Payload {
    let document = render(root, representation);
    let name = root
        .children()
        .last()
        .and_then(|wrapper| wrapper.children().last())
        .map_or("dbId", Element::name);
    let item = match representation {
        Representation::Xml => {
            let (open, close) = (format!("<{name}"), format!("</{name}>"));
            slice_between(&document, open.as_bytes(), close.as_bytes())
        }
        Representation::Json => b"{\"dbId\":1},".to_vec(),
    };
    let mark: &[u8] = if representation == Representation::Json {
        b"["
    } else {
        &item
    };
    let at = find(&document, mark).map_or(document.len(), |at| {
        at + usize::from(representation == Representation::Json)
    });
    Payload::Endless {
        head: Bytes::copy_from_slice(&document[..at]),
        item: item.into(),
    }
}

fn slice_between(document: &[u8], open: &[u8], close: &[u8]) -> Vec<u8> {
    let end = find(document, close).map_or(0, |at| at + close.len());
    let start = document[..end]
        .windows(open.len())
        .rposition(|window| window == open)
        .unwrap_or(0);
    document[start..end].to_vec()
}

/// The document with so much white space before its end that it becomes this long.
pub(super) fn padded(document: &[u8], bytes: u64) -> Payload {
    let end = document
        .iter()
        .rposition(|byte| *byte == b'<' || *byte == b'}')
        .unwrap_or(document.len());
    Payload::Padded {
        head: Bytes::copy_from_slice(&document[..end]),
        spaces: bytes.saturating_sub(document.len() as u64),
        tail: Bytes::copy_from_slice(&document[end..]),
    }
}

/// Compressed, though nobody asked for it.
#[expect(
    clippy::expect_used,
    reason = "a vector takes every byte, so that writing into it cannot fail"
)]
pub(super) fn gzipped(document: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(document)
        .expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

/// Makes the ids of a document wrong.
pub(super) fn spoil_ids(root: &mut Element, how: Ids) {
    root.visit_mut(&mut |element| {
        let Some(id) = element.child_number("dbId") else {
            return;
        };
        match how {
            Ids::Missing => {
                element.set_child("dbId", None);
                element.set_child("uri", None);
            }
            Ids::InUri => element.set_child("dbId", None),
            Ids::Negative => element.set_child("dbId", Some(number("dbId", -id))),
            Ids::Duplicate => element.set_child("dbId", Some(number("dbId", 201))),
            Ids::Text => element.set_child("dbId", Some(crate::document::text("dbId", "../201"))),
        }
    });
}

/// Makes every URI of a document point to another place.
pub(super) fn spoil_uris(root: &mut Element, base: &str) {
    root.visit_mut(&mut |element| {
        let is_uri = element.name() == "uri" || element.name().ends_with("Uri");
        if let Some(value) = element.value().filter(|_| is_uri) {
            let moved = format!("{base}{value}");
            element.set_text(moved);
        }
    });
}
