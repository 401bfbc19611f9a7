//! One run from its first question to the finished bag.

use thiserror::Error;

use super::Plan;
use crate::model::{ItemKind, ObjectId, Order, Ticket};
use crate::ports::{
    ApiError, ArchiveSink, Clock, Journal, JournalError, Progress, SinkError, UserDataApi,
};
use crate::report::Outcome;

/// The ports that a run speaks to, besides the sink, which it consumes.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The platform.
    pub api: &'a dyn UserDataApi,
    /// Time.
    pub clock: &'a dyn Clock,
    /// What is remembered beside the unfinished bag.
    pub journal: &'a dyn Journal,
    /// Who hears what happens.
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
    let mut text = ids
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if ids.len() > SHOWN {
        text.push_str(&format!(" and {} more", ids.len() - SHOWN));
    }
    text
}

/// What giving tickets back came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawal {
    /// Tickets that are gone from the server.
    pub deleted: Vec<Ticket>,
    /// Tickets that are still there, each with the reason.
    pub left: Vec<(Ticket, ApiError)>,
}

/// Brings one user's data home into the sink.
///
/// May be dropped at any await: the journal and the sink then hold what is needed to go on, or to [`withdraw`].
pub async fn export(
    ports: Ports<'_>,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    let _ = (
        ports.api,
        ports.clock,
        ports.journal,
        ports.progress,
        sink,
        order,
    );
    todo!()
}

/// Says what an export would contain. Sends nothing but GET.
pub async fn plan(ports: Ports<'_>, order: &Order) -> Result<Plan, RunError> {
    let _ = (ports.api, order);
    todo!()
}

/// Takes this run's tickets off the server: cancels and deletes every one that the journal still holds, and looks for those
/// whose start was never answered. Somebody else's are left alone.
pub async fn withdraw(ports: Ports<'_>) -> Result<Withdrawal, JournalError> {
    let _ = ports.journal;
    todo!()
}
