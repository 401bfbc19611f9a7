//! Signatures as `minisign` writes and reads them: a file `NAME.minisig` beside the file that is signed.
//!
//! [`SecretKeyFile`] opens a secret key, [`SigningKey`] signs with it, [`VerifyingKey`] checks. Nothing in here asks a person anything.

mod public;
mod secret;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

pub use public::{SignatureProblem, VerifyingKey, VerifyingKeyError, signed_with};
pub use secret::{SecretKeyFile, SigningKey, SigningKeyError};

/// A file of a key has some 300 bytes.
const LARGEST_KEY_FILE_BYTES: u64 = 64 * 1024;
/// How the line above a key begins.
const COMMENT_LINE: &str = "untrusted comment:";

/// The first bytes of a file, as many as a key has at most.
fn read_key_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    File::open(path)?
        .take(LARGEST_KEY_FILE_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The second line of a key file, below its comment; of a text of one line that one.
fn key_line(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next()?;
    if first.starts_with(COMMENT_LINE) {
        lines.next()
    } else {
        Some(first)
    }
}

/// A key's number as `minisign` writes it.
fn key_id(number: &[u8]) -> String {
    let mut id = String::new();
    for byte in number.iter().rev() {
        let _ = write!(id, "{byte:02X}");
    }
    id
}
