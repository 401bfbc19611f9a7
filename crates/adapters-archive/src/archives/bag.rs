//! A bag that is opened as often as it has to be read.

use std::io;
use std::path::PathBuf;

use domain::ports::BagReadError;

use crate::reader::{BagSource, ReadError, ReadSeek, Unlock, open_bag, open_content};

/// Where a bag is, and what opens it.
pub(super) enum Bag {
    /// On this machine.
    Local {
        /// Its file, or its folder.
        path: PathBuf,
        unlock: Option<Unlock>,
    },
    /// Elsewhere.
    Remote {
        /// What it is called in messages.
        name: PathBuf,
        open: Box<dyn Fn() -> io::Result<Box<dyn ReadSeek>> + Send + Sync>,
    },
}

impl Bag {
    pub(super) fn open(&self) -> Result<BagSource, ReadError> {
        match self {
            Self::Local { path, unlock } => open_bag(path, unlock.as_ref()),
            Self::Remote { name, open } => {
                let content = open().map_err(|source| ReadError::Io {
                    action: "open",
                    path: name.clone(),
                    source,
                })?;
                open_content(name, content, None)
            }
        }
    }

    /// Where it is on this machine, if it is.
    pub(super) fn local(&self) -> Option<&PathBuf> {
        match self {
            Self::Local { path, .. } => Some(path),
            Self::Remote { .. } => None,
        }
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &PathBuf {
        match self {
            Self::Local { path, .. } => path,
            Self::Remote { name, .. } => name,
        }
    }
}

/// What it means for an import that a bag cannot be read.
pub(super) fn unreadable(error: ReadError) -> BagReadError {
    match error {
        ReadError::NotABag { what, .. } => BagReadError::Damaged {
            what: what.to_owned(),
        },
        error => BagReadError::Unreadable(Box::new(error)),
    }
}
