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
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use domain::bag::receipt::Delivered;
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
///
/// What is recorded while a flush is under way waits for the next one: one flush serves all that wait.
#[derive(Clone)]
pub(crate) struct RunJournal {
    path: Arc<Path>,
    /// Held while a batch is written and flushed. `None` where nothing of the run can be resumed.
    lines: Arc<Mutex<Option<Lines>>>,
    /// Not locked meanwhile, so that others go on recording.
    state: Arc<Mutex<State>>,
}

struct State {
    is_kept: bool,
    /// Whether entries and documents are worth recording: an encrypted payload is fetched again.
    payload: Payload,
    checkpoint: JournalState,
    /// What is written and flushed next.
    batch: Batch,
    /// `Read` facts not yet written.
    reads: Vec<Fact>,
    /// Entries that were closed and are not safe yet. A `Read` fact must not become safe before them.
    unsafe_entries: usize,
}

/// What is flushed together.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    /// Entries that waited for it and are safe after it.
    made_safe: usize,
    /// What became of it, once that is known.
    outcome: Arc<OnceLock<Result<(), Failed>>>,
}

/// Why a batch could not be written: all who waited for it hear of it.
struct Failed {
    code: Option<i32>,
    kind: io::ErrorKind,
    message: String,
}

impl From<&io::Error> for Failed {
    fn from(error: &io::Error) -> Self {
        Self {
            code: error.raw_os_error(),
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl From<&Failed> for io::Error {
    fn from(failed: &Failed) -> Self {
        match failed.code {
            Some(code) => Self::from_raw_os_error(code),
            None => Self::new(failed.kind, failed.message.clone()),
        }
    }
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
                is_kept: lines.is_some(),
                payload,
                checkpoint,
                batch: Batch::default(),
                reads: Vec::new(),
                unsafe_entries: 0,
            })),
            lines: Arc::new(Mutex::new(lines)),
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
        let outcome = {
            let batch = &mut self.lock().batch;
            batch.records.extend(records);
            batch.made_safe += made_safe;
            Arc::clone(&batch.outcome)
        };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever held the file before may have written these as well.
        if outcome.get().is_none() {
            self.flush(lines.as_mut());
        }
        match outcome.get() {
            Some(Err(failed)) => Err(failed.into()),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Writes what waits. Facts of documents that were read go with it once every entry closed so far is safe.
    fn flush(&self, lines: Option<&mut Lines>) {
        let (mut batch, reads) = {
            let mut state = self.lock();
            let batch = std::mem::take(&mut state.batch);
            let all_safe = state.unsafe_entries <= batch.made_safe;
            let reads = if all_safe {
                std::mem::take(&mut state.reads)
            } else {
                Vec::new()
            };
            (batch, reads)
        };
        batch
            .records
            .extend(reads.iter().cloned().map(Record::Fact));
        let written = lines.map_or(Ok(()), |lines| lines.append(&batch.records));
        let mut state = self.lock();
        match &written {
            Ok(()) => state.unsafe_entries = state.unsafe_entries.saturating_sub(batch.made_safe),
            Err(_) => drop(state.reads.splice(0..0, reads)),
        }
        // Nobody else sets it: whoever does holds the file.
        let _ = batch
            .outcome
            .set(written.map_err(|error| Failed::from(&error)));
    }

    fn record_now(&self, fact: Fact) -> Result<(), JournalError> {
        if let Fact::Read { .. } | Fact::NotAsJson { .. } = fact {
            let mut state = self.lock();
            // Written later: the next run does not ask for a document that was read, so its entries must be safe first.
            if state.is_kept && state.payload == Payload::Resumed {
                state.reads.push(fact.clone());
            }
            state.checkpoint.apply(fact);
            return Ok(());
        }
        self.commit(vec![Record::Fact(fact.clone())], 0)
            .map_err(|source| JournalError::Io {
                path: self.path.to_path_buf(),
                source,
            })?;
        self.lock().checkpoint.apply(fact);
        Ok(())
    }

    /// The container is whole and flushed. After this returns that is recorded, and what a receipt says of it.
    pub(crate) fn complete(&self, delivered: Option<Box<Delivered>>, bytes: u64) -> io::Result<()> {
        let described = delivered.map(|delivered| Fact::Described { delivered });
        let mut records = Vec::from_iter(described.clone().map(Record::Fact));
        records.push(Record::Complete { bytes });
        self.commit(records, 0)?;
        if let Some(fact) = described {
            self.lock().checkpoint.apply(fact);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
