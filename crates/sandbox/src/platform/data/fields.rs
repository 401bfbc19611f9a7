//! Whose data a document is about, and the fields that many types have in common.

use jiff::Timestamp;

use crate::archive::mix;
use crate::document::{Element, flag, number, text};
use crate::hexadecimal::hexadecimal;
use crate::platform::items::{Item, moment};
use crate::platform::picture::Picture;

/// The `dbId` of the first person.
pub(crate) const FIRST_USER_ID: i64 = 21;

/// Whose data a document is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) login: &'a str,
    pub(crate) seed: u64,
    pub(crate) id: i64,
    pub(crate) administrator: bool,
    /// Entries in each of the smaller lists.
    pub(crate) others: u32,
    pub(crate) public_key: &'a str,
    pub(crate) secret_key: &'a str,
}

impl Owner<'_> {
    /// A URI of the platform below this user, relative and percent-encoded.
    pub(crate) fn uri(&self, rest: &str) -> String {
        format!("users/{}/{rest}", encoded(self.login))
    }

    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        0..self.others as usize
    }

    pub(super) fn draw(&self, what: &str, place: usize) -> u64 {
        let label = what
            .bytes()
            .fold(7u64, |sum, byte| mix(sum ^ u64::from(byte)));
        mix(self.seed ^ label ^ place as u64)
    }
}

/// One path segment, percent-encoded.
pub(crate) fn encoded(segment: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(segment, KEPT).to_string()
}

/// The fields of `UForgeObject`, with which nearly every type begins.
fn object_fields(
    created: Timestamp,
    id: i64,
    digest: String,
    last_modified: Timestamp,
) -> Vec<Element> {
    vec![
        text("created", created.to_string()),
        number("dbId", id),
        text("digest", digest),
        text("lastModified", last_modified.to_string()),
    ]
}

pub(super) fn item_fields(item: &Item) -> Vec<Element> {
    object_fields(item.created, item.id, item.digest(), item.last_modified)
}

/// The same for what has nothing but an id and a seed.
pub(super) fn drawn_fields(id: i64, seed: u64) -> Vec<Element> {
    let created = moment(seed, 500);
    let digest = hexadecimal(&[mix(seed), mix(seed ^ 9)].map(u64::to_be_bytes).concat());
    object_fields(created, id, digest, created.max(moment(mix(seed), 100)))
}

/// The fields of `UForgeUploadObject`, for bytes that are there.
pub(super) fn upload_fields(id: i64, seed: u64, file: &FileFacts<'_>) -> Vec<Element> {
    let mut fields = drawn_fields(id, seed);
    fields.extend([
        text("md5sum", file.md5),
        text("mimeType", file.media_type),
        text("sha256sum", file.sha256),
        number("size", i64::try_from(file.bytes).unwrap_or(i64::MAX)),
        flag("uploaded", true),
        text("uploadedTime", moment(seed, 400).to_string()),
    ]);
    fields
}

/// What the platform publishes about a file.
pub(super) struct FileFacts<'a> {
    pub(super) bytes: usize,
    pub(super) md5: &'a str,
    pub(super) sha256: &'a str,
    pub(super) media_type: &'static str,
}

pub(super) fn logo(
    name: &'static str,
    id: i64,
    picture: Option<&Picture>,
    (parent_uri, uri): (String, String),
) -> Element {
    let mut fields = match picture {
        None => {
            let mut fields = drawn_fields(id, id.unsigned_abs());
            fields.push(flag("uploaded", false));
            fields
        }
        Some(picture) => {
            let file = FileFacts {
                bytes: picture.bytes.len(),
                md5: &picture.md5,
                sha256: &picture.sha256,
                media_type: "image/png",
            };
            upload_fields(id, id.unsigned_abs(), &file)
        }
    };
    fields.extend([
        text("name", format!("{name}.png")),
        text("parentUri", parent_uri),
        text("uri", uri),
    ]);
    Element::object(name, fields)
}

/// A secret that nothing else looks like, so that a byte search for it is conclusive.
pub(super) fn invented(seed: u64, what: &str) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let label = what
        .bytes()
        .fold(11u64, |sum, byte| mix(sum ^ u64::from(byte)));
    (0..26u64)
        .map(|place| {
            char::from(
                LETTERS[usize::from(mix(seed ^ label ^ (place << 32)).to_le_bytes()[3] % 62)],
            )
        })
        .collect()
}

pub(super) fn finished_status(message: &'static str, parent_uri: String) -> Element {
    Element::object(
        "status",
        vec![
            flag("cancelled", false),
            flag("complete", true),
            flag("error", false),
            text("message", message),
            text("parentUri", parent_uri),
            number("percentage", 100),
        ],
    )
}

pub(super) fn number_of(seed: u64, below: u64) -> i64 {
    i64::try_from(mix(seed) % below.max(1)).unwrap_or(0)
}

/// Ids of the smaller lists, from a number per list.
pub(super) fn id_at(base: i64, place: usize) -> i64 {
    base + i64::try_from(place).unwrap_or(0)
}
