//! Saving the partial entries of an interrupted run. One in a place of its own in the container goes on there; one at the container's
//! end gets a spool file of its own, since the container is cut.
//!
//! Nothing here can fail a run: what cannot be saved is fetched again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use domain::model::SafeName;
use domain::ports::NewEntry;

use crate::container::{Container, Content, Extent, HeadForm, Member, ResumablePart, Span};
use crate::journal::{PartialPlace, Record, RecordedPartial, RunJournal};
use crate::spool::{Access, Spool, SpoolFile, WorkFolder};
use crate::writer::{SavedPartial, SavedPlace};

/// How many bytes are cut off the end of each partial entry and fetched again. An entry that was complete but not recorded yet looks like a
/// partial one, and ends with bytes that the container added: padding, or the last deflate block.
const FETCHED_AGAIN_BYTES: u64 = 64 * 1024;

/// The unfinished bag that partial entries are saved from.
pub(super) struct PartialEntries<'a> {
    pub(super) container: &'static dyn Container,
    pub(super) top: &'a SafeName,
    pub(super) work: &'a WorkFolder,
    pub(super) journal: &'a RunJournal,
    pub(super) spool: &'a Spool,
    /// Where the last member of the container ends.
    pub(super) end: u64,
}

impl PartialEntries<'_> {
    /// The first bytes of this entry; `None` where there are none that can be used. `taken` are places of others in the container.
    pub(super) fn save(&self, recorded: RecordedPartial, taken: &[Span]) -> Option<SavedPartial> {
        let path = recorded.entry.path.clone();
        self.try_save(recorded, taken).unwrap_or_else(|error| {
            tracing::warn!(%path, %error, "its partial download cannot be used: it is fetched again");
            None
        })
    }

    fn try_save(
        &self,
        recorded: RecordedPartial,
        taken: &[Span],
    ) -> io::Result<Option<SavedPartial>> {
        let is_free = |span: Span| !taken.iter().any(|other| other.overlaps(span));
        match recorded.place {
            PartialPlace::Spool(number) => self.reopen(recorded.entry, number),
            // What an entry was placed behind is whole, and was written over where it is not recorded.
            PartialPlace::Container(offset) if offset >= self.end => {
                self.move_out(recorded.entry, offset)
            }
            PartialPlace::Container(_) => Ok(None),
            PartialPlace::Reserved {
                offset,
                end,
                packed,
            } => {
                let span = Span { offset, end };
                if is_free(span) {
                    self.leave(recorded.entry, span, packed)
                } else {
                    Ok(None)
                }
            }
        }
    }

    fn reopen(&self, entry: NewEntry, number: u32) -> io::Result<Option<SavedPartial>> {
        let spool_file = match SpoolFile::reopen_to_write(self.work, number) {
            // It was fetched from its first byte meanwhile: that removes the file, and the journal learns of it when the entry ends.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let part = self.resumable_part(&entry, spool_file.length()?);
        Ok(part.map(|part| SavedPartial {
            entry,
            place: SavedPlace::Spooled(spool_file),
            part,
        }))
    }

    /// An entry with a place of its own goes on there.
    fn leave(&self, entry: NewEntry, span: Span, packed: u64) -> io::Result<Option<SavedPartial>> {
        let member = self.member(&entry);
        let extent = entry
            .size
            .and_then(|size| Extent::of(self.container, &member, size))
            .filter(|extent| extent.whole == span.length() && packed <= extent.packed);
        let Some(extent) = extent else {
            return Ok(None);
        };
        let bag = self.work.open_file(&self.work.bag(), Access::Read)?;
        let arrived = span.offset + extent.head + packed;
        if bag.metadata()?.len() < arrived || !self.begins(&bag, span.offset, &member)? {
            return Ok(None);
        }
        let part = self.resumable_part(&entry, packed);
        Ok(part.map(|part| SavedPartial {
            entry,
            place: SavedPlace::Reserved(span, extent),
            part,
        }))
    }

    fn resumable_part(&self, entry: &NewEntry, length: u64) -> Option<ResumablePart> {
        let encoding = self.container.encoding(entry.storage);
        ResumablePart::of(encoding, length.checked_sub(FETCHED_AGAIN_BYTES)?)
    }

    fn member(&self, entry: &NewEntry) -> Member {
        Member::new(self.top, &entry.path, entry.origin.fetched, entry.storage)
    }

    fn head_length(&self, member: &Member) -> usize {
        let content = Content::default();
        self.container
            .head(member, content, HeadForm::Patchable)
            .len()
    }

    /// Whether this member's head is there. After a loss of power, it may not be.
    fn begins(&self, mut bag: &File, offset: u64, member: &Member) -> io::Result<bool> {
        bag.seek(SeekFrom::Start(offset))?;
        let mut found = vec![0; self.head_length(member)];
        bag.read_exact(&mut found)?;
        Ok(names(&found, member))
    }

    /// Copies a partial entry out of the container, which is then cut: other entries are written in its place.
    fn move_out(&self, entry: NewEntry, offset: u64) -> io::Result<Option<SavedPartial>> {
        let bag = self.work.open_file(&self.work.bag(), Access::Read)?;
        let member = self.member(&entry);
        let body = offset + self.head_length(&member) as u64;
        let length = bag.metadata()?.len().saturating_sub(body);
        let Some(part) = self.resumable_part(&entry, length) else {
            return Ok(None);
        };
        // Afterwards the file stands at the body.
        if !self.begins(&bag, offset, &member)? {
            return Ok(None);
        }
        let mut spool_file = self.spool.new_file()?;
        spool_file.copy_from(&bag, part.packed)?;
        let Some(number) = spool_file.number() else {
            return Ok(None);
        };
        // Kept before it is recorded: a journal that names a file which was removed is worse than a file that nothing names.
        spool_file.keep();
        let record = Record::Partial {
            entry: Box::new(entry.clone()),
            place: PartialPlace::Spool(number),
        };
        self.journal.commit(vec![record])?;
        Ok(Some(SavedPartial {
            entry,
            place: SavedPlace::Spooled(spool_file),
            part,
        }))
    }
}

/// Whether a head is this member's. Its sizes may have been filled in already, its name never changes.
fn names(head: &[u8], member: &Member) -> bool {
    let name = member.name();
    let mut parts = head.windows(name.len());
    parts.any(|some| some == name.as_bytes())
}
