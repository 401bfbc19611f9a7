//! What one line of the journal records.

use domain::model::{BagPath, Sha256};
use domain::ports::{Fact, NewEntry, Receipt};
use serde::{Deserialize, Serialize};

use super::header::RunHeader;
use crate::container::Content;

/// An entry that ended whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// The entry as it was opened.
    pub entry: NewEntry,
    /// Length of the content.
    pub bytes: u64,
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Length of the body.
    pub packed: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256,
}

impl EntryRecord {
    /// What the container needs to know of it.
    pub(crate) fn content(&self) -> Content {
        Content {
            bytes: self.bytes,
            crc32: self.crc32,
            packed: self.packed,
        }
    }

    /// Proof of this entry.
    pub fn receipt(&self, durable: Durable) -> Receipt {
        Receipt {
            path: self.entry.path.clone(),
            bytes: self.bytes,
            sha256: self.sha256,
            media_type: self.entry.media_type.clone(),
            origin: self.entry.origin.clone(),
            durable: durable == Durable::Yes,
        }
    }
}

/// Whether an entry would survive a loss of power now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// It would.
    Yes,
    /// Only once the bag is finished.
    NotYet,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first line.
    Header(RunHeader),
    /// A member of the container, from `offset` to `end`.
    Placed {
        record: Box<EntryRecord>,
        offset: u64,
        end: u64,
    },
    /// The member that begins at `from` was copied, and is the one that begins at `to` from now on.
    Moved { from: u64, to: u64 },
    /// An entry whose body is in a spool file, whole and flushed.
    Spooled {
        record: Box<EntryRecord>,
        spool_file: u32,
        /// CRC-32 of the body as it is in the file.
        checksum: u32,
    },
    /// So many bytes of an entry with a validator have arrived that resuming it saves time.
    Partial {
        entry: Box<NewEntry>,
        place: PartialPlace,
    },
    /// So much of the body of a partial entry in a reserved place was handed to the system.
    Arrived { path: BagPath, packed: u64 },
    /// A partial entry was discarded.
    PartialDiscarded { path: BagPath },
    /// The container is whole and flushed, and has this length: only its name is missing.
    Complete { bytes: u64 },
    /// A fact of the domain.
    Fact(Fact),
}

/// Where the first bytes of a partial entry are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartialPlace {
    /// At the end of the container, from this offset on: as much as the file holds.
    Container(u64),
    /// In a place of the container that is reserved for it. The file's length does not say how much of it is there: others are behind
    /// it.
    Reserved {
        offset: u64,
        end: u64,
        /// Bytes of the body, as far as it was recorded.
        packed: u64,
    },
    /// In the spool file of this number.
    Spool(u32),
}
