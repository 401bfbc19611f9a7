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

/// An interrupted run, as its journal records it.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    /// The first line; `None` where the journal was never begun.
    pub(crate) header: Option<RunHeader>,
    /// Members of the container with their offsets, each where the one before it ends.
    pub(crate) placed: Vec<(EntryRecord, u64)>,
    /// Where the last of them ends.
    pub(crate) end: u64,
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

    fn see(&mut self, record: Record) -> ControlFlow<()> {
        match record {
            Record::Header(header) => self.header = Some(header),
            Record::Placed {
                record,
                offset,
                end,
            } => {
                if offset != self.end || end < offset {
                    return ControlFlow::Break(());
                }
                let path = &record.entry.path;
                self.partial.retain(|p| {
                    p.entry.path != *path && p.place != PartialPlace::Container(offset)
                });
                if !self.spooled.iter().any(|s| s.record.entry.path == *path) {
                    self.order.push(path.clone());
                }
                self.spooled.retain(|s| s.record.entry.path != *path);
                self.end = end;
                self.placed.push((*record, offset));
            }
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
            Record::PartialDiscarded { path } => self.partial.retain(|p| p.entry.path != path),
            Record::Complete { bytes } => self.complete = Some(bytes),
            Record::Fact(fact) => self.facts.apply(fact),
        }
        ControlFlow::Continue(())
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
