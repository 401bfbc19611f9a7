//! The documents of the demo data, type by type, in the order of the schema's sequences.
//!
//! Each function makes one document or one list's entries for one owner. What is secret is made by [`invented`] and marked as
//! such, so that a test can ask for every secret of a sandbox.

mod accounts;
mod appliances;
mod keys;
mod machines;
mod movements;
mod organizations;
mod profile;
mod software;
mod workspaces;

use jiff::Timestamp;

use crate::archive::mix;
use crate::document::{Element, flag, number, text};

use super::hexadecimal;
use super::items::{Item, moment};
use super::picture::Picture;

pub(crate) use accounts::{Secrets, account, certificate_file, certificate_ids};
pub(crate) use appliances::appliance;
pub(crate) use organizations::ENTITLEMENTS;
pub(crate) use profile::{PHOTO_ID, photo, user};
pub(crate) use software::my_software;
pub(crate) use workspaces::{comments, has_workspace, templates};

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

    fn places(&self) -> impl Iterator<Item = usize> {
        0..self.others as usize
    }

    fn draw(&self, what: &str, place: usize) -> u64 {
        let label = what
            .bytes()
            .fold(7u64, |sum, byte| mix(sum ^ u64::from(byte)));
        mix(self.seed ^ label ^ place as u64)
    }
}

/// The entries of the lists that are not items or tickets; `None` where there is no such list.
pub(crate) fn entries(owner: &Owner<'_>, collection: &str) -> Option<Vec<Element>> {
    let entries = match collection {
        "artifactaccounts" => keys::artifact_accounts(owner),
        "apikeys" => keys::api_keys(owner),
        "sshkeys" => keys::ssh_keys(owner),
        "workspaces" => workspaces::workspaces(owner),
        "orgs" => organizations::organizations(owner),
        "roles" => organizations::roles(owner),
        "quotas" => organizations::quotas(owner),
        "usage" => organizations::usage(owner),
        "stats" => organizations::statistics(owner),
        "activities" => organizations::activities(owner),
        "images" => machines::images(owner),
        "pimages" => machines::published_images(owner),
        "scans" => machines::scans(owner),
        "scannedinstances" => machines::scanned_instances(owner),
        "imports" => movements::imports(owner),
        "migrations" => movements::migrations(owner),
        "deployments" => movements::deployments(owner),
        "blueprints" => movements::blueprints(owner),
        _ => return None,
    };
    Some(entries)
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

fn item_fields(item: &Item) -> Vec<Element> {
    object_fields(item.created, item.id, item.digest(), item.last_modified)
}

/// The same for what has nothing but an id and a seed.
fn drawn_fields(id: i64, seed: u64) -> Vec<Element> {
    let created = moment(seed, 500);
    let digest = hexadecimal(&[mix(seed), mix(seed ^ 9)].map(u64::to_be_bytes).concat());
    object_fields(created, id, digest, created.max(moment(mix(seed), 100)))
}

/// The fields of `UForgeUploadObject`, for bytes that are there.
fn upload_fields(id: i64, seed: u64, file: &FileFacts<'_>) -> Vec<Element> {
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
struct FileFacts<'a> {
    bytes: usize,
    md5: &'a str,
    sha256: &'a str,
    media_type: &'static str,
}

fn logo(
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
fn invented(seed: u64, what: &str) -> String {
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

fn finished_status(message: &'static str, parent_uri: String) -> Element {
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

fn number_of(seed: u64, below: u64) -> i64 {
    i64::try_from(mix(seed) % below.max(1)).unwrap_or(0)
}

/// Ids of the smaller lists, from a number per list.
fn id_at(base: i64, place: usize) -> i64 {
    base + i64::try_from(place).unwrap_or(0)
}
