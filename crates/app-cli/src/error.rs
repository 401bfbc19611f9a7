//! Everything that can end a command other than well.

use std::path::PathBuf;

use domain::model::UserId;
use domain::ports::JournalError;
use domain::workflow::{EarlierBagError, ImportError, RunError};
use thiserror::Error;

use crate::compose::{ComposeError, Signal};
use crate::settings::SettingsError;

/// Why a command did not do what it was asked for.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The parts of the program cannot be put together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The run ended without a bag.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The same, and nothing of it was kept: the same command begins anew.
    #[error(transparent)]
    Lost(RunError),
    /// The import ended before its end.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The journal of a run that is discarded cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Tickets of a run that is discarded are still on the server.
    #[error("{} could not be taken off the server", crate::render::count(*left, "ticket", "tickets"))]
    TicketsLeft {
        /// How many.
        left: u64,
        /// Why the first of them is.
        #[source]
        source: Option<domain::ports::ApiError>,
    },
    /// It is not clear which run is meant.
    #[error("there are several unfinished runs in `{}`: {}", folder.display(), names(bags))]
    SeveralUnfinished {
        /// Where.
        folder: PathBuf,
        /// Their bags.
        bags: Vec<PathBuf>,
    },
    /// The run is of another person or platform: its tickets are there.
    #[error("the unfinished run is of `{user}` at `{source_url}`")]
    OtherRun {
        /// Whose data.
        user: UserId,
        /// From where.
        source_url: String,
    },
    /// A bag is compared with what it was made from only.
    #[error("`{}` holds the data of `{user}` at `{source_url}`, not of `{wanted}` at `{wanted_url}`", bag.display())]
    OtherBag {
        /// The bag.
        bag: PathBuf,
        /// Whose data, as it says.
        user: String,
        /// From where, as it says.
        source_url: String,
        /// Whose data were to be compared.
        wanted: UserId,
        /// From where.
        wanted_url: String,
    },
    /// A bag of another program, or of a version that recorded less.
    #[error("`{}` does not say whose data it holds, from where and which: it cannot be compared", bag.display())]
    NotComparable {
        /// The bag.
        bag: PathBuf,
    },
    /// The bag is there, its receipt is not.
    #[error("the bag is complete, but its receipt could not be written")]
    NoReceipt {
        /// The bag; `None` where it went to standard output.
        bag: Option<PathBuf>,
        /// Why.
        #[source]
        source: Box<ComposeError>,
    },
    /// A receipt that a bag is to be held against.
    #[error("could not read the receipt `{}`", path.display())]
    ReceiptUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The bag of `--since` cannot be used.
    #[error("nothing can be taken from `{}` (`--since`)", bag.display())]
    EarlierBag {
        /// The bag.
        bag: PathBuf,
        /// Why.
        #[source]
        source: Box<EarlierBagProblem>,
    },
    /// Nothing to discard.
    #[error("there is no unfinished run at `{}`", path.display())]
    NothingUnfinished {
        /// Where.
        path: PathBuf,
    },
    /// Standard output cannot be written to.
    #[error("could not write to standard output")]
    Stdout(#[source] std::io::Error),
    /// The system does not let this program listen for signals or run threads.
    #[error("could not start the runtime")]
    Runtime(#[source] std::io::Error),
    /// Somebody stopped it.
    #[error("interrupted")]
    Interrupted(Signal),
}

/// Why an earlier bag cannot be used.
#[derive(Debug, Error)]
pub(crate) enum EarlierBagProblem {
    /// It cannot be opened.
    #[error(transparent)]
    Open(ComposeError),
    /// It is damaged, or of somebody else.
    #[error(transparent)]
    Bag(#[from] EarlierBagError),
}

fn names(bags: &[PathBuf]) -> String {
    let names = bags.iter().map(|bag| format!("`{}`", bag.display()));
    names.collect::<Vec<_>>().join(", ")
}
