//! Machine images, generated and published, and scanned machines.

use crate::document::{Element, flag, number, secret, text};
use crate::platform::items::moment;

use super::fields::{Owner, drawn_fields, finished_status, id_at, invented, number_of};

pub(super) fn images(owner: &Owner<'_>) -> Vec<Element> {
    owner
        .places()
        .map(|place| Element::object("image", image_fields(owner, place, 701, false)))
        .collect()
}

/// `PublishImage` is abstract: these are of two of its concrete types.
pub(super) fn published_images(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let mut fields = image_fields(owner, place, 731, true);
        fields.extend([
            text(
                "cloudId",
                format!(
                    "ami-{:08x}",
                    number_of(owner.draw("cloud id", place), 1 << 32)
                ),
            ),
            text(
                "imageUri",
                owner.uri(&format!("appliances/201/images/{}", id_at(701, place))),
            ),
        ]);
        if place % 2 == 0 {
            fields.push(text("region", "eu-west-3"));
            return Element::object("publishImage", fields).with_type("PublishImageAws");
        }
        fields.extend([
            text("datastore", "ssd-1"),
            text("displayName", "web-01"),
            text("esxHost", "esx-3"),
        ]);
        Element::object("publishImage", fields).with_type("PublishImageVSphere")
    };
    owner.places().map(make).collect()
}

fn image_fields(owner: &Owner<'_>, place: usize, base_id: i64, published: bool) -> Vec<Element> {
    const FORMATS: [(&str, &str); 3] = [("qcow2", "qcow2"), ("vmware", "vmdk"), ("aws", "raw")];
    let seed = owner.draw(if published { "published" } else { "image" }, place);
    let id = id_at(base_id, place);
    let (format, ending) = FORMATS[place % FORMATS.len()];
    let base = owner.uri(&format!(
        "appliances/201/{}/{id}",
        if published { "pimages" } else { "images" }
    ));
    let mut fields = drawn_fields(id, seed);
    fields.extend([
        text("mimeType", "application/octet-stream"),
        number("size", number_of(seed, 1 << 32)),
        finished_status("Image generated", base.clone()),
        flag("uploaded", false),
        text("parentUri", owner.uri("appliances/201")),
        flag("compress", true),
    ]);
    if published {
        fields.push(nested_account(seed));
    }
    fields.extend([
        text("distributionName", "CentOS 7"),
        secret("downloadKey", invented(seed, "downloadKey")),
        text("downloadUri", format!("{base}/downloads")),
        text("fileExtension", ending),
        text("fileName", format!("image-{id}.{ending}")),
        number("fileSize", number_of(seed, 1 << 31)),
        image_format(format, seed),
        flag("imageCreated", true),
        text("name", "nginx reverse proxy"),
        number("revision", 3),
        text("statusUri", format!("{base}/status")),
        text("uri", base.as_str()),
        text("version", "1.4"),
        number("vmMemorySize", 2048),
    ]);
    fields
}

fn image_format(name: &'static str, seed: u64) -> Element {
    let mut fields = drawn_fields(number_of(seed, 40) + 1, seed ^ 3);
    fields.extend([flag("access", true), text("name", name)]);
    Element::object("format", fields)
}

/// A published image carries the account that it was published with, secrets included.
fn nested_account(seed: u64) -> Element {
    let mut fields = drawn_fields(402, seed ^ 4);
    fields.extend([
        text("name", "OpenStack lab"),
        text("keystoneUrl", "https://keystone.cloud.example:5000/v3"),
        text("login", "jleaver-robot"),
        secret("password", invented(seed, "nested password")),
    ]);
    Element::object("credAccount", fields).with_type("CredAccountOpenStack")
}

pub(super) fn scans(owner: &Owner<'_>) -> Vec<Element> {
    owner.places().map(|place| scan(owner, place)).collect()
}

fn scan(owner: &Owner<'_>, place: usize) -> Element {
    let seed = owner.draw("scan", place);
    let id = id_at(751, place);
    let instance = owner.uri(&format!("scannedinstances/{}", id_at(771, place)));
    let base = format!("{instance}/scans/{id}");
    let mut fields = drawn_fields(id, seed);
    fields.extend([
        flag("error", false),
        text("filesUri", format!("{base}/files")),
        text("imagesUri", format!("{base}/images")),
        text("name", format!("web-{:02} before migration", place + 1)),
        flag("scanned", true),
        text("scannedInstanceUri", instance),
        finished_status("Scan complete", base.clone()),
        number("totalFilesAdded", number_of(seed, 900)),
        number("totalPackages", 300 + number_of(seed, 200)),
        text("uri", base.as_str()),
        flag("validated", true),
    ]);
    Element::object("scan", fields)
}

pub(super) fn scanned_instances(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let seed = owner.draw("scanned instance", place);
        let id = id_at(771, place);
        let base = owner.uri(&format!("scannedinstances/{id}"));
        let mut distribution = drawn_fields(12, seed ^ 0xd);
        distribution.extend([
            text("arch", "x86_64"),
            text("family", "linux"),
            text("name", "CentOS"),
            text("version", "6.9"),
        ]);
        let mut fields = drawn_fields(id, seed);
        fields.extend([
            Element::object("distribution", distribution),
            text("name", format!("web-{:02}.acme.example", place + 1)),
            number("ramSize", 4096),
            Element::list("scans", "scan", vec![scan(owner, place)]),
            text("scansUri", format!("{base}/scans")),
            number("totalScans", 1),
            text("uri", base.as_str()),
        ]);
        Element::object("scannedInstance", fields)
    };
    owner.places().map(make).collect()
}

/// When something was created, where the schema has no `created`.
pub(super) fn creation_date(seed: u64) -> Element {
    text("creationDate", moment(seed, 200).to_string())
}
