//! The quiet part of a scenario: people, sizes, times and habits of the platform.

use std::fmt;

use serde::Deserialize;

use super::faults::ItemFault;
use super::framing::Framing;

/// Somebody who can sign in, with a password or with an API key pair.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Person {
    /// The login name, which is also the `uid` in paths. May hold anything that a login may hold.
    pub login: String,
    /// The password for Basic authentication.
    pub password: String,
    /// The public half of an API key pair.
    pub public_key: String,
    /// The secret half of an API key pair.
    pub secret_key: String,
}

impl Person {
    fn new(login: &str, password: &str, public_key: &str, secret_key: &str) -> Self {
        Self {
            login: login.to_owned(),
            password: password.to_owned(),
            public_key: public_key.to_owned(),
            secret_key: secret_key.to_owned(),
        }
    }

    pub(super) fn leaver() -> Self {
        Self::new(
            "jleaver",
            "correct-horse-7",
            "Pk0xJ4sTq9LeaverKeyA1",
            "Sk8fZ2mVw6LeaverSecretB7cQ",
        )
    }

    pub(super) fn colleague() -> Self {
        Self::new(
            "mkowalski",
            "battery-staple-9",
            "Pk0xM7kWr2KowalskiKeyC",
            "Sk3hX5nBd8KowalskiSecretDyT",
        )
    }

    pub(super) fn administrator() -> Self {
        Self::new(
            "admin",
            "master-of-forges-3",
            "Pk0xA1dMn5AdminKeyE44",
            "Sk6jU9pRe1AdminSecretF2wZ",
        )
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Person")
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// How much data the user has.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataSize {
    /// Appliances, numbered from 201.
    pub appliances: u32,
    /// Bundles of "my software", numbered from 301.
    pub software: u32,
    /// Cloud accounts, numbered from 401. The first fourteen are of the schema's fourteen kinds.
    pub accounts: u32,
    /// Entries of each of the other lists.
    pub others: u32,
    /// About how long an archive is, unless its item says otherwise.
    pub archive_bytes: u64,
    /// Whether what is in an archive compresses, about as software does; else it looks random.
    pub compressible: bool,
    /// Exports of the first appliance that another client asked for and left there, complete.
    pub foreign_tickets: u32,
    /// Further people with a little of their own: `neighbour-1`, `neighbour-2` …, with the colleague's password.
    pub neighbours: u32,
    /// Appliances of everybody but the user; by default two at most.
    pub neighbour_appliances: Option<u32>,
    /// What things are called.
    pub names: Names,
}

impl Default for DataSize {
    fn default() -> Self {
        Self {
            appliances: 6,
            software: 4,
            accounts: 14,
            others: 3,
            archive_bytes: 300_000,
            compressible: false,
            foreign_tickets: 1,
            neighbours: 0,
            neighbour_appliances: None,
            names: Names::Realistic,
        }
    }
}

/// What things are called.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// As designers call their templates.
    Realistic,
    /// Paths, control characters, 300 characters, emoji, names that differ in case only, device names of Windows.
    Hostile,
}

/// How long things take.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timing {
    /// Exports that run at the same time; the others wait in their order.
    pub slots: usize,
    /// How long one export runs.
    pub export_millis: u64,
    /// How long one import runs, once the person's import before it has ended.
    pub import_millis: u64,
    /// How long every answer is held back.
    pub latency_millis: u64,
    /// How long a stalled answer hangs before its connection is closed; without it until the client gives up.
    pub stall_millis: Option<u64>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            slots: 2,
            export_millis: 1200,
            import_millis: 600,
            latency_millis: 0,
            stall_millis: None,
        }
    }
}

/// How lists are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lists {
    /// The most entries that one answer holds, whatever the request asks for; `total` still counts all.
    pub page_cap: Option<usize>,
}

/// How archives are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Downloads {
    /// How the end of the body is marked.
    pub framing: Framing,
    /// Whether a part may be asked for.
    pub ranges: Ranges,
}

/// Whether a part of an archive may be asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Ranges {
    /// `Range` is ignored.
    #[default]
    Ignored,
    /// `Accept-Ranges: bytes`, an `ETag`, and 206 for a `Range` whose `If-Range` holds.
    Honoured,
}

/// What is refused or not known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Access {
    /// Resources below `users/{uid}` that answer 403, such as `scans` or `exports/statuses`.
    pub forbidden: Vec<String>,
    /// Resources below `users/{uid}` that answer 404, as an older platform does.
    pub unknown: Vec<String>,
    /// Entitlements that the user does not have, such as `software_upload`.
    pub missing_entitlements: Vec<String>,
}

/// The two kinds of things that the platform exports, and the one that it only shows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// An appliance template.
    Appliance,
    /// A bundle of "my software".
    Software,
    /// A cloud account, which has no export.
    Account,
}

/// One appliance, bundle or account that differs from the rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemScenario {
    /// What it is.
    pub kind: ItemKind,
    /// Its `dbId`.
    pub id: i64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// About how long its archive is.
    #[serde(default)]
    pub archive_bytes: Option<u64>,
    /// How long its export runs.
    #[serde(default)]
    pub export_millis: Option<u64>,
    /// The `size` that its document gives.
    #[serde(default)]
    pub size: Option<u64>,
    /// What goes wrong with it.
    #[serde(default)]
    pub faults: Vec<ItemFault>,
}

impl ItemScenario {
    /// An item with nothing special yet.
    pub fn new(kind: ItemKind, id: i64) -> Self {
        Self {
            kind,
            id,
            name: None,
            archive_bytes: None,
            export_millis: None,
            size: None,
            faults: Vec::new(),
        }
    }

    /// The same item, going wrong in one more way.
    #[must_use]
    pub fn with_fault(mut self, fault: ItemFault) -> Self {
        self.faults.push(fault);
        self
    }
}
