//! The states of an item, what it wants to be done, and what is seen of it.

use std::time::Duration;

use crate::model::{ImportTicket, ObjectId};
use crate::ports::{ApiError, ExportStatus, ImportTicketFacts};
use crate::workflow::import::outcome::ImportStage;

/// What an item wants to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask for a ticket.
    Open,
    /// The answer to that was lost: look for the ticket among those that are there.
    Find,
    /// Send the archive.
    Upload(ImportTicket),
    /// Ask for the ticket's status.
    Poll(ImportTicket),
    /// Read the ticket: what it says of its upload, and what it made.
    Read(ImportTicket),
    /// Look for the object in the platform's list.
    LookUp,
    /// Delete the ticket.
    Delete(ImportTicket),
    /// Nothing until this moment.
    WaitUntil(Duration),
    /// Something is under way.
    Busy,
    /// Nothing more.
    Finished,
}

/// Whether the platform's list has an item's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    /// It has; its id, where that is one.
    There(Option<ObjectId>),
    /// It has not.
    NotThere,
}

/// What was seen of an item.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The request for a ticket was answered with one, or the ticket of a lost answer was found.
    Opened(ImportTicket),
    /// No ticket was made.
    OpenFailed(ApiError),
    /// A lost answer left no ticket.
    NothingFound,
    /// Nobody can say what a lost answer left.
    CannotFind,
    /// The upload was answered.
    Uploaded(ExportStatus),
    /// The upload has failed; whether its last byte may have left.
    UploadFailed { error: ApiError, sent: bool },
    /// The archive in the bag is not what it was when it was checked, in words.
    Damaged(String),
    /// The ticket's status.
    Status(ExportStatus),
    /// The status could not be had.
    StatusFailed(ApiError),
    /// What the ticket says, and which object it names, where it names one that may be ours.
    Ticket(ImportTicketFacts, Option<ObjectId>),
    /// The ticket could not be read.
    TicketFailed(ApiError),
    /// What the platform's list says.
    LookedUp(Live),
    /// The list could not be read.
    LookUpFailed(ApiError),
    /// The ticket is gone.
    Deleted,
    /// The ticket could not be deleted.
    DeleteFailed(ApiError),
}

/// Why an item is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) stage: ImportStage,
    pub(crate) message: String,
    pub(crate) is_damaged: bool,
}

impl Given {
    pub(super) fn of_words(stage: ImportStage, message: impl Into<String>) -> Self {
        Self {
            stage,
            message: message.into(),
            is_damaged: false,
        }
    }

    pub(super) fn of_error(stage: ImportStage, error: &ApiError) -> Self {
        Self::of_words(stage, error.to_string())
    }

    pub(super) fn of_status(what: &str, status: &ExportStatus) -> Self {
        let words = status
            .error_message
            .as_deref()
            .or(status.message.as_deref())
            .filter(|words| !words.trim().is_empty());
        let message = words.map_or_else(|| what.to_owned(), |words| format!("{what}: \"{words}\""));
        Self::of_words(ImportStage::Wait, message)
    }
}

/// What an answer of the list decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The platform says that it is complete, and not what it is.
    WhichOne,
    /// Has it to be sent again, from this moment on?
    SendAgain {
        not_before: Duration,
        otherwise: Given,
    },
    /// It has failed, unless an earlier upload was taken after all.
    HasFailed(Given),
    /// Nobody says whether it has ended: is there something of it?
    GivenUp(Given),
}

/// What follows once a ticket is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    End,
    /// A new ticket; `otherwise` where the old one stays.
    SendAgain {
        not_before: Duration,
        otherwise: Given,
    },
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Queued {
        not_before: Duration,
    },
    Opening,
    /// The answer to a request for a ticket was lost.
    Unanswered {
        asked: bool,
    },
    /// A ticket to which nothing was sent.
    Holding {
        ticket: ImportTicket,
    },
    Uploading {
        ticket: ImportTicket,
    },
    /// The last byte may have left, and no answer says that it arrived.
    Unsure {
        ticket: ImportTicket,
        /// What came instead, where this run sent it.
        error: Option<ApiError>,
        due: Duration,
        asked: bool,
    },
    Waiting {
        ticket: ImportTicket,
        due: Duration,
        asked: bool,
    },
    /// It is given up, unless its ticket says that it has ended.
    Concluding {
        ticket: ImportTicket,
        failure: Given,
        due: Duration,
        asked: bool,
    },
    /// Complete: what is it now?
    Asking {
        ticket: ImportTicket,
        due: Duration,
        asked: bool,
    },
    LookingUp {
        ticket: Option<ImportTicket>,
        question: Question,
        due: Duration,
        asked: bool,
    },
    Deleting {
        ticket: ImportTicket,
        then: Then,
        due: Duration,
        asked: bool,
    },
    Finished,
}
