//! What one source says with one key.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a source says with one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    /// A flag without a value.
    Switch(bool),
    /// A number.
    Number(i64),
    /// A word, among them a path that is text.
    Word(String),
    /// What is given by a flag that can be repeated.
    List(Vec<String>),
    /// A path that is no text.
    Bytes(#[serde(with = "settings_layers::path")] Option<PathBuf>),
    /// What no flag has.
    Other(serde_json::Value),
}

impl Said {
    /// A path.
    pub(super) fn of_path(path: PathBuf) -> Self {
        match path.into_os_string().into_string() {
            Ok(text) => Self::Word(text),
            Err(bytes) => Self::Bytes(Some(bytes.into())),
        }
    }

    /// Whether it is more than that a flag is not set.
    pub(super) fn says_something(&self) -> bool {
        match self {
            Self::Switch(on) => *on,
            Self::List(all) => !all.is_empty(),
            Self::Number(_) | Self::Word(_) | Self::Bytes(_) | Self::Other(_) => true,
        }
    }

    /// The values as they would be typed.
    pub(super) fn words(&self) -> Vec<OsString> {
        match self {
            Self::Switch(_) | Self::Other(_) | Self::Bytes(None) => Vec::new(),
            Self::Number(number) => vec![number.to_string().into()],
            Self::Word(word) => vec![word.into()],
            Self::List(words) => words.iter().map(OsString::from).collect(),
            Self::Bytes(Some(path)) => vec![path.into()],
        }
    }

    /// As a person wrote it.
    pub(super) fn shown(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The path that it is, where a path is meant.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Word(word) => Some(Path::new(word)),
            Self::Bytes(path) => path.as_deref(),
            Self::Switch(_) | Self::Number(_) | Self::List(_) | Self::Other(_) => None,
        }
    }
}
