//! Public keys, and checking signatures with them.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use domain::text::decode;
use minisign::{PublicKey, SignatureBox};
use thiserror::Error;

use super::{key_id, key_line, read_key_file};

/// A signature has some 300 bytes; its trusted comment at most 8 KiB.
const LARGEST_SIGNATURE_BYTES: usize = 64 * 1024;
/// What a signature of the whole consists of: two letters, the key's number, and 64 bytes, in base64.
const SIGNATURE_LETTERS: usize = 100;
/// The signature over signature and trusted comment.
const COMMENT_SIGNATURE_LETTERS: usize = 88;

/// Why a public key cannot be used.
#[derive(Debug, Error)]
pub enum VerifyingKeyError {
    /// Not there, or not for us to read.
    #[error("could not read the public key `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no public key of minisign", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureProblem {
    /// It is no signature, or a damaged one.
    #[error("this is no signature of minisign, or a damaged one")]
    NotASignature,
    /// Made with another key.
    #[error("it was made with the key {found}, not with {wanted}")]
    OtherKey {
        /// The number of that key.
        found: String,
        /// The number of the key that was given.
        wanted: String,
    },
    /// The document, or the signature, was changed.
    #[error("the signature does not match: the document or the signature was changed")]
    Wrong,
}

/// A public key.
#[derive(Clone, Debug)]
pub struct VerifyingKey(PublicKey);

impl VerifyingKey {
    pub(super) fn of(key: PublicKey) -> Self {
        Self(key)
    }

    /// Reads the file of a public key.
    pub fn read(path: &Path) -> Result<Self, VerifyingKeyError> {
        let bytes = read_key_file(path).map_err(|source| VerifyingKeyError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = decode(&bytes).ok();
        let line = text.as_deref().and_then(key_line);
        let key = line.and_then(|line| PublicKey::from_base64(line).ok());
        let key = key.filter(|key| key.to_bytes().starts_with(b"Ed"));
        key.map(Self).ok_or_else(|| VerifyingKeyError::NotAKey {
            path: path.to_owned(),
        })
    }

    /// Its number, as `minisign` writes it.
    pub fn id(&self) -> String {
        key_id(self.0.keynum())
    }

    /// Checks a signature, given as the text of its file; the trusted comment.
    pub fn check(&self, document: &[u8], signature: &str) -> Result<String, SignatureProblem> {
        let parsed = parse(signature)?;
        if parsed.keynum() != self.0.keynum() {
            return Err(SignatureProblem::OtherKey {
                found: key_id(parsed.keynum()),
                wanted: self.id(),
            });
        }
        minisign::verify(&self.0, &parsed, Cursor::new(document), true, false, true)
            .map_err(|_| SignatureProblem::Wrong)?;
        parsed
            .trusted_comment()
            .map_err(|_| SignatureProblem::NotASignature)
    }
}

/// A signature as it is written, and nothing beside it: what the library passes over would be a change that nobody sees.
fn parse(signature: &str) -> Result<SignatureBox, SignatureProblem> {
    if signature.len() > LARGEST_SIGNATURE_BYTES {
        return Err(SignatureProblem::NotASignature);
    }
    let text = signature.replace("\r\n", "\n");
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    let has_length = |line: usize, letters: usize, padding: usize| {
        let line = lines.get(line).filter(|line| line.is_ascii());
        line.is_some_and(|line| {
            line.len() == letters && line.len() - line.trim_end_matches('=').len() == padding
        })
    };
    // The library slices by these lengths, and passes over bytes that stand where the padding belongs.
    if !has_length(1, SIGNATURE_LETTERS, 1) || !has_length(3, COMMENT_SIGNATURE_LETTERS, 2) {
        return Err(SignatureProblem::NotASignature);
    }
    let parsed = SignatureBox::from_string(&text).map_err(|_| SignatureProblem::NotASignature)?;
    let is_whole = parsed.to_string().trim_end_matches('\n') == text.trim_end_matches('\n');
    if is_whole {
        Ok(parsed)
    } else {
        Err(SignatureProblem::NotASignature)
    }
}

/// The number of the key that a signature claims to be made with, where the text is one.
pub fn signed_with(signature: &str) -> Result<String, SignatureProblem> {
    parse(signature).map(|parsed| key_id(parsed.keynum()))
}
