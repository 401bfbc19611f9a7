//! Doubles of the ports for tests: simulated time, a sink in memory, recorded progress, a platform of values, the service's jobs and
//! records in memory.
//!
//! They keep the ports' promises and run the same contract suites as the real adapters.

mod bag;
mod campaigns;
mod clock;
mod import_state;
mod imports;
mod job_table;
mod jobs;
mod lock;
mod platform;
mod progress;
mod records;
mod shared;
mod slots;
mod store;
mod watchers;

pub use bag::MemoryBag;
pub use clock::{ManualClock, SimClock};
pub use import_state::{ImportCall, ImportScript};
pub use imports::FakeImports;
pub use jobs::MemoryJobStore;
pub use platform::{Call, FakeItem, FakePlatform, Script, gzip};
pub use progress::RecordingProgress;
pub use records::{MemoryAudit, MemoryCredentials, MemoryKeys};
pub use shared::MemoryRunRecords;
pub use slots::MemorySlots;
pub use store::{MemorySink, SinkState};

pub use crate::ports::{MemoryImportJournal, MemoryJournal};

use crate::model::{
    BagFormat, DocumentForms, ItemKind, ItemRef, ObjectId, Order, OutagePolicy, OutputFormat,
    SafeName, Secrets, Selection, Strictness, TicketPolicy, UserId,
};
use crate::workflow::Limits;

/// An order for all of `john`'s data with the contract's defaults.
pub fn order() -> Order {
    Order {
        user: UserId::parse("john").unwrap_or_else(|error| panic!("{error}")),
        source: "https://uforge.example.com/api".to_owned(),
        tool_version: "0.0.0-test".to_owned(),
        selection: Selection::everything(),
        output_format: OutputFormat::Yaml,
        documents: DocumentForms::Both,
        secrets: Secrets::Keep,
        strictness: Strictness::CoreOnly,
        tickets: TicketPolicy::Delete,
        outage: OutagePolicy::Report,
        format: BagFormat::Zip,
        bag_name: SafeName::parse("uforge-john").unwrap_or_else(|error| panic!("{error}")),
        notice: None,
        since: None,
        jobs: Limits::JOBS,
        downloads: Limits::DOWNLOADS,
        max_wait: Limits::MAX_WAIT,
        seed: 1,
    }
}

/// The appliance of this id.
pub fn appliance(id: i64) -> ItemRef {
    item(ItemKind::Appliance, id)
}

/// The software bundle of this id.
pub fn mysoftware(id: i64) -> ItemRef {
    item(ItemKind::MySoftware, id)
}

fn item(kind: ItemKind, id: i64) -> ItemRef {
    ItemRef {
        kind,
        id: ObjectId::try_from(id).unwrap_or_else(|error| panic!("{error}")),
    }
}
