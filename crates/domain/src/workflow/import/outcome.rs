//! What an import came to, as a value, and its form for programs.

use serde::Serialize;

use crate::model::{ObjectId, Section};

/// Where an item failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportStage {
    /// In the bag: its archive is missing or damaged.
    Bag,
    /// Reading the platform's list, without which nobody knows what is there already.
    List,
    /// An object of the same name and version is there.
    Conflict,
    /// Asking for a ticket.
    Ticket,
    /// Sending the archive.
    Upload,
    /// While the platform worked on it.
    Wait,
    /// Finding out what it became.
    Result,
}

/// An object that the platform has because of this order; of a plan, one that it would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedObject {
    /// Its section.
    pub section: Section,
    /// Its id on the platform, where it is known.
    pub id: Option<ObjectId>,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its address on the platform, where it is known.
    pub uri: Option<String>,
}

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedObject {
    /// What is on the platform instead.
    #[serde(flatten)]
    pub object: ImportedObject,
    /// Why.
    pub reason: String,
}

/// An item that is not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedObject {
    /// The item, by its id in the bag.
    #[serde(flatten)]
    pub object: ImportedObject,
    /// Where it failed.
    pub stage: ImportStage,
    /// Why, in words.
    pub message: String,
    /// Whether its archive in the bag is damaged.
    #[serde(skip)]
    pub is_damaged: bool,
}

/// A section that is not imported: what a person does by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManualSection {
    /// Which.
    pub section: Section,
    /// Objects of it in the bag.
    pub count: u64,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportOutcome {
    /// What is there now, by this run and by earlier ones of the same order.
    pub imported: Vec<ImportedObject>,
    /// What was left out.
    pub skipped: Vec<SkippedObject>,
    /// What is not there.
    pub failed: Vec<FailedObject>,
    /// What has to be done by hand.
    pub manual: Vec<ManualSection>,
    /// What a person should know besides: tickets that are left on the platform.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Whether the same order, given again, has something to do or to delete.
    #[serde(skip)]
    pub is_unfinished: bool,
}

impl ImportOutcome {
    /// Whether an archive of the bag is damaged.
    pub fn is_damaged(&self) -> bool {
        self.failed.iter().any(|failed| failed.is_damaged)
    }

    /// Whether nothing that was asked for is on the platform.
    pub fn is_nothing(&self) -> bool {
        !self.failed.is_empty() && self.imported.is_empty() && self.skipped.is_empty()
    }
}
