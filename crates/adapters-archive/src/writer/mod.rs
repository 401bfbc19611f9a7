//! The writing half: the [`ArchiveSink`] port over the three containers.
//!
//! Bytes go into the container while they arrive (`streamed`, `open_entry`), or at once where an entry is small (`small`);
//! `bag` knows who may write to it, `waiting` what has no place yet, `commit` what is safe. The order of things on disk, which every kill has to respect:
//!
//! 1. the container's bytes are flushed before the journal tells of them;
//! 2. the journal is flushed before a receipt says `durable`;
//! 3. a file that waited beside the container is removed after the journal tells of its copy;
//! 4. the finished container is flushed, then the journal says `complete`, then it gets its final name, then the work folder
//!    goes, the journal last.
//!
//! So what lies behind the last entry of the journal is cut off at the next start, and nothing else has to be repaired.
//!
//! Where the output cannot be patched (standard output, anything encrypted), every entry that is not small waits in a file
//! without a name until its size and sums are known; receipts are then never durable before the bag is finished.

mod bag;
mod checks;
mod claim;
mod commit;
mod member;
mod open_entry;
mod output;
mod sink;
mod small;
mod streamed;
#[cfg(test)]
mod tests;
mod waiting;

pub(crate) use open_entry::Left;
pub(crate) use sink::{ArchiveWriter, Destination, Parts, Resumed};

/// Chunks in flight to each thread. A chunk from the network has up to 400 KB.
const QUEUE_CHUNKS: usize = 4;
