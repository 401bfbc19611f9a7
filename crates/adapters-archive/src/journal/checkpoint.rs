//! What a journal says when it is opened again: all its lines, taken together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use domain::model::BagPath;
use domain::ports::{JournalState, NewEntry, Receipt};

use super::header::RunHeader;
use super::lines::{Damage, Scan, scan};
use super::record::{Durable, EntryRecord, PartialPlace, Record};
use crate::container::Span;

/// An interrupted run, as its journal records it.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    /// The first line; `None` where the journal was never begun.
    pub(crate) header: Option<RunHeader>,
    /// Members of the container, in the order in which they became safe. No two have a byte in common; there may be gaps.
    pub(crate) placed: Vec<(EntryRecord, Span)>,
    /// Entries in spool files, in the order in which they were closed.
    pub(crate) spooled: Vec<SpooledEntry>,
    /// Entries of which the first bytes are here, and that did not end.
    pub(crate) partial: Vec<RecordedPartial>,
    /// Length of the container, where it is complete.
    pub(crate) complete: Option<u64>,
    /// The domain's facts.
    pub(crate) facts: JournalState,
    /// Lines that are sound.
    pub(crate) lines: u64,
    /// Where they end in the file.
    pub(crate) lines_end: u64,
    /// What is wrong with the rest.
    pub(crate) damage: Option<Damage>,
    /// Which of `placed` begins at an offset.
    at: BTreeMap<u64, usize>,
    /// Paths in the order in which their entries became safe.
    order: Vec<BagPath>,
}

/// An entry that waits in a spool file.
#[derive(Clone, Debug)]
pub(crate) struct SpooledEntry {
    pub(crate) record: EntryRecord,
    pub(crate) spool_file: u32,
    pub(crate) checksum: u32,
}

/// A partial entry. Neither how much of it is on disk nor whether that is sound is known here.
#[derive(Clone, Debug)]
pub(crate) struct RecordedPartial {
    pub(crate) entry: NewEntry,
    pub(crate) place: PartialPlace,
}

impl Checkpoint {
    /// Receipts of all entries, in the order in which they were closed.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        let placed = self.placed.iter().map(|(record, _)| record);
        let spooled = self.spooled.iter().map(|spooled| &spooled.record);
        let mut by_path: BTreeMap<&BagPath, &EntryRecord> = placed
            .chain(spooled)
            .map(|record| (&record.entry.path, record))
            .collect();
        self.order
            .iter()
            .filter_map(|path| by_path.remove(path))
            .map(|record| record.receipt(Durable::Yes))
            .collect()
    }

    /// Nothing of the payload can be used again.
    pub(crate) fn forget_payload(&mut self) {
        self.placed.clear();
        self.at.clear();
        self.spooled.clear();
        self.partial.clear();
    }

    /// Where the last member of the container ends.
    pub(crate) fn end(&self) -> u64 {
        let last = self.at.last_key_value();
        last.and_then(|(_, &index)| self.placed.get(index))
            .map_or(0, |(_, span)| span.end)
    }

    fn see(&mut self, record: Record) -> ControlFlow<()> {
        match record {
            Record::Header(header) => self.header = Some(header),
            Record::Placed {
                record,
                offset,
                end,
            } => return self.place(*record, Span { offset, end }),
            Record::Moved { from, to } => return self.move_member(from, to),
            Record::Spooled {
                record,
                spool_file,
                checksum,
            } => {
                self.partial.retain(|p| p.entry.path != record.entry.path);
                self.order.push(record.entry.path.clone());
                self.spooled.push(SpooledEntry {
                    record: *record,
                    spool_file,
                    checksum,
                });
            }
            Record::Partial { entry, place } => {
                self.partial.retain(|p| p.entry.path != entry.path);
                self.partial.push(RecordedPartial {
                    entry: *entry,
                    place,
                });
            }
            Record::Arrived { path, packed } => self.arrived(&path, packed),
            Record::PartialDiscarded { path } => self.partial.retain(|p| p.entry.path != path),
            Record::Complete { bytes } => self.complete = Some(bytes),
            Record::Fact(fact) => self.facts.restore(fact),
        }
        ControlFlow::Continue(())
    }

    fn place(&mut self, record: EntryRecord, span: Span) -> ControlFlow<()> {
        if !self.is_free(span) {
            return ControlFlow::Break(());
        }
        let path = &record.entry.path;
        self.partial
            .retain(|p| p.entry.path != *path && p.place.offset() != Some(span.offset));
        if !self.spooled.iter().any(|s| s.record.entry.path == *path) {
            self.order.push(path.clone());
        }
        self.spooled.retain(|s| s.record.entry.path != *path);
        self.at.insert(span.offset, self.placed.len());
        self.placed.push((record, span));
        ControlFlow::Continue(())
    }

    fn move_member(&mut self, from: u64, to: u64) -> ControlFlow<()> {
        let Some(index) = self.at.get(&from).copied() else {
            return ControlFlow::Break(());
        };
        let moved = self.placed.get(index);
        let moved = moved.and_then(|(_, span)| span.moved_to(to));
        // Its own former place counts as taken: it was copied while that was all that there was of it.
        let Some(span) = moved.filter(|&span| self.is_free(span)) else {
            return ControlFlow::Break(());
        };
        self.at.remove(&from);
        self.at.insert(to, index);
        if let Some((_, place)) = self.placed.get_mut(index) {
            *place = span;
        }
        ControlFlow::Continue(())
    }

    /// Whether no member has any of these bytes.
    fn is_free(&self, span: Span) -> bool {
        let before = self.at.range(..span.end).next_back();
        let before = before.and_then(|(_, &index)| self.placed.get(index));
        span.offset <= span.end && before.is_none_or(|(_, other)| other.end <= span.offset)
    }

    fn arrived(&mut self, path: &BagPath, so_far: u64) {
        for partial in self.partial.iter_mut().filter(|p| p.entry.path == *path) {
            if let PartialPlace::Reserved { packed, .. } = &mut partial.place {
                *packed = so_far;
            }
        }
    }
}

impl PartialPlace {
    /// Where in the container it begins.
    fn offset(self) -> Option<u64> {
        match self {
            Self::Container(offset) | Self::Reserved { offset, .. } => Some(offset),
            Self::Spool(_) => None,
        }
    }
}

/// Reads a journal whole.
pub(crate) fn read_checkpoint(file: &mut File) -> io::Result<Checkpoint> {
    let mut checkpoint = Checkpoint::default();
    let Scan { lines, end, damage } = scan(file, |record| checkpoint.see(record))?;
    checkpoint.lines = lines;
    checkpoint.lines_end = end;
    checkpoint.damage = damage;
    Ok(checkpoint)
}

/// Reads a journal's header alone.
pub(crate) fn read_first(file: &mut File) -> io::Result<Option<RunHeader>> {
    let mut first = None;
    scan(file, |record| {
        if let Record::Header(header) = record {
            first = Some(header);
        }
        // One line is enough.
        ControlFlow::Break(())
    })?;
    Ok(first)
}
