//! The unfinished bag: the four owners of what entries share (see the module), and what needs several of them.
//!
//! The rule that keeps entries from being forgotten: whoever has ended an entry or given the container back calls
//! [`UnfinishedBag::place_waiting`] afterwards.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use domain::bag::layout::is_shown;
use domain::model::{BagPath, SafeName};
use domain::ports::{NewEntry, Receipt, SinkError};

use super::closed::{Body, Closed, Safety};
use super::closing;
use super::commits::Commits;
use super::copies::Copies;
use super::gaps::Gaps;
use super::health::Health;
use super::output::{Output, sink_error};
use super::paths::{Paths, Reservation};
use super::queue::{Full, Queue};
use super::slot::{Claim, Slot};
use crate::container::{Container, Content, Extent, HeadForm, Member, Placed, Span};
use crate::journal::{Durable, Payload, Record, RunJournal};
use crate::pieces::Pieces;
use crate::spool::{Spool, copy_within};

/// More than this is not reserved: what a server says of an archive's size costs it nothing, and no file system has files of any length.
const LONGEST_RESERVED_BYTES: u64 = 1 << 40;

/// See the module.
pub(super) struct UnfinishedBag {
    pub(super) container: &'static dyn Container,
    pub(super) top: SafeName,
    /// The container's name in error messages.
    pub(super) path: PathBuf,
    pub(super) spool: Spool,
    pub(super) slot: Arc<Slot>,
    pub(super) queue: Queue,
    pub(super) commits: Commits,
    /// Of what pages are made from, where the container cannot be read back.
    pub(super) copies: Copies,
    pub(super) paths: Paths,
    pub(super) pieces: Pieces,
    pub(super) health: Arc<Health>,
}

/// What a bag begins with.
pub(super) struct Setup {
    pub(super) container: &'static dyn Container,
    pub(super) top: SafeName,
    pub(super) journal: RunJournal,
    pub(super) payload: Payload,
    pub(super) spool: Spool,
    pub(super) path: PathBuf,
    pub(super) output: Output,
    /// What is free before the output's end.
    pub(super) gaps: Gaps,
    pub(super) placed: Vec<Placed>,
    pub(super) waiting: Vec<Closed>,
    /// Paths of what is placed or waits.
    pub(super) taken: Vec<BagPath>,
}

impl UnfinishedBag {
    pub(super) fn new(setup: Setup) -> Arc<Self> {
        let health = Arc::new(Health::sound());
        let slot = Slot::new(
            setup.output,
            setup.gaps,
            Arc::clone(&health),
            setup.path.clone(),
        );
        Arc::new(Self {
            container: setup.container,
            top: setup.top,
            spool: setup.spool,
            queue: Queue::of_spooled(setup.waiting),
            commits: Commits::after(
                setup.placed,
                (Arc::clone(&slot), Arc::clone(&health)),
                (setup.journal, setup.payload),
                setup.path.clone(),
            ),
            path: setup.path,
            copies: Copies::default(),
            paths: Paths::in_bag(setup.taken),
            pieces: Pieces::default(),
            slot,
            health,
        })
    }

    pub(super) fn member(&self, entry: &NewEntry) -> Member {
        Member::new(&self.top, &entry.path, entry.origin.fetched, entry.storage)
    }

    /// How long its parts are going to be; `None` where that is not known, or not worth believing.
    pub(super) fn extent(&self, entry: &NewEntry) -> Option<Extent> {
        let size = entry.size.filter(|&size| size <= LONGEST_RESERVED_BYTES)?;
        Extent::of(self.container, &self.member(entry), size)
    }

    /// Takes a path for one entry.
    pub(super) fn reserve(&self, path: &BagPath) -> Result<Reservation, SinkError> {
        self.health.check()?;
        self.paths.reserve(path)
    }

    /// Takes an entry that ended beside the container. It is placed now, or when the container is free.
    pub(super) fn accept(&self, closed: Closed) -> Result<Receipt, SinkError> {
        let must_be_safe = self.commits.must_be_safe(&closed.record);
        // Waiting briefly is cheaper than flushing a spool file; where nothing has to be flushed, nobody waits.
        let claimed = if must_be_safe {
            self.slot.claim_soon()?
        } else {
            self.slot.try_claim()?
        };
        if let Some((claim, mut output)) = claimed {
            let record = closed.record.clone();
            let number = claim.or_fail(|| self.place(&mut output, closed))?;
            claim.give_back(output);
            return self.commits.receipt(&record, number);
        }
        self.let_wait(closed, must_be_safe)
    }

    /// An entry that must be safe waits in a spool file that the journal records; another one in memory, as far as that goes.
    fn let_wait(&self, mut closed: Closed, must_be_safe: bool) -> Result<Receipt, SinkError> {
        let mut durable = Durable::NotYet;
        if must_be_safe {
            closed = self.spooled(closed)?;
            durable = self.record_spooled(&mut closed)?;
        }
        let receipt = closed.record.receipt(durable);
        if let Err(full) = self.queue.push(closed) {
            let Full(closed) = *full;
            let spooled = self.spooled(closed)?;
            // A spooled entry takes no memory and is never refused.
            drop(self.queue.push(spooled));
        }
        self.health.check()?;
        Ok(receipt)
    }

    /// Makes an entry safe in its spool file. `NotYet` where the next run could not open that.
    fn record_spooled(&self, closed: &mut Closed) -> Result<Durable, SinkError> {
        let Body::Spooled(spool_file) = &mut closed.body else {
            return Ok(Durable::NotYet);
        };
        let Some(number) = spool_file.number() else {
            return Ok(Durable::NotYet);
        };
        // The file before the journal, as with the container.
        self.health
            .or_fail("write", self.spool.path(), || spool_file.sync())?;
        // Kept before it is recorded: the line may reach the disk although its write reports an error.
        spool_file.keep();
        closed.safety = Safety::Journalled;
        self.commits.record(Record::Spooled {
            record: Box::new(closed.record.clone()),
            spool_file: number,
            checksum: closed.checksum,
        })?;
        Ok(Durable::Yes)
    }

    /// The same entry with its body in a spool file.
    fn spooled(&self, closed: Closed) -> Result<Closed, SinkError> {
        let body = match closed.body {
            Body::Memory(body) => self
                .health
                .or_fail("write", self.spool.path(), || self.spool.new_file_of(&body))
                .map(Body::Spooled)?,
            spooled @ Body::Spooled(_) => spooled,
        };
        Ok(Closed { body, ..closed })
    }

    /// Places everything that waits, if the container is free.
    pub(super) fn place_waiting(&self) -> Result<(), SinkError> {
        // Again after the container was given back: somebody may have found it taken just before.
        while !self.queue.is_empty() {
            let Some((claim, mut output)) = self.slot.try_claim()? else {
                // Its holder calls this after giving it back.
                return Ok(());
            };
            while let Some(closed) = self.queue.pop() {
                let safety = closed.safety;
                let number = claim.or_fail(|| self.place(&mut output, closed))?;
                // A spool file is removed once its copy is safe: the disk never holds more than one of them twice.
                if safety == Safety::Journalled {
                    self.commits.commit(number)?;
                }
            }
            claim.give_back(output);
        }
        Ok(())
    }

    /// The same where no caller waits for the outcome: an error is returned to whoever writes next.
    pub(super) fn place_waiting_or_fail(&self) {
        if let Err(error) = self.place_waiting() {
            self.health.fail(&error);
        }
    }

    /// Waits until no entry is open, places everything, and gives the container out for good.
    pub(super) fn close_for_good(&self) -> Result<(Claim, Output), SinkError> {
        loop {
            self.place_waiting()?;
            let (claim, output) = self.slot.claim_when_idle()?;
            // With no entry open, nobody adds to the queue any more.
            if self.queue.is_empty() {
                return Ok((claim, output));
            }
            claim.give_back(output);
        }
    }

    /// Moves members until there is no gap before any. The caller has the container for good.
    pub(super) fn close_gaps(&self, output: &mut Output) -> Result<(), SinkError> {
        let Output::File(file) = output else {
            return Ok(());
        };
        let places = || -> Vec<Span> {
            self.commits
                .with_placed(|placed| placed.iter().map(|member| member.span).collect())
        };
        let mut moves = closing::next(&places());
        if !moves.is_empty() {
            // Only what is recorded can be recorded as moved.
            self.commits.commit_all()?;
        }
        while !moves.is_empty() {
            self.health.or_fail("write", &self.path, || {
                moves.iter().try_for_each(|step| {
                    let length = step.from.length();
                    copy_within(&file.handle(), step.from.offset, step.to.offset, length)
                })
            })?;
            self.commits.record_moved(&moves)?;
            moves = closing::next(&places());
        }
        let end = places().iter().map(|span| span.end).max().unwrap_or(0);
        self.health
            .or_fail("cut back", &self.path, || file.end_at(end))
    }

    fn place(&self, output: &mut Output, closed: Closed) -> Result<usize, SinkError> {
        let member = self.member(&closed.record.entry);
        let content = closed.record.content();
        let placed = self.append(output, member, content, &closed.body)?;
        if matches!(output, Output::Forward(_)) && is_shown(&closed.record.entry.path) {
            self.copies.keep(&self.spool, &closed.record, &closed.body);
        }
        let copied = match closed.body {
            Body::Spooled(spool_file) => spool_file.into_kept_name(),
            Body::Memory(_) => None,
        };
        Ok(self.commits.note_entry(placed, closed.record, copied))
    }

    /// Appends a whole member to the container.
    pub(super) fn append(
        &self,
        output: &mut Output,
        member: Member,
        content: Content,
        body: &Body,
    ) -> Result<Placed, SinkError> {
        let head = self.container.head(&member, content, HeadForm::Final);
        let tail = self.container.tail(&member, content);
        let end = output.end() + head.len() as u64 + content.packed + tail.len() as u64;
        let offset = output
            .append(&head, body, &tail)
            .and_then(|offset| {
                if output.end() == end {
                    Ok(offset)
                } else {
                    Err(io::Error::other("a file beside it has changed its length"))
                }
            })
            .map_err(|source| sink_error("write", &self.path, source))?;
        Ok(Placed {
            member,
            content,
            span: Span { offset, end },
        })
    }
}
