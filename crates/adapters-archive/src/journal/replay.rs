//! What a journal says when it is read again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use domain::model::BagPath;
use domain::ports::{JournalState, NewEntry, Receipt};

use super::lines::Scan;
use super::{BegunIn, Damage, Durable, EntryRecord, Record, RunHeader, scan};

/// An interrupted run, as its journal tells it.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The first line; `None` where the journal was never begun.
    pub(crate) header: Option<RunHeader>,
    /// Members of the container with their offsets, each where the one before it ends.
    pub(crate) placed: Vec<(EntryRecord, u64)>,
    /// Where the last of them ends.
    pub(crate) end: u64,
    /// Entries in files of their own, in the order in which they were closed.
    pub(crate) staged: Vec<StagedEntry>,
    /// Entries that were begun and did not end.
    pub(crate) begun: Vec<BegunEntry>,
    /// Length of the container, where it is complete.
    pub(crate) complete: Option<u64>,
    /// The domain's facts.
    pub(crate) checkpoint: JournalState,
    /// Lines that are sound.
    pub(crate) lines: u64,
    /// Where they end in the file.
    pub(crate) lines_end: u64,
    /// What is wrong with the rest.
    pub(crate) damage: Option<Damage>,
    /// Paths in the order in which their entries became safe.
    order: Vec<BagPath>,
}

/// An entry that waits in a file of its own.
#[derive(Clone, Debug)]
pub(crate) struct StagedEntry {
    pub(crate) record: EntryRecord,
    pub(crate) stage: u32,
    pub(crate) checksum: u32,
}

/// An entry that was begun. Neither how much of it is on disk nor whether that is sound is known here.
#[derive(Clone, Debug)]
pub(crate) struct BegunEntry {
    pub(crate) entry: NewEntry,
    pub(crate) place: BegunIn,
}

impl Replay {
    /// Receipts of all entries, in the order in which they were closed.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        let placed = self.placed.iter().map(|(record, _)| record);
        let staged = self.staged.iter().map(|staged| &staged.record);
        let mut by_path: BTreeMap<&BagPath, &EntryRecord> = placed
            .chain(staged)
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
                self.begun
                    .retain(|b| b.entry.path != *path && b.place != BegunIn::Container(offset));
                if !self.staged.iter().any(|s| s.record.entry.path == *path) {
                    self.order.push(path.clone());
                }
                self.staged.retain(|s| s.record.entry.path != *path);
                self.end = end;
                self.placed.push((*record, offset));
            }
            Record::Staged {
                record,
                stage,
                checksum,
            } => {
                self.begun.retain(|b| b.entry.path != record.entry.path);
                self.order.push(record.entry.path.clone());
                self.staged.push(StagedEntry {
                    record: *record,
                    stage,
                    checksum,
                });
            }
            Record::Begun { entry, place } => {
                self.begun.retain(|b| b.entry.path != entry.path);
                self.begun.push(BegunEntry {
                    entry: *entry,
                    place,
                });
            }
            Record::TakenBack { path } => self.begun.retain(|b| b.entry.path != path),
            Record::Complete { bytes } => self.complete = Some(bytes),
            Record::Fact(fact) => self.checkpoint.apply(fact),
        }
        ControlFlow::Continue(())
    }
}

/// Reads a journal whole.
pub(crate) fn replay(file: &mut File) -> io::Result<Replay> {
    let mut replay = Replay::default();
    let Scan { lines, end, damage } = scan(file, |record| replay.see(record))?;
    replay.lines = lines;
    replay.lines_end = end;
    replay.damage = damage;
    Ok(replay)
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
