//! `export.json`: the report for programs (docs/export.md). The types here are its format; its schema is made from them.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::coverage::{Coverage, coverage};
use super::{
    Completeness, Failure, ItemReport, ItemStatus, Report, SectionReport, SectionStatus, Stage,
};
use crate::model::{BagPath, Basis, EarlierBag, OutputFormat, Section, Sha256};
use crate::ports::{Receipt, RedactionRule};

/// The format's name and version. Fields may be added within a version; none is taken away or changes its meaning.
pub(super) const FORMAT: &str = "uforge-export/1";
/// The program that makes bags.
pub(super) const TOOL: &str = "uforge-export";

/// What an archive of one person's data from a UForge platform holds, where it came from, and what is missing from it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "export.json of uforge-export")]
pub(super) struct Export<'a> {
    /// Name and version of this format. Fields may be added within a version.
    #[schemars(schema_with = "super::schema::format")]
    format: &'static str,
    tool: Tool<'a>,
    source: Source<'a>,
    /// The login name of the person whose data this is.
    user: &'a str,
    /// The form of the template inside the platform's archives.
    #[schemars(schema_with = "super::schema::output_format")]
    output_format: OutputFormat,
    /// When the export began; the first time, where it was interrupted and continued.
    #[schemars(schema_with = "super::schema::time")]
    started: Timestamp,
    /// When the archive was closed.
    #[schemars(schema_with = "super::schema::time")]
    finished: Timestamp,
    /// Whether everything that was selected is in the archive.
    outcome: Completeness,
    /// Whether passwords, keys and tokens were blanked in the documents.
    secrets_redacted: bool,
    /// Every kind of data, in the same order in every archive.
    sections: Vec<SectionEntry<'a>>,
    /// Every object of every list that was read.
    #[serde(serialize_with = "write_items")]
    #[schemars(with = "Vec<ItemEntry>")]
    items: &'a [ItemReport],
    /// Every file below `data/`.
    #[serde(serialize_with = "write_files")]
    #[schemars(with = "Vec<FileEntry>")]
    files: &'a [Receipt],
    /// What is missing or could not be done.
    failures: Vec<FailureEntry<'a>>,
    /// What was blanked, by file and rule.
    redactions: Vec<RedactionEntry<'a>>,
    /// What a person should know that is no failure.
    notes: &'a [String],
    /// Every GET resource under `users/{uid}` of the platform: in a section, inside its archives or documents, or left out
    /// with the reason.
    coverage: Vec<Coverage>,
}

/// The program that made the archive.
#[derive(Debug, Serialize, JsonSchema)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

/// The platform that the data came from.
#[derive(Debug, Serialize, JsonSchema)]
struct Source<'a> {
    /// The base URL of its interface.
    url: &'a str,
    /// Its version; null where it does not say.
    uforge_version: Option<&'a str>,
}

/// One kind of data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Section")]
struct SectionEntry<'a> {
    #[schemars(schema_with = "super::schema::section")]
    name: &'static str,
    /// A heading for people.
    title: &'static str,
    status: SectionStatus,
    /// Objects of it that are complete in the archive.
    items: u64,
    /// Why it is not complete.
    reason: Option<&'a str>,
    /// Objects in the platform's list when the export began; null where the list could not be read.
    listed: Option<u64>,
    /// Objects in the list when it was read again at the end; null where it could not be.
    recounted: Option<u64>,
    /// Objects that the selection left out.
    excluded: u64,
    /// Objects that appeared in the list during the export.
    appeared: &'a [String],
    /// Objects that vanished from the list during the export.
    vanished: &'a [String],
    /// Whether the person provided it, the platform observed it, or the platform decided it.
    #[schemars(schema_with = "super::schema::basis")]
    basis: Basis,
    /// One plain sentence about what it is.
    about: &'static str,
}

/// One object of the platform.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Item")]
struct ItemEntry<'a> {
    #[schemars(schema_with = "super::schema::section")]
    section: Section,
    /// Its `dbId` on the platform, as sent.
    id: Option<i64>,
    /// Its real name.
    name: Option<&'a str>,
    version: Option<&'a str>,
    /// Its address on the platform, as the platform says it.
    uri: Option<&'a str>,
    /// What the platform says of its state: it changes when the object does.
    digest: Option<&'a str>,
    /// As the platform says it.
    last_modified: Option<&'a str>,
    /// It changed while it was exported: what is in the archive may be the older state.
    changed_during_export: bool,
    status: ItemStatus,
    /// Why it is not complete.
    reason: Option<&'a str>,
    /// The earlier archive that its own archive was taken from, because it had not changed since: `source` and `fetched` of that
    /// file are the earlier archive's. Null where it was exported anew.
    reused_from: Option<ReusedFrom<'a>>,
    /// Paths of the files that hold it.
    #[schemars(with = "Vec<String>")]
    files: &'a [BagPath],
}

/// An earlier archive of the same person's data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReusedFrom")]
struct ReusedFrom<'a> {
    /// The name of its file.
    bag: &'a str,
    /// SHA-256 of its `export.json`.
    #[schemars(schema_with = "super::schema::sha256")]
    export_json_sha256: Sha256,
}

/// One file of the archive.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileEntry<'a> {
    #[schemars(schema_with = "super::schema::payload_path")]
    path: &'a str,
    bytes: u64,
    #[schemars(schema_with = "super::schema::sha256")]
    sha256: Sha256,
    media_type: &'a str,
    #[schemars(schema_with = "super::schema::section")]
    section: Section,
    /// The request that fetched it: method and path.
    source: &'a str,
    #[schemars(schema_with = "super::schema::time")]
    fetched: Timestamp,
}

/// Something that is missing or could not be done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub struct FailureEntry<'a> {
    #[schemars(schema_with = "super::schema::section")]
    section: Section,
    /// The object's `dbId`; null where it is not one object's failure.
    id: Option<i64>,
    name: Option<&'a str>,
    /// Where it was lost. After `delete` the data itself is safe: only the platform's own ticket is left over.
    stage: Stage,
    /// The platform's status code; null where it did not answer.
    http_status: Option<u16>,
    /// What was being done, and what the platform said.
    message: &'a str,
    attempts: u32,
}

/// What one rule blanked in one file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Redaction")]
struct RedactionEntry<'a> {
    #[schemars(schema_with = "super::schema::payload_path")]
    path: &'a str,
    #[schemars(schema_with = "super::schema::rule")]
    rule: RedactionRule,
    /// Values blanked.
    count: u64,
}

/// `export.json` of a run: pretty, UTF-8, with a newline at its end.
#[expect(
    clippy::expect_used,
    reason = "the types hold text, whole numbers and lists: nothing that JSON cannot hold"
)]
pub fn export_json(report: &Report) -> Vec<u8> {
    // Reserved at once: megabytes that outgrow their memory again and again leave holes where they were.
    let mut bytes = Vec::with_capacity(expected_bytes(report));
    write(report, &mut bytes).expect("a report can be written as JSON");
    bytes
}

/// The same to wherever, in very small pieces.
pub(super) fn write(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, &Export::of(report))?;
    to.write_all(b"\n")
}

/// About what it comes to.
fn expected_bytes(report: &Report) -> usize {
    32 * 1024 + 640 * report.items.len() + 512 * report.files.len()
}

/// One after the other: there may be tens of thousands.
fn write_items<S: Serializer>(items: &&[ItemReport], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(items.iter().map(ItemEntry::of))
}

fn write_files<S: Serializer>(files: &&[Receipt], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(files.iter().map(FileEntry::of))
}

impl<'a> Export<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            format: FORMAT,
            tool: Tool {
                name: TOOL,
                version: &report.tool_version,
            },
            source: Source {
                url: &report.source,
                uforge_version: report.platform_version.as_deref(),
            },
            user: report.user.as_str(),
            output_format: report.output_format,
            started: report.started,
            finished: report.finished,
            outcome: report.completeness,
            secrets_redacted: report.redacted,
            sections: report.sections.iter().map(SectionEntry::of).collect(),
            items: &report.items,
            files: &report.files,
            failures: report.failures.iter().map(FailureEntry::of).collect(),
            redactions: report.files.iter().flat_map(redactions_of).collect(),
            notes: &report.notes,
            coverage: coverage().collect(),
        }
    }
}

impl<'a> SectionEntry<'a> {
    fn of(section: &'a SectionReport) -> Self {
        let info = section.section.info();
        Self {
            name: info.name,
            title: info.title,
            status: section.status,
            items: section.items,
            reason: section.reason.as_deref(),
            listed: section.listed,
            recounted: section.recounted,
            excluded: section.excluded,
            appeared: &section.appeared,
            vanished: &section.vanished,
            basis: info.basis,
            about: info.about,
        }
    }
}

impl<'a> ItemEntry<'a> {
    fn of(item: &'a ItemReport) -> Self {
        Self {
            section: item.section,
            id: item.id,
            name: item.name.as_deref(),
            version: item.version.as_deref(),
            uri: item.uri.as_deref(),
            digest: item.digest.as_deref(),
            last_modified: item.last_modified.as_deref(),
            changed_during_export: item.changed_during_export,
            status: item.status,
            reason: item.reason.as_deref(),
            reused_from: item.reused_from.as_ref().map(ReusedFrom::of),
            files: &item.files,
        }
    }
}

impl<'a> ReusedFrom<'a> {
    fn of(bag: &'a EarlierBag) -> Self {
        Self {
            bag: &bag.name,
            export_json_sha256: bag.export_json_sha256,
        }
    }
}

impl<'a> FileEntry<'a> {
    fn of(receipt: &'a Receipt) -> Self {
        Self {
            path: receipt.path.as_str(),
            bytes: receipt.bytes,
            sha256: receipt.sha256,
            media_type: &receipt.media_type,
            section: receipt.origin.section,
            source: &receipt.origin.source,
            fetched: receipt.origin.fetched,
        }
    }
}

impl<'a> FailureEntry<'a> {
    /// As it is written into `export.json` and into the last event of a run.
    pub fn of(failure: &'a Failure) -> Self {
        Self {
            section: failure.section,
            id: failure.id,
            name: failure.name.as_deref(),
            stage: failure.stage,
            http_status: failure.http_status,
            message: &failure.message,
            attempts: failure.attempts,
        }
    }
}

fn redactions_of(receipt: &Receipt) -> impl Iterator<Item = RedactionEntry<'_>> {
    receipt
        .origin
        .redactions
        .iter()
        .map(|redaction| RedactionEntry {
            path: receipt.path.as_str(),
            rule: redaction.rule,
            count: redaction.count,
        })
}

#[cfg(test)]
#[path = "export_json_tests.rs"]
mod tests;
