//! The [`RunStore`] port: opens runs under a lease, and takes over their bags.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{
    JobId, KeptBag, Lease, OpenedRun, RunReport, RunSettings, RunStore, RunStoreError, RunWriter,
};
use domain::model::SafeName;
use domain::ports::Journal;
use futures_util::TryStreamExt as _;
use thiserror::Error;

use super::S3Store;
use super::error::not_opened;
use super::history::{History, HistoryError};
use super::log::RunLog;
use super::objects::Names;
use super::record::{Began, Complete, Record};
use super::rope::{ReadError, Reader, Rope};
use super::sink::RopeSink;

/// Why an unfinished run cannot be resumed.
#[derive(Debug, Error)]
enum NotResumed {
    #[error("it is of another order")]
    OtherOrder,
    #[error("its first record is missing")]
    NoBeginning,
}

impl S3Store {
    pub(super) fn reader(&self, job: &JobId) -> Reader {
        Reader {
            objects: self.objects.clone(),
            records: Arc::clone(&self.records),
            job: job.clone(),
        }
    }

    async fn history(&self, job: &JobId) -> Result<History, RunStoreError> {
        let history = History::load(&*self.records, job).await;
        history.map_err(|error| match error {
            HistoryError::Records(error) => not_opened(job, error),
            error @ HistoryError::Unreadable(_) => unresumable(job, error),
        })
    }

    fn log(&self, writer: RunWriter, history: &mut History) -> RunLog {
        let facts = std::mem::take(&mut history.facts);
        RunLog::new(Arc::clone(&self.records), writer, facts)
    }

    async fn append(&self, writer: &RunWriter, record: &Record) -> Result<(), RunStoreError> {
        let failed = |error| RunStoreError::Failed {
            id: writer.job().clone(),
            source: Box::new(error),
        };
        let content = record.encode(&[]).map_err(failed)?;
        let written = self.records.append(writer, vec![content]).await;
        written.map_err(|error| not_opened(writer.job(), error))
    }

    /// The end of a job's bag of this name.
    async fn complete(
        &self,
        job: &JobId,
        file: &SafeName,
    ) -> Result<Option<(History, Complete)>, RunStoreError> {
        let history = self.history(job).await?;
        let complete = history
            .complete
            .as_ref()
            .map(|(_, complete)| complete.clone());
        let complete = complete.filter(|complete| complete.file == *file);
        Ok(complete.map(|complete| (history, complete)))
    }
}

#[async_trait]
impl RunStore for S3Store {
    async fn open(
        &self,
        lease: &Lease,
        settings: &RunSettings,
    ) -> Result<OpenedRun, RunStoreError> {
        let job = &lease.job;
        let writer = RunWriter::Holder(lease.clone());
        let mut history = self.history(job).await?;
        let resumed = history.began.is_some();
        let began = match &history.began {
            Some(began) if began.is_of(settings) => began.created,
            Some(_) => return Err(unresumable(job, NotResumed::OtherOrder)),
            None if !history.is_empty => return Err(unresumable(job, NotResumed::NoBeginning)),
            None => {
                let began = Began::new(settings);
                let created = began.created;
                self.append(&writer, &Record::Began(Box::new(began)))
                    .await?;
                created
            }
        };
        let log = self.log(writer, &mut history);
        let journal: Arc<dyn Journal> = Arc::new(log.clone());
        if history.complete.is_some() {
            return Ok(OpenedRun::Complete { journal });
        }
        let token = lease.token.as_str().to_owned();
        let names = Names::new(self.objects.clone(), job.clone(), token);
        let parts = (names, log, self.reader(job));
        let sink = RopeSink::new(parts, settings, history, began);
        Ok(OpenedRun::Ready {
            sink: Box::new(sink),
            journal,
            resumed,
        })
    }

    async fn unfinished(&self, writer: &RunWriter) -> Result<Vec<Arc<dyn Journal>>, RunStoreError> {
        let mut history = self.history(writer.job()).await?;
        if history.began.is_none() || history.is_kept {
            return Ok(Vec::new());
        }
        Ok(vec![Arc::new(self.log(writer.clone(), &mut history))])
    }

    async fn discard(&self, writer: &RunWriter) -> Result<(), RunStoreError> {
        let job = writer.job();
        let unavailable = |error| RunStoreError::Unavailable(Box::new(error));
        // Listed first: deleting the records proves that nobody else has run the job until then. Objects that are made later are another worker's.
        let listed = self.objects.of_job(job).await.map_err(unavailable)?;
        let deleted = self.records.delete(writer).await;
        deleted.map_err(|error| not_opened(job, error))?;
        let keys = listed.into_iter().map(|object| object.key).collect();
        self.objects.delete(job, keys).await.map_err(unavailable)
    }

    async fn keep(&self, lease: &Lease, file: &SafeName) -> Result<KeptBag, RunStoreError> {
        let job = &lease.job;
        let Some((history, complete)) = self.complete(job, file).await? else {
            return Err(RunStoreError::Missing { id: job.clone() });
        };
        // Listed before the record that shows that the lease is held: see `discard`.
        let listed = self.objects.of_job(job).await;
        let listed = listed.map_err(|error| RunStoreError::Unavailable(Box::new(error)))?;
        let writer = RunWriter::Holder(lease.clone());
        self.append(&writer, &Record::Kept).await?;
        let named = history.named();
        let unnamed = listed.into_iter().map(|object| object.key);
        let unnamed = unnamed.filter(|key| !named.contains(key.as_str()));
        if let Err(error) = self.objects.delete(job, unnamed.collect()).await {
            tracing::warn!(%job, %error, "objects that no record names are deleted with the bag only");
        }
        let Complete { bytes, sha256, .. } = complete;
        Ok(KeptBag { bytes, sha256 })
    }

    async fn is_kept(&self, lease: &Lease, file: &SafeName) -> Result<bool, RunStoreError> {
        let complete = self.complete(&lease.job, file).await?;
        Ok(complete.is_some_and(|(history, _)| history.is_kept))
    }

    async fn report(
        &self,
        lease: &Lease,
        file: &SafeName,
    ) -> Result<Option<RunReport>, RunStoreError> {
        let job = &lease.job;
        let Some((history, _)) = self.complete(job, file).await? else {
            return Ok(None);
        };
        let Some(report) = Rope::of_report(&history) else {
            return Ok(None);
        };
        let bytes = report.read(self.reader(job), 0..report.bytes());
        let chunks: Vec<Bytes> = bytes.try_collect().await.map_err(|error| match error {
            ReadError::Records(error) => not_opened(job, error),
            error => RunStoreError::Unavailable(Box::new(error)),
        })?;
        Ok(Some(RunReport {
            export_json: chunks.concat().into(),
            delivered: history.facts.delivered,
        }))
    }
}

fn unresumable(
    id: &JobId,
    source: impl std::error::Error + Send + Sync + 'static,
) -> RunStoreError {
    RunStoreError::Unresumable {
        id: id.clone(),
        source: Box::new(source),
    }
}
