//! Where an open entry's bytes go: into a place of its own in the container where its length is known, else to the container's end
//! where nobody is writing there, else into a spool file.

use std::io::{self, Read};

use domain::ports::{NewEntry, Receipt, SinkError};

use super::bag::UnfinishedBag;
use super::closed::{Body, Closed, Safety};
use super::output::{BagFile, Output};
use super::region::Region;
use super::slot::Claim;
use crate::container::{Content, HeadForm, Placed, Span};
use crate::journal::{EntryRecord, PartialPlace};
use crate::spool::{BodyWriter, SpoolFile};

/// See the module.
pub(super) enum EntryPlace {
    /// At the container's end. How long the entry is going to be is not known: nothing is placed behind it until it ends.
    AtEnd(Claim, BagFile),
    /// In the container, where it has just as many bytes as it needs.
    Reserved(Region),
    /// Beside the container.
    Spooled(SpoolFile),
}

impl EntryPlace {
    /// A place for this entry, and what writes its body there.
    pub(super) fn of(
        bag: &UnfinishedBag,
        entry: &NewEntry,
    ) -> Result<(Self, BodyWriter), SinkError> {
        let head = || {
            let member = bag.member(entry);
            let content = Content::default();
            bag.container.head(&member, content, HeadForm::Patchable)
        };
        if let Some(extent) = bag.extent(entry)
            && let Some(region) = bag.slot.reserve(extent)?
        {
            bag.health
                .or_fail("write", &bag.path, || region.write_head(&head()))?;
            let output = region.writer_after(0);
            return Ok((Self::Reserved(region), output));
        }
        if let Some((claim, mut file)) = bag.slot.claim_at_end()? {
            let output = bag
                .health
                .or_fail("write", &bag.path, || file.begin(&head()))?;
            return Ok((Self::AtEnd(claim, file), output));
        }
        bag.health.or_fail("write", bag.spool.path(), || {
            let spool_file = bag.spool.new_file()?;
            let output = spool_file.writer()?;
            Ok((Self::Spooled(spool_file), output))
        })
    }

    /// What the journal can say of it, so that the next run finds the first bytes; `None` where that could not. A spool file is kept
    /// from now on.
    pub(super) fn keep_for_next_run(&mut self, output: &BodyWriter) -> Option<PartialPlace> {
        match self {
            Self::AtEnd(_, file) => Some(PartialPlace::Container(file.end())),
            Self::Reserved(region) => {
                let Span { offset, end } = region.span();
                Some(PartialPlace::Reserved {
                    offset,
                    end,
                    packed: region.arrived(output),
                })
            }
            Self::Spooled(spool_file) => {
                let number = spool_file.number()?;
                spool_file.keep();
                Some(PartialPlace::Spool(number))
            }
        }
    }

    /// How much of the body was handed to the system, where the journal has to say so.
    pub(super) fn arrived(&self, output: &BodyWriter) -> Option<u64> {
        match self {
            Self::Reserved(region) => Some(region.arrived(output)),
            // The file's length says it.
            Self::AtEnd(..) | Self::Spooled(_) => None,
        }
    }

    /// Writes a body of which the first `kept` bytes are there.
    pub(super) fn writer_after(&self, kept: u64) -> io::Result<BodyWriter> {
        match self {
            Self::Spooled(spool_file) => spool_file.writer_after(kept),
            Self::Reserved(region) => Ok(region.writer_after(kept)),
            Self::AtEnd(..) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Reads a body from its first byte.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Spooled(spool_file) => Ok(Box::new(spool_file.reader()?)),
            Self::Reserved(region) => Ok(Box::new(region.reader())),
            Self::AtEnd(..) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The entry is gone: others may have the place.
    pub(super) fn give_back(self, bag: &UnfinishedBag) -> Result<(), SinkError> {
        match self {
            Self::AtEnd(claim, mut file) => {
                bag.health
                    .or_fail("cut back", &bag.path, || file.roll_back())?;
                claim.give_back(Output::File(file));
            }
            Self::Reserved(region) => bag.slot.take_back(region),
            Self::Spooled(spool_file) => spool_file.remove(),
        }
        Ok(())
    }

    /// The body is whole. In the container, head and tail make it an entry; beside it, it waits for its place.
    pub(super) fn complete(
        self,
        bag: &UnfinishedBag,
        record: EntryRecord,
        checksum: u32,
    ) -> Result<Receipt, SinkError> {
        match self {
            Self::AtEnd(claim, file) => complete_at_end(bag, claim, file, &record),
            Self::Reserved(region) => complete_reserved(bag, &region, &record),
            Self::Spooled(spool_file) => bag.accept(Closed {
                record,
                body: Body::Spooled(spool_file),
                checksum,
                safety: Safety::Unsafe,
            }),
        }
    }
}

fn complete_at_end(
    bag: &UnfinishedBag,
    claim: Claim,
    mut file: BagFile,
    record: &EntryRecord,
) -> Result<Receipt, SinkError> {
    let (head, tail) = ends(bag, record);
    let span = bag.health.or_fail("write", &bag.path, || {
        file.complete(&head, record.packed, &tail)
    })?;
    let number = note(bag, record, span);
    // Noted before, since what comes behind is noted later; flushed after, so that the next entry can begin meanwhile.
    claim.give_back(Output::File(file));
    bag.commits.receipt(record, number)
}

fn complete_reserved(
    bag: &UnfinishedBag,
    region: &Region,
    record: &EntryRecord,
) -> Result<Receipt, SinkError> {
    let (head, tail) = ends(bag, record);
    bag.health.or_fail("write", &bag.path, || {
        region.complete(&head, record.packed, &tail)
    })?;
    let number = note(bag, record, region.span());
    bag.commits.receipt(record, number)
}

/// What stands before and behind the body.
fn ends(bag: &UnfinishedBag, record: &EntryRecord) -> (Vec<u8>, Vec<u8>) {
    let member = bag.member(&record.entry);
    let content = record.content();
    (
        bag.container.head(&member, content, HeadForm::Patchable),
        bag.container.tail(&member, content),
    )
}

fn note(bag: &UnfinishedBag, record: &EntryRecord, span: Span) -> usize {
    let placed = Placed {
        member: bag.member(&record.entry),
        content: record.content(),
        span,
    };
    bag.commits.note_entry(placed, record.clone(), None)
}
