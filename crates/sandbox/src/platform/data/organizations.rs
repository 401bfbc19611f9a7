//! What the organisation knows: memberships, roles, quotas, usage, statistics, activities.

use crate::document::{Element, decimal, flag, number, text};
use crate::platform::items::moment;

use super::fields::{Owner, drawn_fields, id_at, number_of};

/// All entitlements that lists and calls ask for, with what they allow.
pub(crate) const ENTITLEMENTS: [(&str, &str); 8] = [
    ("appliance_create", "create and manage appliance templates"),
    ("software_upload", "upload and export my software"),
    ("image_generate", "generate and publish machine images"),
    ("cloud_account_access", "manage artifact accounts"),
    ("api_key_access", "manage API keys"),
    ("migration_access", "scan and migrate machines"),
    ("deployments_access", "deploy blueprints"),
    ("user_administrate", "see what users do"),
];

pub(super) fn organizations(owner: &Owner<'_>) -> Vec<Element> {
    let mut fields = drawn_fields(2, owner.draw("org", 0));
    fields.extend([
        flag("admin", owner.administrator),
        flag("defaultOrg", true),
        text("membersUri", "orgs/2/members"),
        text("name", "ACME Forges"),
        text("uri", "orgs/2"),
        text("workspacesUri", "orgs/2/workspaces"),
    ]);
    vec![Element::object("org", fields)]
}

pub(super) fn roles(owner: &Owner<'_>) -> Vec<Element> {
    let entitlement = |(name, description): &(&'static str, &'static str)| {
        Element::object(
            "entitlement",
            vec![text("description", *description), text("name", *name)],
        )
    };
    let role = |place, name: &'static str, entitlements: &[(&'static str, &'static str)]| {
        let mut fields = drawn_fields(id_at(31, place), owner.draw("role", place));
        let entitlements = entitlements.iter().map(entitlement).collect();
        fields.extend([
            text("name", name),
            Element::list("entitlements", "entitlement", entitlements),
        ]);
        Element::object("role", fields)
    };
    vec![
        role(0, "designer", &ENTITLEMENTS[..5]),
        role(1, "operator", &ENTITLEMENTS[5..]),
    ]
}

pub(super) fn quotas(owner: &Owner<'_>) -> Vec<Element> {
    const KINDS: [&str; 4] = ["appliance", "diskusage", "generation", "scan"];
    let quota = |(place, kind): (usize, &&'static str)| {
        let seed = owner.draw("quota", place);
        let mut fields = drawn_fields(id_at(41, place), seed);
        fields.extend([
            text("frequency", if place % 2 == 0 { "none" } else { "monthly" }),
            number("limit", if place == 0 { -1 } else { 50 }),
            number("nb", number_of(seed, 40)),
            text("type", *kind),
        ]);
        Element::object("quota", fields)
    };
    KINDS.iter().enumerate().map(quota).collect()
}

pub(super) fn usage(owner: &Owner<'_>) -> Vec<Element> {
    const ACTIONS: [&str; 4] = ["created", "downloaded", "success", "imported"];
    let ticket = |place| {
        let seed = owner.draw("usage", place);
        let mut fields = drawn_fields(id_at(801, place), seed);
        fields.extend([
            number("actionId", id_at(1, place % 4)),
            text("actionName", ACTIONS[place % 4]),
            text("date", moment(seed, 300).to_string()),
            text("description", "generation of an image"),
            number("diskSize", number_of(seed, 1 << 32)),
            text("formatName", "qcow2"),
            number("objectId", 201),
            text("objectName", "nginx reverse proxy"),
            text("objectType", "appliance"),
            number("orgId", 2),
            decimal("price", 12.5),
            number("userId", owner.id),
            text("userLoginName", owner.login),
        ]);
        Element::object("statTicket", fields)
    };
    owner.places().map(ticket).collect()
}

pub(super) fn statistics(owner: &Owner<'_>) -> Vec<Element> {
    const KINDS: [&str; 3] = ["APPLIANCE", "GENERATION_APPLIANCE", "SOFTWARE_BUNDLE"];
    let point = |seed| {
        let mut fields = drawn_fields(number_of(seed, 9000), seed);
        fields.extend([
            text("date", moment(seed, 90).to_string()),
            text("distribName", "CentOS"),
            number("nb", number_of(seed, 12)),
            decimal("percentage", 33.25),
        ]);
        Element::object("dataPoint", fields)
    };
    let stat = |(place, kind): (usize, &&'static str)| {
        let seed = owner.draw("stat", place);
        let points = vec![point(seed), point(seed ^ 1)];
        let mut fields = drawn_fields(id_at(851, place), seed);
        fields.extend([
            text("type", *kind),
            number("currNb", number_of(seed, 12)),
            Element::list("dataPoints", "dataPoint", points),
        ]);
        Element::object("stat", fields)
    };
    KINDS.iter().enumerate().map(stat).collect()
}

/// The schema has no type for these: what the platform keeps in its log.
pub(super) fn activities(owner: &Owner<'_>) -> Vec<Element> {
    const ACTIONS: [&str; 4] = [
        "login",
        "appliance created",
        "image generated",
        "cloud account updated",
    ];
    let activity = |place| {
        let seed = owner.draw("activity", place);
        let fields = vec![
            number("dbId", id_at(901, place)),
            text("date", moment(seed, 60).to_string()),
            text("loginName", owner.login),
            text("action", ACTIONS[place % ACTIONS.len()]),
            text("address", format!("192.0.2.{}", number_of(seed, 250))),
        ];
        Element::object("userActivity", fields)
    };
    owner.places().map(activity).collect()
}
