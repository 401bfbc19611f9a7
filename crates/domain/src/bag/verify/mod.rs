//! Whether a bag is what its manifests and its `export.json` say: a pure comparison.
//!
//! A reader feeds a [`Comparison`] with every file that it finds and with the tag files' content, in any order, and gets the
//! [`Findings`]. What is kept is proportional to the number of files, not to their size.

mod drift;
mod finding;
mod importable;
mod recorded;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use drift::{
    ChangedObject, Differences, Drift, IncompleteObject, ListNow, LiveObject, SectionDrift,
    Standing, Unread, drift,
};
pub use finding::{Damage, Disagreement, Finding, InnerProblem, TagProblem};
pub use importable::{
    Described, DescribedAs, ImportObstacle, ImportVerdict, Importable, Inside, archive_of,
    importable,
};
pub use recorded::{
    RecordedExport, RecordedFailure, RecordedFile, RecordedItem, RecordedPaths, RecordedSection,
    RecordedSource, RecordedTool,
};

use super::layout::Tag;
use super::manifest;
use crate::model::Sha256;

/// Findings listed one by one; the rest of a hopeless bag is counted.
const FINDINGS_LISTED: usize = 1000;
const PAYLOAD: &str = "data/";
const TAG_MANIFESTS: &str = "tagmanifest-";

/// A file whose bytes were read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    /// Size and sum; `None` where the bytes could not be read to their end.
    content: Option<(u64, Sha256)>,
}

type Listed = BTreeMap<String, Sha256>;

/// A comparison under way.
#[derive(Debug, Default)]
pub struct Comparison {
    seen: BTreeMap<String, Seen>,
    manifest: Option<Listed>,
    tag_manifest: Option<Listed>,
    oxum: Option<String>,
    recorded: Option<RecordedExport>,
    broke_off: bool,
    findings: Findings,
}

/// What is wrong with a bag, and how much of it there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is wrong, at most a thousand things.
    pub list: Vec<Finding>,
    /// Findings beyond those in the list.
    pub unlisted: u64,
    /// Payload files found.
    pub payload_files: u64,
    /// Payload bytes found.
    pub payload_bytes: u64,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.list.is_empty()
    }

    fn add(&mut self, finding: Finding) {
        if self.list.len() < FINDINGS_LISTED {
            self.list.push(finding);
        } else {
            self.unlisted += 1;
        }
    }
}

impl Comparison {
    /// A file of the bag, by its path below the top folder, whose bytes were read to the end.
    pub fn found(&mut self, path: &str, bytes: u64, sha256: Sha256) {
        self.see(path, Some((bytes, sha256)));
    }

    /// A file of the bag whose bytes cannot be read; `finding` says why.
    pub fn unreadable(&mut self, path: &str, finding: Finding) {
        self.see(path, None);
        self.add(finding);
    }

    /// Something that the reader saw by itself.
    pub fn add(&mut self, finding: Finding) {
        self.findings.add(finding);
    }

    /// The reader cannot go on: what it has not shown is unknown, not missing.
    pub fn broke_off(&mut self) {
        self.broke_off = true;
    }

    /// Whether what was found so far has anything of a bag.
    pub fn looks_like_a_bag(&self) -> bool {
        [Tag::Declaration, Tag::PayloadManifest, Tag::ExportJson]
            .iter()
            .any(|tag| self.seen.contains_key(tag.name()))
    }

    /// The sum of a tag file that was found.
    pub fn sum_of(&self, tag: Tag) -> Option<Sha256> {
        let (_, sum) = self.seen.get(tag.name())?.content?;
        Some(sum)
    }

    /// The content of `manifest-sha256.txt`.
    pub fn payload_manifest(&mut self, content: &[u8]) {
        self.manifest = Some(self.listed(Tag::PayloadManifest, content));
    }

    /// The content of `tagmanifest-sha256.txt`.
    pub fn tag_manifest(&mut self, content: &[u8]) {
        self.tag_manifest = Some(self.listed(Tag::TagManifest, content));
    }

    /// The content of `bagit.txt` (RFC 8493 §2.1.1).
    pub fn declaration(&mut self, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        let has = |label: &str, value: &str| {
            elements(&text).any(|(l, v)| l == label && v.to_ascii_uppercase().starts_with(value))
        };
        if !has("BagIt-Version", "") || !has("Tag-File-Character-Encoding", "UTF-8") {
            self.add(Finding::Tag {
                path: Tag::Declaration.name().to_owned(),
                problem: TagProblem::Declaration,
            });
        }
    }

    /// The content of `bag-info.txt` (RFC 8493 §2.2.2).
    pub fn info(&mut self, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        self.oxum = elements(&text)
            .find(|(label, _)| label.eq_ignore_ascii_case("Payload-Oxum"))
            .map(|(_, value)| value.to_owned());
    }

    /// What `export.json` says, or why it cannot be read.
    pub fn export_json(&mut self, read: Result<RecordedExport, serde_json::Error>) {
        let problem = match read {
            Ok(recorded) if recorded.is_known() => {
                self.recorded = Some(recorded);
                return;
            }
            Ok(recorded) => TagProblem::Format(recorded.format),
            Err(error) if error.is_data() => TagProblem::Content { line: error.line() },
            Err(error) => TagProblem::Json { line: error.line() },
        };
        self.add(Finding::Tag {
            path: Tag::ExportJson.name().to_owned(),
            problem,
        });
    }

    /// Compares all that was found with all that was said. Also gives back what `export.json` says, where it could be read.
    pub fn finish(mut self) -> (Findings, Option<RecordedExport>) {
        let seen = std::mem::take(&mut self.seen);
        let payload = seen.iter().filter(|(path, _)| is_payload(path));
        for (_, file) in payload {
            self.findings.payload_files += 1;
            self.findings.payload_bytes += file.content.map_or(0, |(bytes, _)| bytes);
        }
        if !self.broke_off {
            self.require_tags(&seen);
        }
        let before = self.findings.list.len();
        self.compare_manifest(&seen);
        let payload_is_listed = self.findings.list.len() == before;
        self.compare_tag_manifest(&seen);
        let is_whole = payload_is_listed && !self.broke_off;
        if is_whole && seen.values().all(|file| file.content.is_some()) {
            self.compare_oxum();
        }
        if let Some(recorded) = self.recorded.as_ref().filter(|_| !self.broke_off) {
            let listed = self.manifest.take().unwrap_or_default();
            compare_export_json(&mut self.findings, recorded, &listed, &seen);
        }
        (self.findings, self.recorded)
    }

    fn see(&mut self, path: &str, content: Option<(u64, Sha256)>) {
        if self
            .seen
            .insert(path.to_owned(), Seen { content })
            .is_some()
        {
            self.add(Finding::Twice {
                path: path.to_owned(),
            });
        }
    }

    fn listed(&mut self, tag: Tag, content: &[u8]) -> Listed {
        let mut listed = Listed::new();
        for entry in manifest::entries(content) {
            let problem = match entry {
                Ok(entry) => match listed.insert(entry.path.clone(), entry.sha256) {
                    None => continue,
                    Some(_) => TagProblem::ListsTwice(entry.path),
                },
                Err(error) => TagProblem::Line(error),
            };
            self.add(Finding::Tag {
                path: tag.name().to_owned(),
                problem,
            });
        }
        listed
    }

    /// A bag of ours has all tag files; a foreign one at least those that RFC 8493 §2.1 requires.
    fn require_tags(&mut self, seen: &BTreeMap<String, Seen>) {
        let required = [Tag::Declaration, Tag::PayloadManifest];
        let ours = [Tag::Info, Tag::TagManifest, Tag::IndexHtml];
        let is_ours = seen.contains_key(Tag::ExportJson.name());
        let required = required.iter().chain(ours.iter().filter(|_| is_ours));
        for tag in required.filter(|tag| !seen.contains_key(tag.name())) {
            let listed = self.tag_manifest.as_ref();
            if listed.is_some_and(|listed| listed.contains_key(tag.name())) {
                continue;
            }
            self.findings.add(Finding::Required { path: tag.name() });
        }
    }

    /// Each file that a manifest lists must have been found, unless the reader could not go on.
    fn require(&mut self, manifest: &'static str, listed: &Listed, seen: &BTreeMap<String, Seen>) {
        let missing = listed.keys().filter(|path| !seen.contains_key(*path));
        for path in missing.filter(|_| !self.broke_off) {
            self.findings.add(Finding::Missing {
                path: path.clone(),
                manifest,
            });
        }
    }

    fn compare_manifest(&mut self, seen: &BTreeMap<String, Seen>) {
        let Some(listed) = self.manifest.take() else {
            return;
        };
        let files = seen.iter().filter(|(path, _)| is_payload(path));
        let tag = Tag::PayloadManifest.name();
        compare(&mut self.findings, tag, &listed, files);
        self.require(tag, &listed, seen);
        self.manifest = Some(listed);
    }

    fn compare_tag_manifest(&mut self, seen: &BTreeMap<String, Seen>) {
        let Some(listed) = self.tag_manifest.take() else {
            return;
        };
        // A manifest over the tag files cannot list itself (RFC 8493 §2.2.1).
        let files = seen
            .iter()
            .filter(|(path, _)| !is_payload(path) && !path.starts_with(TAG_MANIFESTS));
        let tag = Tag::TagManifest.name();
        compare(&mut self.findings, tag, &listed, files);
        self.require(tag, &listed, seen);
    }

    fn compare_oxum(&mut self) {
        let found = format!(
            "{}.{}",
            self.findings.payload_bytes, self.findings.payload_files
        );
        if let Some(said) = self.oxum.take().filter(|said| *said != found) {
            self.add(Finding::Oxum { said, found });
        }
    }
}

fn compare_export_json(
    findings: &mut Findings,
    recorded: &RecordedExport,
    listed: &Listed,
    seen: &BTreeMap<String, Seen>,
) {
    let mut disagree = |path: &str, disagreement| {
        findings.add(Finding::ExportJson {
            path: path.to_owned(),
            disagreement,
        });
    };
    let mut named = BTreeSet::new();
    for file in &recorded.files {
        if !named.insert(file.path.as_str()) {
            disagree(&file.path, Disagreement::Twice);
        } else if let Some(disagreement) = disagreement(file, listed, seen) {
            disagree(&file.path, disagreement);
        }
    }
    let unnamed = listed.keys().map(String::as_str);
    for path in unnamed.filter(|path| seen.contains_key(*path) && !named.contains(path)) {
        disagree(path, Disagreement::NotNamed);
    }
    let of_items = recorded.items.iter().flat_map(|item| item.files.iter());
    let mut lost = BTreeSet::new();
    for path in of_items.filter(|path| !named.contains(path)) {
        if lost.len() <= FINDINGS_LISTED && lost.insert(path) {
            disagree(path, Disagreement::NotThere);
        }
    }
}

/// What the manifest has said already is not said twice: a missing or altered file is no disagreement of `export.json`.
fn disagreement(
    recorded: &RecordedFile,
    listed: &Listed,
    seen: &BTreeMap<String, Seen>,
) -> Option<Disagreement> {
    if !is_payload(&recorded.path) {
        return Some(Disagreement::NotPayload);
    }
    let sum = listed.get(&recorded.path);
    let Some(file) = seen.get(&recorded.path) else {
        return sum.is_none().then_some(Disagreement::NotThere);
    };
    if sum.is_some_and(|sum| *sum != recorded.sha256) {
        return Some(Disagreement::Sum);
    }
    let (found, sha256) = file.content?;
    (found != recorded.bytes && sha256 == recorded.sha256).then_some(Disagreement::Size {
        found,
        recorded: recorded.bytes,
    })
}

fn compare<'a>(
    findings: &mut Findings,
    manifest: &'static str,
    listed: &Listed,
    files: impl Iterator<Item = (&'a String, &'a Seen)>,
) {
    for (path, file) in files {
        match (listed.get(path), file.content) {
            (None, _) => findings.add(Finding::Unexpected {
                path: path.clone(),
                manifest,
            }),
            (Some(expected), Some((_, sum))) if *expected != sum => {
                findings.add(Finding::Altered {
                    path: path.clone(),
                    manifest,
                });
            }
            _ => {}
        }
    }
}

fn is_payload(path: &str) -> bool {
    path.starts_with(PAYLOAD)
}

/// The `label: value` elements of a tag file; of a folded value the first line.
fn elements(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':'))
        .map(|(label, value)| (label.trim(), value.trim()))
}
