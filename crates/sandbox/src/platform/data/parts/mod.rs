//! What lies below an appliance or a bundle: install profile, boot scripts, operating system profile, software files, licences.

mod appliance;
mod bundle;
mod disks;
mod studio;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::document::{Element, text};
use crate::hexadecimal::hexadecimal;
use crate::platform::items::Item;

use super::fields::{FileFacts, Owner, upload_fields};

pub(crate) use appliance::part as appliance_part;
pub(super) use bundle::license as bundle_license;
pub(crate) use bundle::part as bundle_part;
pub(super) use disks::partition_table;
pub(super) use studio::package as studio_package;

/// One part.
pub(crate) enum Part {
    /// A document that is an object.
    Object(Element),
    /// A list: root and wrapper, item, entries.
    List(&'static str, &'static str, Vec<Element>),
    /// A file.
    File(Vec<u8>, &'static str),
}

/// The place of a part's ids: each item has a hundred.
fn part_id(item: &Item, place: i64) -> i64 {
    item.id * 100 + place
}

/// Whether the segment is this id.
fn is(segment: &str, id: i64) -> bool {
    segment.parse() == Ok(id)
}

/// The fields of an object that is a file, as the platform publishes them.
fn file_fields(item: &Item, id: i64, file: &[u8], media_type: &'static str) -> Vec<Element> {
    let facts = FileFacts {
        bytes: file.len(),
        md5: &hexadecimal(&Md5::digest(file)),
        sha256: &hexadecimal(&Sha256::digest(file)),
        media_type,
    };
    upload_fields(id, item.seed ^ id.unsigned_abs(), &facts)
}

/// A `license`, of a bundle or of a studio package.
fn license(item: &Item, id: i64, (parent, file): (&str, &[u8])) -> Element {
    let mut fields = file_fields(item, id, file, "text/plain");
    fields.extend([
        text("name", "LICENSE.txt"),
        text("parentUri", parent),
        text("type", "CUSTOM"),
        text("uri", format!("{parent}/licenses/{id}")),
    ]);
    Element::object("license", fields)
}

fn license_text(item: &Item) -> Vec<u8> {
    format!(
        "Licence of {}, version {}.\nFor use within ACME only.\n",
        item.name, item.version
    )
    .into_bytes()
}

fn base_of(owner: &Owner<'_>, collection: &str, item: &Item) -> String {
    owner.uri(&format!("{collection}/{}", item.id))
}
