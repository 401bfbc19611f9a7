//! Why a bag cannot be read at all. What is wrong *with* a bag that can be read are findings.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::memory::Short;

/// Why a bag cannot be read at all.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Opening or reading failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Something else than a bag.
    #[error("`{}` is not a bag: {}", path.display(), what)]
    NotABag {
        /// The file.
        path: PathBuf,
        /// What it is, or what it lacks.
        what: &'static str,
    },
    /// It is encrypted, and nothing to open it with was given.
    #[error("`{}` is encrypted: an identity or its passphrase is needed", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, for somebody else or with another passphrase.
    #[error("`{}` cannot be decrypted with what was given", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// What age says.
        #[source]
        source: age::DecryptError,
    },
    /// Its passphrase costs more than anybody's should.
    #[error("`{}` cannot be opened: its passphrase needs {needed} of memory, and {most} is the most that is allowed", path.display())]
    ExcessiveWork {
        /// The file.
        path: PathBuf,
        /// What it needs, in words.
        needed: String,
        /// What is allowed, in words.
        most: String,
    },
    /// Its passphrase costs more memory than there is.
    #[error("`{}` cannot be opened here", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// How much there is, and what limits it.
        #[source]
        source: Short,
    },
    /// An identity file cannot be read.
    #[error("could not read the identity file `{}`", path.display())]
    NoIdentityFile {
        /// The identity file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// An identity file holds nothing that can be used.
    #[error("`{}` holds no age identity and no unencrypted SSH key", path.display())]
    Identity {
        /// The identity file.
        path: PathBuf,
    },
    /// More files than are looked at.
    #[error("`{}` holds more than {limit} files", path.display())]
    TooManyFiles {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
}

pub(super) fn not_a_bag(path: &Path, what: &'static str) -> ReadError {
    ReadError::NotABag {
        path: path.to_owned(),
        what,
    }
}

/// A visit that ended before its time; the path is added where it is known.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The file or the disk under it cannot be read.
    Io(io::Error),
    /// A bag with more files than are looked at.
    TooManyFiles,
}

impl From<io::Error> for Stopped {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
