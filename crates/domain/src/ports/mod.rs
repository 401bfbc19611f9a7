//! The ports: everything the domain needs of the world, as traits with promises.
//!
//! Each method's doc states what holds after it returns. Each promise has a function in the contract suites, which every
//! implementation runs.

mod clock;
mod journal;
mod progress;
mod remedy;
mod sink;
mod user_data;

pub use clock::Clock;
#[cfg(any(test, feature = "testing"))]
pub use clock::MockClock;
#[cfg(any(test, feature = "testing"))]
pub use journal::MockJournal;
pub use journal::{DocumentKey, Fact, Journal, JournalError, JournalState, MemoryJournal};
pub use progress::{Event, ItemStage, NoProgress, Progress};
pub use remedy::API_URL;
#[cfg(any(test, feature = "testing"))]
pub use sink::MockArchiveSink;
pub use sink::{
    ArchiveSink, Check, CheckFailure, Durability, EntryWriter, FinishedBag, NewEntry, Origin,
    PartialEntry, Receipt, Redaction, RedactionRule, SinkError, Storage, TagFile,
};
pub use user_data::{
    ApiError, Distrust, Document, Download, ExportState, ExportStatus, OpenTicket, Platform,
    ResumeAt, Started, UserDataApi,
};
