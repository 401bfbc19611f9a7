//! Why a receipt cannot be written.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a receipt cannot be written.
#[derive(Debug, Error)]
pub enum ReceiptFileError {
    /// The name names no file, or its folder is not there.
    #[error("the receipt `{}` has no folder to be written into, or no name", path.display())]
    NoPlace {
        /// The receipt.
        path: PathBuf,
    },
    /// The name is taken.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The receipt, or its signature.
        path: PathBuf,
    },
    /// Something else than a file has the name.
    #[error("`{}` is {kind}, which no receipt replaces", path.display())]
    NotAFile {
        /// What has the name.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Nothing can be written there.
    #[error("the receipt `{}` cannot be written there", path.display())]
    NotWritable {
        /// The receipt.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Writing it failed.
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
}

impl ReceiptFileError {
    /// An error of the system while this was done.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("`--force` replaces it; or give `--receipt` another name"),
            Self::NoPlace { .. } => Some("make the folder first, and name a file in it"),
            Self::NotAFile { .. } | Self::NotWritable { .. } => {
                Some("name another file with `--receipt`")
            }
            Self::Io { .. } => None,
        }
    }
}
