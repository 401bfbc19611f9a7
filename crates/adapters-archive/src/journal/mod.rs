//! The journal: what is remembered beside an unfinished bag, so that a killed run goes on.
//!
//! One file holds the header, the sink's records and the domain's facts, in the order in which they became true. What was
//! appended is flushed before anybody hears of it; what follows the last flush may be lost, and is cut off at the next start.
//! `lines` is the file's form, `replay` what it says; [`RunJournal`] is the [`Journal`] port and what the sink records to.

mod header;
mod lines;
mod replay;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::model::{BagPath, Sha256};
use domain::ports::{Fact, Journal, JournalError, JournalState, NewEntry, Receipt};
use serde::{Deserialize, Serialize};

use crate::container::Content;
use crate::staging::LockedFile;

pub(crate) use header::FORMAT_VERSION;
pub use header::RunHeader;
pub(crate) use lines::{Damage, Lines, scan};
pub(crate) use replay::{BegunEntry, Replay, StagedEntry, read_first, replay};

/// An entry that ended whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryRecord {
    pub(crate) entry: NewEntry,
    pub(crate) bytes: u64,
    pub(crate) crc32: u32,
    /// Length of the body.
    pub(crate) packed: u64,
    pub(crate) sha256: Sha256,
}

impl EntryRecord {
    /// What the container needs to know of it.
    pub(crate) fn content(&self) -> Content {
        Content {
            bytes: self.bytes,
            crc32: self.crc32,
            packed: self.packed,
        }
    }

    /// Proof of this entry.
    pub(crate) fn receipt(&self, durable: Durable) -> Receipt {
        Receipt {
            path: self.entry.path.clone(),
            bytes: self.bytes,
            sha256: self.sha256,
            media_type: self.entry.media_type.clone(),
            origin: self.entry.origin.clone(),
            durable: durable == Durable::Yes,
        }
    }
}

/// Whether an entry would survive a loss of power now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    NotYet,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first line.
    Header(RunHeader),
    /// A member of the container, from `offset` to `end`.
    Placed {
        record: Box<EntryRecord>,
        offset: u64,
        end: u64,
    },
    /// An entry whose body lies in a file of its own, whole and flushed.
    Staged {
        record: Box<EntryRecord>,
        stage: u32,
        /// CRC-32 of the body as it lies in the file.
        checksum: u32,
    },
    /// An entry with a validator has come so far that its beginning is worth going on with.
    Begun {
        entry: Box<NewEntry>,
        place: BegunIn,
    },
    /// An entry that was begun was taken back.
    TakenBack { path: BagPath },
    /// The container is whole and flushed, and has this length: only its name is missing.
    Complete { bytes: u64 },
    /// A fact of the domain.
    Fact(Fact),
}

/// Where an entry was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BegunIn {
    /// In the container, at this offset.
    Container(u64),
    /// In the stage file of this number.
    Stage(u32),
}

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
    /// Entries that were closed and are not safe yet. A `Read` fact must not survive them.
    unsafe_entries: usize,
}

/// Whether the payload survives a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// It is continued.
    Resumed,
    /// It is fetched again.
    FetchedAgain,
}

impl RunJournal {
    /// Goes on with a journal that was opened, or with one in memory alone.
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
    /// Appends and flushes; documents that were read go along where no entry closed before them could be lost.
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
