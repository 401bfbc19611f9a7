//! Saving the partial entries of an interrupted run: each gets a spool file of its own, wherever its first bytes were written.
//!
//! Nothing here can fail a run: what cannot be saved is fetched again.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use domain::model::SafeName;

use crate::container::{Container, Content, HeadForm, Member, ResumablePart};
use crate::journal::{PartialPlace, Record, RecordedPartial, RunJournal};
use crate::spool::{Access, Spool, SpoolFile, WorkFolder};
use crate::writer::PartialDownload;

/// How many bytes are cut off each partial entry and fetched again. An entry that only lacked its line in the journal looks like a
/// partial one, and ends with bytes that the container added to its content: padding, or the last deflate block.
const FETCHED_AGAIN_BYTES: u64 = 64 * 1024;

/// The unfinished bag that partial entries are saved from.
pub(super) struct PartialEntries<'a> {
    pub(super) container: &'static dyn Container,
    pub(super) top: &'a SafeName,
    pub(super) work: &'a WorkFolder,
    pub(super) journal: &'a RunJournal,
    pub(super) spool: &'a Spool,
    /// Where the container is going to be cut.
    pub(super) end: u64,
}

impl PartialEntries<'_> {
    /// The first bytes of this entry, in a spool file; `None` where there are none that can be used.
    pub(super) fn save(&self, recorded: RecordedPartial) -> Option<PartialDownload> {
        let path = recorded.entry.path.clone();
        self.try_save(recorded).unwrap_or_else(|error| {
            tracing::warn!(%path, %error, "its partial download cannot be used: it is fetched again");
            None
        })
    }

    fn try_save(&self, recorded: RecordedPartial) -> io::Result<Option<PartialDownload>> {
        match recorded.place {
            PartialPlace::Spool(number) => self.reopen(recorded, number),
            // Only what begins where the container is cut can be whole: anything else was written over.
            PartialPlace::Container(offset) if offset == self.end => self.move_out(recorded),
            PartialPlace::Container(_) => Ok(None),
        }
    }

    fn reopen(
        &self,
        recorded: RecordedPartial,
        number: u32,
    ) -> io::Result<Option<PartialDownload>> {
        let spool_file = match SpoolFile::reopen_to_write(self.work, number) {
            // It was fetched from its first byte meanwhile: that removes the file, and the journal learns of it when the entry ends.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let part = self.resumable_part(&recorded, spool_file.length()?);
        Ok(part.map(|part| PartialDownload {
            entry: recorded.entry,
            spool_file,
            part,
        }))
    }

    fn resumable_part(&self, recorded: &RecordedPartial, length: u64) -> Option<ResumablePart> {
        let encoding = self.container.encoding(recorded.entry.storage);
        ResumablePart::of(encoding, length.checked_sub(FETCHED_AGAIN_BYTES)?)
    }

    /// Copies a partial entry out of the container, which is then cut: other entries are written in its place.
    fn move_out(&self, recorded: RecordedPartial) -> io::Result<Option<PartialDownload>> {
        let mut bag = self.work.open_file(&self.work.bag(), Access::Read)?;
        let entry = &recorded.entry;
        let member = Member::new(self.top, &entry.path, entry.origin.fetched, entry.storage);
        let head = self
            .container
            .head(&member, Content::default(), HeadForm::Patchable);
        let body = self.end + head.len() as u64;
        let length = bag.metadata()?.len().saturating_sub(body);
        let Some(part) = self.resumable_part(&recorded, length) else {
            return Ok(None);
        };
        bag.seek(SeekFrom::Start(self.end))?;
        let mut found = vec![0; head.len()];
        bag.read_exact(&mut found)?;
        if !names(&found, &member) {
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
            entry: Box::new(recorded.entry.clone()),
            place: PartialPlace::Spool(number),
        };
        self.journal.commit(vec![record], 0)?;
        Ok(Some(PartialDownload {
            entry: recorded.entry,
            spool_file,
            part,
        }))
    }
}

/// Whether a head is this member's. Its sizes may have been filled in already, its name never changes.
fn names(head: &[u8], member: &Member) -> bool {
    let name = member.name.as_bytes();
    !name.is_empty() && head.windows(name.len()).any(|some| some == name)
}
