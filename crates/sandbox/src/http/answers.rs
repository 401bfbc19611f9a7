//! What the platform gives, as replies.

use domain::model::Representation;
use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE,
    RANGE, SET_COOKIE,
};

use crate::document::{Element, number};
use crate::platform::ArchiveAnswer;
use crate::scenario::{Damage, Fault, Framing};

use super::hostile;
use super::payload::Payload;
use super::reply::{Reply, XML};

/// The reply that brings a document, perhaps spoiled on the way.
pub(super) fn document(
    asked: Representation,
    status: u16,
    mut root: Element,
    spoil: Option<&Fault>,
) -> Reply {
    match spoil {
        Some(Fault::Ids(how)) => hostile::spoil_ids(&mut root, *how),
        Some(Fault::ForeignUris { base }) => hostile::spoil_uris(&mut root, base),
        Some(Fault::EndlessPages) => root.set_child("total", Some(number("total", i64::MAX))),
        _ => {}
    }
    let form = if matches!(spoil, Some(Fault::JsonForXml)) {
        Representation::Json
    } else {
        asked
    };
    let plain = hostile::render(&root, form);
    let mut reply = Reply::new(status, asked.media_type(), plain.clone())
        .with_header(SET_COOKIE, "JSESSIONID=4f1d; Path=/; HttpOnly");
    match spoil {
        Some(Fault::Doctype) if form == Representation::Xml => {
            reply.payload = Payload::Bytes(hostile::with_doctype(&plain).into());
        }
        Some(Fault::EntityExpansion) if form == Representation::Xml => {
            reply.payload = Payload::Bytes(hostile::with_entities(&plain).into());
        }
        Some(Fault::InvalidUtf8) => {
            reply.payload = Payload::Bytes(hostile::with_invalid_utf8(&plain).into());
        }
        Some(Fault::EndlessList) => reply.payload = hostile::endless(&root, form),
        Some(Fault::HugeDocument { bytes }) => {
            reply.payload = hostile::padded(&plain, *bytes);
            // A declared length would give it away before the first byte.
            reply.framing = Framing::Chunked;
        }
        Some(Fault::JsonForXml) => reply.set_media_type(XML),
        Some(Fault::GzipEncoding) => {
            reply.payload = Payload::Bytes(hostile::gzipped(&plain).into());
            reply = reply.with_header(CONTENT_ENCODING, "gzip");
        }
        _ => {}
    }
    reply
}

/// The reply that brings an archive, or the part of it that is asked for.
///
/// Fails with the archive's length where the part lies behind its end.
pub(super) fn archive(
    headers: &HeaderMap,
    answer: ArchiveAnswer,
    framing: Framing,
) -> Result<Reply, u64> {
    let bytes = answer.archive.bytes();
    let mut reply = Reply::new(200, "application/octet-stream", "").with_header(
        CONTENT_DISPOSITION,
        format!("attachment; filename=\"{}\"", answer.file_name),
    );
    reply.framing = framing;
    reply.damage = answer.damage;
    let mut from = 0;
    if let Some(etag) = answer.etag {
        if let Some(offset) = asked_offset(headers, &etag) {
            if offset >= bytes {
                return Err(bytes);
            }
            from = offset;
            reply.status = 206;
            reply = reply.with_header(
                CONTENT_RANGE,
                format!("bytes {offset}-{}/{bytes}", bytes - 1),
            );
        }
        reply = reply
            .with_header(ACCEPT_RANGES, "bytes")
            .with_header(ETAG, etag);
    }
    reply.payload = Payload::Archive {
        archive: answer.archive,
        from,
        to: bytes,
    };
    reply.damage = reply.damage.and_then(|damage| shifted(damage, from));
    Ok(reply)
}

/// The offset of a `bytes=N-` range whose validator, if any, still holds (RFC 9110 §13.1.5, §14.2).
fn asked_offset(headers: &HeaderMap, etag: &str) -> Option<u64> {
    let current = headers
        .get(IF_RANGE)
        .is_none_or(|validator| validator.as_bytes() == etag.as_bytes());
    first_byte(headers).filter(|_| current)
}

/// Where a `bytes=N-` range begins.
pub(super) fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}

/// Damage is given in offsets of the whole archive; this makes it one of a body that begins at `from`.
fn shifted(damage: Damage, from: u64) -> Option<Damage> {
    let left = |offset: u64| offset.saturating_sub(from);
    Some(match damage {
        Damage::BitFlip { at } => Damage::BitFlip {
            at: at.checked_sub(from)?,
        },
        Damage::Truncated { after, framing } => Damage::Truncated {
            after: left(after),
            framing,
        },
        Damage::SilentlyTruncated { after, framing } => Damage::SilentlyTruncated {
            after: left(after),
            framing,
        },
        Damage::Stalled { after } => Damage::Stalled { after: left(after) },
        Damage::Html | Damage::Empty => damage,
    })
}
