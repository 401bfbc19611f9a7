//! A streamed entry as its thread has it: in place or in a spool file, from its first byte to its receipt.
//!
//! One with a validator is recorded in the journal as soon as resuming it would save time. If the run is interrupted, its bytes
//! stay as they are, and the next run fetches only what follows.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use domain::ports::{CheckFailure, NewEntry, Receipt, SinkError};
use tokio::sync::{mpsc, oneshot};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::closed::{Body, Closed, Safety};
use super::entry_end::{End, Receiver};
use super::member::{Encoded, MemberWriter};
use super::output::{BagFile, Output};
use super::paths::Reservation;
use super::slot::Claim;
use crate::container::{Content, HeadForm, Placed, ResumablePart};
use crate::journal::{EntryRecord, PartialPlace, Record};
use crate::spool::{BodyWriter, SpoolFile};

/// A shorter entry is not worth the flushes that recording it costs.
const WORTH_RECORDING_BYTES: u64 = 256 * 1024;

/// An entry of which an interrupted run has the first bytes, in a spool file.
pub(crate) struct PartialDownload {
    pub(crate) entry: NewEntry,
    pub(crate) spool_file: SpoolFile,
    /// What of the file can be used.
    pub(crate) part: ResumablePart,
}

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
    let Some(open) = OpenEntry::resume(bag, download, checks, checked.as_ref()) else {
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
    place: Place,
    writer: MemberWriter<BodyWriter>,
    checks: Checks,
    recorded: PartialRecord,
}

/// Whether the journal records the entry as a partial one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PartialRecord {
    /// The next run could not use it.
    Never,
    /// It is too short yet.
    NotYet,
    Written,
}

impl PartialRecord {
    fn at_first(bag: &UnfinishedBag, entry: &NewEntry) -> Self {
        if entry.validator.is_some() && bag.commits.are_recorded() {
            Self::NotYet
        } else {
            Self::Never
        }
    }
}

enum Place {
    InContainer(Claim, BagFile),
    Spooled(SpoolFile),
}

impl<'a> OpenEntry<'a> {
    fn begin(
        bag: &'a Arc<UnfinishedBag>,
        entry: NewEntry,
        checks: Checks,
    ) -> Result<Self, SinkError> {
        let encoding = bag.container.encoding(entry.storage);
        let (place, output) = match bag.slot.claim_in_place()? {
            Some((claim, mut file)) => {
                let head = bag.container.head(
                    &bag.member(&entry),
                    Content::default(),
                    HeadForm::Patchable,
                );
                let output = bag
                    .health
                    .or_fail("write", &bag.path, || file.begin(&head))?;
                (Place::InContainer(claim, file), output)
            }
            None => bag.health.or_fail("write", bag.spool.path(), || {
                let spool_file = bag.spool.new_file()?;
                let output = spool_file.writer()?;
                Ok((Place::Spooled(spool_file), output))
            })?,
        };
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
    ) -> Option<Self> {
        match read_again(bag, &download, &mut checks, checked) {
            Ok(writer) => Some(Self {
                bag,
                entry: download.entry,
                place: Place::Spooled(download.spool_file),
                writer,
                checks,
                recorded: PartialRecord::Written,
            }),
            Err(error) => {
                tracing::warn!(path = %download.entry.path, %error, "its partial download cannot be used: it is fetched again");
                download.spool_file.remove();
                None
            }
        }
    }

    /// Takes all chunks, and then ends as its writer says.
    fn take_all(mut self, mut chunk: Option<Bytes>, mut received: Receiver) -> Ended {
        while let Some(content) = chunk.or_else(|| received.next_chunk()) {
            if let Some(failure) = self.write(&content)? {
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
        if self.recorded == PartialRecord::NotYet && self.writer.bytes() >= WORTH_RECORDING_BYTES {
            self.record()?;
        }
        Ok(None)
    }

    fn record(&mut self) -> Result<(), SinkError> {
        let place = match &mut self.place {
            Place::InContainer(_, file) => {
                // The next run cuts the container after the last entry that is recorded: only what begins there can be resumed.
                self.bag.commits.commit_all()?;
                PartialPlace::Container(file.begun_at())
            }
            Place::Spooled(spool_file) => {
                let Some(number) = spool_file.number() else {
                    self.recorded = PartialRecord::Never;
                    return Ok(());
                };
                spool_file.keep();
                PartialPlace::Spool(number)
            }
        };
        self.bag.commits.record(Record::Partial {
            entry: Box::new(self.entry.clone()),
            place,
        })?;
        self.recorded = PartialRecord::Written;
        Ok(())
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
        let receipt = match place {
            Place::InContainer(claim, file) => complete(bag, claim, file, &record, content),
            Place::Spooled(spool_file) => bag.accept(Closed {
                record,
                body: Body::Spooled(spool_file),
                checksum,
                safety: Safety::Unsafe,
            }),
        }?;
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

    /// The run was interrupted. What the journal records of the entry stays where it is; a claim on the container is dropped with
    /// it, and so lost on purpose: nothing can be written over those bytes.
    fn interrupt(self) -> Ended {
        if self.recorded == PartialRecord::Written {
            return Err(SinkError::Stopped);
        }
        self.discard()
    }

    fn take_checks(&mut self) -> Checks {
        std::mem::replace(&mut self.checks, Checks::here(&self.entry))
    }

    fn roll_back(self) -> Result<(), SinkError> {
        let Self {
            bag,
            place,
            writer,
            recorded,
            entry,
            ..
        } = self;
        // What it has buffered goes to the file now, before that is cut: later it would come after the cut.
        drop(writer);
        // The record first: one that names bytes which are no longer there could be taken for another entry's.
        if recorded == PartialRecord::Written {
            bag.commits
                .record(Record::PartialDiscarded { path: entry.path })?;
        }
        match place {
            Place::InContainer(claim, mut file) => {
                bag.health
                    .or_fail("cut back", &bag.path, || file.roll_back())?;
                claim.give_back(Output::File(file));
            }
            Place::Spooled(spool_file) => spool_file.remove(),
        }
        Ok(())
    }
}

/// Reads the file's first bytes through the checks, and returns a writer that continues after them.
fn read_again(
    bag: &UnfinishedBag,
    download: &PartialDownload,
    checks: &mut Checks,
    checked: Option<&mpsc::Sender<Bytes>>,
) -> io::Result<MemberWriter<BodyWriter>> {
    let encoding = bag.container.encoding(download.entry.storage);
    let mut body = download.spool_file.reader()?;
    let output = download.spool_file.writer_after(download.part.packed)?;
    let mut writer = MemberWriter::new(encoding, output);
    download.part.read(encoding, &mut body, |content| {
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
    let offset = bag.health.or_fail("write", &bag.path, || {
        file.complete(&head, content.packed, &tail)
    })?;
    let end = offset + head.len() as u64 + content.packed + tail.len() as u64;
    bag.commits.entry_ended();
    let placed = Placed {
        member,
        content,
        offset,
    };
    let number = bag
        .commits
        .note_entry(placed, end, record.clone(), Safety::Unsafe, None);
    // Noted before, since notes have the container's order; flushed after, so that the next entry can begin meanwhile.
    claim.give_back(Output::File(file));
    bag.commits.receipt(record, number)
}
