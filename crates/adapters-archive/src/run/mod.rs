//! Beginning a run, or resuming one that was interrupted: [`open_run`] opens the writing half.

mod assemble;
mod error;
#[cfg(test)]
#[cfg(unix)]
mod foreign_tests;
#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod forward_tests;
mod lock;
mod open;
mod partial;
#[cfg(test)]
mod partial_tests;
mod resume;
mod reuse;
#[cfg(test)]
mod tests;
mod unfinished;

use std::path::PathBuf;
use std::sync::Arc;

use domain::model::{BagFormat, SafeName, Sha256, UserId};
use domain::ports::{ArchiveSink, FinishedBag, Journal};

pub use error::OpenError;
pub use open::{check_target, open_run};
pub use unfinished::{
    LockedRun, UnfinishedRun, bag_of_work_folder, find_unfinished, is_taken, lock_unfinished,
    read_header, remove_unfinished,
};

use crate::encrypt::Encryption;
use crate::publish::{FilePublication, Replace, WholeSum};

/// Where the bag goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Into this file.
    File {
        /// Its final name.
        path: PathBuf,
        /// What happens to a file that has that name.
        replace: Replace,
    },
    /// To standard output: nothing of the run can be resumed.
    Stdout,
}

/// What is done with an unfinished run of the same bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnfinishedPolicy {
    /// It is resumed.
    #[default]
    Resume,
    /// It is removed (`--restart`).
    Discard,
}

/// What a run needs to know of its bag.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Where it goes.
    pub target: Target,
    /// The container.
    pub format: BagFormat,
    /// The top folder inside.
    pub top: SafeName,
    /// [`domain::model::Order::fingerprint`]: an interrupted run of another order is not resumed.
    pub fingerprint: Sha256,
    /// Whose data.
    pub user: UserId,
    /// From which platform: its base URL.
    pub source: String,
    /// Whether and to whom it is encrypted.
    pub encryption: Option<Encryption>,
    /// Whether the SHA-256 of the whole bag is wanted.
    pub whole_sum: WholeSum,
    /// What is done with an unfinished run.
    pub unfinished: UnfinishedPolicy,
}

/// What [`open_run`] found.
pub enum OpenedRun {
    /// The run can begin, or be resumed.
    Ready(OpenRun),
    /// An interrupted run had finished the bag. It has its final name now, with the journal still beside it.
    AlreadyComplete {
        /// The bag.
        bag: FinishedBag,
        /// Its journal among them: tickets in it may still be on the server.
        run_files: RunFiles,
    },
}

/// A run that can write.
pub struct OpenRun {
    /// Takes the bag's files.
    pub sink: Box<dyn ArchiveSink>,
    /// Records.
    pub journal: Arc<dyn Journal>,
    /// To be removed when the bag has its name.
    pub run_files: RunFiles,
    /// Whether an interrupted run is resumed.
    pub resumed: bool,
    /// The bag's final name; `None` for standard output.
    pub target: Option<PathBuf>,
}

/// What stays beside a bag that has its name: the journal, from which the next run learns that the bag is complete.
///
/// Removed when the bag has been reported and its last ticket is deleted. If the run is killed before that, the same command
/// finishes it, instead of being refused because of its own bag. Holds the lock.
pub struct RunFiles {
    journal: Arc<dyn Journal>,
    /// `None` for standard output: nothing is left of that.
    publication: Option<FilePublication>,
}

impl RunFiles {
    /// What the run recorded.
    pub fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    /// What the run recorded, which holds the lock from now on. The files stay.
    pub fn into_journal(self) -> Arc<dyn Journal> {
        self.journal
    }

    /// Removes them. The bag is published whether or not this succeeds.
    pub fn remove(self) {
        if let Some(publication) = self.publication {
            publication.clean_up(self.journal);
        }
    }
}
