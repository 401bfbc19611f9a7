//! Progress as events: a bar, plain lines, JSON lines, server-sent events and tests all read the same stream.

use serde::{Deserialize, Serialize};

use crate::model::{ItemRef, Section, Ticket};

/// How far the export or the import of an item is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ItemStage {
    /// The platform is being asked for an export.
    Starting,
    /// The platform works on it.
    Waiting {
        /// Its own figure from 0 to 100, where it gives a believable one.
        percent: Option<u8>,
        /// Its own words.
        message: Option<String>,
    },
    /// Complete on the platform, waiting for a download slot.
    Ready,
    /// Bytes are arriving.
    Downloading,
    /// In the bag.
    Stored {
        /// Size of the archive.
        bytes: u64,
    },
    /// Taken over from an interrupted run.
    Resumed {
        /// Size of the archive.
        bytes: u64,
    },
    /// Its bytes are copied from an earlier bag.
    Copying,
    /// Taken from an earlier bag.
    Reused {
        /// Size of the archive.
        bytes: u64,
    },
    /// Given up.
    Failed {
        /// Why.
        reason: String,
    },
    /// Of an import: bytes are being sent.
    Uploading,
    /// Of an import: the platform works on it.
    Importing {
        /// Its own figure from 0 to 100, where it gives a believable one.
        percent: Option<u8>,
        /// Its own words.
        message: Option<String>,
    },
    /// Of an import: it is on the platform.
    Imported {
        /// Size of the archive.
        bytes: u64,
    },
}

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The platform answered.
    Connected {
        /// `version` of its `serviceStatus`.
        platform_version: Option<String>,
    },
    /// A section's list was read.
    SectionListed {
        /// The section.
        section: Section,
        /// Objects in it.
        items: u64,
    },
    /// A section cannot be had.
    SectionUnavailable {
        /// The section.
        section: Section,
        /// Why.
        reason: String,
    },
    /// The lists of items are read. All other lists are read while the platform works on the exports.
    Planned {
        /// Archives to export.
        items: u64,
        /// Documents and files known so far.
        documents: u64,
    },
    /// Bag and lists are compared, and the archives checked.
    ImportPlanned {
        /// Archives to import.
        items: u64,
    },
    /// A document or a small file is in the bag.
    DocumentStored {
        /// Its section.
        section: Section,
        /// Its path in the bag.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// An item moved on.
    Item {
        /// Which.
        item: ItemRef,
        /// Its name on the platform.
        name: String,
        /// Where it is now.
        #[serde(flatten)]
        stage: ItemStage,
    },
    /// More bytes of an item's archive arrived or, of an import, left.
    Bytes {
        /// Which.
        item: ItemRef,
        /// Bytes so far.
        received: u64,
        /// All bytes, where the server says.
        total: Option<u64>,
    },
    /// Something went wrong and is tried again.
    Retry {
        /// What is being done, in words.
        what: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// Why.
        reason: String,
        /// Milliseconds until the next attempt.
        wait_ms: u64,
    },
    /// A ticket is gone from the server.
    TicketDeleted {
        /// Which.
        ticket: Ticket,
    },
    /// Something a person should know, that is no failure.
    Note {
        /// In words.
        message: String,
    },
    /// The lists are being read once more.
    Recounting,
    /// The bag is being closed.
    Finishing,
}

/// Hears what happens. Cannot fail, block or slow a run.
pub trait Progress: Send + Sync {
    /// Takes note. Returns at once.
    fn on(&self, event: &Event);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn on(&self, _: &Event) {}
}
