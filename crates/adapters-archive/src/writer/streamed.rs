//! An entry whose bytes arrive from the network: one thread writes and sums them up, another inflates them where they must
//! be a whole gzip stream.
//!
//! It is written in place where the container is free when its first byte comes, else into a file beside it. Both queues are
//! a few chunks long: who writes waits for the disk and for the check. The queue of bytes being closed without a
//! [`Message::Close`] means that the entry is discarded.

use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{EntryWriter, NewEntry, Receipt, SinkError};
use tokio::sync::{mpsc, oneshot};

use super::QUEUE_CHUNKS;
use super::bag::{Claim, Closed, Reservation, Safety, UnfinishedBag};
use super::checks::Checks;
use super::member::MemberWriter;
use super::output::{BagFile, Body, Output};
use crate::container::{Content, HeadForm, Placed};
use crate::journal::EntryRecord;
use crate::staging::{BodyWriter, Stage};

/// Opens a streamed entry.
pub(super) fn open(
    bag: &Arc<UnfinishedBag>,
    entry: NewEntry,
    reservation: Reservation,
) -> Result<Streamed, SinkError> {
    let (messages, received) = mpsc::channel(QUEUE_CHUNKS);
    let (tell, outcome) = oneshot::channel();
    let path = entry.path.clone();
    let running = Running::begin(bag);
    let checked = bag.or_break("check", &bag.path, || {
        let (checks, checked) = Checks::beside(&entry)?;
        thread::Builder::new()
            .name("archive entry".to_owned())
            .spawn(move || {
                let ended = run(&running.0, entry, received, checks);
                let _ = tell.send(ended);
                running.see_to_what_waits();
            })?;
        Ok(checked)
    })?;
    Ok(Streamed {
        queues: Some(Queues { messages, checked }),
        outcome: Some(outcome),
        reservation: Some(reservation),
        failure: None,
        path,
    })
}

/// The open entry as its writer holds it.
pub(super) struct Streamed {
    queues: Option<Queues>,
    outcome: Option<oneshot::Receiver<Ended>>,
    reservation: Option<Reservation>,
    failure: Option<domain::ports::CheckFailure>,
    path: domain::model::BagPath,
}

struct Queues {
    messages: mpsc::Sender<Message>,
    checked: Option<mpsc::Sender<Bytes>>,
}

enum Message {
    Chunk(Bytes),
    Close(Reservation),
}

/// How an entry's thread ended; `None` where the entry was discarded.
type Ended = Result<Option<Receipt>, SinkError>;

impl Queues {
    /// Both or none: a chunk that only one of them got would be a hole that the check does not see.
    async fn send(&self, chunk: Bytes) -> Option<()> {
        let checked = match &self.checked {
            Some(checked) => Some(checked.reserve().await.ok()?),
            None => None,
        };
        let message = self.messages.reserve().await.ok()?;
        if let Some(checked) = checked {
            checked.send(chunk.clone());
        }
        message.send(Message::Chunk(chunk));
        Some(())
    }
}

impl Streamed {
    /// Closes the queues and hears how the thread ended.
    async fn ended(&mut self) -> Ended {
        self.queues = None;
        let ended = match self.outcome.take() {
            Some(outcome) => outcome.await.unwrap_or(Err(SinkError::Stopped)),
            None => Err(self.told_before()),
        };
        if let Err(SinkError::CheckFailed { failure, .. }) = &ended {
            self.failure = Some(failure.clone());
        }
        ended
    }

    fn told_before(&self) -> SinkError {
        match &self.failure {
            Some(failure) => SinkError::CheckFailed {
                path: self.path.clone(),
                failure: failure.clone(),
            },
            None => SinkError::Stopped,
        }
    }
}

#[async_trait]
impl EntryWriter for Streamed {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        let Some(queues) = &self.queues else {
            return Err(self.told_before());
        };
        if chunk.is_empty() || queues.send(chunk).await.is_some() {
            return Ok(());
        }
        match self.ended().await {
            Err(error) => Err(error),
            Ok(_) => Err(SinkError::Stopped),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<Receipt, SinkError> {
        if let (Some(queues), Some(reservation)) = (self.queues.take(), self.reservation.take()) {
            // The check hears that there is no more before the writer asks it.
            drop(queues.checked);
            // A thread that has stopped says why in its outcome.
            let _ = queues.messages.send(Message::Close(reservation)).await;
        }
        self.ended().await?.ok_or(SinkError::Stopped)
    }

    async fn discard(mut self: Box<Self>) -> Result<(), SinkError> {
        if self.outcome.is_none() {
            return Ok(());
        }
        match self.ended().await {
            Ok(_) | Err(SinkError::CheckFailed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Counts the threads of open entries.
struct Running(Arc<UnfinishedBag>);

impl Running {
    fn begin(bag: &Arc<UnfinishedBag>) -> Self {
        bag.lock().threads += 1;
        Self(Arc::clone(bag))
    }

    /// Nobody listens any more: an error is told to whoever comes next.
    fn see_to_what_waits(self) {
        if let Err(error) = self.0.drain() {
            self.0.break_down(Some(error));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
        self.0.changed.notify_all();
    }
}

fn run(
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
    Wrong(domain::ports::CheckFailure),
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
    fn refuse(self, failure: domain::ports::CheckFailure) -> Ended {
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
