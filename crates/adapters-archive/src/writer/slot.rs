//! Who may write where in the container now.
//!
//! Invariants: the container's [`Output`] is in exactly one place, in the slot or with the holder of the one [`Claim`]. The holder
//! alone writes at the container's end. It gives the claim back with [`Claim::give_back`]; a claim that is dropped without that has
//! lost it, and nobody can write at the end any more, since nobody knows what is there.
//!
//! Before the end, every byte belongs to one of these, and never to two: an entry that has its place for good, a [`Region`] that one
//! entry has to itself, a gap ([`Gaps`]). An entry whose length is known gets a region, for which nobody else has to wait: a gap, or
//! bytes that move the end on. One whose length is not known can only be written at the end, with the claim, and nothing is placed
//! behind it until it has ended.
//!
//! Holding a claim or a region keeps no lock: whoever finds the container taken can do something else. How many may write at once,
//! and where, is decided here alone.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::SinkError;

use super::gaps::Gaps;
use super::health::Health;
use super::output::{BagFile, Output, sink_error};
use super::region::Region;
use crate::container::{Extent, Span};

/// How long to wait for the container while whole entries are being placed, which usually takes less. While an entry is being
/// downloaded into it, nobody waits.
const LONGEST_BRIEF_WAIT: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
    health: Arc<Health>,
    /// The container, where it is a file that can be patched.
    file: Option<Arc<File>>,
    /// The container's name in messages.
    path: PathBuf,
}

struct State {
    output: Place,
    gaps: Gaps,
    open_entries: usize,
}

impl State {
    /// The container at its end, where nobody has it: behind it is nothing that belongs to an entry.
    fn at_end(&mut self) -> io::Result<Option<&mut BagFile>> {
        match &mut self.output {
            Place::Free(Output::File(file)) => {
                let end = self.gaps.cut_from(file.end());
                if end < file.end() {
                    file.end_at(end)?;
                }
                Ok(Some(file))
            }
            _ => Ok(None),
        }
    }
}

enum Place {
    Free(Output),
    /// An entry of unknown length is being written at the end.
    HeldByEntry,
    /// Whole entries are being placed.
    HeldBriefly,
    /// A claim was dropped.
    Lost,
}

impl Slot {
    /// Before the output's end are these gaps. `path` is its name in messages.
    pub(super) fn new(output: Output, gaps: Gaps, health: Arc<Health>, path: PathBuf) -> Arc<Self> {
        let file = match &output {
            Output::File(file) => Some(file.handle()),
            Output::Forward(_) => None,
        };
        Arc::new(Self {
            state: Mutex::new(State {
                output: Place::Free(output),
                gaps,
                open_entries: 0,
            }),
            changed: Condvar::new(),
            health,
            file,
            path,
        })
    }

    /// The container, where it is a file that can be patched: for flushing, which needs no claim.
    pub(super) fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    /// A place of its own for an entry of known length; `None` where it would be behind one whose end is not known, or where the
    /// container cannot be patched.
    pub(super) fn reserve(&self, extent: Extent) -> Result<Option<Region>, SinkError> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let mut state = self.lock();
        self.health.check()?;
        let mut span = state.gaps.take(extent.whole);
        if span.is_none() {
            state = self.wait_while_held_briefly(state);
            self.health.check()?;
            let file = self.at_end(&mut state)?;
            span = file.and_then(|file| file.extend(extent.whole));
        }
        Ok(span.map(|span| Region::new(Arc::clone(file), span, extent)))
    }

    /// The place of an entry that an interrupted run has begun there; the slot was made with it as no gap.
    pub(super) fn resumed_region(&self, span: Span, extent: Extent) -> Option<Region> {
        let file = Arc::clone(self.file.as_ref()?);
        Some(Region::new(file, span, extent))
    }

    /// Takes a region back: another entry may be written there from now on.
    pub(super) fn take_back(&self, region: Region) {
        let span = region.span();
        region.release();
        self.lock().gaps.add(span);
    }

    fn at_end<'a>(&self, state: &'a mut State) -> Result<Option<&'a mut BagFile>, SinkError> {
        state
            .at_end()
            .map_err(|source| sink_error("cut back", &self.path, source))
            .inspect_err(|error| self.health.fail(error))
    }

    /// The container's end for an entry of unknown length, which is written while it arrives; `None` where another has it, or where it
    /// cannot be patched.
    pub(super) fn claim_at_end(self: &Arc<Self>) -> Result<Option<(Claim, BagFile)>, SinkError> {
        if self.file.is_none() {
            return Ok(None);
        }
        let mut state = self.wait_while_held_briefly(self.lock());
        self.health.check()?;
        self.at_end(&mut state)?;
        match std::mem::replace(&mut state.output, Place::HeldByEntry) {
            Place::Free(Output::File(file)) => Ok(Some((self.claim(), file))),
            other => {
                state.output = other;
                Ok(None)
            }
        }
    }

    /// The container to place whole entries in; `None` where somebody has it.
    pub(super) fn try_claim(self: &Arc<Self>) -> Result<Option<(Claim, Output)>, SinkError> {
        self.take(&mut self.lock())
    }

    /// The same, after waiting while the container is held briefly.
    pub(super) fn claim_soon(self: &Arc<Self>) -> Result<Option<(Claim, Output)>, SinkError> {
        self.take(&mut self.wait_while_held_briefly(self.lock()))
    }

    /// The container once no entry is open.
    pub(super) fn claim_when_idle(self: &Arc<Self>) -> Result<(Claim, Output), SinkError> {
        let mut state = self.lock();
        loop {
            self.health.check()?;
            if state.open_entries == 0
                && let Some(taken) = self.take(&mut state)?
            {
                return Ok(taken);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// An entry is open for as long as this value lives.
    pub(super) fn entry_opened(self: &Arc<Self>) -> OpenEntryCount {
        self.lock().open_entries += 1;
        OpenEntryCount(Arc::clone(self))
    }

    fn take(self: &Arc<Self>, state: &mut State) -> Result<Option<(Claim, Output)>, SinkError> {
        self.health.check()?;
        self.at_end(state)?;
        match std::mem::replace(&mut state.output, Place::HeldBriefly) {
            Place::Free(output) => Ok(Some((self.claim(), output))),
            other => {
                state.output = other;
                Ok(None)
            }
        }
    }

    fn claim(self: &Arc<Self>) -> Claim {
        Claim {
            slot: Some(Arc::clone(self)),
        }
    }

    fn wait_while_held_briefly<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        let deadline = Instant::now() + LONGEST_BRIEF_WAIT;
        while let (Place::HeldBriefly, Some(left)) = (
            &state.output,
            deadline.checked_duration_since(Instant::now()),
        ) {
            (state, _) = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write to the container.
pub(super) struct Claim {
    /// `None` once it was given back.
    slot: Option<Arc<Slot>>,
}

impl Claim {
    /// Gives the container to whoever comes next.
    pub(super) fn give_back(mut self, output: Output) {
        if let Some(slot) = self.slot.take() {
            slot.lock().output = Place::Free(output);
            slot.changed.notify_all();
        }
    }

    /// Does something with the container; an error ends the bag at once, not only when the claim is dropped: others learn why.
    pub(super) fn or_fail<T>(
        &self,
        act: impl FnOnce() -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        act().inspect_err(|error| {
            if let Some(slot) = &self.slot {
                slot.health.fail(error);
            }
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.health.fail(&SinkError::Stopped);
            slot.lock().output = Place::Lost;
            slot.changed.notify_all();
        }
    }
}

/// One open entry. [`Slot::claim_when_idle`] waits for all of them.
pub(super) struct OpenEntryCount(Arc<Slot>);

impl Drop for OpenEntryCount {
    fn drop(&mut self) {
        self.0.lock().open_entries -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
