//! Paths as values of a layer, for `#[serde(with = "settings_layers::path")]`: text where they are text, else the list of their bytes.
//!
//! A path of the system is any bytes, a value of the `config` library is text.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// Writes a path.
pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path.as_ref().map(|path| path.as_os_str()) {
        None => serializer.serialize_none(),
        Some(path) => match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_seq(path.as_encoded_bytes()),
        },
    }
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    deserializer.deserialize_any(PathVisitor).map(Some)
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = PathBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path")
    }

    fn visit_str<E>(self, text: &str) -> Result<PathBuf, E> {
        Ok(PathBuf::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PathBuf, A::Error> {
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        of_bytes(bytes).map(PathBuf::from).map_err(A::Error::custom)
    }
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere not all bytes are a path"
)]
fn of_bytes(bytes: Vec<u8>) -> Result<OsString, &'static str> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Result<OsString, &'static str> {
    String::from_utf8(bytes)
        .map(OsString::from)
        .map_err(|_| "these bytes are no path on this system")
}
