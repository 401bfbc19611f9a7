//! The ports: everything the domain needs of the world, as traits with promises.
//!
//! Each method's doc states what holds after it returns. Each promise has a function in the contract suites, which every
//! implementation runs.

mod bag_reader;
mod clock;
mod import_journal;
mod imports;
mod journal;
mod progress;
mod remedy;
mod sink;
mod user_data;

pub use bag_reader::{
    ArchiveBytes, ArchiveCheck, BagDescription, BagReadError, BagReader, ListedArchive, StoredBytes,
};
pub use clock::Clock;
#[cfg(any(test, feature = "testing"))]
pub use clock::MockClock;
pub use import_journal::{
    ImportFact, ImportJournal, ImportRecord, ImportState, MadeObject, MemoryImportJournal,
    UploadPhase,
};
pub use imports::{ImportApi, ImportTicketFacts, OpenImport, OpenedImport, Upload, UploadStopped};
#[cfg(any(test, feature = "testing"))]
pub use journal::MockJournal;
pub use journal::{DocumentKey, Fact, Journal, JournalError, JournalState, MemoryJournal};
pub use progress::{Event, ItemStage, NoProgress, Progress};
pub use remedy::API_URL;
#[cfg(any(test, feature = "testing"))]
pub use sink::MockArchiveSink;
pub use sink::{
    ArchiveSink, Check, CheckFailure, Durability, EntryWriter, FinishedBag, NewEntry, Origin,
    PartialEntry, PayloadInPlace, Receipt, Redaction, RedactionRule, SinkError, Storage, TagFile,
    TagFiles, WriteTag,
};
pub use user_data::{
    ApiError, Distrust, Document, Download, ExportState, ExportStatus, OpenTicket, Platform,
    ReadDocument, ResumeAt, Started, UserDataApi,
};
