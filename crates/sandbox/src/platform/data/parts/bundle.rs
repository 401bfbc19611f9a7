//! The parts of a software bundle.

use crate::document::{Element, flag, text};
use crate::platform::items::Item;

use super::{Part, base_of, file_fields, is, license_text, part_id};
use crate::archive::mix;
use crate::platform::data::fields::{Owner, drawn_fields};

/// Files of each bundle: a script, and something that is compressed already.
const FILES: [(&str, &str); 2] = [
    ("install.sh", "application/x-sh"),
    ("content.tar.gz", "application/gzip"),
];

/// What lies at this path below a bundle.
pub(crate) fn part(owner: &Owner<'_>, item: &Item, path: &[&str]) -> Option<Part> {
    let base = base_of(owner, "mysoftware", item);
    match path {
        ["artifacts"] => {
            let files = (0..FILES.len()).map(|place| artifact(item, &base, place));
            Some(Part::List(
                "softwareArtifacts",
                "softwareArtifact",
                files.collect(),
            ))
        }
        ["artifacts", id, rest @ ..] => {
            let place = (0..FILES.len()).find(|place| is(id, artifact_id(item, *place)))?;
            match rest {
                [] => Some(Part::Object(artifact(item, &base, place))),
                ["bin"] | ["bin", _] => Some(Part::File(content(item, place), FILES[place].1)),
                _ => None,
            }
        }
        ["licenses", id] if is(id, item.id * 10 + 4) => {
            Some(Part::File(license_text(item), "text/plain"))
        }
        ["templates"] => Some(Part::List(
            "containerTemplates",
            "containerTemplate",
            vec![template(item, &base)],
        )),
        ["templates", id] if is(id, part_id(item, 61)) => Some(Part::Object(template(item, &base))),
        _ => None,
    }
}

fn artifact_id(item: &Item, place: usize) -> i64 {
    part_id(item, i64::try_from(place).unwrap_or(0))
}

fn content(item: &Item, place: usize) -> Vec<u8> {
    if place == 0 {
        return b"#!/bin/sh\nset -e\ncp content.bin /opt/\n".to_vec();
    }
    // It begins as a gzip stream does, and is none: nobody may look into a file of the user's.
    let noise = (0..200u64).flat_map(|word| mix(item.seed ^ word).to_le_bytes());
    b"\x1f\x8b\x08".iter().copied().chain(noise).collect()
}

fn artifact(item: &Item, base: &str, place: usize) -> Element {
    let id = artifact_id(item, place);
    let (name, media_type) = FILES[place];
    let mut fields = file_fields(item, id, &content(item, place), media_type);
    fields.extend([
        text("uri", format!("{base}/artifacts/{id}")),
        text("binaryUri", format!("{base}/artifacts/{id}/bin")),
        text("parentUri", base),
        flag("extract", false),
        flag("install", false),
        flag("active", true),
        text("installLocation", "/opt"),
        text("name", name),
    ]);
    Element::object("softwareArtifact", fields)
}

fn template(item: &Item, base: &str) -> Element {
    let id = part_id(item, 61);
    let mut fields = drawn_fields(id, item.seed ^ id.unsigned_abs());
    fields.extend([
        text("uri", format!("{base}/templates/{id}")),
        text("imagesUri", format!("{base}/templates/{id}/images")),
        text("formatsUri", format!("{base}/templates/{id}/formats")),
    ]);
    Element::object("containerTemplate", fields)
}

/// The licence of a bundle, as its document has it.
pub(in crate::platform::data) fn license(item: &Item, base: &str) -> Element {
    super::license(item, item.id * 10 + 4, (base, &license_text(item)))
}
