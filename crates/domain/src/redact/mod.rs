//! Blanks secret values, and other people's words, in documents; every other byte stays as it is.
//!
//! Both representations are read into one `document::Tree`, so that one set of rules (`fields`, `secrets`,
//! `other_people`) decides for both and twins lose the same values. What is blanked stays well-formed and valid by the
//! platform's schema: texts become empty, nothing is moved, and only what the schema lets be absent is taken out.

mod document;
mod edits;
mod fields;
mod json;
mod other_people;
mod secrets;
mod shown;
mod urls;
mod xml;

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use self::document::{Flaw, Tree};
pub use self::shown::{SecretValue, Shown, ShownDocument, show};
use crate::model::{Representation, UserId, document_text};

/// Why a document could not be blanked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedactError {
    /// It cannot be read, so nobody can say what is secret in it. Names the place, never the content.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
}

/// A document with its secrets blanked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The document.
    pub bytes: Vec<u8>,
    /// Values blanked, or comments of other people.
    pub count: u64,
    /// The values that were blanked, to look for elsewhere.
    pub values: BlankedValues,
}

/// Values that were blanked in a document: secrets, so nothing prints them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BlankedValues(Vec<String>);

impl BlankedValues {
    /// The values, each once. Only what is long enough to be distinguished from a common word: six bytes and more.
    pub fn reveal(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Debug for BlankedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlankedValues({})", self.0.len())
    }
}

/// Blanks passwords, keys and tokens, and wherever else in the document the same values stand.
///
/// A second time over changes nothing and counts nothing. An unreadable document is an error: a caller must not keep it.
///
/// ```
/// use domain::model::Representation;
/// use domain::redact::redact_secrets;
/// let sent = br#"{"credAccount": {"name": "aws", "secretAccessKeyId": "wJalrXUt"}}"#;
/// let blanked = redact_secrets(Representation::Json, sent)?;
/// assert_eq!(blanked.bytes, br#"{"credAccount": {"name": "aws", "secretAccessKeyId": ""}}"#);
/// assert_eq!(blanked.count, 1);
/// # Ok::<(), domain::redact::RedactError>(())
/// ```
pub fn redact_secrets(form: Representation, bytes: &[u8]) -> Result<Redacted, RedactError> {
    let text = text_of(bytes)?;
    let tree = read(form, &text)?;
    let found = secrets::find(&tree);
    Ok(Redacted {
        count: found.edits.count(),
        bytes: found.edits.apply(&text),
        values: BlankedValues(found.values),
    })
}

/// Blanks the comments of everybody but `own`: the author becomes `other`, the words go. A person's own words stay, also
/// where they answer somebody else's. Counts comments.
pub fn redact_other_people(
    form: Representation,
    bytes: &[u8],
    own: &UserId,
) -> Result<Redacted, RedactError> {
    let text = text_of(bytes)?;
    let tree = read(form, &text)?;
    let (edits, count) = other_people::find(&tree, own);
    Ok(Redacted {
        bytes: edits.apply(&text),
        count,
        values: BlankedValues::default(),
    })
}

fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, RedactError> {
    document_text(bytes).map_err(|error| RedactError::Unreadable(error.to_string()))
}

fn read(form: Representation, text: &str) -> Result<Tree<'_>, RedactError> {
    match form {
        Representation::Xml => xml::read(text),
        Representation::Json => json::read(text),
    }
    .map_err(|Flaw(what)| RedactError::Unreadable(what))
}

#[cfg(test)]
mod tests;
