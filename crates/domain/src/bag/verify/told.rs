//! `export.json` as it is read back from a bag: of its content, what is compared and listed.

use std::io;

use serde::Deserialize;

use crate::model::Sha256;

/// The formats that are read.
const FORMAT: &str = "uforge-export/1";

/// What `export.json` tells of a bag's files (contract, part 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ToldExport {
    /// The format's name.
    pub format: String,
    /// Whose data.
    #[serde(default)]
    pub user: Option<String>,
    /// When the bag was closed.
    #[serde(default)]
    pub finished: Option<String>,
    /// `complete` or `partial`.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Every payload file.
    #[serde(default)]
    pub files: Vec<ToldFile>,
    /// Every object.
    #[serde(default)]
    pub items: Vec<ToldItem>,
}

/// One file in `export.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ToldFile {
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
    /// The request that brought it.
    #[serde(default)]
    pub source: Option<String>,
    /// When it was brought.
    #[serde(default)]
    pub fetched: Option<String>,
}

/// One object in `export.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ToldItem {
    /// Paths of its files.
    #[serde(default)]
    pub files: Vec<String>,
}

impl ToldExport {
    /// Reads the file. Fields that are not known are passed over.
    pub fn read(export_json: impl io::Read) -> Result<Self, serde_json::Error> {
        serde_json::from_reader(export_json)
    }

    /// Whether this version knows the format.
    pub fn is_known(&self) -> bool {
        self.format == FORMAT
    }
}
