//! The records of one run: the [`Journal`] port, and what the sink records to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
}

struct State {
    facts: JournalState,
    /// Facts of documents that were read. They are written with the next record, when the entries of those documents are durable.
    reads: Vec<Bytes>,
}

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
            }),
            is_stopped: AtomicBool::new(false),
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

    /// All of them or none.
    async fn append(&self, news: Vec<Bytes>, fact: Option<Fact>) -> Result<(), RunRecordsError> {
        let log = self.clone();
        let written = tokio::spawn(async move {
            let mut contents = std::mem::take(&mut log.state().reads);
            contents.extend(news);
            log.0.records.append(&log.0.writer, contents).await?;
            if let Some(fact) = fact {
                log.state().facts.apply(&fact);
            }
            Ok(())
        });
        written
            .await
            .unwrap_or_else(|stopped| Err(RunRecordsError::Unavailable(Box::new(stopped))))
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
