//! `MySoftware`.

use crate::document::{Element, flag, number, text};
use crate::platform::items::Item;

use super::fields::{Owner, drawn_fields, item_fields, logo, number_of};
use super::parts::bundle_license;

/// The `mySoftware` document.
pub(crate) fn my_software(owner: &Owner<'_>, item: &Item) -> Element {
    let base = owner.uri(&format!("mysoftware/{}", item.id));
    let mut fields = item_fields(item);
    let usual_size = 1024 + number_of(item.seed, 4_000_000);
    fields.extend([
        text("tag", format!("mysoft-{}", item.id)),
        text("name", item.name.as_str()),
        text("version", item.version.as_str()),
        text("description", item.description.as_str()),
        text("release", item.revision.to_string()),
        text("installLocation", "/opt"),
        flag("restricted", false),
        number("installedSize", 4096 + number_of(item.seed, 9_000_000)),
        number("size", item.size.unwrap_or(usual_size)),
        number("revision", item.revision),
        text("artifactsUri", format!("{base}/artifacts")),
        text("uri", base.as_str()),
        text("exportUri", format!("{base}/exports")),
        category(item),
        bundle_license(item, &base),
    ]);
    fields.extend(item.logo_id().map(|id| {
        logo(
            "logo",
            id,
            item.logo(),
            (base.clone(), format!("{base}/logo/{id}")),
        )
    }));
    fields.extend([
        text("maintainer", "Platform team <platform@acme.example>"),
        text("website", "https://intranet.acme.example/software"),
        Element::uris(
            "softwareArtifactUris",
            [0, 1]
                .map(|place| format!("{base}/artifacts/{}", item.id * 100 + place))
                .into(),
        ),
        text("appliancesUri", format!("{base}/appliances")),
        flag("imported", item.is_tagged(item.place == 2)),
        flag("generationEnabled", true),
    ]);
    Element::object("mySoftware", fields)
}

fn category(item: &Item) -> Element {
    let mut fields = drawn_fields(5, item.seed ^ 5);
    fields.extend([
        text("name", "Software Development"),
        text("type", "PROJECT"),
    ]);
    Element::object("category", fields)
}
