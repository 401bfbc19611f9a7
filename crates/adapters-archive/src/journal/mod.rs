//! The journal: what is recorded beside an unfinished bag, so that an interrupted run can be resumed.
//!
//! One file holds the header, the sink's records and the domain's facts, in the order in which they became true. A record is
//! flushed before the call that wrote it returns; what follows the last flush may be lost, and is cut off at the next start.
//! `lines` is the file's form, `record` what a line says, `checkpoint` what all lines say together; [`RunJournal`] is the
//! [`Journal`] port and what the sink records to.

mod checkpoint;
mod header;
mod lines;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ports::{Fact, Journal, JournalError, JournalState};

use crate::spool::LockedFile;

pub(crate) use checkpoint::{
    Checkpoint, RecordedPartial, SpooledEntry, read_checkpoint, read_first,
};
pub(crate) use header::FORMAT_VERSION;
pub use header::RunHeader;
pub(crate) use lines::{Lines, Scan, scan};
pub use record::{Durable, EntryRecord};
pub(crate) use record::{PartialPlace, Record};

/// The journal of one run, shared by the sink and the [`Journal`] port.
#[derive(Clone)]
pub(crate) struct RunJournal {
    path: Arc<Path>,
    state: Arc<Mutex<State>>,
}

struct State {
    /// `None` where nothing of the run can be resumed.
    lines: Option<Lines>,
    /// Whether entries and documents are worth recording: an encrypted payload is fetched again.
    payload: Payload,
    checkpoint: JournalState,
    /// `Read` facts not yet written.
    reads: Vec<Fact>,
    /// Entries that were closed and are not safe yet. A `Read` fact must not become safe before them.
    unsafe_entries: usize,
}

/// Whether the payload survives a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// It is resumed.
    Resumed,
    /// It is fetched again.
    FetchedAgain,
}

impl RunJournal {
    /// Continues a journal file that was opened, or keeps everything in memory where there is none.
    pub(crate) fn new(
        path: PathBuf,
        lines: Option<Lines>,
        payload: Payload,
        checkpoint: JournalState,
    ) -> Self {
        Self {
            path: path.into(),
            state: Arc::new(Mutex::new(State {
                lines,
                payload,
                checkpoint,
                reads: Vec::new(),
                unsafe_entries: 0,
            })),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An entry was closed that only a later [`Self::commit`] makes safe.
    pub(crate) fn entry_awaits_commit(&self) {
        self.lock().unsafe_entries += 1;
    }

    /// Writes these records, of which `made_safe` belong to entries that waited for it, and flushes.
    pub(crate) fn commit(&self, records: Vec<Record>, made_safe: usize) -> io::Result<()> {
        let mut state = self.lock();
        let left = state.unsafe_entries.saturating_sub(made_safe);
        state.append(records, left)?;
        state.unsafe_entries = left;
        Ok(())
    }

    fn record_now(&self, fact: Fact) -> Result<(), JournalError> {
        let mut state = self.lock();
        if let Fact::Read { .. } | Fact::NotAsJson { .. } = fact {
            // Written later: the next run does not ask for a document that was read, so its entries must be safe first.
            if state.lines.is_some() && state.payload == Payload::Resumed {
                state.reads.push(fact.clone());
            }
        } else {
            let left = state.unsafe_entries;
            state
                .append(vec![Record::Fact(fact.clone())], left)
                .map_err(|source| JournalError::Io {
                    path: self.path.to_path_buf(),
                    source,
                })?;
        }
        state.checkpoint.apply(fact);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Appends and flushes. Facts of documents that were read are added once every entry closed so far is safe.
    fn append(&mut self, mut records: Vec<Record>, unsafe_entries: usize) -> io::Result<()> {
        let Some(lines) = &mut self.lines else {
            return Ok(());
        };
        if unsafe_entries > 0 {
            return lines.append(&records);
        }
        records.extend(self.reads.iter().cloned().map(Record::Fact));
        lines.append(&records)?;
        self.reads.clear();
        Ok(())
    }
}

#[async_trait]
impl Journal for RunJournal {
    fn checkpoint(&self) -> JournalState {
        self.lock().checkpoint.clone()
    }

    async fn record(&self, fact: Fact) -> Result<(), JournalError> {
        if let Fact::Read { .. } | Fact::NotAsJson { .. } = fact {
            return self.record_now(fact);
        }
        let (journal, path) = (self.clone(), self.path.to_path_buf());
        tokio::task::spawn_blocking(move || journal.record_now(fact))
            .await
            .unwrap_or_else(|stopped| {
                Err(JournalError::Io {
                    path,
                    source: io::Error::other(stopped),
                })
            })
    }
}

/// A new journal file with its header, flushed.
pub(crate) fn begin(file: impl Into<LockedFile>, header: &RunHeader) -> io::Result<Lines> {
    let mut lines = Lines::new(file)?;
    lines.append(&[Record::Header(header.clone())])?;
    Ok(lines)
}
