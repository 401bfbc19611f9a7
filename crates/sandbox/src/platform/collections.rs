//! The one table of the lists below `users/{uid}`.

use super::query::Paging;

/// A list resource: where it is, what its elements are called, who may read it.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) path: &'static str,
    pub(crate) root: &'static str,
    pub(crate) wrapper: &'static str,
    pub(crate) item: &'static str,
    pub(crate) entitlement: Option<&'static str>,
    pub(crate) paging: Paging,
}

impl Collection {
    pub(crate) fn at(path: &str) -> Option<&'static Collection> {
        COLLECTIONS
            .iter()
            .find(|collection| collection.path == path)
    }

    /// Whether the schema has a `total` beside the wrapper.
    pub(crate) fn counts(&self) -> bool {
        self.path != "stats"
    }
}

const fn collection(
    path: &'static str,
    root: &'static str,
    item: &'static str,
    entitlement: Option<&'static str>,
    paging: Paging,
) -> Collection {
    Collection {
        path,
        root,
        wrapper: root,
        item,
        entitlement,
        paging,
    }
}

use Paging::{CountAndOffset, IndexAndMax, None as Whole};

/// Every list, with the entitlement that it needs.
pub(crate) static COLLECTIONS: &[Collection] = &[
    collection(
        "appliances",
        "appliances",
        "appliance",
        Some("appliance_create"),
        CountAndOffset,
    ),
    collection(
        "mysoftware",
        "mySoftwareList",
        "mySoftware",
        Some("appliance_create"),
        CountAndOffset,
    ),
    collection(
        "accounts",
        "credAccounts",
        "credAccount",
        None,
        CountAndOffset,
    ),
    collection(
        "artifactaccounts",
        "artifactCredAccounts",
        "artifactCredAccount",
        Some("cloud_account_access"),
        CountAndOffset,
    ),
    collection(
        "apikeys",
        "apiKeyPairs",
        "apiKeyPair",
        Some("api_key_access"),
        Whole,
    ),
    collection("sshkeys", "sshKeys", "sshKey", None, Whole),
    collection(
        "workspaces",
        "workspaces",
        "workspace",
        Some("appliance_create"),
        Whole,
    ),
    collection("orgs", "orgs", "org", None, Whole),
    collection("roles", "roles", "role", None, Whole),
    collection("quotas", "quotas", "quota", None, Whole),
    collection("usage", "statTickets", "statTicket", None, CountAndOffset),
    Collection {
        path: "stats",
        root: "userStats",
        wrapper: "stats",
        item: "stat",
        entitlement: None,
        paging: Whole,
    },
    collection("images", "images", "image", Some("image_generate"), Whole),
    collection(
        "pimages",
        "publishImages",
        "publishImage",
        Some("image_generate"),
        Whole,
    ),
    collection(
        "imports",
        "applianceImports",
        "applianceImport",
        Some("appliance_create"),
        CountAndOffset,
    ),
    collection(
        "exports",
        "applianceExports",
        "applianceExport",
        Some("appliance_create"),
        CountAndOffset,
    ),
    collection(
        "scans",
        "scans",
        "scan",
        Some("migration_access"),
        IndexAndMax,
    ),
    collection(
        "scannedinstances",
        "scannedInstances",
        "scannedInstance",
        Some("migration_access"),
        IndexAndMax,
    ),
    collection(
        "migrations",
        "migrations",
        "migration",
        Some("migration_access"),
        CountAndOffset,
    ),
    // The schema has no element for these.
    collection(
        "activities",
        "userActivities",
        "userActivity",
        Some("user_administrate"),
        Whole,
    ),
    collection(
        "deployments",
        "deployments",
        "deployment",
        Some("deployments_access"),
        Whole,
    ),
    collection(
        "blueprints",
        "blueprintsSummaries",
        "BlueprintSummary",
        Some("deployments_access"),
        CountAndOffset,
    ),
];

/// How the list below `users/{uid}` at this path takes its limits.
pub(crate) fn paging_of(path: &str) -> Paging {
    Collection::at(path).map_or(Paging::None, |collection| collection.paging)
}
