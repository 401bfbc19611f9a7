//! A streamed entry as its thread has it: in place or beside the container, from its first byte to its receipt.
//!
//! One with a validator is told to the journal as soon as its beginning is worth something: a run that is interrupted leaves
//! it as it is, and the next one goes on behind it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use domain::ports::{CheckFailure, NewEntry, Receipt, SinkError};
use tokio::sync::{mpsc, oneshot};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::claim::{Claim, Reservation};
use super::member::MemberWriter;
use super::output::{BagFile, Body, Output};
use super::streamed::{Ended, Message};
use super::waiting::{Closed, Safety};
use crate::container::{Content, HeadForm, Placed, WholePart};
use crate::journal::{BegunIn, EntryRecord, Payload, Record};
use crate::staging::{BodyWriter, Stage};

/// Content that it would be a pity to fetch again.
const WORTH_TELLING_BYTES: u64 = 256 * 1024;

/// The beginning of an entry that an interrupted run left, in a file of its own.
pub(crate) struct Left {
    pub(crate) entry: NewEntry,
    pub(crate) stage: Stage,
    /// What of the file is gone on from.
    pub(crate) part: WholePart,
}

/// The life of an entry in its thread.
pub(super) fn run(
    bag: &Arc<UnfinishedBag>,
    entry: NewEntry,
    mut messages: mpsc::Receiver<Message>,
    checks: Checks,
) -> Ended {
    let message = match messages.blocking_recv() {
        None | Some(Message::Discard) => return discarded(entry, checks),
        Some(message) => message,
    };
    OpenEntry::begin(bag, entry, checks)?.take_all(message, messages)
}

/// The second life of an entry that an interrupted run left. `ready` hears when its beginning has been taken.
pub(super) fn run_behind(
    bag: &Arc<UnfinishedBag>,
    left: Left,
    mut messages: mpsc::Receiver<Message>,
    (checks, checked): (Checks, Option<mpsc::Sender<Bytes>>),
    ready: oneshot::Sender<()>,
) -> Ended {
    let Some(open) = OpenEntry::behind(bag, left, checks, checked.as_ref()) else {
        return Ok(None);
    };
    // From here on the check has its bytes from where this entry's come from.
    drop(checked);
    if ready.send(()).is_err() {
        return open.leave();
    }
    match messages.blocking_recv() {
        Some(message) => open.take_all(message, messages),
        None => open.leave(),
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
    beginning: Told,
}

/// Whether the journal tells of an entry's beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing could be done with it.
    Never,
    /// It is not worth it yet.
    NotYet,
    Yes,
}

impl Told {
    fn at_first(bag: &UnfinishedBag, entry: &NewEntry) -> Self {
        match (&entry.validator, bag.payload) {
            (Some(_), Payload::Resumed) => Self::NotYet,
            _ => Self::Never,
        }
    }
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
        let encoding = bag.container.encoding(entry.storage);
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
            beginning: Told::at_first(bag, &entry),
            entry,
            place,
            writer: MemberWriter::new(encoding, output),
            checks,
        })
    }

    /// Takes the beginning that an interrupted run left; `None` where it cannot be read or is wrong.
    fn behind(
        bag: &'a Arc<UnfinishedBag>,
        left: Left,
        mut checks: Checks,
        checked: Option<&mpsc::Sender<Bytes>>,
    ) -> Option<Self> {
        match taken_again(bag, &left, &mut checks, checked) {
            Ok(writer) => Some(Self {
                bag,
                entry: left.entry,
                place: Place::Beside(left.stage),
                writer,
                checks,
                beginning: Told::Yes,
            }),
            Err(error) => {
                tracing::warn!(path = %left.entry.path, %error, "what an interrupted run left of it cannot be used: it is fetched anew");
                left.stage.remove();
                None
            }
        }
    }

    /// Takes what is sent until the entry ends, one way or another.
    fn take_all(mut self, mut message: Message, mut messages: mpsc::Receiver<Message>) -> Ended {
        loop {
            message = match message {
                Message::Close(reservation) => return self.close(reservation).map(Some),
                Message::Discard => return self.discard(),
                Message::Chunk(chunk) => match self.write(&chunk)? {
                    Going::On => match messages.blocking_recv() {
                        Some(next) => next,
                        None => return self.leave(),
                    },
                    Going::Wrong(failure) => return self.refuse(failure),
                },
            };
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<Going, SinkError> {
        if let Err(failure) = self.checks.update(chunk) {
            return Ok(Going::Wrong(failure));
        }
        let writer = &mut self.writer;
        self.bag
            .or_break("write", &self.bag.path, || writer.write(chunk))?;
        if self.beginning == Told::NotYet && self.writer.bytes() >= WORTH_TELLING_BYTES {
            self.tell_beginning()?;
        }
        Ok(Going::On)
    }

    fn tell_beginning(&mut self) -> Result<(), SinkError> {
        let place = match &mut self.place {
            Place::InPlace(_, file) => {
                // It is of use only where the journal tells of all that lies before it.
                self.bag.commit_all()?;
                BegunIn::Container(file.begun_at())
            }
            Place::Beside(stage) => {
                let Some(number) = stage.number() else {
                    self.beginning = Told::Never;
                    return Ok(());
                };
                stage.keep();
                BegunIn::Stage(number)
            }
        };
        self.bag.tell(Record::Begun {
            entry: Box::new(self.entry.clone()),
            place,
        })?;
        self.beginning = Told::Yes;
        Ok(())
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

    /// The run was interrupted. A beginning that the journal tells of stays where it is, and nothing may be put in its place.
    fn leave(self) -> Ended {
        if self.beginning == Told::Yes {
            return Err(SinkError::Stopped);
        }
        self.discard()
    }

    fn roll_back(self) -> Result<(), SinkError> {
        let Self {
            bag,
            place,
            writer,
            beginning,
            entry,
            ..
        } = self;
        // What it has gathered goes to the file now, before that is cut.
        drop(writer);
        if beginning == Told::Yes {
            bag.tell(Record::TakenBack { path: entry.path })?;
        }
        match place {
            Place::InPlace(claim, mut file) => {
                bag.or_break("cut back", &bag.path, || file.roll_back())?;
                claim.put_back(Output::File(file));
            }
            Place::Beside(stage) => stage.remove(),
        }
        Ok(())
    }
}

/// A writer that has taken what is in the file, and whose checks have seen it.
fn taken_again(
    bag: &UnfinishedBag,
    left: &Left,
    checks: &mut Checks,
    checked: Option<&mpsc::Sender<Bytes>>,
) -> io::Result<MemberWriter<BodyWriter>> {
    let encoding = bag.container.encoding(left.entry.storage);
    let mut body = left.stage.reader()?;
    let output = left.stage.writer_behind(left.part.packed)?;
    let mut writer = MemberWriter::new(encoding, output);
    left.part.read(encoding, &mut body, |content| {
        checks.update(content).map_err(io::Error::other)?;
        if let Some(checked) = checked {
            let chunk = Bytes::copy_from_slice(content);
            checked.blocking_send(chunk).map_err(io::Error::other)?;
        }
        writer.write(content)
    })?;
    Ok(writer)
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
    let number = bag.note_placed(placed, end, record.clone(), Safety::Unsafe, None);
    // The next entry may begin while this one is flushed.
    claim.put_back(Output::File(file));
    bag.receipt(record, number)
}
