//! Making entries safe together: one flush of the container, one of the journal, for all that ended since the last time.

use std::sync::PoisonError;

use domain::ports::{Durability, Receipt, SinkError};
use jiff::Timestamp;

use super::bag::UnfinishedBag;
use super::output::sink_error;
use super::waiting::Safety;
use crate::container::Placed;
use crate::journal::{Durable, EntryRecord, Payload, Record};
use crate::staging::{NamedStage, sync_file};

/// Entries that nobody asked to be safe at once become so after this many,
const MANY: usize = 256;
/// or after this much.
const MUCH_BYTES: u64 = 16 * 1024 * 1024;

/// What has its place in the container and is not journalled yet.
#[derive(Default)]
pub(super) struct Uncommitted {
    records: Vec<Record>,
    bytes: u64,
    /// Entries among them that were not safe before.
    made_safe: usize,
    /// Files that can go then.
    retired: Vec<NamedStage>,
}

impl UnfinishedBag {
    /// Notes that an entry has its place, from `placed.offset` to `end`. Returns how many have now.
    pub(super) fn note_placed(
        &self,
        placed: Placed,
        end: u64,
        record: EntryRecord,
        before: Safety,
        retired: Option<NamedStage>,
    ) -> usize {
        let offset = placed.offset;
        let mut state = self.lock();
        state.placed.push(placed);
        if self.payload == Payload::Resumed {
            let uncommitted = &mut state.uncommitted;
            uncommitted.bytes += record.packed;
            uncommitted.made_safe += usize::from(before == Safety::Unsafe);
            uncommitted.retired.extend(retired);
            uncommitted.records.push(Record::Placed {
                record: Box::new(record),
                offset,
                end,
            });
        }
        state.placed.len()
    }

    /// When the newest file in the container was fetched.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let state = self.lock();
        state.placed.iter().map(|p| p.member.modified).max()
    }

    /// An entry ended that a commit makes safe.
    pub(super) fn awaits_commit(&self) {
        if self.payload == Payload::Resumed {
            self.journal.entry_awaits_commit();
        }
    }

    /// After this returns, the journal tells so, and would after a loss of power.
    pub(super) fn tell(&self, record: Record) -> Result<(), SinkError> {
        self.or_break("write", self.journal.path(), || {
            self.journal.commit(vec![record], 0)
        })
    }

    /// The receipt of an entry that has its place, safe before it is given where that was asked for.
    pub(super) fn receipt(
        &self,
        record: &EntryRecord,
        number: usize,
    ) -> Result<Receipt, SinkError> {
        if record.entry.durability == Durability::AtClose && self.payload == Payload::Resumed {
            self.commit(number)?;
            return Ok(record.receipt(Durable::Yes));
        }
        self.commit_if_much_waits()?;
        Ok(record.receipt(Durable::NotYet))
    }

    /// After this returns, the first `through` entries survive a loss of power.
    ///
    /// The container is flushed before the journal tells of what is in it. Several threads may come at once: one flushes for
    /// all that ended before it began, the others find their work done.
    pub(super) fn commit(&self, through: usize) -> Result<(), SinkError> {
        let Some(file) = self
            .file
            .as_ref()
            .filter(|_| self.payload == Payload::Resumed)
        else {
            return Ok(());
        };
        let _turn = self
            .committing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (batch, placed) = {
            let mut state = self.lock();
            state.check()?;
            if state.committed >= through {
                return Ok(());
            }
            (std::mem::take(&mut state.uncommitted), state.placed.len())
        };
        self.or_break("flush", &self.path, || sync_file(file))?;
        self.journal
            .commit(batch.records, batch.made_safe)
            .map_err(|source| {
                let error = sink_error("write", self.journal.path(), source);
                self.break_down(&error);
                error
            })?;
        self.lock().committed = placed;
        batch.retired.into_iter().for_each(NamedStage::remove);
        Ok(())
    }

    /// Bounds what a kill can undo, and what is kept in memory for the journal.
    pub(super) fn commit_if_much_waits(&self) -> Result<(), SinkError> {
        let state = self.lock();
        let uncommitted = &state.uncommitted;
        if uncommitted.records.len() < MANY && uncommitted.bytes < MUCH_BYTES {
            return Ok(());
        }
        drop(state);
        self.commit_all()
    }

    /// After this returns, all that have their place now survive a loss of power.
    pub(super) fn commit_all(&self) -> Result<(), SinkError> {
        let through = self.lock().placed.len();
        self.commit(through)
    }
}
