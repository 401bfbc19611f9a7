//! What is in a bag, without reading its payload.

use std::collections::BTreeMap;
use std::io::{self, Read};

use domain::bag::layout::Tag;
use domain::bag::manifest;
use domain::bag::verify::{Damage, Finding, RecordedExport, RecordedFile};
use domain::model::Sha256;
use serde::Serialize;

use super::error::ReadError;
use super::visit::{Content, Visitor, judge};
use super::{BagSource, StoredFormat, not_a_bag};
use crate::verify::tag_limit;

/// What is in a bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// What it is packed in.
    pub format: StoredFormat,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Its top folder.
    pub folder: Option<String>,
    /// Whose data, as `export.json` says.
    pub user: Option<String>,
    /// When it was closed, as `export.json` says.
    pub finished: Option<String>,
    /// `complete` or `partial`, as `export.json` says.
    pub outcome: Option<String>,
    /// Its files, sorted by path.
    pub files: Vec<ListedFile>,
    /// What was seen to be wrong with it. Only `verify` looks for it.
    pub findings: Vec<Finding>,
}

/// One file of a bag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListedFile {
    /// Where in the bag.
    pub path: String,
    /// Its size, as the container says.
    pub bytes: u64,
    /// Its sum, as the manifests say.
    pub sha256: Option<Sha256>,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its section.
    pub section: Option<String>,
    /// The request that it was fetched with.
    pub source: Option<String>,
    /// When it was fetched.
    pub fetched: Option<String>,
}

/// Lists a bag. Nothing but its tag files is read: a payload that was altered is not noticed.
pub fn list(bag: BagSource) -> Result<Listing, ReadError> {
    let path = bag.path().to_owned();
    let (format, encrypted) = (bag.format(), bag.is_encrypted());
    let mut collected = Collected::default();
    let folder = bag.visit(&mut collected)?;
    if !collected.files.contains_key(Tag::Declaration.name())
        && !collected.files.contains_key(Tag::PayloadManifest.name())
        && collected.findings.is_empty()
    {
        return Err(not_a_bag(&path, "it holds no bagit.txt"));
    }
    Ok(collected.into_listing(format, encrypted, folder))
}

#[derive(Default)]
struct Collected {
    files: BTreeMap<String, ListedFile>,
    sums: BTreeMap<String, Sha256>,
    recorded: RecordedExport,
    findings: Vec<Finding>,
}

impl Collected {
    fn into_listing(
        mut self,
        format: StoredFormat,
        encrypted: bool,
        folder: Option<String>,
    ) -> Listing {
        for recorded in std::mem::take(&mut self.recorded.files) {
            if let Some(file) = self.files.get_mut(&recorded.path) {
                describe(file, recorded);
            }
        }
        for (path, sha256) in self.sums {
            if let Some(file) = self.files.get_mut(&path) {
                file.sha256 = Some(sha256);
            }
        }
        Listing {
            format,
            encrypted,
            folder,
            user: self.recorded.user,
            finished: self.recorded.finished,
            outcome: self.recorded.outcome,
            files: self.files.into_values().collect(),
            findings: self.findings,
        }
    }

    fn read_tag(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        let Some(limit) = tag_limit(path) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        if let Err(error) = content.take(limit).read_to_end(&mut bytes) {
            let damage = judge(error)?;
            self.unreadable(path, damage);
            return Ok(());
        }
        if path == Tag::ExportJson.name() {
            self.recorded = RecordedExport::read(&*bytes).unwrap_or_default();
        } else if path == Tag::PayloadManifest.name() || path == Tag::TagManifest.name() {
            let entries = manifest::entries(&bytes).flatten();
            self.sums
                .extend(entries.map(|entry| (entry.path, entry.sha256)));
        }
        Ok(())
    }
}

fn describe(file: &mut ListedFile, recorded: RecordedFile) {
    file.media_type = recorded.media_type;
    file.section = recorded.section;
    file.source = recorded.source;
    file.fetched = recorded.fetched;
}

impl Visitor for Collected {
    fn file(&mut self, path: &str, bytes: u64, content: &mut dyn Content) -> io::Result<()> {
        self.read_tag(path, content)?;
        let file = ListedFile {
            path: path.to_owned(),
            bytes,
            ..ListedFile::default()
        };
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn unreadable(&mut self, path: &str, damage: Damage) {
        self.finding(Finding::Damaged {
            near: Some(path.to_owned()),
            damage,
        });
    }

    fn finding(&mut self, finding: Finding) {
        const FINDINGS_KEPT: usize = 100;
        if self.findings.len() < FINDINGS_KEPT {
            self.findings.push(finding);
        }
    }

    fn broke_off(&mut self) {}
}
