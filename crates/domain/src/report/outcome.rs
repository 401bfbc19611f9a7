//! The outcome of a run as a value: sections, items, files, failures.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{BagPath, EarlierBag, OutputFormat, Section, UserId};
use crate::ports::{FinishedBag, Receipt};

/// Whether everything selected is in the bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    /// Everything.
    Complete,
    /// Something is missing; it is named.
    Partial,
}

/// What became of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SectionStatus {
    /// All of it is in the bag.
    Complete,
    /// Something of it is missing.
    Partial,
    /// The platform refuses or does not know it, in whole or for some of its lists, or would not answer.
    Unavailable,
    /// Not asked for.
    Excluded,
}

/// One section in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionReport {
    /// Which.
    pub section: Section,
    /// What became of it.
    pub status: SectionStatus,
    /// Objects of it that are complete in the bag.
    pub items: u64,
    /// Why it is not complete.
    pub reason: Option<String>,
    /// Objects in the platform's list when the run began; `None` where the list could not be read.
    pub listed: Option<u64>,
    /// Objects in the list when it was read again at the end; `None` where it could not be.
    pub recounted: Option<u64>,
    /// Objects left out by the selection.
    pub excluded: u64,
    /// Names (with ids) of objects that appeared during the run.
    pub appeared: Vec<String>,
    /// Names (with ids) of objects that vanished during the run.
    pub vanished: Vec<String>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    /// All of it is in the bag.
    Complete,
    /// Something of it is in the bag, and something is missing: its archive, or one of its documents.
    Partial,
    /// Nothing of it is in the bag but what the platform's lists say.
    Failed,
    /// The platform refuses it or has it no more.
    Unavailable,
}

/// One object in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemReport {
    /// Its section.
    pub section: Section,
    /// Its `dbId` as sent, where it has one.
    pub id: Option<i64>,
    /// Its real name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its `uri` as the platform says it.
    pub uri: Option<String>,
    /// Its `digest`.
    pub digest: Option<String>,
    /// Its `lastModified`, as sent.
    pub last_modified: Option<String>,
    /// It changed on the platform while it was exported, and what is in the bag may be the older state.
    pub changed_during_export: bool,
    /// What became of it.
    pub status: ItemStatus,
    /// Why it is not complete.
    pub reason: Option<String>,
    /// Paths of its files in the bag.
    pub files: Vec<BagPath>,
    /// The earlier bag that its archive was taken from.
    pub reused_from: Option<EarlierBag>,
}

/// At which stage something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Asking the platform for an export.
    Start,
    /// Waiting for the platform's export.
    Wait,
    /// Fetching an archive, a document or a file.
    Download,
    /// Deleting the ticket; the data itself is safe.
    Delete,
}

/// Something that is missing, or could not be done, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its section.
    pub section: Section,
    /// The object's `dbId`, where it is one object's.
    pub id: Option<i64>,
    /// The object's name, where it has one.
    pub name: Option<String>,
    /// Where it was lost.
    pub stage: Stage,
    /// The server's status code, where it answered.
    pub http_status: Option<u16>,
    /// What was being done, what the server said, and what a person can do.
    pub message: String,
    /// Attempts made.
    pub attempts: u32,
}

/// All that is reported about a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Version of this program.
    pub tool_version: String,
    /// The base URL.
    pub source: String,
    /// The platform's version, where reported.
    pub platform_version: Option<String>,
    /// Whose data.
    pub user: UserId,
    /// `outputFormat` of the archives.
    pub output_format: OutputFormat,
    /// When the run began (the first one, where it was interrupted).
    pub started: Timestamp,
    /// When the bag was closed.
    pub finished: Timestamp,
    /// Whether everything selected is there.
    pub completeness: Completeness,
    /// Every section of the table, in its order.
    pub sections: Vec<SectionReport>,
    /// Every object of every list that was read.
    pub items: Vec<ItemReport>,
    /// Every payload file. Redactions are in each file's origin.
    pub files: Vec<Receipt>,
    /// What is missing or was left undone.
    pub failures: Vec<Failure>,
    /// What a person should know that is no failure: doubts about tickets, resumed runs …
    pub notes: Vec<String>,
    /// The operator's own text.
    pub notice: Option<String>,
    /// Whether secrets were blanked.
    pub redacted: bool,
}

/// What a run came to: the report, and where the bag is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// All that is reported about it.
    pub report: Report,
    /// The finished bag.
    pub bag: FinishedBag,
}
