//! What is on its way: imports, migrations, deployments, blueprints.

use crate::archive::mix;
use crate::document::{Element, flag, number, text};

use super::fields::{Owner, drawn_fields, finished_status, id_at, number_of};
use super::machines::creation_date;

pub(super) fn imports(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let seed = owner.draw("import", place);
        let id = id_at(861, place);
        let base = owner.uri(&format!("imports/{id}"));
        let mut fields = drawn_fields(id, seed);
        fields.extend([
            number("size", number_of(seed, 1 << 24)),
            finished_status("Import complete", base.clone()),
            flag("uploaded", true),
            flag("useMajor", false),
            flag("imported", true),
            text("referenceUri", owner.uri("appliances/203")),
            text("uploadUri", format!("{base}/uploads")),
            text("uri", base.as_str()),
        ]);
        Element::object("applianceImport", fields)
    };
    owner.places().map(make).collect()
}

pub(super) fn migrations(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let id = id_at(881, place);
        let base = owner.uri(&format!("migrations/{id}"));
        let mut fields = drawn_fields(id, owner.draw("migration", place));
        fields.extend([
            text("name", format!("web-{:02} to the cloud", place + 1)),
            finished_status("Migrated", base.clone()),
            text("uri", base.as_str()),
            flag("cancellable", false),
        ]);
        Element::object("migration", fields)
    };
    owner.places().map(make).collect()
}

/// A deployment has an `applicationId` and no `dbId`.
pub(super) fn deployments(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let seed = owner.draw("deployment", place);
        let application = format!("{:08x}", mix(seed) >> 32);
        let mut instance = drawn_fields(id_at(951, place), seed ^ 1);
        instance.extend([
            number("cores", 2),
            text("hostname", format!("deployed-{}.acme.example", place + 1)),
            text("state", "running"),
            text("sshKeyName", "laptop 1"),
        ]);
        let fields = vec![
            text("uri", owner.uri(&format!("deployments/{application}"))),
            text("applicationId", application),
            text("name", format!("shop {}", place + 1)),
            creation_date(seed),
            text("blueprintName", "three-tier shop"),
            text("state", "RUNNING"),
            Element::list(
                "instances",
                "instance",
                vec![Element::object("instance", instance)],
            ),
        ];
        Element::object("deployment", fields)
    };
    owner.places().map(make).collect()
}

pub(super) fn blueprints(owner: &Owner<'_>) -> Vec<Element> {
    let make = |place| {
        let id = id_at(971, place);
        let mut fields = drawn_fields(id, owner.draw("blueprint", place));
        fields.extend([
            text("name", format!("three-tier shop {}", place + 1)),
            text("uri", owner.uri(&format!("blueprints/{id}"))),
            text("version", "1.0"),
            text("revision", "2"),
            flag("compliant", true),
        ]);
        Element::object("BlueprintSummary", fields)
    };
    owner.places().map(make).collect()
}
