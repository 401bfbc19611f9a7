//! What every part of an import needs: the ports, and what ends one.

use thiserror::Error;

use crate::model::{ImportOrder, ItemKind, ObjectId};
use crate::ports::{BagReadError, BagReader, ImportApi, ImportJournal, JournalError};
use crate::workflow::context::{Ports, RunError};

/// The ports that an import speaks to.
#[derive(Clone, Copy)]
pub struct ImportPorts<'a> {
    /// The platform's lists, time and progress.
    pub ports: Ports<'a>,
    /// The platform's imports.
    pub imports: &'a dyn ImportApi,
    /// The bag.
    pub bag: &'a dyn BagReader,
    /// What is recorded of this import.
    pub journal: &'a dyn ImportJournal,
}

/// An import under way.
#[derive(Clone, Copy)]
pub(crate) struct Importing<'a> {
    pub(crate) with: ImportPorts<'a>,
    pub(crate) order: &'a ImportOrder,
}

/// What ends an import. What can be resumed was kept.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The platform, its address or the credentials.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The bag.
    #[error(transparent)]
    Bag(#[from] BagReadError),
    /// The selection names ids that the bag does not hold. Nothing was sent.
    #[error(
        "the bag holds no {kind} with the id {}; it holds: {}",
        list(unknown),
        list(possible)
    )]
    UnknownIds {
        /// Appliance or my software.
        kind: ItemKind,
        /// Ids asked for that it does not hold.
        unknown: Vec<ObjectId>,
        /// Ids that it holds.
        possible: Vec<ObjectId>,
    },
}

impl From<JournalError> for ImportError {
    fn from(error: JournalError) -> Self {
        Self::Run(error.into())
    }
}

fn list(ids: &[ObjectId]) -> String {
    const SHOWN: usize = 20;
    let mut parts: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    if ids.is_empty() {
        parts.push("none".to_owned());
    } else if ids.len() > SHOWN {
        parts.push(format!("and {} more", ids.len() - SHOWN));
    }
    parts.join(", ")
}
