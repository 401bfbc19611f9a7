//! Taking up what an interrupted run had only begun: each beginning gets a file of its own, whatever place it was begun in.
//!
//! Nothing here can fail a run: what cannot be taken up is fetched anew.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use domain::model::SafeName;

use crate::container::{Container, Content, HeadForm, Member, WholePart};
use crate::journal::{BegunEntry, BegunIn, Record, RunJournal};
use crate::staging::{Access, Stage, StageRoom, WorkFolder};
use crate::writer::Left;

/// What is left off each beginning and fetched again: it may be the end of an entry that only lacked its line in the journal,
/// which its container has filled up with bytes of its own.
const SPARED_BYTES: u64 = 64 * 1024;

/// What the unfinished bag says of itself.
pub(super) struct Ground<'a> {
    pub(super) container: &'static dyn Container,
    pub(super) top: &'a SafeName,
    pub(super) work: &'a WorkFolder,
    pub(super) journal: &'a RunJournal,
    pub(super) room: &'a StageRoom,
    /// Where the container is going to be cut.
    pub(super) end: u64,
}

impl Ground<'_> {
    /// What can be gone on with of an entry.
    pub(super) fn take_up(&self, begun: BegunEntry) -> Option<Left> {
        let path = begun.entry.path.clone();
        self.take(begun).unwrap_or_else(|error| {
            tracing::warn!(%path, %error, "what an interrupted run left of it cannot be taken up: it is fetched anew");
            None
        })
    }

    fn take(&self, begun: BegunEntry) -> io::Result<Option<Left>> {
        match begun.place {
            BegunIn::Stage(number) => {
                let stage = match Stage::reopen_to_write(self.work, number) {
                    // It was taken back, and the file went first.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    stage => stage?,
                };
                let part = self.part(&begun, stage.length()?);
                Ok(part.map(|part| Left {
                    entry: begun.entry,
                    stage,
                    part,
                }))
            }
            BegunIn::Container(offset) if offset == self.end => self.move_out(begun),
            BegunIn::Container(_) => Ok(None),
        }
    }

    fn part(&self, begun: &BegunEntry, length: u64) -> Option<WholePart> {
        let encoding = self.container.encoding(begun.entry.storage);
        WholePart::of(encoding, length.checked_sub(SPARED_BYTES)?)
    }

    /// The container goes on with other entries: a beginning in it is copied to a file of its own before it is cut off.
    fn move_out(&self, begun: BegunEntry) -> io::Result<Option<Left>> {
        let mut bag = self.work.open_file(&self.work.bag(), Access::Read)?;
        let entry = &begun.entry;
        let member = Member::new(self.top, &entry.path, entry.origin.fetched, entry.storage);
        let head = self
            .container
            .head(&member, Content::default(), HeadForm::Patchable);
        let body = self.end + head.len() as u64;
        let Some(part) = self.part(&begun, bag.metadata()?.len().saturating_sub(body)) else {
            return Ok(None);
        };
        bag.seek(SeekFrom::Start(self.end))?;
        let mut found = vec![0; head.len()];
        bag.read_exact(&mut found)?;
        if !names(&found, &member) {
            return Ok(None);
        }
        let mut stage = self.room.stage()?;
        stage.copy_from(&bag, part.packed)?;
        let Some(number) = stage.number() else {
            return Ok(None);
        };
        stage.keep();
        let record = Record::Begun {
            entry: Box::new(begun.entry.clone()),
            place: BegunIn::Stage(number),
        };
        self.journal.commit(vec![record], 0)?;
        Ok(Some(Left {
            entry: begun.entry,
            stage,
            part,
        }))
    }
}

/// Whether a head is this member's. Its sizes may have been filled in already, its name never changes.
fn names(head: &[u8], member: &Member) -> bool {
    let name = member.name.as_bytes();
    !name.is_empty() && head.windows(name.len()).any(|some| some == name)
}
