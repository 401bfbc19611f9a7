//! A streamed entry as its thread has it: in place or beside the container, from its first byte to its receipt.

use std::sync::Arc;

use domain::ports::{CheckFailure, NewEntry, Receipt, SinkError};
use tokio::sync::mpsc;

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::claim::{Claim, Reservation};
use super::member::MemberWriter;
use super::output::{BagFile, Body, Output};
use super::streamed::{Ended, Message};
use super::waiting::{Closed, Safety};
use crate::container::{Content, HeadForm, Placed};
use crate::journal::EntryRecord;
use crate::staging::{BodyWriter, Stage};

/// The life of an entry in its thread.
pub(super) fn run(
    bag: &Arc<UnfinishedBag>,
    entry: NewEntry,
    mut messages: mpsc::Receiver<Message>,
    checks: Checks,
) -> Ended {
    let Some(mut message) = messages.blocking_recv() else {
        return discarded(entry, checks);
    };
    let mut open = OpenEntry::begin(bag, entry, checks)?;
    loop {
        message = match message {
            Message::Close(reservation) => return open.close(reservation).map(Some),
            Message::Chunk(chunk) => match open.write(&chunk)? {
                Going::On => match messages.blocking_recv() {
                    Some(next) => next,
                    None => return open.discard(),
                },
                Going::Wrong(failure) => return open.refuse(failure),
            },
        };
    }
}

fn discarded(entry: NewEntry, checks: Checks) -> Ended {
    match checks.failure() {
        Some(failure) => Err(SinkError::CheckFailed {
            path: entry.path,
            failure,
        }),
        None => Ok(None),
    }
}

/// The open entry as its thread holds it.
struct OpenEntry<'a> {
    bag: &'a Arc<UnfinishedBag>,
    entry: NewEntry,
    place: Place,
    writer: MemberWriter<BodyWriter>,
    checks: Checks,
}

enum Place {
    InPlace(Claim, BagFile),
    Beside(Stage),
}

enum Going {
    On,
    Wrong(CheckFailure),
}

impl<'a> OpenEntry<'a> {
    fn begin(
        bag: &'a Arc<UnfinishedBag>,
        entry: NewEntry,
        checks: Checks,
    ) -> Result<Self, SinkError> {
        let packing = bag.container.packing(entry.storage);
        let (place, output) = match bag.claim_in_place()? {
            Some((claim, mut file)) => {
                let head = bag.container.head(
                    &bag.member(&entry),
                    Content::default(),
                    HeadForm::Patchable,
                );
                let output = bag.or_break("write", &bag.path, || file.begin(&head))?;
                (Place::InPlace(claim, file), output)
            }
            None => bag.or_break("write", bag.room.path(), || {
                let stage = bag.room.stage()?;
                let output = stage.writer()?;
                Ok((Place::Beside(stage), output))
            })?,
        };
        Ok(Self {
            bag,
            entry,
            place,
            writer: MemberWriter::new(packing, output),
            checks,
        })
    }

    fn write(&mut self, chunk: &[u8]) -> Result<Going, SinkError> {
        if let Err(failure) = self.checks.update(chunk) {
            return Ok(Going::Wrong(failure));
        }
        let writer = &mut self.writer;
        self.bag
            .or_break("write", &self.bag.path, || writer.write(chunk))?;
        Ok(Going::On)
    }

    fn close(mut self, reservation: Reservation) -> Result<Receipt, SinkError> {
        let sha256 = self.writer.sha256();
        let checks = std::mem::replace(&mut self.checks, Checks::here(&self.entry));
        if let Err(failure) = checks.finish(&sha256) {
            return self
                .refuse(failure)
                .and_then(|receipt| receipt.ok_or(SinkError::Stopped));
        }
        let Self {
            bag,
            entry,
            place,
            writer,
            ..
        } = self;
        let packed = bag.or_break("write", &bag.path, || {
            let packed = writer.finish(bag.container)?;
            packed.output.finish()?;
            Ok((packed.content, packed.checksum))
        })?;
        let (content, checksum) = packed;
        let record = EntryRecord {
            entry,
            bytes: content.bytes,
            crc32: content.crc32,
            packed: content.packed,
            sha256,
        };
        let receipt = match place {
            Place::InPlace(claim, file) => complete(bag, claim, file, &record, content),
            Place::Beside(stage) => bag.hand_in(Closed {
                record,
                body: Body::Staged(stage),
                checksum,
                safety: Safety::Unsafe,
            }),
        }?;
        reservation.keep();
        Ok(receipt)
    }

    /// Takes the entry back because of its bytes.
    fn refuse(self, failure: CheckFailure) -> Ended {
        let path = self.entry.path.clone();
        self.roll_back()?;
        Err(SinkError::CheckFailed { path, failure })
    }

    /// Takes the entry back because nobody wants it any more, or because its check said so while it was being written.
    fn discard(mut self) -> Ended {
        let checks = std::mem::replace(&mut self.checks, Checks::here(&self.entry));
        let entry = self.entry.clone();
        self.roll_back()?;
        discarded(entry, checks)
    }

    fn roll_back(self) -> Result<(), SinkError> {
        let Self {
            bag, place, writer, ..
        } = self;
        // What it has gathered goes to the file now, before that is cut.
        drop(writer);
        if let Place::InPlace(claim, mut file) = place {
            bag.or_break("cut back", &bag.path, || file.roll_back())?;
            claim.put_back(Output::File(file));
        }
        Ok(())
    }
}

/// Completes an entry in place: its head gets its sizes and sums.
fn complete(
    bag: &Arc<UnfinishedBag>,
    claim: Claim,
    mut file: BagFile,
    record: &EntryRecord,
    content: Content,
) -> Result<Receipt, SinkError> {
    let member = bag.member(&record.entry);
    let head = bag.container.head(&member, content, HeadForm::Patchable);
    let tail = bag.container.tail(&member, content);
    let offset = bag.or_break("write", &bag.path, || {
        file.complete(&head, content.packed, &tail)
    })?;
    let end = offset + head.len() as u64 + content.packed + tail.len() as u64;
    bag.awaits_commit();
    let placed = Placed {
        member,
        content,
        offset,
    };
    let number = bag.note_placed(placed, end, record.clone(), None);
    // The next entry may begin while this one is flushed.
    claim.put_back(Output::File(file));
    bag.receipt(record, number)
}
