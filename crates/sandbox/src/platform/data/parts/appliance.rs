//! The parts of an appliance.

use crate::document::{Element, flag, number, text};
use crate::platform::items::Item;

use super::{Part, base_of, disks, file_fields, is, part_id, studio};
use crate::platform::data::appliances::{install_profile, os_group, os_profile, os_user};
use crate::platform::data::fields::{Owner, drawn_fields};

const SCRIPT: i64 = 31;
const NIC: i64 = 41;
const PACKAGE: i64 = 51;

/// What lies at this path below an appliance; `bundles` are those in it.
pub(crate) fn part(
    owner: &Owner<'_>,
    item: &Item,
    path: &[&str],
    bundles: Vec<Element>,
) -> Option<Part> {
    let base = base_of(owner, "appliances", item);
    let profile = item.id * 10 + 1;
    match path {
        ["bootscripts"] => Some(Part::List(
            "bootScripts",
            "bootScript",
            vec![boot_script(item, &base)],
        )),
        ["bootscripts", id, rest @ ..] if is(id, part_id(item, SCRIPT)) => match rest {
            [] => Some(Part::Object(boot_script(item, &base))),
            ["bin"] | ["bin", _] => Some(Part::File(script(item), "application/x-sh")),
            _ => None,
        },
        ["installProfile"] => Some(Part::Object(install_profile(item, &base))),
        ["installProfile", id, rest @ ..] if is(id, profile) => profile_part(item, &base, rest),
        ["osprofile", id, rest @ ..] if is(id, item.id * 10 + 2) => os_part(item, &base, rest),
        ["mysoftware"] => Some(Part::List("mySoftwareList", "mySoftware", bundles)),
        ["projects"] => Some(Part::List("projects", "project", Vec::new())),
        ["oas", id, rest @ ..] if is(id, item.id * 10 + 6) => studio::part(item, &base, rest),
        _ => None,
    }
}

fn profile_part(item: &Item, base: &str, path: &[&str]) -> Option<Part> {
    let users = || [os_user(item, 0, "root"), os_user(item, 1, "deploy")];
    let with_id = |entries: Vec<Element>, id: &str| {
        let id = id.parse().ok();
        entries
            .into_iter()
            .find(|entry| entry.child_number("dbId") == id)
    };
    match path {
        [] => Some(Part::Object(install_profile(item, base))),
        ["groups"] => Some(Part::List("osGroups", "osGroup", vec![os_group(item)])),
        ["groups", id] => {
            with_id(vec![os_group(item)], id).map(|group| Part::Object(group.named("osGroup")))
        }
        ["users"] => Some(Part::List("osUsers", "osUser", users().into())),
        ["users", id] => with_id(users().into(), id).map(|user| Part::Object(user.named("osUser"))),
        ["nics"] => Some(Part::List("nics", "nic", vec![nic(item, base)])),
        ["nics", id] => with_id(vec![nic(item, base)], id).map(Part::Object),
        ["pt", id, rest @ ..] if is(id, item.id * 10 + 5) => disks::part(item, base, rest),
        _ => None,
    }
}

fn os_part(item: &Item, base: &str, path: &[&str]) -> Option<Part> {
    match path {
        [] => Some(Part::Object(os_profile(item, base).named("distribProfile"))),
        ["pkgs"] => {
            let packages = ["nginx", "postgresql", "openssh-server"].iter().zip(0..);
            let packages = packages.map(|(name, place)| package(item, base, name, place));
            let list = Element::list("pkgs", "pkg", packages.collect());
            Some(Part::Object(Element::object("packages", vec![list])))
        }
        // Services and applications are of Windows.
        _ => None,
    }
}

fn script(item: &Item) -> Vec<u8> {
    format!(
        "#!/bin/sh\n# Runs once.\nhostnamectl set-hostname demo-{}\n",
        item.seed % 100
    )
    .into_bytes()
}

fn boot_script(item: &Item, base: &str) -> Element {
    let id = part_id(item, SCRIPT);
    let mut fields = file_fields(item, id, &script(item), "application/x-sh");
    fields.extend([
        text("uri", format!("{base}/bootscripts/{id}")),
        text("binaryUri", format!("{base}/bootscripts/{id}/bin")),
        text("parentUri", base),
        flag("active", true),
        text("name", "first-boot.sh"),
        number("bootOrder", 1),
        text("bootType", "firstboot"),
    ]);
    Element::object("bootScript", fields)
}

fn nic(item: &Item, base: &str) -> Element {
    let id = part_id(item, NIC);
    let profile = format!("{base}/installProfile/{}", item.id * 10 + 1);
    let mut fields = drawn_fields(id, item.seed ^ id.unsigned_abs());
    fields.extend([
        flag("autoConnect", true),
        text("ipv4Method", "AUTOMATIC"),
        text("ipv6Method", "IGNORE"),
        text("name", "eth0"),
        text("parentUri", profile.as_str()),
        text("type", "ETHERNET"),
        number("order", 1),
        text("uri", format!("{profile}/nics/{id}")),
    ]);
    Element::object("nic", fields)
}

fn package(item: &Item, base: &str, name: &str, place: i64) -> Element {
    let id = part_id(item, PACKAGE + place);
    let mut fields = drawn_fields(id, item.seed ^ id.unsigned_abs());
    fields.extend([
        text("arch", "x86_64"),
        text("fullName", format!("{name}-1.0-1.x86_64.rpm")),
        text("name", name),
        text("parentUri", base),
        text("release", "1"),
        text("version", "1.0"),
    ]);
    Element::object("pkg", fields)
}
