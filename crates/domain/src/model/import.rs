//! What a person asked for with an import: what of a bag, into whose account, and what becomes of conflicts.

use serde::{Deserialize, Serialize};

use super::{Order, Sha256};

/// What becomes of an item whose name and version an object of the platform has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// It is left out.
    #[default]
    Skip,
    /// An appliance takes the other's place (the platform's `force`). Software cannot be overwritten: it is left out.
    Overwrite,
    /// It has failed.
    Fail,
}

/// Which operating system the platform may choose for an appliance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsVersion {
    /// The version that the template names.
    #[default]
    Exact,
    /// Its major version will do: `CentOS` 6 for 6.2 (the platform's `useMajor`).
    Major,
}

/// Whether objects are marked as imported on the platform (its `imported`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tagging {
    /// They are.
    #[default]
    Imported,
    /// They look as if they had been made there.
    None,
}

/// What an import ticket is asked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImportOptions {
    /// `imported`.
    pub tagging: Tagging,
    /// `force`: only appliances know it.
    pub overwrite: bool,
    /// `useMajor`: only appliances know it.
    pub os_version: OsVersion,
}

/// One order: everything that decides what an import does.
#[derive(Clone, Debug)]
pub struct ImportOrder {
    /// Whose account, on which platform, which sections and items of the bag (the ids are those in the bag), how many imports at
    /// the same time and how long one may go without progress. What is said of a bag that is made does not count.
    pub order: Order,
    /// What becomes of conflicts.
    pub on_conflict: OnConflict,
    /// Which operating systems will do.
    pub os_version: OsVersion,
    /// How objects are marked.
    pub tagging: Tagging,
}

impl ImportOrder {
    /// What a ticket is asked for with.
    pub fn options(&self) -> ImportOptions {
        ImportOptions {
            tagging: self.tagging,
            overwrite: self.on_conflict == OnConflict::Overwrite,
            os_version: self.os_version,
        }
    }

    /// A sum over all that must be the same for an interrupted import to be resumed: user, platform, selection, options, and the
    /// bag, which is known by the sum of what it says of itself.
    pub fn fingerprint(&self, bag: &Sha256) -> Sha256 {
        let parts = serde_json::json!([
            "uforge-export import 1",
            self.order.user,
            self.order.source,
            self.order.selection,
            self.on_conflict,
            self.os_version,
            self.tagging,
            bag,
        ]);
        Sha256::of(parts.to_string().as_bytes())
    }
}
