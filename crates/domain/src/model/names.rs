//! Names inside a bag: one small alphabet that every system can hold, whatever the platform's objects are called.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ObjectId;

/// Longest part of a path, in bytes (docs/export.md).
const LONGEST_PART_BYTES: usize = 100;
/// Longest slug, so that an id of 19 digits, a hyphen and an ending still fit beside it.
const LONGEST_SLUG_BYTES: usize = 60;
const WINDOWS_DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Why a text cannot name something in a bag.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing, `.` or `..`.
    #[error("`{0}` does not name a file")]
    NotAName(String),
    /// Longer than 100 bytes.
    #[error("a file name of {0} bytes is longer than 100")]
    TooLong(usize),
    /// A character outside `[A-Za-z0-9._-]`.
    #[error("`{0}` holds a character that is not in `[A-Za-z0-9._-]`")]
    Alphabet(String),
    /// `CON`, `NUL`, `COM1` … with or without an ending, or a final dot.
    #[error("`{0}` cannot be a file name on Windows")]
    Windows(String),
}

/// One part of a path inside a bag.
///
/// `[A-Za-z0-9._-]` only, 1 to 100 bytes, not `.` or `..`, no trailing dot, not a Windows device name. Clones share the text.
///
/// ```
/// use domain::model::{ObjectId, SafeName};
/// let id = ObjectId::parse("201").unwrap();
/// assert_eq!(SafeName::of_object(id, "../Web shop (Süd)").as_str(), "201-web-shop-sud");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SafeName(Arc<str>);

impl SafeName {
    /// Takes a name that is safe already.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        if name.is_empty() || name == "." || name == ".." {
            return Err(NameError::NotAName(name.to_owned()));
        }
        if name.len() > LONGEST_PART_BYTES {
            return Err(NameError::TooLong(name.len()));
        }
        if !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            return Err(NameError::Alphabet(name.to_owned()));
        }
        if name.ends_with('.') || is_windows_device(name) {
            return Err(NameError::Windows(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    /// `<dbId>-<slug of the name>`: unique where ids are, whatever the names are.
    pub fn of_object(id: ObjectId, name: &str) -> Self {
        Self(format!("{id}-{}", slug(name)).into())
    }

    /// `<dbId>-<name>`, where the name's own ending (`.pem`, `.p12`) is kept.
    pub fn of_file(id: ObjectId, name: &str) -> Self {
        match name
            .rsplit_once('.')
            .map(|(stem, ending)| (stem, slug(ending)))
        {
            Some((stem, ending)) if (1..=10).contains(&ending.len()) && ending != UNNAMED => {
                Self(format!("{id}-{}.{ending}", slug(stem)).into())
            }
            _ => Self::of_object(id, name),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SafeName {
    type Error = NameError;
    fn try_from(name: String) -> Result<Self, NameError> {
        Self::parse(&name)
    }
}

impl From<SafeName> for String {
    fn from(name: SafeName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for SafeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path inside a bag, relative to its top folder: safe names joined by `/`. Clones share the text: a bag of many files has each
/// path in many places.
///
/// ```
/// use domain::model::BagPath;
/// assert!(BagPath::parse("data/profile/user.xml").is_ok());
/// assert!(BagPath::parse("data/../x").is_err());
/// assert!(BagPath::parse("/data").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BagPath(Arc<str>);

impl BagPath {
    /// Reads a path; every part must be a [`SafeName`].
    pub fn parse(path: &str) -> Result<Self, NameError> {
        path.split('/')
            .try_for_each(|part| SafeName::parse(part).map(drop))?;
        Ok(Self(path.into()))
    }

    /// The path of a file in this folder.
    #[must_use]
    pub fn join(&self, name: &SafeName) -> Self {
        Self(format!("{}/{name}", self.0).into())
    }

    /// The path as text, `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a payload file (below `data/`, RFC 8493 §2.1.2).
    pub fn is_payload(&self) -> bool {
        self.0.starts_with("data/")
    }
}

impl TryFrom<String> for BagPath {
    type Error = NameError;
    fn try_from(path: String) -> Result<Self, NameError> {
        Self::parse(&path)
    }
}

impl From<BagPath> for String {
    fn from(path: BagPath) -> Self {
        path.as_str().to_owned()
    }
}

impl fmt::Display for BagPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const UNNAMED: &str = "unnamed";

/// A readable stand-in for a name: lower-case ASCII letters, digits and single hyphens, at most 60 bytes, never empty.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(LONGEST_SLUG_BYTES);
    // A name of a megabyte must not cost a megabyte of transliteration.
    for character in name.chars().take(4 * LONGEST_SLUG_BYTES) {
        let ascii = match deunicode::deunicode_char(character) {
            Some(ascii) if !ascii.is_empty() => ascii,
            _ => "-",
        };
        for letter in ascii.bytes() {
            match letter {
                b'a'..=b'z' | b'0'..=b'9' => slug.push(char::from(letter)),
                b'A'..=b'Z' => slug.push(char::from(letter.to_ascii_lowercase())),
                _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                _ => {}
            }
        }
        if slug.len() >= LONGEST_SLUG_BYTES {
            break;
        }
    }
    slug.truncate(LONGEST_SLUG_BYTES);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        UNNAMED.to_owned()
    } else {
        slug.to_owned()
    }
}

fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    });
    numbered || WINDOWS_DEVICES.contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> ObjectId {
        ObjectId::parse("7").unwrap()
    }

    #[test]
    fn hostile_names_become_plain_ones() {
        for (name, expected) in [
            ("../../etc/passwd", "7-etc-passwd"),
            ("a\u{0}b\nc", "7-a-b-c"),
            ("CON", "7-con"),
            ("...", "7-unnamed"),
            ("", "7-unnamed"),
            ("Ünïcode", "7-unicode"),
            ("  many   spaces  ", "7-many-spaces"),
        ] {
            assert_eq!(
                SafeName::of_object(id(), name).as_str(),
                expected,
                "{name:?}"
            );
        }
        assert_eq!(
            SafeName::of_object(id(), &"x".repeat(300)).as_str().len(),
            62
        );
    }

    #[test]
    fn a_certificate_keeps_its_ending() {
        assert_eq!(
            SafeName::of_file(id(), "My Key.PEM").as_str(),
            "7-my-key.pem"
        );
        assert_eq!(SafeName::of_file(id(), "key").as_str(), "7-key");
        assert_eq!(SafeName::of_file(id(), "a.").as_str(), "7-a");
    }

    #[test]
    fn names_that_some_system_cannot_hold_are_refused() {
        for wrong in [
            "", ".", "..", "a/b", "a b", "é", "nul", "Com1.txt", "a.", "LPT9",
        ] {
            assert!(SafeName::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "/", "data//x", "data/", "data/../x", "data/con"] {
            assert!(BagPath::parse(wrong).is_err(), "{wrong}");
        }
        assert!(SafeName::parse("com10").is_ok());
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_safe_one(name in any::<String>(), id in 1_i64..) {
            let id = ObjectId::try_from(id).unwrap();
            for safe in [SafeName::of_object(id, &name), SafeName::of_file(id, &name)] {
                prop_assert_eq!(SafeName::parse(safe.as_str()), Ok(safe));
            }
        }

        #[test]
        fn different_ids_never_collide_even_where_case_is_ignored(a in any::<String>(), b in any::<String>(), one in 1_i64.., other in 1_i64..) {
            prop_assume!(one != other);
            let left = SafeName::of_object(ObjectId::try_from(one).unwrap(), &a);
            let right = SafeName::of_object(ObjectId::try_from(other).unwrap(), &b);
            prop_assert_ne!(left.as_str().to_ascii_lowercase(), right.as_str().to_ascii_lowercase());
        }

        #[test]
        fn any_text_is_a_path_or_an_error(text in any::<String>()) {
            let _ = BagPath::parse(&text);
        }
    }
}
