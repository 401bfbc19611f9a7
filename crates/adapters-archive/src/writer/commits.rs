//! What has its place in the container, and what of it the journal records.
//!
//! Invariants: a member is noted when it is whole in a place that no other has; the journal records members in the order in which they
//! were noted, wherever their places are, and none before its bytes are flushed. What is written at the container's end is noted before
//! the end is given to the next. After a batch failed no other is written.
//!
//! Entries are made safe together: one flush of the container and one of the journal for all that ended since the last time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::bag::receipt::Delivered;
use domain::ports::{Durability, Receipt, SinkError};
use jiff::Timestamp;

use super::closing::Move;
use super::health::Health;
use super::output::sink_error;
use super::slot::Slot;
use crate::container::{Placed, Span};
use crate::journal::{Durable, EntryRecord, Payload, Record, RunJournal};
use crate::spool::{SpoolFileName, sync_file};

/// Entries that need not be safe at once are committed when so many wait, or so much. Both bound what a kill can undo, and what is
/// kept in memory for the journal.
const BATCH_ENTRIES: usize = 256;
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// See the module.
pub(super) struct Commits {
    state: Mutex<State>,
    /// Held while a batch is flushed and journalled: batches are written one after the other, in the order of their entries. The
    /// state is not locked meanwhile, so that entries go on being placed while the disk is busy.
    turn: Mutex<()>,
    slot: Arc<Slot>,
    health: Arc<Health>,
    journal: RunJournal,
    payload: Payload,
    /// The container's name in messages.
    path: PathBuf,
}

struct State {
    placed: Vec<Placed>,
    /// How many of `placed` are safe.
    committed: usize,
    batch: Batch,
}

/// What has its place in the container and is not journalled yet.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    bytes: u64,
    /// Spool files that are removed when it is committed.
    copied: Vec<SpoolFileName>,
}

impl Commits {
    /// `placed` is safe since an interrupted run.
    pub(super) fn after(
        placed: Vec<Placed>,
        (slot, health): (Arc<Slot>, Arc<Health>),
        (journal, payload): (RunJournal, Payload),
        path: PathBuf,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                committed: placed.len(),
                placed,
                batch: Batch::default(),
            }),
            turn: Mutex::new(()),
            slot,
            health,
            journal,
            payload,
            path,
        }
    }

    /// Whether the journal records entries at all.
    pub(super) fn are_recorded(&self) -> bool {
        self.payload == Payload::Resumed
    }

    /// Whether this entry must be safe before its receipt is given, and can be.
    pub(super) fn must_be_safe(&self, record: &EntryRecord) -> bool {
        record.entry.durability == Durability::AtClose && self.are_recorded()
    }

    /// Notes that an entry has its place in the container. Returns how many entries have one now, which is what [`Self::commit`]
    /// takes.
    ///
    /// Who has a claim on the container still holds it: what comes behind is noted later.
    pub(super) fn note_entry(
        &self,
        placed: Placed,
        record: EntryRecord,
        copied: Option<SpoolFileName>,
    ) -> usize {
        let Span { offset, end } = placed.span;
        let mut state = self.lock();
        state.placed.push(placed);
        if self.are_recorded() {
            let batch = &mut state.batch;
            batch.bytes += record.packed;
            batch.copied.extend(copied);
            batch.records.push(Record::Placed {
                record: Box::new(record),
                offset,
                end,
            });
        }
        state.placed.len()
    }

    /// Notes that a tag file has its place. The journal does not record it: tag files are made anew by every run.
    pub(super) fn note_tag(&self, placed: Placed) {
        self.lock().placed.push(placed);
    }

    /// Notes and records that members were copied to other places, which are theirs from now on. The copies are flushed first. Nobody
    /// else may place anything meanwhile: this is for the end of the bag, when all that is placed is recorded.
    pub(super) fn record_moved(&self, moves: &[Move]) -> Result<(), SinkError> {
        if let Some(file) = self.slot.file() {
            self.health
                .or_fail("flush", &self.path, || sync_file(file))?;
        }
        let records = moves.iter().map(|step| Record::Moved {
            from: step.from.offset,
            to: step.to.offset,
        });
        self.write_journal(records.collect())?;
        let mut state = self.lock();
        for step in moves {
            if let Some(placed) = state.placed.get_mut(step.member) {
                placed.span = step.to;
            }
        }
        Ok(())
    }

    /// Puts what is in the container into the order of its places, and shows it. This is for the end of the bag.
    pub(super) fn with_placed_in_order<T>(&self, see: impl FnOnce(&[Placed]) -> T) -> T {
        let mut state = self.lock();
        state.placed.sort_by_key(|placed| placed.span);
        see(&state.placed)
    }

    /// Shows what is in the container.
    pub(super) fn with_placed<T>(&self, see: impl FnOnce(&[Placed]) -> T) -> T {
        see(&self.lock().placed)
    }

    /// When the newest file in the container was fetched.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.with_placed(|placed| placed.iter().map(|p| p.member.modified).max())
    }

    /// After this returns, the journal records it, and would after a loss of power.
    pub(super) fn record(&self, record: Record) -> Result<(), SinkError> {
        self.write_journal(vec![record])
    }

    /// The container is whole and flushed, and this is what a receipt says of it.
    pub(super) fn record_complete(
        &self,
        delivered: Option<Box<Delivered>>,
        bytes: u64,
    ) -> Result<(), SinkError> {
        self.journal
            .complete(delivered, bytes)
            .map_err(|source| sink_error("write", self.journal.path(), source))
            .inspect_err(|error| self.health.fail(error))
    }

    /// The receipt of an entry that has its place, safe before it is given where that was asked for.
    pub(super) fn receipt(
        &self,
        record: &EntryRecord,
        number: usize,
    ) -> Result<Receipt, SinkError> {
        if self.must_be_safe(record) {
            self.commit(number)?;
            return Ok(record.receipt(Durable::Yes));
        }
        self.commit_if_much_waits()?;
        Ok(record.receipt(Durable::NotYet))
    }

    /// After this returns, the first `through` entries survive a loss of power.
    ///
    /// Several threads may call this at once: one flushes for all entries that were placed before, the others find that done.
    pub(super) fn commit(&self, through: usize) -> Result<(), SinkError> {
        let Some(file) = self.slot.file().filter(|_| self.are_recorded()) else {
            return Ok(());
        };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (batch, placed) = {
            let mut state = self.lock();
            self.health.check()?;
            if state.committed >= through {
                return Ok(());
            }
            (std::mem::take(&mut state.batch), state.placed.len())
        };
        // The container first: the journal must never record bytes that a loss of power can take away.
        self.health
            .or_fail("flush", &self.path, || sync_file(file))?;
        self.write_journal(batch.records)?;
        self.lock().committed = placed;
        // Last: until here the spool file is the only safe copy.
        batch.copied.into_iter().for_each(SpoolFileName::remove);
        Ok(())
    }

    /// After this returns, all entries that are in the container now survive a loss of power.
    pub(super) fn commit_all(&self) -> Result<(), SinkError> {
        let through = self.lock().placed.len();
        self.commit(through)
    }

    fn commit_if_much_waits(&self) -> Result<(), SinkError> {
        let is_little = {
            let batch = &self.lock().batch;
            batch.records.len() < BATCH_ENTRIES && batch.bytes < BATCH_BYTES
        };
        if is_little { Ok(()) } else { self.commit_all() }
    }

    fn write_journal(&self, records: Vec<Record>) -> Result<(), SinkError> {
        self.journal
            .commit(records)
            .map_err(|source| sink_error("write", self.journal.path(), source))
            .inspect_err(|error| self.health.fail(error))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use domain::model::{BagFormat, SafeName, Sha256};
    use domain::ports::{JournalState, NewEntry};

    use super::*;
    use crate::container::{Content, Member};
    use crate::journal::{Checkpoint, Lines, read_checkpoint};
    use crate::test_kit::{Kit, TOP, document, download};
    use crate::writer::gaps::Gaps;
    use crate::writer::output::{BagFile, Output};

    fn commits(kit: &Kit, payload: Payload) -> Commits {
        let open = |name: &str| {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options.open(kit.folder.path().join(name)).unwrap()
        };
        let health = Arc::new(Health::sound());
        let output = Output::File(BagFile::after(open("bag"), 0).unwrap());
        let path = kit.folder.path().join("bag");
        let slot = Slot::new(output, Gaps::default(), Arc::clone(&health), path.clone());
        let lines = Lines::new(open("journal")).unwrap();
        let journal = RunJournal::new(
            kit.folder.path().join("journal"),
            Some(lines),
            payload,
            JournalState::default(),
        );
        Commits::after(Vec::new(), (slot, health), (journal, payload), path)
    }

    fn note(commits: &Commits, number: u64, entry: NewEntry) -> (EntryRecord, usize) {
        let record = EntryRecord {
            entry,
            bytes: 10,
            crc32: 0,
            packed: 10,
            sha256: Sha256::of(b""),
        };
        let entry = &record.entry;
        let top = SafeName::parse(TOP).unwrap();
        let placed = Placed {
            member: Member::new(&top, &entry.path, entry.origin.fetched, entry.storage),
            content: Content::default(),
            span: Span {
                offset: number * 10,
                end: (number + 1) * 10,
            },
        };
        let number = commits.note_entry(placed, record.clone(), None);
        (record, number)
    }

    fn recorded(kit: &Kit) -> Checkpoint {
        read_checkpoint(&mut File::open(kit.folder.path().join("journal")).unwrap()).unwrap()
    }

    #[test]
    fn one_commit_makes_all_before_it_safe_in_their_order() {
        let kit = Kit::new(BagFormat::Zip);
        let commits = commits(&kit, Payload::Resumed);
        for number in 0..3 {
            let (record, count) = note(&commits, number, document(&format!("data/{number}"), b""));
            assert!(!commits.receipt(&record, count).unwrap().durable);
        }
        assert_eq!(recorded(&kit).placed.len(), 0);
        let (record, count) = note(&commits, 3, download("data/3"));
        assert!(commits.receipt(&record, count).unwrap().durable);
        let found = recorded(&kit);
        assert_eq!(found.damage, None);
        let offsets: Vec<u64> = found.placed.iter().map(|(_, span)| span.offset).collect();
        assert_eq!(offsets, [0, 10, 20, 30]);
    }

    #[test]
    fn many_entries_are_committed_without_being_asked_for() {
        let kit = Kit::new(BagFormat::Tar);
        let commits = commits(&kit, Payload::Resumed);
        for number in 0..BATCH_ENTRIES as u64 {
            let (record, count) = note(&commits, number, document(&format!("data/{number}"), b""));
            commits.receipt(&record, count).unwrap();
        }
        assert_eq!(recorded(&kit).placed.len(), BATCH_ENTRIES);
        assert_eq!(commits.lock().batch.records.len(), 0);
    }

    #[test]
    fn nothing_is_recorded_where_the_payload_is_fetched_again() {
        let kit = Kit::new(BagFormat::Tar);
        let commits = commits(&kit, Payload::FetchedAgain);
        let (record, count) = note(&commits, 0, download("data/0"));
        assert!(!commits.receipt(&record, count).unwrap().durable);
        assert_eq!(recorded(&kit).placed.len(), 0);
    }

    #[test]
    fn after_a_failure_no_batch_is_written() {
        let kit = Kit::new(BagFormat::Tar);
        let commits = commits(&kit, Payload::Resumed);
        commits.health.fail(&SinkError::NoSpace {
            path: Path::new("bag").to_owned(),
            needed: None,
        });
        let (record, count) = note(&commits, 0, download("data/0"));
        let refused = commits.receipt(&record, count);
        assert!(matches!(refused, Err(SinkError::NoSpace { .. })));
        assert_eq!(recorded(&kit).placed.len(), 0);
    }
}
