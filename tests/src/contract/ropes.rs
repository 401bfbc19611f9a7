//! All promises of the ports that `S3Store` implements, on whatever object store is given.

use std::sync::Arc;

use adapters_store::S3Store;
use domain::jobs::{Lease, OpenedRun, RunRecords, RunSettings, RunStore};
use domain::model::{BagFormat, SafeName};
use domain::testing::{ManualClock, MemoryJobStore, MemoryRunRecords, order};
use tokio::runtime::Handle;

use super::archive_sink::{self as sinks, Opened, Place, Resumes};
use super::job_store::{self, TERM};
use super::{bag_store, journal, known_length, run_store, tag_files};

const FORMATS: [BagFormat; 3] = [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz];

/// A place for bags that nobody has used, and a job for them.
pub struct Ropes {
    /// Runs and bags in pieces.
    pub store: S3Store,
    jobs: Arc<MemoryJobStore>,
    clock: ManualClock,
}

impl Ropes {
    /// In a store that is made for it.
    pub async fn new(store: NewStore<'_>) -> Self {
        let ropes = Self::without_job(store);
        job_store::order(&*ropes.jobs, 1, "john").await;
        ropes
    }

    fn without_job(store: NewStore<'_>) -> Self {
        let clock = ManualClock::default();
        let jobs = Arc::new(MemoryJobStore::new(Arc::new(clock.clone())));
        let records = Arc::new(MemoryRunRecords::new(Arc::clone(&jobs)));
        Self {
            store: store(records),
            jobs,
            clock,
        }
    }

    /// The next lease of the job; whoever had it before has lost it.
    ///
    /// # Panics
    ///
    /// Where it cannot be claimed.
    pub async fn claim(&self) -> Lease {
        self.clock.advance(TERM * 2);
        job_store::claim(&*self.jobs).await.expect("the job").lease
    }

    /// Opens the job's run under the next lease.
    ///
    /// # Panics
    ///
    /// Where it cannot be opened, or is complete.
    pub async fn open(&self, format: BagFormat) -> Opened {
        let lease = self.claim().await;
        let file = SafeName::parse(&format!("bag.{}", format.ending())).expect("a name");
        let settings = RunSettings {
            format,
            ..RunSettings::of(&order(), file)
        };
        match RunStore::open(&self.store, &lease, &settings).await {
            Ok(OpenedRun::Ready { sink, journal, .. }) => Opened {
                sink,
                rest: Box::new(journal),
            },
            Ok(OpenedRun::Complete { .. }) => panic!("it is complete already"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Makes a store, over these records, below a prefix that nobody has used.
pub type NewStore<'a> = &'a (dyn Fn(Arc<dyn RunRecords>) -> S3Store + Sync);

/// Runs a promise of a sink in a place of its own.
macro_rules! in_a_place {
    ($new:expr, $format:expr, |$place:ident| $promise:expr) => {{
        let ropes = Ropes::new($new).await;
        let open = || {
            let opened = async { ropes.open($format).await };
            tokio::task::block_in_place(|| Handle::current().block_on(opened))
        };
        let $place = Place {
            open: &open,
            target: None,
            space: None,
        };
        $promise
    }};
}

/// The promises of the sink and its entries.
///
/// # Panics
///
/// Where one is not kept.
pub async fn the_sink_keeps_its_promises(new: NewStore<'_>) {
    for format in FORMATS {
        macro_rules! with_a_sink {
            ($($promise:path),+) => {
                $(in_a_place!(new, format, |place| $promise((place.open)().sink.as_ref()).await);)+
            };
        }
        with_a_sink!(
            sinks::a_receipt_says_what_was_written,
            sinks::open_entries_never_mix,
            sinks::what_was_taken_back_may_be_opened_again,
            sinks::a_damaged_archive_is_refused,
            sinks::a_published_sum_is_checked,
            sinks::a_name_is_taken_only_once,
            sinks::a_new_bag_has_nothing_to_resume,
            known_length::open_entries_of_known_length_never_mix,
            known_length::content_of_another_size_is_refused
        );
        macro_rules! with_a_place {
            ($($promise:path $(, $resumes:expr)?);+) => {
                $(in_a_place!(new, format, |place| $promise(&place $(, $resumes)?).await);)+
            };
        }
        with_a_place!(
            sinks::a_bag_has_its_name_only_when_it_is_finished;
            sinks::an_interrupted_run_leaves_no_bag;
            sinks::closed_entries_survive_a_restart, Resumes::Closed;
            sinks::an_interrupted_entry_is_resumed, Resumes::Closed;
            known_length::interrupted_entries_of_known_length_are_resumed, Resumes::Closed;
            sinks::a_resumed_entry_is_checked_as_a_whole;
            sinks::a_new_entry_replaces_a_partial_one;
            tag_files::documents_and_pictures_are_read_back, Resumes::Yes
        );
        in_a_place!(new, format, |place| {
            sinks::free_space_is_counted_where_the_bag_grows(&place);
        });
    }
}

/// The promises of the journal, across a takeover.
///
/// # Panics
///
/// Where one is not kept.
pub async fn the_journal_keeps_its_promises(new: NewStore<'_>) {
    let ropes = Ropes::new(new).await;
    let journal_of = |opened: Opened| {
        let journal = opened.rest.downcast::<Arc<dyn domain::ports::Journal>>();
        *journal.expect("a journal")
    };
    let first = journal_of(ropes.open(BagFormat::Zip).await);
    journal::a_new_journal_is_empty(&*first);
    journal::record_some(&*first).await;
    journal::the_checkpoint_holds_what_was_recorded(&*first);
    let second = journal_of(ropes.open(BagFormat::Zip).await);
    journal::the_checkpoint_holds_what_was_recorded(&*second);
}

/// The promises of the store of runs and of the store of bags.
///
/// # Panics
///
/// Where one is not kept.
pub async fn the_stores_keep_their_promises(new: NewStore<'_>) {
    let bags = Ropes::new(new).await;
    bag_store::a_kept_bag_is_read_back_in_any_part(&bags.store).await;
    let bags = Ropes::new(new).await;
    bag_store::a_bag_of_another_size_is_not_given_away(&bags.store).await;
    let bags = Ropes::new(new).await;
    bag_store::a_stream_that_breaks_keeps_nothing(&bags.store).await;
    let bags = Ropes::new(new).await;
    let when_deleted = bag_store::WhenDeleted::MayEndWithAnError;
    bag_store::a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(&bags.store, when_deleted)
        .await;

    let runs = Ropes::without_job(new);
    let (jobs, clock) = (&*runs.jobs, &runs.clock);
    run_store::an_unfinished_run_is_resumed_under_the_next_lease(&runs.store, jobs, clock).await;
    let runs = Ropes::without_job(new);
    let (jobs, clock) = (&*runs.jobs, &runs.clock);
    run_store::a_finished_bag_is_kept(&runs.store, &runs.store, jobs, clock).await;
    let runs = Ropes::without_job(new);
    let (jobs, clock) = (&*runs.jobs, &runs.clock);
    run_store::a_late_run_is_refused(&runs.store, &runs.store, jobs, clock).await;
}
