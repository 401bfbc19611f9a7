//! A streamed entry as its thread has it: in place or in a spool file, from its first byte to its receipt.
//!
//! One with a validator is recorded in the journal as soon as resuming it would save time (`partial`). If the run is interrupted, its
//! bytes stay as they are, and the next run fetches only what follows.

use std::fs::File;
use std::io::{ErrorKind, Take};
use std::sync::Arc;

use bytes::Bytes;
use domain::ports::{CheckFailure, NewEntry, Receipt, SinkError};
use tokio::sync::{mpsc, oneshot};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::entry_end::{Chunk, End, Receiver, Stored};
use super::member::{Encoded, MemberWriter};
use super::partial::{self, PartialDownload, PartialRecord};
use super::paths::Reservation;
use super::place::EntryPlace;
use crate::journal::EntryRecord;
use crate::spool::{BodyWriter, PositionedReader};

/// Copied at once: progress is notified between two of them, and the check is fed again before it has nothing left to do for long.
const COPIED_BYTES: u64 = 2 * 1024 * 1024;

/// How an entry's thread ended; `None` where the entry was discarded.
pub(super) type Ended = Result<Option<Receipt>, SinkError>;

/// Whether a partial download can be used.
pub(super) enum Usable {
    Yes,
    No,
}

/// An entry from its first byte on, in its thread.
pub(super) fn run(
    bag: &Arc<UnfinishedBag>,
    entry: NewEntry,
    mut received: Receiver,
    checks: Checks,
) -> Ended {
    match received.next_chunk() {
        Some(first) => OpenEntry::begin(bag, entry, checks)?.take_all(Some(first), received),
        // Nothing was written yet: nothing has to be undone.
        None => match received.end() {
            End::Closed(reservation) => OpenEntry::begin(bag, entry, checks)?
                .close(reservation)
                .map(Some),
            End::Discarded | End::Interrupted => discarded(entry, checks),
        },
    }
}

/// An entry of which an interrupted run has the first bytes. `usable` is sent once they have been read again.
pub(super) fn run_resumed(
    bag: &Arc<UnfinishedBag>,
    download: PartialDownload,
    received: Receiver,
    (checks, checked): (Checks, Option<mpsc::Sender<Bytes>>),
    usable: oneshot::Sender<Usable>,
) -> Ended {
    let Some(open) = OpenEntry::resume(bag, download, checks, checked.as_ref())? else {
        // The one that waits for it may have been dropped.
        let _ = usable.send(Usable::No);
        return Ok(None);
    };
    // The check gets its next bytes from the entry's writer, and must see the end when that has sent its last.
    drop(checked);
    if usable.send(Usable::Yes).is_err() {
        return open.interrupt();
    }
    open.take_all(None, received)
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
    place: EntryPlace,
    writer: MemberWriter<BodyWriter>,
    checks: Checks,
    recorded: PartialRecord,
}

impl<'a> OpenEntry<'a> {
    fn begin(
        bag: &'a Arc<UnfinishedBag>,
        entry: NewEntry,
        checks: Checks,
    ) -> Result<Self, SinkError> {
        let encoding = bag.container.encoding(entry.storage);
        let (place, output) = EntryPlace::of(bag, &entry)?;
        Ok(Self {
            bag,
            recorded: PartialRecord::at_first(bag, &entry),
            entry,
            place,
            writer: MemberWriter::new(encoding, output),
            checks,
        })
    }

    /// Reads the first bytes again; `None` where they cannot be read or are wrong.
    fn resume(
        bag: &'a Arc<UnfinishedBag>,
        download: PartialDownload,
        mut checks: Checks,
        checked: Option<&mpsc::Sender<Bytes>>,
    ) -> Result<Option<Self>, SinkError> {
        match download.read_again(bag, &mut checks, checked) {
            Ok(writer) => Ok(Some(Self {
                bag,
                entry: download.entry,
                place: download.place,
                writer,
                checks,
                recorded: PartialRecord::written_now(download.part.bytes),
            })),
            Err(error) => {
                tracing::warn!(path = %download.entry.path, %error, "its partial download cannot be used: it is fetched again");
                download.discard(bag)?;
                Ok(None)
            }
        }
    }

    /// Takes all chunks, and then ends as its writer says.
    fn take_all(mut self, mut chunk: Option<Chunk>, mut received: Receiver) -> Ended {
        while let Some(content) = chunk.or_else(|| received.next_chunk()) {
            let failure = match content {
                Chunk::Bytes(bytes) => self.write(&bytes)?,
                Chunk::Stored(stored) => self.copy(stored)?,
            };
            if let Some(failure) = failure {
                return self.refuse(failure);
            }
            chunk = None;
        }
        match received.end() {
            End::Closed(reservation) => self.close(reservation).map(Some),
            End::Discarded => self.discard(),
            End::Interrupted => self.interrupt(),
        }
    }

    /// Writes a chunk. Returns what is wrong with it, if anything is.
    fn write(&mut self, chunk: &[u8]) -> Result<Option<CheckFailure>, SinkError> {
        if let Err(failure) = self.checks.update(chunk) {
            return Ok(Some(failure));
        }
        let (bag, writer) = (self.bag, &mut self.writer);
        bag.health
            .or_fail("write", &bag.path, || writer.write(chunk))?;
        self.recorded
            .update(bag, (&self.entry, &mut self.place), &mut self.writer)?;
        Ok(None)
    }

    /// Copies bytes, as far as the system can, and takes them from where they are now: nobody else writes there. Returns what is wrong
    /// with them, if anything is.
    fn copy(&mut self, stored: Stored) -> Result<Option<CheckFailure>, SinkError> {
        let Stored {
            from,
            checked,
            taken,
        } = stored;
        let bag = self.bag;
        let bytes = from.length.min(COPIED_BYTES);
        let copied = bag.health.or_fail("write", &bag.path, || {
            match (self.writer.plain_output(), from.file.downcast_ref::<File>()) {
                (Some(output), Some(file)) => output.copy((file, from.offset), bytes),
                _ => Ok(None),
            }
        })?;
        let mut received = 0;
        if let Some(copied) = copied {
            received = copied.limit();
            if let Some(failure) = self.take_copied(copied, checked.as_ref())? {
                return Ok(Some(failure));
            }
        }
        // Who asked may have been dropped.
        let _ = taken.send(received);
        Ok(None)
    }

    /// Gives bytes that are in their place to all checks.
    fn take_copied(
        &mut self,
        mut copied: Take<PositionedReader>,
        checked: Option<&mpsc::Sender<Bytes>>,
    ) -> Result<Option<CheckFailure>, SinkError> {
        let bag = self.bag;
        while copied.limit() > 0 {
            let piece = bag.health.or_fail("read", &bag.path, || {
                let piece = bag.pieces.read_from(&mut copied)?;
                let ends_early = piece.is_empty().then_some(ErrorKind::UnexpectedEof);
                ends_early.map_or(Ok(piece), |kind| Err(kind.into()))
            })?;
            if checked.is_some_and(|checked| checked.blocking_send(piece.clone()).is_err()) {
                // It has ended before its bytes did, and says why.
                let failure = self.take_checks().failure();
                return Ok(Some(failure.unwrap_or(CheckFailure::Damaged)));
            }
            if let Some(failure) = self.write(&piece)? {
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    fn close(mut self, reservation: Reservation) -> Result<Receipt, SinkError> {
        let sha256 = self.writer.sha256();
        if let Err(failure) = self.take_checks().finish(&sha256) {
            return Err(self.take_back(failure));
        }
        let Self {
            bag,
            entry,
            place,
            writer,
            ..
        } = self;
        let encoded = bag.health.or_fail("write", &bag.path, || {
            let Encoded {
                content,
                checksum,
                output,
                sha256,
            } = writer.finish(bag.container)?;
            output.finish()?;
            Ok((content, checksum, sha256))
        })?;
        let (content, checksum, sha256) = encoded;
        let record = EntryRecord {
            entry,
            bytes: content.bytes,
            crc32: content.crc32,
            packed: content.packed,
            sha256,
        };
        let receipt = place.complete(bag, record, checksum)?;
        reservation.keep();
        Ok(receipt)
    }

    /// Takes the entry back because of its bytes.
    fn refuse(self, failure: CheckFailure) -> Ended {
        Err(self.take_back(failure))
    }

    /// Takes the entry back. Returns why, or the error of the disk that came instead.
    fn take_back(self, failure: CheckFailure) -> SinkError {
        let path = self.entry.path.clone();
        match self.roll_back() {
            Ok(()) => SinkError::CheckFailed { path, failure },
            Err(error) => error,
        }
    }

    /// Takes the entry back because nobody wants it any more, or because its check failed while it was being written.
    fn discard(mut self) -> Ended {
        let checks = self.take_checks();
        let entry = self.entry.clone();
        self.roll_back()?;
        discarded(entry, checks)
    }

    /// The run was interrupted. What the journal records of the entry stays where it is. Its place is dropped with it, and so lost on
    /// purpose: nothing can be written over those bytes.
    fn interrupt(mut self) -> Ended {
        if self.recorded.is_written() {
            partial::keep_all(self.bag, (&self.entry, &self.place), &mut self.writer)?;
            return Err(SinkError::Stopped);
        }
        self.discard()
    }

    fn take_checks(&mut self) -> Checks {
        std::mem::replace(&mut self.checks, Checks::here(&self.entry))
    }

    fn roll_back(self) -> Result<(), SinkError> {
        if self.recorded.is_written() {
            partial::discard(self.bag, self.entry.path, self.place)
        } else {
            self.place.give_back(self.bag)
        }
    }
}
