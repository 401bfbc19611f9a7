//! A bag that is opened as often as it has to be read.

use std::path::PathBuf;

use domain::ports::BagReadError;

use crate::reader::{BagSource, ReadError, Unlock, open_bag};

/// Where a bag is, and what opens it.
pub(super) struct Bag {
    pub(super) path: PathBuf,
    pub(super) unlock: Option<Unlock>,
}

impl Bag {
    pub(super) fn open(&self) -> Result<BagSource, ReadError> {
        open_bag(&self.path, self.unlock.as_ref())
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
