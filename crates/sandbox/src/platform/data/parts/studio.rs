//! The package of the platform's studio, which some appliances have.

use crate::document::{Element, flag, text};
use crate::platform::items::Item;

use super::{Part, file_fields, is, license, license_text};

/// What lies at this path below the package of the platform's studio, where the appliance has one.
pub(super) fn part(item: &Item, base: &str, path: &[&str]) -> Option<Part> {
    if !has_package(item) {
        return None;
    }
    match path {
        [] => package(item, base).map(|package| Part::Object(package.named("oasPkg"))),
        ["bin"] => Some(Part::File(file(item), "application/octet-stream")),
        ["licenses", id] if is(id, item.id * 10 + 7) => {
            Some(Part::File(license_text(item), "text/plain"))
        }
        _ => None,
    }
}

fn has_package(item: &Item) -> bool {
    item.place.is_multiple_of(3)
}

fn file(item: &Item) -> Vec<u8> {
    format!("studio of {}\n", item.id).into_bytes()
}

/// The package of the platform's studio, which some appliances have.
pub(in crate::platform::data) fn package(item: &Item, base: &str) -> Option<Element> {
    if !has_package(item) {
        return None;
    }
    let id = item.id * 10 + 6;
    let uri = format!("{base}/oas/{id}");
    let mut fields = file_fields(item, id, &file(item), "application/octet-stream");
    fields.extend([
        text("binaryUri", format!("{uri}/bin")),
        text("name", "studio.bin"),
        text("parentUri", base),
        text("uri", uri.as_str()),
        text("version", "3.8"),
        license(item, item.id * 10 + 7, (&uri, &license_text(item))),
        flag("licenseUploaded", true),
    ]);
    Some(Element::object("oasPackage", fields))
}
