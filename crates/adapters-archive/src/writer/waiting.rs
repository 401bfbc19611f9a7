//! Entries that ended beside the container: they get their place at once, or wait for it.
//!
//! One that must be safe waits in a file that the journal tells of; a small one in memory, while there is room.

use std::io::{self, Write as _};
use std::sync::{Arc, PoisonError};

use domain::ports::{Durability, Receipt, SinkError};

use super::bag::UnfinishedBag;
use super::claim::Claim;
use super::output::{Body, Output, sink_error};
use crate::container::{HeadForm, Placed};
use crate::journal::{Durable, EntryRecord, Payload, Record};
use crate::staging::{Stage, StageRoom};

/// Bodies that wait in memory, together.
const WAITING_BYTES: usize = 8 * 1024 * 1024;

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
    fn bytes_in_memory(&self) -> usize {
        match &self.body {
            Body::Memory(body) => body.len(),
            Body::Staged(_) => 0,
        }
    }
}

impl UnfinishedBag {
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
        let content = closed.record.content();
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
        let retired = match closed.body {
            Body::Staged(stage) => stage.into_kept_name(),
            Body::Memory(_) => None,
        };
        let placed = Placed {
            member,
            content,
            offset,
        };
        Ok(self.note_placed(placed, expected, closed.record, closed.safety, retired))
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
}

fn stage_of(room: &StageRoom, body: &[u8]) -> io::Result<Stage> {
    let stage = room.stage()?;
    let mut writer = stage.writer()?;
    writer.write_all(body)?;
    writer.finish()?;
    Ok(stage)
}
