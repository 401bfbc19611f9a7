//! `export.json` as far as the page shows it.

use domain::model::Section;
use domain::ports::RedactionRule;
use domain::report::{ItemStatus, SectionStatus, Stage};
use serde::Deserialize;

/// The parts of `export.json` that the page shows. A report of another version may lack some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    pub(super) sections: Vec<SectionEntry>,
    pub(super) items: Vec<ItemEntry>,
    pub(super) files: Vec<FileEntry>,
    pub(super) failures: Vec<FailureEntry>,
    pub(super) redactions: Vec<RedactionEntry>,
    pub(super) notes: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct SectionEntry {
    pub(super) name: Section,
    pub(super) status: SectionStatus,
    #[serde(default)]
    pub(super) items: u64,
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ItemEntry {
    pub(super) section: Section,
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) status: ItemStatus,
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FileEntry {
    pub(super) bytes: u64,
    pub(super) section: Section,
}

#[derive(Deserialize)]
pub(super) struct FailureEntry {
    pub(super) section: Section,
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) stage: Stage,
    pub(super) message: String,
    #[serde(default)]
    pub(super) attempts: u64,
}

#[derive(Deserialize)]
pub(super) struct RedactionEntry {
    pub(super) rule: RedactionRule,
    pub(super) count: u64,
}
