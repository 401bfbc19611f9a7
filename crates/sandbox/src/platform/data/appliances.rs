//! `Appliance`, with its install profile, where operating-system passwords are.

use crate::document::{Element, flag, number, secret, text};
use crate::platform::items::Item;

use super::fields::{Owner, drawn_fields, id_at, invented, item_fields, logo, number_of};
use super::parts::{partition_table, studio_package};

/// The `appliance` document.
pub(crate) fn appliance(owner: &Owner<'_>, item: &Item) -> Element {
    let system = item.system();
    let base = owner.uri(&format!("appliances/{}", item.id));
    let below = |rest: &str| format!("{base}/{rest}");
    let mut fields = item_fields(item);
    fields.extend([
        text("uuid", format!("{:016x}", item.seed)),
        text("archName", system.arch.clone()),
        text("baseImagesUri", below("images")),
        text("baseMySoftwareUri", below("mysoftware")),
        text("baseOsProfileUri", below("osprofile")),
        text("basePublishImagesUri", below("pimages")),
        text("description", item.description.as_str()),
        text(
            "distributionName",
            format!("{} {}", system.name, system.version),
        ),
        text(
            "distributionUri",
            format!("distributions/{}", 11 + number_of(item.seed, 40)),
        ),
        text("exportsUri", below("exports")),
        Element::uris("imageUris", vec![below("images/7001")]),
        flag("imported", item.is_tagged(item.place % 3 == 2)),
        number(
            "installedSize",
            900_000_000 + number_of(item.seed, 600_000_000),
        ),
        install_profile(item, &base),
        text("installProfileUri", below("installProfile")),
        text("lastPkgUpdate", item.last_modified.to_string()),
    ]);
    fields.extend(item.logo_id().map(|id| {
        logo(
            "logo",
            id,
            item.logo(),
            (base.clone(), below(&format!("logo/{id}"))),
        )
    }));
    let usual_size = 300_000_000 + number_of(item.seed, 300_000_000);
    fields.extend([
        Element::uris(
            "mySoftwareUris",
            vec![owner.uri(&format!("mysoftware/{}", 301 + item.place % 2))],
        ),
        text("name", item.name.as_str()),
        number("nbSecurityUpdates", number_of(item.seed ^ 1, 9)),
        number("nbUpdates", number_of(item.seed ^ 2, 40)),
    ]);
    fields.extend(studio_package(item, &base));
    fields.extend([
        text("orgUri", "orgs/2"),
        os_profile(item, &base),
        text(
            "osProfileUri",
            below(&format!("osprofile/{}", item.id * 10 + 2)),
        ),
        number("revision", item.revision),
        flag("shared", item.place % 4 == 1),
        number("size", item.size.unwrap_or(usual_size)),
        text("tag", format!("uforge-{}", item.id)),
        text("uri", base.as_str()),
        text("version", item.version.as_str()),
    ]);
    Element::object("appliance", fields)
}

pub(super) fn install_profile(item: &Item, base: &str) -> Element {
    let mut fields = drawn_fields(item.id * 10 + 1, item.seed);
    // Only the licence of a Windows or an enterprise distribution is activated.
    if item.place % 3 == 1 {
        fields.push(secret(
            "activationKey",
            invented(item.seed, "activationKey"),
        ));
    }
    let groups = vec![os_group(item)];
    fields.extend([
        text("applianceUri", base),
        number("diskSize", 12_288),
        flag("firewallAuto", false),
        flag("firewallEnabled", true),
        Element::list("groups", "group", groups),
        text("keyboard", "fr-latin9"),
        flag("keyboardAuto", false),
        number("memorySize", 2048),
        flag("partitionAuto", false),
        partition_table(item, base),
        os_user(item, 0, "root"),
        number("swapSize", 1024),
        text("timezone", "Europe/Paris"),
        text("uri", format!("{base}/installProfile/{}", item.id * 10 + 1)),
        Element::list("users", "user", vec![os_user(item, 1, "deploy")]),
        text("welcomeMsg", "Authorised users only"),
        text("seLinuxMode", "permissive"),
    ]);
    Element::object("installProfile", fields)
}

pub(super) fn os_user(item: &Item, place: usize, name: &'static str) -> Element {
    let mut fields = drawn_fields(id_at(item.id * 100, place), item.seed ^ place as u64);
    fields.extend([
        flag("disablePasswordLogin", false),
        flag("encrypted", false),
        text(
            "fullName",
            if place == 0 {
                "Superuser"
            } else {
                "Deployment"
            },
        ),
        text(
            "homeDir",
            if place == 0 {
                "/root".to_owned()
            } else {
                format!("/home/{name}")
            },
        ),
        text("name", name),
        secret("password", invented(item.seed, name)),
        flag("passwordAuto", false),
        text("shell", "/bin/bash"),
    ]);
    Element::object(if place == 0 { "rootUser" } else { "user" }, fields)
}

pub(super) fn os_group(item: &Item) -> Element {
    let mut fields = drawn_fields(item.id * 100 + 7, item.seed ^ 7);
    fields.extend([
        text("groupId", "1500"),
        flag("groupIdAuto", false),
        text("name", "deployers"),
        flag("systemGroup", false),
        secret("password", invented(item.seed, "group password")),
        flag("encrypted", false),
    ]);
    Element::object("group", fields)
}

pub(super) fn os_profile(item: &Item, base: &str) -> Element {
    let system = item.system();
    let mut fields = drawn_fields(item.id * 10 + 2, item.seed ^ 2);
    fields.extend([
        text("applianceUri", base),
        text("arch", system.arch),
        text("name", "Minimal"),
        text("uri", format!("{base}/osprofile/{}", item.id * 10 + 2)),
        text("version", system.version),
        text(
            "packagesUri",
            format!("{base}/osprofile/{}/pkgs", item.id * 10 + 2),
        ),
    ]);
    Element::object("osProfile", fields).with_type("LinuxProfile")
}
