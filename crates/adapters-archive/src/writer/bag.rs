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
use domain::ports::{NewEntry, SinkError};

use super::claim::{Claim, Reservation};
use super::commit::Uncommitted;
use super::output::{BagFile, Output, sink_error, told_again};
use super::waiting::Closed;
use crate::container::{Container, Member, Placed};
use crate::journal::{Payload, RunJournal};
use crate::staging::StageRoom;

/// How long somebody waits for the container while it is held for a moment only.
const MOMENT: Duration = Duration::from_secs(1);

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
    pub(super) slot: Slot,
    pub(super) waiting: VecDeque<Closed>,
    /// Length of those that wait in memory.
    pub(super) waiting_bytes: usize,
    /// Paths that are open or closed.
    pub(super) taken: HashSet<BagPath>,
    pub(super) placed: Vec<Placed>,
    pub(super) uncommitted: Uncommitted,
    /// How many of `placed` are safe.
    pub(super) committed: usize,
    /// Threads of open entries.
    pub(super) threads: usize,
}

pub(super) enum Slot {
    Free(Output),
    /// By an entry that is being written in place, for as long as that takes.
    HeldByEntry,
    /// For a moment.
    Held,
    /// Why, where that is known: everybody who comes is told.
    Broken(Option<SinkError>),
}

/// What a bag begins with.
pub(super) struct Setup {
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
    pub(super) fn new(setup: Setup) -> Arc<Self> {
        let file = match &setup.output {
            Output::File(file) => Some(file.handle()),
            Output::Forward(_) => None,
        };
        Arc::new(Self {
            container: setup.container,
            top: setup.top,
            journal: setup.journal,
            payload: setup.payload,
            room: setup.room,
            path: setup.path,
            file,
            state: Mutex::new(State {
                slot: Slot::Free(setup.output),
                waiting: setup.waiting.into(),
                waiting_bytes: 0,
                taken: setup.taken,
                committed: setup.placed.len(),
                placed: setup.placed,
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
        Ok(Reservation::new(Arc::clone(self), path.clone()))
    }

    /// The container, to write an entry in place. `None` where another entry has it, or where it cannot be patched.
    pub(super) fn claim_in_place(self: &Arc<Self>) -> Result<Option<(Claim, BagFile)>, SinkError> {
        if self.file.is_none() {
            return Ok(None);
        }
        let mut state = self.wait_while_held_for_a_moment(self.lock());
        state.check()?;
        match std::mem::replace(&mut state.slot, Slot::HeldByEntry) {
            Slot::Free(Output::File(file)) => Ok(Some((Claim::new(Arc::clone(self)), file))),
            other => {
                state.slot = other;
                Ok(None)
            }
        }
    }

    pub(super) fn wait_while_held_for_a_moment<'a>(
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

    /// The container, for a moment; `None` where somebody has it.
    pub(super) fn take_free(
        self: &Arc<Self>,
        state: &mut State,
    ) -> Result<Option<(Claim, Output)>, SinkError> {
        state.check()?;
        match std::mem::replace(&mut state.slot, Slot::Held) {
            Slot::Free(output) => Ok(Some((Claim::new(Arc::clone(self)), output))),
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
            let error = sink_error(action, path, source);
            self.break_down(&error);
            error
        })
    }

    /// From now on everything fails, for the first reason that was given.
    pub(super) fn break_down(&self, because: &SinkError) {
        let mut state = self.lock();
        if !matches!(state.slot, Slot::Broken(Some(_))) {
            state.slot = Slot::Broken(told_again(because));
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
    pub(super) fn check(&self) -> Result<(), SinkError> {
        match &self.slot {
            // Of several who fail at once, the run hears one: whichever it is must know why.
            Slot::Broken(because) => {
                let because = because.as_ref().and_then(told_again);
                Err(because.unwrap_or(SinkError::Stopped))
            }
            _ => Ok(()),
        }
    }
}
