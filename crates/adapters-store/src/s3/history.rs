//! What all records of a job say, taken together.

use std::collections::{BTreeMap, HashSet};

use adapters_archive::Durable;
use domain::jobs::{JobId, RunRecords, RunRecordsError};
use domain::model::BagPath;
use domain::ports::{JournalState, NewEntry, Receipt};
use thiserror::Error;

use super::objects::ObjectPiece;
use super::record::{Began, Body, Complete, PlacedRecord, Record, RecordError};

/// So much of the records is in memory at once while they are read.
const PAGE_BYTES: usize = 1024 * 1024;

/// Why the records of a job cannot be read.
#[derive(Debug, Error)]
pub(super) enum HistoryError {
    #[error(transparent)]
    Records(#[from] RunRecordsError),
    #[error(transparent)]
    Unreadable(#[from] RecordError),
}

/// The records of a job.
#[derive(Default)]
pub(super) struct History {
    /// Whether there is any record.
    pub(super) is_empty: bool,
    pub(super) began: Option<Began>,
    /// Entries in the order of the bag, each path once: the first record of a path counts. One that was written twice because its answer
    /// was lost says the same.
    pub(super) placed: Vec<Placed>,
    pub(super) partial: BTreeMap<BagPath, PartialObjects>,
    pub(super) facts: JournalState,
    /// The first that says so, and its number.
    pub(super) complete: Option<(u64, Complete)>,
    pub(super) is_kept: bool,
    paths: HashSet<BagPath>,
}

/// An entry of the bag.
pub(super) struct Placed {
    /// The number of its record.
    pub(super) number: u64,
    pub(super) record: PlacedRecord,
}

/// An entry of which the first bytes are in objects.
pub(super) struct PartialObjects {
    pub(super) entry: NewEntry,
    pub(super) objects: Vec<ObjectPiece>,
}

impl History {
    /// Reads all records of a job.
    pub(super) async fn load(records: &dyn RunRecords, job: &JobId) -> Result<Self, HistoryError> {
        let mut history = Self {
            is_empty: true,
            ..Self::default()
        };
        let mut after = 0;
        loop {
            let page = records.read(job, after, PAGE_BYTES).await?;
            let Some(last) = page.last() else {
                return Ok(history);
            };
            after = last.number;
            history.is_empty = false;
            for one in page {
                let (record, _) = Record::decode(&one.content)?;
                history.see(one.number, record);
            }
        }
    }

    fn see(&mut self, number: u64, record: Record) {
        match record {
            Record::Began(began) => {
                self.began.get_or_insert(*began);
            }
            Record::Placed(record) => {
                let path = record.entry.entry.path.clone();
                self.partial.remove(&path);
                if self.paths.insert(path) {
                    let record = *record;
                    self.placed.push(Placed { number, record });
                }
            }
            Record::Partial { entry, objects } => {
                let entry = *entry;
                // A writer that was dropped may say so after its entry was fetched anew.
                if !self.paths.contains(&entry.path) {
                    let partial = PartialObjects { entry, objects };
                    self.partial.insert(partial.entry.path.clone(), partial);
                }
            }
            Record::PartialDiscarded { path } => {
                self.partial.remove(&path);
            }
            Record::Complete(complete) => {
                self.complete.get_or_insert((number, complete));
            }
            Record::Kept => self.is_kept = true,
            Record::Fact(fact) => self.facts.restore(fact),
        }
    }

    /// Receipts of all entries, in the order in which they were closed.
    pub(super) fn receipts(&self) -> Vec<Receipt> {
        let placed = self.placed.iter();
        placed
            .map(|placed| placed.record.entry.receipt(Durable::Yes))
            .collect()
    }

    /// The keys of all objects that the finished bag needs.
    pub(super) fn named(&self) -> HashSet<&str> {
        let placed = self.placed.iter().map(|placed| &placed.record.body);
        let complete = self.complete.iter().map(|(_, complete)| complete);
        let ends = complete.flat_map(|complete| [Some(&complete.end), complete.report.as_ref()]);
        let bodies = placed.chain(ends.flatten());
        bodies
            .flat_map(Body::objects)
            .map(|object| object.key.as_str())
            .collect()
    }
}
