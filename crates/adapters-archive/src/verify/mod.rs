//! Every byte of a finished bag, checked again: read once, hashed, and compared by [`domain::bag::verify`].
//!
//! [`verify()`] is the way in. What is wrong comes back as findings; only what cannot be read at all is an error.

mod description;
mod inner;
mod sums;
#[cfg(test)]
mod tests;
mod watched;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use domain::bag::layout::{self, Tag};
use domain::bag::verify::{
    Comparison, Damage, Finding, Findings, Importable, Inside, RecordedExport, TagProblem,
    importable,
};

use domain::model::Sha256;

use crate::pieces::Pieces;
use crate::reader::visit::{Content, Visitor, judge};
use crate::reader::{BUFFER_BYTES, BagSource, ReadError, StoredFormat};
pub(crate) use watched::Watched;

/// Largest manifest or other tag file that is read as a whole.
const LARGEST_TAG_BYTES: u64 = 64 * 1024 * 1024;
/// `export.json` has some hundred bytes for each file.
const LARGEST_EXPORT_JSON_BYTES: u64 = 256 * 1024 * 1024;

/// How far a bag is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// Every byte of the bag, and that its archives are complete gzip files.
    Bytes,
    /// Also what is in the archives: the template or bundle file parses, the files it names are there, no entry leads out.
    Inner,
}

/// SHA-256 of those tag files that a receipt names; `None` for one that is not there, or cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagSums {
    /// Of `tagmanifest-sha256.txt`.
    pub tag_manifest: Option<Sha256>,
    /// Of `export.json`.
    pub export_json: Option<Sha256>,
}

/// What checking a bag came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// What it is packed in.
    pub format: StoredFormat,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Its top folder.
    pub folder: Option<String>,
    /// What is wrong with it, and how much of it there is.
    pub findings: Findings,
    /// Archives of the platform in it, each checked.
    pub archives: u64,
    /// The tag files that a receipt names.
    pub tag_sums: TagSums,
    /// What a UForge will do with its appliances and software; `None` where nothing was looked at inside.
    pub importable: Option<Vec<Importable>>,
    /// What its `export.json` says, where it could be read: to be believed only where nothing is wrong.
    pub recorded: Option<RecordedExport>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_sound()
    }
}

/// Checks a bag. It is read once, from its beginning to its end; memory grows with the number of its files only.
pub fn verify(bag: BagSource, depth: Depth) -> Result<VerifyReport, ReadError> {
    let (format, encrypted) = (bag.format(), bag.is_encrypted());
    let path = bag.path().to_owned();
    let mut inspection = Inspection::new(depth);
    let folder = bag.visit(&mut inspection)?;
    if !inspection.comparison.looks_like_a_bag() && !inspection.broke_off {
        return Err(ReadError::NotABag {
            path,
            what: "it holds no bagit.txt",
        });
    }
    let tag_sums = TagSums {
        tag_manifest: inspection.comparison.sum_of(Tag::TagManifest),
        export_json: inspection.comparison.sum_of(Tag::ExportJson),
    };
    let inside = (depth == Depth::Inner).then_some(inspection.inside);
    let (findings, recorded) = inspection.comparison.finish();
    let importable = recorded
        .as_ref()
        .zip(inside)
        .map(|(recorded, inside)| importable(recorded, &inside, &findings.list));
    Ok(VerifyReport {
        format,
        encrypted,
        folder,
        findings,
        archives: inspection.archives,
        tag_sums,
        importable,
        recorded,
    })
}

/// How much is read of a tag file whose content counts; `None` for all other files.
pub(crate) fn tag_limit(path: &str) -> Option<u64> {
    let read = [
        Tag::Declaration,
        Tag::Info,
        Tag::PayloadManifest,
        Tag::TagManifest,
    ];
    if path == Tag::ExportJson.name() {
        Some(LARGEST_EXPORT_JSON_BYTES)
    } else {
        let is_read = read.iter().any(|tag| tag.name() == path);
        is_read.then_some(LARGEST_TAG_BYTES)
    }
}

struct Inspection {
    comparison: Comparison,
    depth: Depth,
    archives: u64,
    inside: BTreeMap<String, Inside>,
    broke_off: bool,
    pieces: Pieces,
}

impl Inspection {
    fn new(depth: Depth) -> Self {
        Self {
            comparison: Comparison::default(),
            depth,
            archives: 0,
            inside: BTreeMap::new(),
            broke_off: false,
            pieces: Pieces::default(),
        }
    }

    fn archive(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        self.archives += 1;
        let (inside, gzip) = match self.depth {
            Depth::Bytes => {
                let watched = Watched::archive(content, &self.pieces);
                let seen = self.rest(path, watched)?;
                (None, seen.and_then(|seen| seen.gzip))
            }
            Depth::Inner => {
                let mut watched = Watched::plain(content, &self.pieces);
                let (inside, gzip) = inner::inspect(&mut watched);
                let seen = self.rest(path, watched)?;
                (Some(inside), seen.map(|_| gzip))
            }
        };
        let path = path.to_owned();
        match gzip {
            // What is in a damaged archive says nothing more.
            Some(Err(failure)) => self.comparison.add(Finding::Archive { path, failure }),
            Some(Ok(_)) => self.look_at(path, inside),
            // It could not be read.
            None => {}
        }
        Ok(())
    }

    fn look_at(&mut self, path: String, inside: Option<Inside>) {
        let Some(inside) = inside else {
            return;
        };
        for problem in inside.problems.clone() {
            let path = path.clone();
            self.comparison.add(Finding::Inner { path, problem });
        }
        self.inside.insert(path, inside);
    }

    fn tag(&mut self, path: &str, limit: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut watched = Watched::plain(content, &self.pieces);
        let mut bytes = Vec::new();
        let mut recorded = None;
        if path == Tag::ExportJson.name() {
            let limited = (&mut watched).take(limit);
            recorded = Some(RecordedExport::read(BufReader::with_capacity(
                BUFFER_BYTES,
                limited,
            )));
        } else {
            // `watched` keeps the error.
            let _ = (&mut watched).take(limit).read_to_end(&mut bytes);
        }
        let Some(seen) = self.rest(path, watched)? else {
            return Ok(());
        };
        if seen.bytes > limit {
            let problem = TagProblem::TooLarge { limit };
            let path = path.to_owned();
            self.comparison.add(Finding::Tag { path, problem });
        } else if let Some(recorded) = recorded {
            self.comparison.export_json(recorded);
        } else if path == Tag::PayloadManifest.name() {
            self.comparison.payload_manifest(&bytes);
        } else if path == Tag::TagManifest.name() {
            self.comparison.tag_manifest(&bytes);
        } else if path == Tag::Info.name() {
            self.comparison.info(&bytes);
        } else {
            self.comparison.declaration(&bytes);
        }
        Ok(())
    }

    /// Reads to the end and enters the file; `None` where it cannot be read.
    fn rest(&mut self, path: &str, watched: Watched<'_>) -> io::Result<Option<watched::Seen>> {
        match watched.finish() {
            Ok(seen) => {
                self.comparison.found(path, seen.bytes, seen.sha256);
                Ok(Some(seen))
            }
            Err(error) => {
                let damage = judge(error)?;
                self.unreadable(path, damage);
                Ok(None)
            }
        }
    }
}

impl Visitor for Inspection {
    fn file(&mut self, path: &str, _bytes: u64, content: &mut dyn Content) -> io::Result<()> {
        if layout::is_archive(path) {
            self.archive(path, content)
        } else if let Some(limit) = tag_limit(path) {
            self.tag(path, limit, content)
        } else {
            let watched = Watched::plain(content, &self.pieces);
            self.rest(path, watched).map(drop)
        }
    }

    fn unreadable(&mut self, path: &str, damage: Damage) {
        let near = Some(path.to_owned());
        let finding = Finding::Damaged { near, damage };
        self.comparison.unreadable(path, finding);
    }

    fn finding(&mut self, finding: Finding) {
        self.comparison.add(finding);
    }

    fn broke_off(&mut self) {
        self.broke_off = true;
        self.comparison.broke_off();
    }
}
