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
    pub(super) fn reserve(self: &Arc<Self>, extent: Extent) -> Result<Option<Region>, SinkError> {
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
        Ok(span.map(|span| Region::new(Arc::clone(self), Arc::clone(file), span, extent)))
    }

    /// The place of an entry that an interrupted run has begun there; the slot was made with it as no gap.
    pub(super) fn resumed_region(self: &Arc<Self>, span: Span, extent: Extent) -> Option<Region> {
        let file = Arc::clone(self.file.as_ref()?);
        Some(Region::new(Arc::clone(self), file, span, extent))
    }

    /// Takes a region back: its bytes belong to nobody.
    pub(super) fn take_back(&self, span: Span) {
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
mod tests {
    use std::io::Write as _;
    use std::thread;

    use super::*;

    fn slot() -> Arc<Slot> {
        let file = BagFile::after(tempfile::tempfile().unwrap(), 0).unwrap();
        slot_over(Output::File(file))
    }

    fn slot_over(output: Output) -> Arc<Slot> {
        let health = Arc::new(Health::sound());
        Slot::new(output, Gaps::default(), health, "bag".into())
    }

    fn extent(whole: u64) -> Extent {
        Extent {
            head: 2,
            packed: whole - 2,
            whole,
        }
    }

    fn reserve(slot: &Arc<Slot>, length: u64) -> Option<Region> {
        slot.reserve(extent(length)).unwrap()
    }

    fn span(offset: u64, end: u64) -> Span {
        Span { offset, end }
    }

    #[test]
    fn entries_of_known_length_have_places_one_behind_the_other() {
        let slot = slot();
        let regions = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
        let spans = regions.each_ref().map(Region::span);
        assert_eq!(spans, [span(0, 10), span(10, 30), span(30, 60)]);
        // The container's end is behind them, and free.
        let (claim, output) = slot.claim_at_end().unwrap().unwrap();
        assert_eq!(output.end(), 60);
        // How long what is written there is going to be is not known: nothing can be placed behind it.
        assert!(reserve(&slot, 5).is_none());
        claim.give_back(Output::File(output));
        assert_eq!(reserve(&slot, 5).unwrap().span(), span(60, 65));
    }

    #[test]
    fn what_was_given_back_is_the_place_of_the_next_of_that_length() {
        let slot = slot();
        let [first, second, _third] = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
        second.give_back();
        first.give_back();
        let (_claim, _file) = slot.claim_at_end().unwrap().unwrap();
        // Also while the end is taken.
        assert_eq!(reserve(&slot, 20).unwrap().span(), span(10, 30));
        assert_eq!(reserve(&slot, 10).unwrap().span(), span(0, 10));
    }

    #[test]
    fn what_was_given_back_at_the_end_is_cut_off() {
        let slot = slot();
        let [_first, second, third] = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
        third.write_head(b"xx").unwrap();
        second.give_back();
        third.give_back();
        let (claim, output) = slot.claim_at_end().unwrap().unwrap();
        assert_eq!(output.end(), 10);
        assert!(slot.file().unwrap().metadata().unwrap().len() <= 10);
        claim.give_back(Output::File(output));
        assert_eq!(reserve(&slot, 5).unwrap().span(), span(10, 15));
    }

    #[test]
    fn a_region_that_is_dropped_is_used_by_nobody() {
        let slot = slot();
        drop(reserve(&slot, 10));
        assert_eq!(reserve(&slot, 10).unwrap().span(), span(10, 20));
    }

    #[test]
    fn an_entry_is_never_written_beyond_its_place() {
        let slot = slot();
        let region = reserve(&slot, 10).unwrap();
        assert!(region.write_head(b"abc").is_err());
        assert!(region.complete(b"ab", 7, b"").is_err());
        assert!(region.complete(b"ab", 8, b"c").is_err());
        assert!(region.complete(b"ab", 8, b"").is_ok());
        let mut writer = region.writer_after(0);
        assert!(writer.write_all(&vec![0; 100_000]).is_err());
    }

    #[test]
    fn the_container_is_given_to_one_at_a_time() {
        let slot = slot();
        let (claim, file) = slot.claim_at_end().unwrap().unwrap();
        assert!(slot.claim_at_end().unwrap().is_none());
        assert!(slot.claim_soon().unwrap().is_none());
        claim.give_back(Output::File(file));
        let (claim, output) = slot.try_claim().unwrap().unwrap();
        assert!(slot.try_claim().unwrap().is_none());
        claim.give_back(output);
        assert!(slot.claim_at_end().unwrap().is_some());
    }

    #[test]
    fn nobody_writes_after_a_claim_was_lost() {
        let slot = slot();
        drop(slot.try_claim().unwrap());
        assert!(matches!(slot.try_claim(), Err(SinkError::Stopped)));
        assert!(matches!(slot.claim_at_end(), Err(SinkError::Stopped)));
        assert!(matches!(slot.claim_when_idle(), Err(SinkError::Stopped)));
    }

    #[test]
    fn who_finds_it_held_briefly_gets_it_when_it_is_given_back() {
        let slot = slot();
        let (claim, output) = slot.try_claim().unwrap().unwrap();
        thread::scope(|scope| {
            let next = scope.spawn(|| {
                slot.claim_soon()
                    .unwrap()
                    .map(|(claim, output)| claim.give_back(output))
            });
            claim.give_back(output);
            assert!(next.join().unwrap().is_some());
        });
    }

    #[test]
    fn it_is_idle_when_the_last_open_entry_ended() {
        let slot = slot();
        let (first, second) = (slot.entry_opened(), slot.entry_opened());
        drop(first);
        thread::scope(|scope| {
            let idle = scope.spawn(|| {
                slot.claim_when_idle()
                    .map(|(claim, output)| claim.give_back(output))
            });
            drop(second);
            idle.join().unwrap().unwrap();
        });
        assert_eq!(slot.lock().open_entries, 0);
    }

    #[test]
    fn a_stream_is_never_written_in_place() {
        let forward =
            super::super::output::Forward::new(super::super::output::ForwardStream::Plain(
                super::super::output::Counted::new(Box::new(std::io::sink())),
            ));
        let slot = slot_over(Output::Forward(forward));
        assert!(slot.claim_at_end().unwrap().is_none());
        assert!(reserve(&slot, 10).is_none());
        assert!(slot.try_claim().unwrap().is_some());
    }
}
