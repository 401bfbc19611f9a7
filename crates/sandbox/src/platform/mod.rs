//! The platform itself: its state in memory, and what it answers. It knows nothing of sockets.
//!
//! [`Platform`] is a handle: clones share one state. Requests come in as [`Call`]s and leave as
//! [`Answer`]s; the HTTP server and the in-process port are two ways to ask. The rest of its methods are for tests,
//! which look at what happened and at what should have been received.

mod access;
mod calls;
mod clock;
mod collections;
mod data;
mod exports;
mod handle;
mod history;
mod import_documents;
mod import_tickets;
mod imports;
mod inspection;
mod items;
mod people;
mod picture;
mod query;
mod records;
mod refusal;
mod resources;
mod state;
mod ticket_documents;
mod tickets;

pub(crate) use calls::{Answer, ArchiveAnswer, Call};
pub use clock::SystemClock;
pub(crate) use collections::paging_of;
pub(crate) use data::encoded;
pub use handle::Platform;
pub(crate) use people::Caller;
pub(crate) use query::{Paging, Query};
pub use records::{ArchiveFacts, ImportFacts, RequestRecord, TicketFacts};
pub(crate) use refusal::Refusal;

#[cfg(test)]
mod tests;
