//! The readers of what a platform sends, without a platform: for tests that feed them with anything.

use domain::model::{Facts, ItemKind, Representation, Resource, Ticket};
use domain::ports::{ExportStatus, OpenTicket, Started};

use crate::wire::{self, Unread};

/// The facts of a document, or why it cannot be read.
pub fn facts(bytes: &[u8], what: Resource, form: Representation) -> Result<Facts, String> {
    wire::facts(bytes, what, form).map_err(message)
}

/// The ticket in the answer to a start.
pub fn started(bytes: &[u8], ticket: Ticket) -> Result<Started, String> {
    wire::started(bytes, ticket.item).map_err(message)
}

/// A ticket's status.
pub fn status(bytes: &[u8]) -> Result<ExportStatus, String> {
    wire::status(bytes).map_err(message)
}

/// The statuses of those tickets that the document knows.
pub fn statuses(bytes: &[u8], asked: &[Ticket]) -> Result<Vec<(Ticket, ExportStatus)>, String> {
    wire::statuses(bytes, asked).map_err(message)
}

/// The tickets that are open on the platform.
pub fn open_tickets(bytes: &[u8]) -> Result<Vec<OpenTicket>, String> {
    wire::open_tickets(bytes)
        .map(|page| page.tickets)
        .map_err(message)
}

/// An import ticket, as in the answer to a request for one; what it says; and the tickets of a list.
pub fn imports(bytes: &[u8], kind: ItemKind) -> [Result<(), String>; 3] {
    [
        wire::import_opened(bytes, kind).map(drop).map_err(message),
        wire::import_ticket(bytes, kind).map(drop).map_err(message),
        wire::open_imports(bytes).map(drop).map_err(message),
    ]
}

fn message(unread: Unread) -> String {
    match unread {
        Unread::Page(media_type) => media_type,
        Unread::OtherForm => "XML where JSON was asked for".to_owned(),
        Unread::Detail(detail) => detail,
    }
}
