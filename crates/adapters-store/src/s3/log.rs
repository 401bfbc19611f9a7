//! The records of one run: the [`Journal`] port, and what the sink records to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::bag::receipt::Delivered;
use domain::jobs::{RunRecords, RunRecordsError, RunWriter};
use domain::ports::{Fact, Journal, JournalError, JournalState, SinkError};

use super::error::{not_in_journal, not_recorded};
use super::record::{Complete, Record};

/// Records of one run. Clones share it.
#[derive(Clone)]
pub(super) struct RunLog(Arc<Inner>);

struct Inner {
    records: Arc<dyn RunRecords>,
    writer: RunWriter,
    state: Mutex<State>,
    /// Nobody knows whether the last record of the sink is there: the next run does.
    is_stopped: AtomicBool,
    /// Held while records are appended.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    facts: JournalState,
    /// Facts of documents that were read. They are appended with the next record, before it.
    reads: Vec<Bytes>,
    batch: Batch,
}

/// Records that are appended together, all of them or none.
#[derive(Default)]
struct Batch {
    contents: Vec<Bytes>,
    facts: Vec<Fact>,
    outcome: Arc<OnceLock<Appended>>,
}

type Appended = Result<(), Arc<RunRecordsError>>;

impl RunLog {
    /// Of a run that recorded these facts already.
    pub(super) fn new(
        records: Arc<dyn RunRecords>,
        writer: RunWriter,
        facts: JournalState,
    ) -> Self {
        Self(Arc::new(Inner {
            records,
            writer,
            state: Mutex::new(State {
                facts,
                reads: Vec::new(),
                batch: Batch::default(),
            }),
            is_stopped: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Whether the sink may go on.
    pub(super) fn check(&self) -> Result<(), SinkError> {
        if self.0.is_stopped.load(Ordering::Acquire) {
            Err(SinkError::Stopped)
        } else {
            Ok(())
        }
    }

    /// Records something of the sink, with the bytes that the record keeps. It is written also where the caller is dropped meanwhile.
    pub(super) async fn record_of_sink(
        &self,
        record: &Record,
        kept: &[&[u8]],
    ) -> Result<(), SinkError> {
        self.check()?;
        let content = record
            .encode(kept)
            .map_err(|error| SinkError::Unavailable(Box::new(error)))?;
        self.append_of_sink(vec![content], None).await
    }

    /// The bag is whole. After this returns that is recorded, and with it what a receipt says of the bag.
    pub(super) async fn complete(
        &self,
        delivered: Option<Box<Delivered>>,
        complete: Complete,
        kept: &[&[u8]],
    ) -> Result<(), SinkError> {
        self.check()?;
        let failed = |error| SinkError::Unavailable(Box::new(error));
        let described = delivered.map(|delivered| Fact::Described { delivered });
        let mut contents = Vec::new();
        if let Some(fact) = &described {
            let record = Record::Fact(fact.clone()).encode(&[]);
            contents.push(record.map_err(failed)?);
        }
        let record = Record::Complete(complete).encode(kept);
        contents.push(record.map_err(failed)?);
        self.append_of_sink(contents, described).await
    }

    async fn append_of_sink(
        &self,
        contents: Vec<Bytes>,
        fact: Option<Fact>,
    ) -> Result<(), SinkError> {
        let written = self.append(contents, fact).await;
        written.map_err(|error| {
            self.0.is_stopped.store(true, Ordering::Release);
            not_recorded(error)
        })
    }

    /// All of them or none. One append follows the other: what was read in a document is durable before anything that was recorded after
    /// it, the document's entry among that. What comes meanwhile waits, and goes into the next append together.
    async fn append(&self, news: Vec<Bytes>, fact: Option<Fact>) -> Appended {
        let outcome = {
            let batch = &mut self.state().batch;
            batch.contents.extend(news);
            batch.facts.extend(fact);
            Arc::clone(&batch.outcome)
        };
        let (log, ours) = (self.clone(), Arc::clone(&outcome));
        // A task of its own: it is appended also where the caller is dropped meanwhile.
        let appending = tokio::spawn(async move {
            let _turn = log.0.turn.lock().await;
            // Whoever had the turn before may have appended these as well.
            if ours.get().is_none() {
                log.append_batch().await;
            }
        });
        let ended = appending.await;
        let stopped = || RunRecordsError::Unavailable("the records were not appended".into());
        ended.map_err(|error| Arc::new(RunRecordsError::Unavailable(Box::new(error))))?;
        outcome
            .get()
            .cloned()
            .unwrap_or_else(|| Err(Arc::new(stopped())))
    }

    /// Appends what waits, the facts of documents first. They stay for the next append where this one fails.
    async fn append_batch(&self) {
        let (batch, reads) = {
            let mut state = self.state();
            (
                std::mem::take(&mut state.batch),
                std::mem::take(&mut state.reads),
            )
        };
        let contents = reads.iter().chain(&batch.contents).cloned().collect();
        let appended = self.0.records.append(&self.0.writer, contents).await;
        {
            let mut state = self.state();
            if appended.is_ok() {
                for fact in &batch.facts {
                    state.facts.apply(fact);
                }
            } else {
                state.reads.splice(0..0, reads);
            }
        }
        // Nobody else sets it: whoever does has the turn.
        let _ = batch.outcome.set(appended.map_err(Arc::new));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for RunLog {
    fn checkpoint(&self) -> JournalState {
        self.state().facts.clone()
    }

    async fn record(&self, fact: Fact) -> Result<(), JournalError> {
        let content = Record::Fact(fact.clone()).encode(&[]);
        let content = content.map_err(|error| JournalError::Unavailable(Box::new(error)))?;
        if fact.is_of_document() {
            let mut state = self.state();
            state.reads.push(content);
            state.facts.apply(&fact);
            return Ok(());
        }
        self.append(vec![content], Some(fact))
            .await
            .map_err(not_in_journal)
    }
}

#[cfg(test)]
mod tests {
    use domain::jobs::{JobId, RunRecord};
    use domain::model::ItemRef;
    use domain::testing::appliance;
    use tokio::sync::Semaphore;

    use super::*;

    /// Records that are appended when the test lets them, or not at all.
    struct Held {
        answers: Semaphore,
        refuses: AtomicBool,
        appended: Mutex<Vec<Vec<Bytes>>>,
    }

    #[async_trait]
    impl RunRecords for Held {
        async fn append(&self, _: &RunWriter, contents: Vec<Bytes>) -> Result<(), RunRecordsError> {
            self.answers.acquire().await.unwrap().forget();
            if self.refuses.swap(false, Ordering::SeqCst) {
                return Err(RunRecordsError::Unavailable("away".into()));
            }
            self.appended.lock().unwrap().push(contents);
            Ok(())
        }
        async fn read(
            &self,
            _: &JobId,
            _: u64,
            _: usize,
        ) -> Result<Vec<RunRecord>, RunRecordsError> {
            Ok(Vec::new())
        }
        async fn delete(&self, _: &RunWriter) -> Result<(), RunRecordsError> {
            Ok(())
        }
        async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError> {
            Ok(Vec::new())
        }
    }

    fn log(refuses: bool) -> (Arc<Held>, RunLog) {
        let records = Arc::new(Held {
            answers: Semaphore::new(0),
            refuses: AtomicBool::new(refuses),
            appended: Mutex::default(),
        });
        let job = JobId::parse("00000000-0000-7000-8000-000000000001").unwrap();
        let held = Arc::clone(&records) as Arc<dyn RunRecords>;
        let log = RunLog::new(held, RunWriter::Sweeper(job), JournalState::default());
        (records, log)
    }

    fn not_as_json() -> Fact {
        let resource = domain::model::Resource::User;
        Fact::NotAsJson { resource }
    }

    fn content_of(fact: Fact) -> Bytes {
        Record::Fact(fact).encode(&[]).unwrap()
    }

    fn intent(item: ItemRef) -> Fact {
        Fact::Intent { item, at: None }
    }

    /// What was read in a document is durable before the document's entry is, whoever appended it.
    #[tokio::test]
    async fn what_comes_after_the_facts_of_a_document_waits_for_them() {
        let (records, log) = log(false);
        log.record(not_as_json()).await.unwrap();
        let first = tokio::spawn({
            let log = log.clone();
            async move { log.record(intent(appliance(1))).await }
        });
        while !is_appending(&log) {
            tokio::task::yield_now().await;
        }
        let rest = [2, 3].map(|id| {
            let log = log.clone();
            tokio::spawn(async move { log.record(intent(appliance(id))).await })
        });
        while log.state().batch.contents.len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(records.appended.lock().unwrap().len(), 0);
        records.answers.add_permits(2);
        first.await.unwrap().unwrap();
        for one in rest {
            one.await.unwrap().unwrap();
        }
        let of = |id| content_of(intent(appliance(id)));
        let appended = records.appended.lock().unwrap();
        assert_eq!(appended[0], [content_of(not_as_json()), of(1)]);
        assert_eq!(appended[1..], [vec![of(2), of(3)]]);
        assert_eq!(log.checkpoint().intents.len(), 3);
    }

    /// What waited is with the records, which do not answer.
    fn is_appending(log: &RunLog) -> bool {
        log.0.turn.try_lock().is_err() && log.state().batch.contents.is_empty()
    }

    #[tokio::test]
    async fn facts_of_documents_outlive_an_append_that_failed() {
        let (records, log) = log(true);
        records.answers.add_permits(2);
        log.record(not_as_json()).await.unwrap();
        let failed = log.record(intent(appliance(1))).await;
        assert!(matches!(failed, Err(JournalError::Unavailable(_))));
        log.record(intent(appliance(2))).await.unwrap();
        let of = |id| content_of(intent(appliance(id)));
        let appended = records.appended.lock().unwrap();
        assert_eq!(*appended, [vec![content_of(not_as_json()), of(2)]]);
    }
}
