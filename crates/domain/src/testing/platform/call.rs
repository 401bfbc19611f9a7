//! What the platform is asked for, and what becomes of it.

use crate::model::{BinaryRef, ItemRef, Representation, Resource, Ticket};
use crate::ports::{ApiError, ExportStatus};

/// One request, as the platform saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET status`.
    Platform,
    /// A document.
    Document(Resource, Representation),
    /// A file.
    Binary(BinaryRef),
    /// A start.
    Start(ItemRef),
    /// One ticket's status.
    Status(Ticket),
    /// Many tickets' statuses.
    Statuses(usize),
    /// The open tickets.
    OpenTickets,
    /// A download, from this offset.
    Download(Ticket, u64),
    /// A cancel.
    Cancel(Ticket),
    /// A delete.
    Delete(Ticket),
}

/// What becomes of a request instead of its answer.
#[derive(Clone, Debug)]
pub enum Script {
    /// This error, and nothing done.
    Refuse(ApiError),
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// The body of a download: these bytes, then this error, where there is one.
    Body(Vec<u8>, Option<ApiError>),
    /// A status.
    Say(ExportStatus),
}
