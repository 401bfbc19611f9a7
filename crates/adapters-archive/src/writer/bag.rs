//! The unfinished bag: who may write to the container now, what waits for it, and what is safe.
//!
//! One entry at a time owns the container. It holds a [`Claim`], which carries the container's [`Output`] away and brings it
//! back; nobody waits with a lock held. Entries that end while it is away wait in `waiting`, and whoever brings it back sees
//! to them ([`UnfinishedBag::drain`]), so that nothing is forgotten.
//!
//! An error of the disk breaks the bag for good: what is on disk is then decided by the journal alone.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::model::{BagPath, SafeName};
use domain::ports::{Durability, NewEntry, Receipt, SinkError};
use jiff::Timestamp;

use super::commit::Uncommitted;
use super::output::{BagFile, Body, Output, sink_error};
use crate::container::{Container, Content, HeadForm, Member, Placed};
use crate::journal::{Durable, EntryRecord, Payload, Record, RunJournal};
use crate::staging::{Stage, StageRoom};

/// How long somebody waits for the container while it is held for a moment only.
const MOMENT: Duration = Duration::from_secs(1);
/// Bodies that wait in memory, together.
const WAITING_BYTES: usize = 8 * 1024 * 1024;

/// See the module.
pub(super) struct UnfinishedBag {
    pub(super) container: &'static dyn Container,
    pub(super) top: SafeName,
    pub(super) journal: RunJournal,
    pub(super) payload: Payload,
    pub(super) room: StageRoom,
    /// The container's name in error messages.
    pub(super) path: PathBuf,
    /// The container, where it is a file of its own.
    pub(super) file: Option<Arc<File>>,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    /// Held while a batch is flushed and journalled: batches keep the container's order.
    pub(super) committing: Mutex<()>,
}

pub(super) struct State {
    slot: Slot,
    waiting: VecDeque<Closed>,
    waiting_bytes: usize,
    /// Paths that are open or closed.
    taken: HashSet<BagPath>,
    pub(super) placed: Vec<Placed>,
    pub(super) uncommitted: Uncommitted,
    /// How many of `placed` are safe.
    pub(super) committed: usize,
    /// Threads of open entries.
    pub(super) threads: usize,
}

enum Slot {
    Free(Output),
    /// By an entry that is being written in place, for as long as that takes.
    HeldByEntry,
    /// For a moment.
    Held,
    /// The error that nobody was told yet, if any.
    Broken(Option<SinkError>),
}

/// An entry that ended, whole and checked, and is not in the container yet.
pub(super) struct Closed {
    pub(super) record: EntryRecord,
    pub(super) body: Body,
    /// CRC-32 of the body.
    pub(super) checksum: u32,
    pub(super) safety: Safety,
}

/// Whether the journal tells of an entry that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Safety {
    Journalled,
    Unsafe,
}

impl Closed {
    fn content(&self) -> Content {
        content_of(&self.record)
    }

    fn bytes_in_memory(&self) -> usize {
        match &self.body {
            Body::Memory(body) => body.len(),
            Body::Staged(_) => 0,
        }
    }
}

pub(super) fn content_of(record: &EntryRecord) -> Content {
    Content {
        bytes: record.bytes,
        crc32: record.crc32,
        packed: record.packed,
    }
}

/// What a bag begins with.
pub(super) struct Beginning {
    pub(super) container: &'static dyn Container,
    pub(super) top: SafeName,
    pub(super) journal: RunJournal,
    pub(super) payload: Payload,
    pub(super) room: StageRoom,
    pub(super) path: PathBuf,
    pub(super) output: Output,
    pub(super) placed: Vec<Placed>,
    pub(super) waiting: Vec<Closed>,
    /// Paths of what is placed or waits.
    pub(super) taken: HashSet<BagPath>,
}

impl UnfinishedBag {
    pub(super) fn new(beginning: Beginning) -> Arc<Self> {
        let file = match &beginning.output {
            Output::File(file) => Some(file.handle()),
            Output::Forward(_) => None,
        };
        Arc::new(Self {
            container: beginning.container,
            top: beginning.top,
            journal: beginning.journal,
            payload: beginning.payload,
            room: beginning.room,
            path: beginning.path,
            file,
            state: Mutex::new(State {
                slot: Slot::Free(beginning.output),
                waiting: beginning.waiting.into(),
                waiting_bytes: 0,
                taken: beginning.taken,
                committed: beginning.placed.len(),
                placed: beginning.placed,
                uncommitted: Uncommitted::default(),
                threads: 0,
            }),
            changed: Condvar::new(),
            committing: Mutex::new(()),
        })
    }

    pub(super) fn member(&self, entry: &NewEntry) -> Member {
        Member::new(&self.top, &entry.path, entry.origin.fetched, entry.storage)
    }

    /// Takes a path for one entry.
    pub(super) fn reserve(self: &Arc<Self>, path: &BagPath) -> Result<Reservation, SinkError> {
        let mut state = self.lock();
        state.check()?;
        if !state.taken.insert(path.clone()) {
            return Err(SinkError::Duplicate { path: path.clone() });
        }
        Ok(Reservation {
            bag: Arc::clone(self),
            path: path.clone(),
            fate: Fate::GivenBack,
        })
    }

    /// The container, to write an entry in place. `None` where another entry has it, or where it cannot be patched.
    pub(super) fn claim_in_place(self: &Arc<Self>) -> Result<Option<(Claim, BagFile)>, SinkError> {
        if self.file.is_none() {
            return Ok(None);
        }
        let mut state = self.wait_while_held_for_a_moment(self.lock());
        state.check()?;
        match std::mem::replace(&mut state.slot, Slot::HeldByEntry) {
            Slot::Free(Output::File(file)) => Ok(Some((Claim(Arc::clone(self)), file))),
            other => {
                state.slot = other;
                Ok(None)
            }
        }
    }

    fn wait_while_held_for_a_moment<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        let patience = Instant::now() + MOMENT;
        while let (Slot::Held, Some(left)) =
            (&state.slot, patience.checked_duration_since(Instant::now()))
        {
            (state, _) = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// Takes an entry that ended beside the container. Its place comes now, or when the container is free.
    pub(super) fn hand_in(self: &Arc<Self>, mut closed: Closed) -> Result<Receipt, SinkError> {
        self.awaits_commit();
        let at_close = closed.record.entry.durability == Durability::AtClose;
        let mut state = self.lock();
        if at_close {
            state = self.wait_while_held_for_a_moment(state);
        }
        if let Some((claim, mut output)) = self.take_free(&mut state)? {
            drop(state);
            let record = closed.record.clone();
            let number = claim.watch(|| self.place(&mut output, closed))?;
            claim.put_back(output);
            return self.receipt(&record, number);
        }
        drop(state);
        let durable = self.make_fit_to_wait(&mut closed)?;
        let receipt = closed.record.receipt(durable);
        let mut state = self.lock();
        state.check()?;
        state.waiting_bytes += closed.bytes_in_memory();
        state.waiting.push_back(closed);
        Ok(receipt)
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

    /// An entry ended that a commit makes safe.
    pub(super) fn awaits_commit(&self) {
        if self.payload == Payload::Resumed {
            self.journal.entry_awaits_commit();
        }
    }

    /// An entry that must be safe waits in a file that the journal tells of; a small one in memory, while there is room.
    fn make_fit_to_wait(&self, closed: &mut Closed) -> Result<Durable, SinkError> {
        let must_be_safe = closed.record.entry.durability == Durability::AtClose
            && self.payload == Payload::Resumed;
        let too_much = closed.bytes_in_memory() + self.lock().waiting_bytes > WAITING_BYTES;
        self.or_break("write", self.room.path(), || {
            if let Body::Memory(body) = &closed.body
                && (must_be_safe || too_much)
            {
                closed.body = Body::Staged(stage_of(&self.room, body)?);
            }
            match &mut closed.body {
                Body::Staged(stage) if must_be_safe => {
                    closed.safety = Safety::Journalled;
                    self.journal_stage(&closed.record, closed.checksum, stage)
                }
                _ => Ok(Durable::NotYet),
            }
        })
    }

    fn journal_stage(
        &self,
        record: &EntryRecord,
        checksum: u32,
        stage: &mut Stage,
    ) -> io::Result<Durable> {
        let Some(number) = stage.number() else {
            return Ok(Durable::NotYet);
        };
        stage.sync()?;
        // From here on the file must outlive this process, whether or not the next line is heard to succeed.
        stage.keep();
        let record = Record::Staged {
            record: Box::new(record.clone()),
            stage: number,
            checksum,
        };
        self.journal.commit(vec![record], 1)?;
        Ok(Durable::Yes)
    }

    /// Puts everything that waits into the container, if that is free. Whoever has had the container calls this.
    pub(super) fn drain(self: &Arc<Self>) -> Result<(), SinkError> {
        loop {
            let mut state = self.lock();
            if state.waiting.is_empty() {
                return Ok(());
            }
            let Some((claim, mut output)) = self.take_free(&mut state)? else {
                return Ok(());
            };
            drop(state);
            while let Some(closed) = self.next_waiting() {
                let safety = closed.safety;
                let number = claim.watch(|| self.place(&mut output, closed))?;
                // A file that waited is removed once its copy is safe: the disk never holds more than one twice.
                if safety == Safety::Journalled {
                    self.commit(number)?;
                }
            }
            claim.put_back(output);
        }
    }

    fn next_waiting(&self) -> Option<Closed> {
        let mut state = self.lock();
        let next = state.waiting.pop_front()?;
        state.waiting_bytes -= next.bytes_in_memory().min(state.waiting_bytes);
        Some(next)
    }

    pub(super) fn something_waits(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    fn place(&self, output: &mut Output, closed: Closed) -> Result<usize, SinkError> {
        let member = self.member(&closed.record.entry);
        let content = closed.content();
        let head = self.container.head(&member, content, HeadForm::Final);
        let tail = self.container.tail(&member, content);
        let expected = output.end() + head.len() as u64 + content.packed + tail.len() as u64;
        let offset = output
            .append(&head, &closed.body, &tail)
            .and_then(|offset| {
                if output.end() == expected {
                    Ok(offset)
                } else {
                    Err(io::Error::other("a file beside it has changed its length"))
                }
            })
            .map_err(|source| sink_error("write", &self.path, source))?;
        let retired = match (closed.body, closed.safety) {
            (Body::Staged(stage), Safety::Journalled) => stage.into_name(),
            _ => None,
        };
        let placed = Placed {
            member,
            content,
            offset,
        };
        Ok(self.note_placed(placed, expected, closed.record, retired))
    }

    /// Waits until no entry is open, puts everything in its place and gives the container out for good.
    pub(super) fn close_for_good(self: &Arc<Self>) -> Result<(Claim, Output), SinkError> {
        loop {
            self.drain()?;
            let mut state = self.lock();
            state.check()?;
            if state.threads == 0
                && state.waiting.is_empty()
                && let Some(taken) = self.take_free(&mut state)?
            {
                return Ok(taken);
            }
            drop(
                self.changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    /// Puts one more whole member into a container that was taken for good.
    pub(super) fn place_last(&self, output: &mut Output, closed: Closed) -> Result<(), SinkError> {
        self.place(output, closed).map(drop)
    }

    /// When the newest file in the container was fetched.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let state = self.lock();
        state.placed.iter().map(|p| p.member.modified).max()
    }

    fn take_free(
        self: &Arc<Self>,
        state: &mut State,
    ) -> Result<Option<(Claim, Output)>, SinkError> {
        state.check()?;
        match std::mem::replace(&mut state.slot, Slot::Held) {
            Slot::Free(output) => Ok(Some((Claim(Arc::clone(self)), output))),
            other => {
                state.slot = other;
                Ok(None)
            }
        }
    }

    /// Does something with the disk; an error breaks the bag.
    pub(super) fn or_break<T>(
        &self,
        action: &'static str,
        path: &Path,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, SinkError> {
        act().map_err(|source| {
            self.break_down(None);
            sink_error(action, path, source)
        })
    }

    /// From now on everything fails; `untold` is why, where nobody was told yet.
    pub(super) fn break_down(&self, untold: Option<SinkError>) {
        let mut state = self.lock();
        match &mut state.slot {
            Slot::Broken(error) => *error = error.take().or(untold),
            slot => *slot = Slot::Broken(untold),
        }
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the bag is still sound.
    pub(super) fn check(&mut self) -> Result<(), SinkError> {
        match &mut self.slot {
            Slot::Broken(untold) => Err(untold.take().unwrap_or(SinkError::Stopped)),
            _ => Ok(()),
        }
    }
}

fn stage_of(room: &StageRoom, body: &[u8]) -> io::Result<Stage> {
    use std::io::Write as _;
    let stage = room.stage()?;
    let mut writer = stage.writer()?;
    writer.write_all(body)?;
    writer.finish()?;
    Ok(stage)
}

/// The right to the container. Lost without being put back, the bag is broken: nobody knows what is in the file.
pub(super) struct Claim(Arc<UnfinishedBag>);

impl Claim {
    pub(super) fn put_back(self, output: Output) {
        let mut state = self.0.lock();
        if !matches!(state.slot, Slot::Broken(_)) {
            state.slot = Slot::Free(output);
        }
        drop(state);
        // Dropping finds the slot free, or broken already.
    }

    /// Does something with the container; an error breaks the bag at once.
    pub(super) fn watch<T>(
        &self,
        act: impl FnOnce() -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        act().inspect_err(|_| self.0.break_down(None))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(state.slot, Slot::Held | Slot::HeldByEntry) {
            state.slot = Slot::Broken(None);
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

/// One entry's right to its path, given back when the entry is.
pub(super) struct Reservation {
    bag: Arc<UnfinishedBag>,
    path: BagPath,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    GivenBack,
    Kept,
}

impl Reservation {
    /// The entry is in the bag.
    pub(super) fn keep(mut self) {
        self.fate = Fate::Kept;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.fate == Fate::GivenBack {
            self.bag.lock().taken.remove(&self.path);
        }
    }
}
