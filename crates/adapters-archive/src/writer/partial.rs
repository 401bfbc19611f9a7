//! Partial entries: what the journal records of an open entry, so that the next run fetches only what is missing, and what that run
//! makes of it.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::model::BagPath;
use domain::ports::{NewEntry, SinkError};
use tokio::sync::mpsc;

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::member::MemberWriter;
use super::place::EntryPlace;
use crate::container::{Extent, ResumablePart, Span};
use crate::journal::Record;
use crate::spool::{BodyWriter, SpoolFile};

/// A shorter entry is not worth the flush that recording it costs.
pub(super) const WORTH_RECORDING_BYTES: u64 = 256 * 1024;
/// So often it is recorded how much of an entry in a reserved place has arrived: a kill costs what came since.
const RECORDED_AGAIN: Duration = Duration::from_secs(1);
/// Up to this much it is also recorded each time that half as much again has arrived.
const RECORDED_MORE_OFTEN_BYTES: u64 = 16 * 1024 * 1024;

/// An entry of which an interrupted run has the first bytes.
pub(crate) struct SavedPartial {
    pub(crate) entry: NewEntry,
    pub(crate) place: SavedPlace,
    /// What of its body can be used.
    pub(crate) part: ResumablePart,
}

/// Where the first bytes of a partial entry are.
pub(crate) enum SavedPlace {
    /// In a file beside the container.
    Spooled(SpoolFile),
    /// In the container, in the place where it goes on.
    Reserved(Span, Extent),
}

/// The same once there is a bag: the place is the entry's own.
pub(super) struct PartialDownload {
    pub(super) entry: NewEntry,
    pub(super) place: EntryPlace,
    pub(super) part: ResumablePart,
}

impl PartialDownload {
    pub(super) fn of(saved: SavedPartial, bag: &UnfinishedBag) -> Option<Self> {
        let place = match saved.place {
            SavedPlace::Spooled(spool_file) => EntryPlace::Spooled(spool_file),
            SavedPlace::Reserved(span, extent) => {
                EntryPlace::Reserved(bag.slot.resumed_region(span, extent)?)
            }
        };
        Some(Self {
            entry: saved.entry,
            place,
            part: saved.part,
        })
    }

    /// It is of no use: the entry is fetched from its first byte, or not at all.
    pub(super) fn discard(self, bag: &UnfinishedBag) -> Result<(), SinkError> {
        discard(bag, self.entry.path, self.place)
    }

    /// Reads the first bytes through the checks, and returns a writer that continues after them.
    pub(super) fn read_again(
        &self,
        bag: &UnfinishedBag,
        checks: &mut Checks,
        checked: Option<&mpsc::Sender<Bytes>>,
    ) -> io::Result<MemberWriter<BodyWriter>> {
        let encoding = bag.container.encoding(self.entry.storage);
        let output = self.place.writer_after(self.part.packed)?;
        let mut body = self.place.reader()?;
        let mut writer = MemberWriter::new(encoding, output);
        self.part.read(encoding, &mut body, |content| {
            checks.update(content).map_err(io::Error::other)?;
            if let Some(checked) = checked {
                let chunk = Bytes::copy_from_slice(content);
                checked.blocking_send(chunk).map_err(io::Error::other)?;
            }
            writer.write(content)
        })?;
        Ok(writer)
    }
}

/// Takes back an entry that the journal records as a partial one.
pub(super) fn discard(
    bag: &UnfinishedBag,
    path: BagPath,
    place: EntryPlace,
) -> Result<(), SinkError> {
    // The record first: bytes that it names and that are no longer there could be taken for another entry's.
    bag.commits.record(Record::PartialDiscarded { path })?;
    place.give_back(bag)
}

/// What the journal records of an open entry.
#[derive(Clone, Copy)]
pub(super) enum PartialRecord {
    /// The next run could not use it.
    Never,
    /// It is too short yet.
    NotYet,
    /// It is a partial entry, and so much of its content had arrived when that was recorded last.
    Written { at: Instant, bytes: u64 },
}

impl PartialRecord {
    pub(super) fn at_first(bag: &UnfinishedBag, entry: &NewEntry) -> Self {
        if entry.validator.is_some() && bag.commits.are_recorded() {
            Self::NotYet
        } else {
            Self::Never
        }
    }

    /// Of an entry with so many bytes of content.
    pub(super) fn written_now(bytes: u64) -> Self {
        let at = Instant::now();
        Self::Written { at, bytes }
    }

    pub(super) fn is_written(self) -> bool {
        matches!(self, Self::Written { .. })
    }

    /// Records what is worth it, if anything is, of an entry with so many bytes of content.
    pub(super) fn update(
        &mut self,
        bag: &UnfinishedBag,
        (entry, place): (&NewEntry, &mut EntryPlace),
        writer: &mut MemberWriter<BodyWriter>,
    ) -> Result<(), SinkError> {
        let arrived = writer.bytes();
        match *self {
            Self::NotYet if arrived >= WORTH_RECORDING_BYTES => {
                *self = begin(bag, entry, place, writer)?;
            }
            Self::Written { at, bytes } => {
                let is_half_as_long_again = arrived.saturating_sub(bytes) >= bytes / 2;
                if at.elapsed() >= RECORDED_AGAIN
                    || is_half_as_long_again && arrived <= RECORDED_MORE_OFTEN_BYTES
                {
                    *self = Self::written_now(arrived);
                    keep_all(bag, (entry, place), writer)?;
                }
            }
            Self::Never | Self::NotYet => {}
        }
        Ok(())
    }
}

fn begin(
    bag: &UnfinishedBag,
    entry: &NewEntry,
    place: &mut EntryPlace,
    writer: &mut MemberWriter<BodyWriter>,
) -> Result<PartialRecord, SinkError> {
    let Some(place) = place.keep_for_next_run(writer.output()) else {
        return Ok(PartialRecord::Never);
    };
    let entry = Box::new(entry.clone());
    bag.commits.record(Record::Partial { entry, place })?;
    Ok(PartialRecord::written_now(writer.bytes()))
}

fn record_arrived(
    bag: &UnfinishedBag,
    entry: &NewEntry,
    place: &EntryPlace,
    output: &BodyWriter,
) -> Result<(), SinkError> {
    match place.arrived(output) {
        Some(packed) => bag.commits.record(Record::Arrived {
            path: entry.path.clone(),
            packed,
        }),
        None => Ok(()),
    }
}

/// Keeps all that has arrived so far for the next run.
pub(super) fn keep_all(
    bag: &UnfinishedBag,
    (entry, place): (&NewEntry, &EntryPlace),
    writer: &mut MemberWriter<BodyWriter>,
) -> Result<(), SinkError> {
    bag.health
        .or_fail("write", &bag.path, || writer.output().flush())?;
    record_arrived(bag, entry, place, writer.output())
}
