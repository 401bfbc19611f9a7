//! The entries that have ended and wait for the container.
//!
//! Invariants: they leave in the order in which they came; together they have at most [`MEMORY_BYTES`] in memory: one that would
//! exceed that is refused, and has to be spooled first. A spooled one costs no memory and is never refused.
//!
//! Nobody is notified of what waits. Whoever pushes an entry, and whoever gives the container back, looks afterwards whether the
//! queue can be emptied: one of the two sees the other's change, so that no entry is forgotten.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::closed::Closed;

/// A few large documents, or some thousand small ones. Fetching does not wait for one long download this way, and the memory of
/// the whole program stays below what its documents promise.
const MEMORY_BYTES: usize = 8 * 1024 * 1024;

/// See the module.
pub(super) struct Queue(Mutex<State>);

struct State {
    entries: VecDeque<Closed>,
    bytes_in_memory: usize,
}

/// An entry for which there is no memory.
pub(super) struct Full(pub(super) Closed);

impl Queue {
    /// These wait since an interrupted run; all are in spool files.
    pub(super) fn of_spooled(entries: Vec<Closed>) -> Self {
        Self(Mutex::new(State {
            bytes_in_memory: entries.iter().map(Closed::bytes_in_memory).sum(),
            entries: entries.into(),
        }))
    }

    /// Adds an entry, or gives it back where it would take too much memory.
    pub(super) fn push(&self, entry: Closed) -> Result<(), Box<Full>> {
        let mut state = self.lock();
        let bytes = entry.bytes_in_memory();
        if bytes > 0 && state.bytes_in_memory + bytes > MEMORY_BYTES {
            return Err(Box::new(Full(entry)));
        }
        state.bytes_in_memory += bytes;
        state.entries.push_back(entry);
        Ok(())
    }

    /// The entry that has waited longest.
    pub(super) fn pop(&self) -> Option<Closed> {
        let mut state = self.lock();
        let entry = state.entries.pop_front()?;
        state.bytes_in_memory -= entry.bytes_in_memory();
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use domain::model::Sha256;

    use super::*;
    use crate::journal::EntryRecord;
    use crate::spool::Spool;
    use crate::test_kit::document;
    use crate::writer::closed::{Body, Safety};

    fn closed(name: &str, body: Body) -> Closed {
        Closed {
            record: EntryRecord {
                entry: document(name, b""),
                bytes: 0,
                crc32: 0,
                packed: 0,
                sha256: Sha256::of(b""),
            },
            body,
            checksum: 0,
            safety: Safety::Unsafe,
        }
    }

    fn in_memory(name: &str, bytes: usize) -> Closed {
        closed(name, Body::Memory(vec![0; bytes]))
    }

    #[test]
    fn what_waits_leaves_in_the_order_in_which_it_came() {
        let queue = Queue::of_spooled(Vec::new());
        for name in ["data/a", "data/b", "data/c"] {
            assert!(queue.push(in_memory(name, 10)).is_ok());
        }
        let popped: Vec<String> = std::iter::from_fn(|| queue.pop())
            .map(|closed| closed.record.entry.path.to_string())
            .collect();
        assert_eq!(popped, ["data/a", "data/b", "data/c"]);
        assert!(queue.is_empty());
        assert_eq!(queue.lock().bytes_in_memory, 0);
    }

    #[test]
    fn an_entry_that_would_take_too_much_memory_is_given_back() {
        let queue = Queue::of_spooled(Vec::new());
        assert!(queue.push(in_memory("data/a", MEMORY_BYTES - 1)).is_ok());
        assert!(queue.push(in_memory("data/b", 1)).is_ok());
        let Err(full) = queue.push(in_memory("data/c", 1)) else {
            panic!("the memory has a limit");
        };
        let spool = Spool::Nameless {
            folder: PathBuf::from(tempfile::tempdir().unwrap().path().parent().unwrap()),
            key: None,
        };
        let spooled = Closed {
            body: Body::Spooled(spool.new_file_of(&[0]).unwrap()),
            ..full.0
        };
        assert!(queue.push(spooled).is_ok());
        queue.pop();
        assert!(queue.push(in_memory("data/d", 1)).is_ok());
    }
}
