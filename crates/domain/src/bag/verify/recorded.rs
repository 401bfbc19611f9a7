//! `export.json` as it is read back from a bag: of its content, what is compared and listed.
//!
//! A bag may come from anywhere, so what is kept of the file grows no faster than the file itself: lists have a limit, and the
//! paths of an object are one text.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Section, Sha256};

/// The formats that are read.
const FORMAT: &str = "uforge-export/1";
/// What `items[].status` and `sections[].status` say where nothing is missing.
const COMPLETE: &str = "complete";
const EXCLUDED: &str = "excluded";
const UNAVAILABLE: &str = "unavailable";
/// More files or objects than any bag has: as many files as are read of one.
const MOST: usize = 1_000_000;

/// What `export.json` says of a bag (docs/export.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedExport {
    /// The format's name.
    pub format: String,
    /// The program that made the bag.
    #[serde(default, deserialize_with = "object")]
    pub tool: RecordedTool,
    /// The platform.
    #[serde(default, deserialize_with = "object")]
    pub source: RecordedSource,
    /// Whose data.
    #[serde(default)]
    pub user: Option<String>,
    /// When the export began.
    #[serde(default)]
    pub started: Option<String>,
    /// `outputFormat` of the archives; bags of older versions do not say it.
    #[serde(default)]
    pub output_format: Option<String>,
    /// When the bag was closed.
    #[serde(default)]
    pub finished: Option<String>,
    /// `complete` or `partial`.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Every kind of data.
    #[serde(default, deserialize_with = "limited")]
    pub sections: Vec<RecordedSection>,
    /// Every payload file.
    #[serde(default, deserialize_with = "limited")]
    pub files: Vec<RecordedFile>,
    /// Every object.
    #[serde(default, deserialize_with = "limited")]
    pub items: Vec<RecordedItem>,
    /// What is missing or could not be done.
    #[serde(default, deserialize_with = "limited")]
    pub failures: Vec<RecordedFailure>,
}

/// Something that is missing, in `export.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RecordedFailure {
    /// Its section.
    #[serde(default)]
    pub section: Option<String>,
    /// The object's `dbId`.
    #[serde(default)]
    pub id: Option<i64>,
    /// Its real name.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it was lost.
    #[serde(default)]
    pub stage: Option<String>,
    /// The platform's status code.
    #[serde(default)]
    pub http_status: Option<u16>,
    /// What the platform said.
    #[serde(default)]
    pub message: Option<String>,
    /// Attempts made.
    #[serde(default)]
    pub attempts: u32,
}

/// The platform in `export.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedSource {
    /// The base URL.
    #[serde(default)]
    pub url: Option<String>,
    /// The platform's version.
    #[serde(default)]
    pub uforge_version: Option<String>,
}

/// The program in `export.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedTool {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
}

/// One kind of data in `export.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedSection {
    /// Its name; a newer version may know more of them.
    pub name: String,
    /// What became of it.
    #[serde(default)]
    pub status: Option<String>,
    /// Objects in it.
    #[serde(default)]
    pub items: u64,
    /// Objects that the selection left out.
    #[serde(default)]
    pub excluded: u64,
}

/// One file in `export.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RecordedFile {
    /// Where in the bag.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its sum.
    pub sha256: Sha256,
    /// Its media type.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Its section.
    #[serde(default)]
    pub section: Option<String>,
    /// The request that fetched it.
    #[serde(default)]
    pub source: Option<String>,
    /// When it was fetched.
    #[serde(default)]
    pub fetched: Option<String>,
}

/// One object in `export.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedItem {
    /// Its section.
    #[serde(default)]
    pub section: Option<String>,
    /// Its `dbId`.
    #[serde(default)]
    pub id: Option<i64>,
    /// Its real name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// Its address on the platform.
    #[serde(default)]
    pub uri: Option<String>,
    /// What the platform said of its state.
    #[serde(default)]
    pub digest: Option<String>,
    /// When it was changed last, as the platform said it.
    #[serde(default)]
    pub last_modified: Option<String>,
    /// What is in the bag may be an older state than these two say.
    #[serde(default)]
    pub changed_during_export: bool,
    /// What became of it.
    #[serde(default)]
    pub status: Option<String>,
    /// Why it is not complete.
    #[serde(default)]
    pub reason: Option<String>,
    /// Its files.
    #[serde(default)]
    pub files: RecordedPaths,
}

/// Paths in a bag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedPaths(String);

impl RecordedExport {
    /// Reads the file. Fields that are not known are passed over.
    pub fn read(export_json: impl io::Read) -> Result<Self, serde_json::Error> {
        serde_json::from_reader(export_json).map(|Object(recorded)| recorded)
    }

    /// Whether this version knows the format.
    pub fn is_known(&self) -> bool {
        self.format == FORMAT
    }

    /// The sections that were asked for, as far as this version knows them.
    pub fn selected(&self) -> BTreeSet<Section> {
        let selected = self
            .sections
            .iter()
            .filter(|section| !section.is_excluded());
        selected.filter_map(RecordedSection::section).collect()
    }

    /// The ids of the platform's export tickets that the archives were fetched with.
    pub fn tickets(&self) -> BTreeSet<i64> {
        let sources = self.files.iter().filter_map(|file| file.source.as_deref());
        sources.filter_map(ticket_in).collect()
    }
}

impl RecordedSection {
    /// The section, where this version knows it.
    pub fn section(&self) -> Option<Section> {
        self.name.parse().ok()
    }

    /// Whether it was not asked for.
    pub fn is_excluded(&self) -> bool {
        self.status.as_deref() == Some(EXCLUDED)
    }

    /// Whether the platform refused it or did not know it.
    pub fn is_unavailable(&self) -> bool {
        self.status.as_deref() == Some(UNAVAILABLE)
    }
}

impl RecordedItem {
    /// Whether all of it is in the bag.
    pub fn is_complete(&self) -> bool {
        self.status
            .as_deref()
            .is_none_or(|status| status == COMPLETE)
    }
}

impl RecordedPaths {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `12` of `GET users/john/appliances/201/exports/12/downloads`.
fn ticket_in(request: &str) -> Option<i64> {
    let before = request.strip_suffix("/downloads")?;
    let (start, id) = before.rsplit_once('/')?;
    start.ends_with("/exports").then(|| id.parse().ok())?
}

/// A list that ends the reading where it grows beyond all reason.
fn limited<'de, D: Deserializer<'de>, T: Deserialize<'de>>(list: D) -> Result<Vec<T>, D::Error> {
    list.deserialize_seq(Limited(PhantomData))
}

struct Limited<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Limited<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut taken = Vec::new();
        while let Some(Object(element)) = list.next_element()? {
            if taken.len() == MOST {
                return Err(A::Error::custom("the list is too long"));
            }
            taken.push(element);
        }
        Ok(taken)
    }
}

/// A value that must be an object: derived readers would also take a list of its fields' values.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(ObjectOf(PhantomData))
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(object: D) -> Result<T, D::Error> {
    Object::deserialize(object).map(|Object(value)| value)
}

struct ObjectOf<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOf<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

impl<'de> Deserialize<'de> for RecordedPaths {
    fn deserialize<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        list.deserialize_seq(Joined)
    }
}

struct Joined;

impl<'de> Visitor<'de> for Joined {
    type Value = RecordedPaths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of paths")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RecordedPaths, A::Error> {
        let mut joined = String::new();
        while let Some(path) = list.next_element::<String>()? {
            if path.is_empty() || path.contains(['\n', '\r']) {
                return Err(A::Error::custom("this is no path"));
            }
            joined.push_str(&path);
            joined.push('\n');
        }
        Ok(RecordedPaths(joined))
    }
}

#[cfg(test)]
#[path = "recorded_tests.rs"]
mod tests;
