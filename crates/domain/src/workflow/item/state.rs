//! The states of an item, what it wants to be done, and what is seen of it.

use std::time::Duration;

use crate::model::Ticket;
use crate::ports::{ApiError, CheckFailure, ExportStatus, Receipt};
use crate::report::{ItemStatus, Stage};
use crate::workflow::pace::Look;
use crate::workflow::usual::Usual;

/// Why a ticket may be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Its archive is whole and on disk.
    Safe(Box<Receipt>),
    /// It ended without an archive, or the platform said that it stopped it before there was one.
    Empty,
    /// The run gave it up before it was ever complete, and nothing but its deletion stops the platform's work on it.
    GivenUp,
    /// Its archive could not be had, and another ticket of the same item takes its place.
    Replaced,
}

/// What follows once a ticket has been given up, and the platform was asked to stop its work on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The item failed. The ticket was never complete and is deleted.
    Empty(ItemFailure),
    /// The item failed. The ticket may have an archive: it is left on the platform and named.
    Left(ItemFailure),
    /// The ticket is deleted, then a new export is asked for; `otherwise` where it cannot be deleted.
    Replaced {
        not_before: Duration,
        otherwise: ItemFailure,
    },
}

/// What an item wants to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask the platform for an export.
    Start,
    /// The answer to a start was lost: look for its ticket among the open ones.
    FindTicket,
    /// Ask for the ticket's status.
    Poll(Ticket),
    /// Download the ticket's archive.
    Download(Ticket),
    /// Stop the platform's work on the ticket.
    Cancel(Ticket),
    /// Delete the ticket.
    Delete(Ticket, Deletion),
    /// Nothing until this moment.
    WaitUntil(Duration),
    /// Something is under way.
    Busy,
    /// Nothing more.
    Finished,
}

/// Why nobody can say which ticket a start whose answer was lost left on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ambiguity {
    /// The platform has no list of tickets of this kind.
    NoList,
    /// It has one, but what was open before the first start could not be read.
    UnknownBefore(ApiError),
    /// It has one, but it could not be read now.
    Unreadable(ApiError),
    /// It has one, in which the ticket does not stand, or not yet.
    NotListed,
    /// There are more candidates than lost starts.
    SomebodyElse,
}

impl Ambiguity {
    /// In words, after "and".
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::NoList => {
                "the platform has no list in which its ticket could be found".to_owned()
            }
            Self::UnknownBefore(error) => format!(
                "the list of tickets could not be read before the first start, so that its ticket cannot be distinguished ({error})"
            ),
            Self::Unreadable(error) => format!("the list of tickets could not be read ({error})"),
            Self::NotListed => "the platform does not list its ticket".to_owned(),
            Self::SomebodyElse => {
                "there are several tickets for it that may be somebody else's".to_owned()
            }
        }
    }
}

/// What was seen of an item.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// The start was answered with a ticket.
    Started {
        ticket: Ticket,
        status: ExportStatus,
        /// When the answer came. It is seen later, once the ticket is recorded.
        at: Duration,
    },
    /// The start may not be sent yet.
    NotYet,
    /// The start failed.
    StartFailed(ApiError),
    /// The tickets of lost starts, newest last; there may be none.
    Found(Vec<Ticket>),
    /// Nobody can say what became of the lost start, for this reason.
    CannotFind(Ambiguity),
    /// The ticket's status.
    Status(ExportStatus),
    /// The status could not be had.
    StatusFailed(ApiError),
    /// The archive is in the bag.
    Stored(Receipt),
    /// The archive did not arrive.
    DownloadFailed(ApiError),
    /// The archive arrived, and is not whole.
    Damaged(CheckFailure),
    /// The platform was asked to stop, and has answered.
    Cancelled,
    /// The platform was asked to stop, and gave no answer that counts.
    CancelFailed(ApiError),
    /// The ticket is gone.
    Deleted(Ticket),
    /// The ticket could not be deleted.
    DeleteFailed(Ticket, ApiError),
}

/// What an item has to know of the other exports of the run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Others {
    /// When any export last moved on: a platform that works on one export at a time holds the others up, and that is no reason to
    /// give them up.
    pub(crate) progressed_at: Duration,
    /// Whether the platform is at work on any of them: one that takes no more at a time refuses further starts as long as that takes.
    pub(crate) are_at_work: bool,
    /// How long exports of this kind took that have ended.
    pub(crate) usual: Usual,
}

/// What became of an item that is not in the bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemFailure {
    pub(crate) stage: Stage,
    pub(crate) http_status: Option<u16>,
    pub(crate) message: String,
    pub(crate) status: ItemStatus,
    /// Whether the platform answered every attempt at an export with an error: it can give no archive of the item.
    pub(crate) is_for_good: bool,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Queued {
        not_before: Duration,
    },
    Starting,
    Unanswered {
        asked: bool,
    },
    Waiting {
        ticket: Ticket,
        look: Look,
    },
    Polling {
        ticket: Ticket,
        asked_at: Duration,
    },
    Ready {
        ticket: Ticket,
        not_before: Duration,
    },
    Downloading {
        ticket: Ticket,
    },
    /// Given up while the platform may still work on it.
    Cancelling {
        ticket: Ticket,
        sent: bool,
        attempts: u32,
        not_before: Duration,
        given: Given,
    },
    /// Deleted before a new export is asked for.
    Replacing {
        ticket: Ticket,
        sent: bool,
        attempts: u32,
        not_before: Duration,
        start_at: Duration,
        otherwise: ItemFailure,
    },
    Deleting {
        queue: Vec<(Ticket, Deletion)>,
        sent: bool,
        attempts: u32,
        not_before: Duration,
    },
    Finished,
}
