//! The end of a bag: everything after the last payload entry.

use std::sync::Arc;

use adapters_archive::Directory;
use bytes::Bytes;
use domain::model::Sha256Hasher;
use domain::ports::{FinishedBag, SinkError, TagFiles};
use futures_util::TryStreamExt as _;

use super::error::{not_recorded, upload_failed};
use super::history::{History, HistoryError};
use super::in_place::{Ended, RopeInPlace};
use super::objects::{Upload, Uploaded};
use super::record::{Body, Complete};
use super::rope::{ReadError, Rope};
use super::shared::off_the_runtime;
use super::sink::RopeSink;

impl RopeSink {
    /// What the records say is what the bag is: it is read from them, and not from what this run has in memory.
    pub(super) async fn finish_bag(
        self: Box<Self>,
        tags: Box<dyn TagFiles>,
    ) -> Result<FinishedBag, SinkError> {
        let _idle = self.shared.open.write().await;
        self.shared.log.check()?;
        let history = History::load(&*self.reader.records, &self.reader.job).await;
        let history = history.map_err(unreadable)?;
        let mut directory = Directory::new(self.shared.form.clone());
        for placed in &history.placed {
            directory.push(&placed.record.entry, placed.record.length());
        }
        let payload_bytes = directory.end();
        let sum = self.sum_of_entries(&history).await?;
        let mut bag = RopeInPlace::new(&self, history, directory, sum);
        let written =
            off_the_runtime(move || tags.write(&mut bag).map(|delivered| (delivered, bag)));
        let (delivered, bag) = written.await?;
        let Ended { end, sum, report } = bag.end().await?;
        let report = self.upload_report(report).await?;
        let (end, kept) = Body::of(end);
        let (report, kept_report) = report.map(Body::of).unzip();
        let complete = Complete {
            file: self.settings.file.clone(),
            bytes: payload_bytes + end.length(),
            sha256: sum.finish(),
            end,
            report,
        };
        let finished = FinishedBag {
            path: None,
            bytes: complete.bytes,
            sha256: Some(complete.sha256),
        };
        let kept: [&[u8]; 2] = [&kept, &kept_report.unwrap_or_default()];
        self.shared.log.complete(delivered, complete, &kept).await?;
        Ok(finished)
    }

    async fn sum_of_entries(&self, history: &History) -> Result<Sha256Hasher, SinkError> {
        let mut sum = Sha256Hasher::default();
        let rope = Rope::of_entries(history);
        let mut entries = rope.read(self.reader.clone(), 0..rope.bytes());
        while let Some(chunk) = entries.try_next().await.map_err(not_readable)? {
            sum.update(&chunk);
        }
        Ok(sum)
    }

    /// `export.json` by itself.
    async fn upload_report(&self, report: Option<Bytes>) -> Result<Option<Uploaded>, SinkError> {
        let Some(report) = report else {
            return Ok(None);
        };
        let upload = Upload::new(&self.shared.names);
        write(upload, report.to_vec()).await.map(Some)
    }
}

async fn write(mut upload: Upload, mut bytes: Vec<u8>) -> Result<Uploaded, SinkError> {
    upload.take_parts(&mut bytes).await.map_err(upload_failed)?;
    let uploaded = upload.finish(Bytes::from(bytes)).await;
    uploaded.map_err(upload_failed)
}

fn unreadable(error: HistoryError) -> SinkError {
    match error {
        HistoryError::Records(error) => not_recorded(Arc::new(error)),
        error @ HistoryError::Unreadable(_) => SinkError::Unavailable(Box::new(error)),
    }
}

fn not_readable(error: ReadError) -> SinkError {
    match error {
        ReadError::Records(error) => not_recorded(Arc::new(error)),
        error => SinkError::Unavailable(Box::new(error)),
    }
}
