//! An entry that has ended whole, before it has its place in the container.

use crate::journal::EntryRecord;
use crate::spool::SpoolFile;

/// Where the body of a closed entry is.
pub(super) enum Body {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file beside the container.
    Spooled(SpoolFile),
}

/// An entry that ended, whole and checked, and is not in the container yet.
pub(super) struct Closed {
    pub(super) record: EntryRecord,
    pub(super) body: Body,
    /// CRC-32 of the body.
    pub(super) checksum: u32,
    pub(super) safety: Safety,
}

/// Whether the journal records an entry that is not in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Safety {
    Journalled,
    Unsafe,
}

impl Closed {
    pub(super) fn bytes_in_memory(&self) -> usize {
        match &self.body {
            Body::Memory(body) => body.len(),
            Body::Spooled(_) => 0,
        }
    }
}
