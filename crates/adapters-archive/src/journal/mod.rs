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
    /// Held by the task whose thread writes for all tasks that wait: each would take a thread of its own otherwise.
    turn: Arc<tokio::sync::Mutex<()>>,
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
    /// Facts of documents, not yet written. They are written before whatever is flushed next, and so before the entries that came
    /// after them: an entry that is resumed has its facts.
    of_documents: Vec<Record>,
}

/// What is flushed together.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    /// What became of it, once that is known.
    outcome: Arc<Outcome>,
}

/// What became of a batch, once that is known.
type Outcome = OnceLock<Result<(), Failed>>;

fn of(outcome: &Outcome) -> io::Result<()> {
    match outcome.get() {
        Some(Err(failed)) => Err(failed.into()),
        Some(Ok(())) | None => Ok(()),
    }
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
                of_documents: Vec::new(),
            })),
            lines: Arc::new(Mutex::new(lines)),
            turn: Arc::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes these records and flushes.
    pub(crate) fn commit(&self, records: Vec<Record>) -> io::Result<()> {
        let outcome = self.add(records);
        self.write(&outcome);
        of(&outcome)
    }

    /// Adds records to the batch that is written next. What becomes of that batch.
    fn add(&self, records: Vec<Record>) -> Arc<Outcome> {
        let batch = &mut self.lock().batch;
        batch.records.extend(records);
        Arc::clone(&batch.outcome)
    }

    /// After this returns, it is known what became of the batch.
    fn write(&self, outcome: &Outcome) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever held the file before may have written these as well.
        if outcome.get().is_none() {
            self.flush(lines.as_mut());
        }
    }

    /// Writes what waits, the facts of documents first.
    fn flush(&self, lines: Option<&mut Lines>) {
        let (batch, mut records) = {
            let mut state = self.lock();
            (
                std::mem::take(&mut state.batch),
                std::mem::take(&mut state.of_documents),
            )
        };
        let of_documents = records.len();
        records.extend(batch.records);
        let written = lines.map_or(Ok(()), |lines| lines.append(&records));
        if written.is_err() {
            records.truncate(of_documents);
            drop(self.lock().of_documents.splice(0..0, records));
        }
        // Nobody else sets it: whoever does holds the file.
        let _ = batch
            .outcome
            .set(written.map_err(|error| Failed::from(&error)));
    }

    /// Takes in what is known of a document. It is written together with what comes next.
    fn record_later(&self, fact: Fact) {
        let mut state = self.lock();
        state.checkpoint.apply(&fact);
        if state.is_kept && state.payload == Payload::Resumed {
            state.of_documents.push(Record::Fact(fact));
        }
    }

    async fn record_now(self, fact: Fact) -> io::Result<()> {
        let outcome = self.add(vec![Record::Fact(fact.clone())]);
        let turn = self.turn.lock().await;
        if outcome.get().is_none() {
            let (journal, outcome) = (self.clone(), Arc::clone(&outcome));
            let writing = tokio::task::spawn_blocking(move || journal.write(&outcome));
            writing.await.map_err(io::Error::other)?;
        }
        drop(turn);
        of(&outcome)?;
        self.lock().checkpoint.apply(&fact);
        Ok(())
    }

    /// The container is whole and flushed. After this returns that is recorded, and what a receipt says of it.
    pub(crate) fn complete(&self, delivered: Option<Box<Delivered>>, bytes: u64) -> io::Result<()> {
        let described = delivered.map(|delivered| Fact::Described { delivered });
        let mut records = Vec::from_iter(described.clone().map(Record::Fact));
        records.push(Record::Complete { bytes });
        self.commit(records)?;
        if let Some(fact) = described {
            self.lock().checkpoint.apply(&fact);
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
        if fact.is_of_document() {
            self.record_later(fact);
            return Ok(());
        }
        // In a task of its own: it is written even where nobody waits for it any longer.
        tokio::spawn(self.clone().record_now(fact))
            .await
            .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
            .map_err(|source| JournalError::Io {
                path: self.path.to_path_buf(),
                source,
            })
    }
}

/// A new journal file with its header, flushed.
pub(crate) fn begin(file: impl Into<LockedFile>, header: &RunHeader) -> io::Result<Lines> {
    let mut lines = Lines::new(file)?;
    lines.append(&[Record::Header(header.clone())])?;
    Ok(lines)
}
