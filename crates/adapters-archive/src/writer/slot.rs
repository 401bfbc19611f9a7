//! Who may write to the container now.
//!
//! Invariant: the container's [`Output`] is in exactly one place, in the slot or with the holder of the one [`Claim`]. The holder
//! gives it back with [`Claim::give_back`]; a claim that is dropped without that has lost it, and nobody can write any more, since
//! nobody knows what is in the file.
//!
//! Holding a claim keeps no lock: whoever finds the container taken can do something else. How many may write at once, and where,
//! is decided here alone; callers know only the claim and the output that they got with it.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::SinkError;

use super::health::Health;
use super::output::{BagFile, Output};

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
}

struct State {
    output: Place,
    open_entries: usize,
}

enum Place {
    Free(Output),
    /// An entry is being written in place.
    HeldByEntry,
    /// Whole entries are being placed.
    HeldBriefly,
    /// A claim was dropped.
    Lost,
}

impl Slot {
    pub(super) fn new(output: Output, health: Arc<Health>) -> Arc<Self> {
        let file = match &output {
            Output::File(file) => Some(file.handle()),
            Output::Forward(_) => None,
        };
        Arc::new(Self {
            state: Mutex::new(State {
                output: Place::Free(output),
                open_entries: 0,
            }),
            changed: Condvar::new(),
            health,
            file,
        })
    }

    /// The container, where it is a file that can be patched: for flushing, which needs no claim.
    pub(super) fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    /// The container for an entry that is written while it arrives; `None` where another has it, or where it cannot be patched.
    pub(super) fn claim_in_place(self: &Arc<Self>) -> Result<Option<(Claim, BagFile)>, SinkError> {
        if self.file.is_none() {
            return Ok(None);
        }
        let mut state = self.wait_while_held_briefly(self.lock());
        self.health.check()?;
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
    use std::thread;

    use super::*;

    fn slot() -> Arc<Slot> {
        let file = BagFile::after(tempfile::tempfile().unwrap(), 0).unwrap();
        Slot::new(Output::File(file), Arc::new(Health::sound()))
    }

    #[test]
    fn the_container_is_given_to_one_at_a_time() {
        let slot = slot();
        let (claim, file) = slot.claim_in_place().unwrap().unwrap();
        assert!(slot.claim_in_place().unwrap().is_none());
        assert!(slot.claim_soon().unwrap().is_none());
        claim.give_back(Output::File(file));
        let (claim, output) = slot.try_claim().unwrap().unwrap();
        assert!(slot.try_claim().unwrap().is_none());
        claim.give_back(output);
        assert!(slot.claim_in_place().unwrap().is_some());
    }

    #[test]
    fn nobody_writes_after_a_claim_was_lost() {
        let slot = slot();
        drop(slot.try_claim().unwrap());
        assert!(matches!(slot.try_claim(), Err(SinkError::Stopped)));
        assert!(matches!(slot.claim_in_place(), Err(SinkError::Stopped)));
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
        let slot = Slot::new(Output::Forward(forward), Arc::new(Health::sound()));
        assert!(slot.claim_in_place().unwrap().is_none());
        assert!(slot.try_claim().unwrap().is_some());
    }
}
