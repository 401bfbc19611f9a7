//! What every part of a run needs: the ports, and what ends a run.

use thiserror::Error;

use crate::model::{ItemKind, ObjectId};
use crate::ports::{ApiError, Clock, Journal, JournalError, Progress, SinkError, UserDataApi};

/// The ports that a run speaks to, besides the sink, which it consumes.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The platform.
    pub api: &'a dyn UserDataApi,
    /// Time.
    pub clock: &'a dyn Clock,
    /// What is recorded beside the unfinished bag.
    pub journal: &'a dyn Journal,
    /// Who is notified of what happens.
    pub progress: &'a dyn Progress,
}

/// What ends a run without a bag. What can be resumed was kept.
#[derive(Debug, Error)]
pub enum RunError {
    /// The credentials are not accepted.
    #[error("the server refused the credentials of `{user}`")]
    Unauthorized {
        /// Who.
        user: String,
        /// The answer.
        #[source]
        source: ApiError,
    },
    /// The platform cannot be reached, is not a UForge, or went away for good.
    #[error("the platform could not be asked")]
    Platform(#[source] ApiError),
    /// There is a server, but no UForge at this address.
    #[error("there is no UForge at `{url}`")]
    WrongAddress {
        /// The base URL.
        url: String,
        /// The first answer.
        #[source]
        source: ApiError,
    },
    /// None of the sections asked for can be had.
    #[error("nothing of `{user}` can be had from this platform")]
    NothingAvailable {
        /// Whose data.
        user: String,
        /// The first refusal.
        #[source]
        source: ApiError,
    },
    /// The selection names ids that the platform does not list.
    #[error(
        "no {kind} of `{user}` has the id {}; there are: {}",
        list(unknown),
        list(possible)
    )]
    UnknownIds {
        /// Whose data.
        user: String,
        /// Appliance or my software.
        kind: ItemKind,
        /// Ids asked for that do not exist.
        unknown: Vec<ObjectId>,
        /// Ids that exist.
        possible: Vec<ObjectId>,
    },
    /// The archive cannot be written.
    #[error("the archive could not be written")]
    Sink(#[from] SinkError),
    /// The journal cannot be written.
    #[error("the run could not be recorded")]
    Journal(#[from] JournalError),
}

fn list(ids: &[ObjectId]) -> String {
    const SHOWN: usize = 20;
    if ids.is_empty() {
        return "none".to_owned();
    }
    let mut parts: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    if ids.len() > SHOWN {
        parts.push(format!("and {} more", ids.len() - SHOWN));
    }
    parts.join(", ")
}
