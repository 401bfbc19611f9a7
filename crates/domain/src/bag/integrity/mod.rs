//! Whether bytes that arrive are whole, found out while they pass: fed in chunks, nothing is kept.

mod gzip;
mod header;
mod inflater;
#[cfg(test)]
mod tests;

pub use gzip::GzipCheck;

use crate::model::Sha256;
use crate::ports::{Check, CheckFailure};

/// The check of one entry's content, chosen by its [`Check`].
#[derive(Debug)]
pub enum ContentCheck {
    /// Nothing is checked.
    None,
    /// A complete gzip stream, of this sum where it is known.
    Gzip(Box<GzipCheck>, Option<Sha256>),
    /// What the platform published.
    Published(PublishedCheck),
}

impl ContentCheck {
    /// The check that an entry asks for.
    pub fn of(check: &Check) -> Self {
        match check {
            Check::None => Self::None,
            Check::Gzip => Self::Gzip(Box::default(), None),
            Check::GzipOf { sha256 } => Self::Gzip(Box::default(), Some(*sha256)),
            Check::Published { size, sha256 } => {
                Self::Published(PublishedCheck::new(*size, *sha256))
            }
        }
    }

    /// Looks at the next bytes. Once it failed, it fails the same way for ever.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), CheckFailure> {
        match self {
            Self::None => Ok(()),
            Self::Gzip(gzip, _) => gzip.update(chunk),
            Self::Published(published) => published.update(chunk),
        }
    }

    /// Judges the whole. `sha256` is the sum of all bytes that were fed: who writes an entry has it anyway.
    pub fn finish(self, sha256: &Sha256) -> Result<(), CheckFailure> {
        match self {
            Self::None => Ok(()),
            // A stream that is no gzip is said to be that, whatever its sum is.
            Self::Gzip(gzip, expected) => gzip
                .finish()
                .and_then(|_| PublishedCheck::new(None, expected).finish(sha256)),
            Self::Published(published) => published.finish(sha256),
        }
    }
}

/// Compares size and SHA-256 with what the platform published of a file.
#[derive(Clone, Debug)]
pub struct PublishedCheck {
    size: Option<u64>,
    sha256: Option<Sha256>,
    received: u64,
}

impl PublishedCheck {
    /// Expects this size and this sum, each where it is known.
    pub fn new(size: Option<u64>, sha256: Option<Sha256>) -> Self {
        Self {
            size,
            sha256,
            received: 0,
        }
    }

    /// Counts bytes; fails as soon as there are too many.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), CheckFailure> {
        self.received += chunk.len() as u64;
        match self.size {
            Some(expected) if self.received > expected => Err(self.wrong_size(expected)),
            _ => Ok(()),
        }
    }

    /// Judges the whole; `sha256` is the sum of all bytes that were fed.
    pub fn finish(self, sha256: &Sha256) -> Result<(), CheckFailure> {
        if let Some(expected) = self.size.filter(|&expected| expected != self.received) {
            return Err(self.wrong_size(expected));
        }
        match self.sha256 {
            Some(expected) if expected != *sha256 => Err(CheckFailure::Sha256),
            _ => Ok(()),
        }
    }

    fn wrong_size(&self, expected: u64) -> CheckFailure {
        CheckFailure::Size {
            received: self.received,
            expected,
        }
    }
}
