//! The end of a bag: everything after the last payload entry.

use adapters_archive::Directory;
use bytes::Bytes;
use domain::model::Sha256Hasher;
use domain::ports::{FinishedBag, SinkError, TagFile};
use futures_util::TryStreamExt as _;

use super::error::{not_recorded, upload_failed};
use super::history::{History, HistoryError};
use super::objects::{Upload, Uploaded};
use super::record::{Body, Complete, Record};
use super::rope::{ReadError, Rope};
use super::shared::off_the_runtime;
use super::sink::RopeSink;

/// The tag file that is kept by itself as well: whoever asks what a finished bag holds does not read the bag.
const REPORT: &str = "export.json";

impl RopeSink {
    /// What the records say is what the bag is: it is read from them, and not from what this run has in memory.
    pub(super) async fn finish_bag(
        self: Box<Self>,
        tags: Vec<TagFile>,
    ) -> Result<FinishedBag, SinkError> {
        let _idle = self.shared.open.write().await;
        self.shared.log.check()?;
        let history = History::load(&*self.reader.records, &self.reader.job).await;
        let history = history.map_err(unreadable)?;
        let mut directory = Directory::new(self.shared.form.clone());
        for placed in &history.placed {
            directory.push(&placed.record.entry, placed.record.length());
        }
        let mut sum = Sha256Hasher::default();
        let rope = Rope::of_entries(&history);
        let mut entries = rope.read(self.reader.clone(), 0..rope.bytes());
        while let Some(chunk) = entries.try_next().await.map_err(not_readable)? {
            sum.update(&chunk);
        }
        drop((history, entries));
        let report = self.report_of(&tags).await?;
        let (end, sum) = self.write_end(directory, tags, sum).await?;
        let (end, kept) = Body::of(end);
        let (report, kept_report) = report.map(Body::of).unzip();
        let complete = Complete {
            file: self.settings.file.clone(),
            bytes: rope.bytes() + end.length(),
            sha256: sum.finish(),
            end,
            report,
        };
        let bytes = complete.bytes;
        let kept_report = kept_report.unwrap_or_default();
        let record = Record::Complete(complete);
        let kept: [&[u8]; 2] = [&kept, &kept_report];
        self.shared.log.record_of_sink(&record, &kept).await?;
        Ok(FinishedBag { path: None, bytes })
    }

    /// `export.json` by itself.
    async fn report_of(&self, tags: &[TagFile]) -> Result<Option<Uploaded>, SinkError> {
        let report = tags.iter().find(|tag| tag.path.as_str() == REPORT);
        let Some(report) = report else {
            return Ok(None);
        };
        let upload = Upload::new(&self.shared.names);
        let uploaded = write(upload, report.bytes.to_vec()).await?;
        Ok(Some(uploaded))
    }

    /// Writes tag files and the container's end.
    async fn write_end(
        &self,
        mut directory: Directory,
        tags: Vec<TagFile>,
        mut sum: Sha256Hasher,
    ) -> Result<(Uploaded, Sha256Hasher), SinkError> {
        let modified = directory.newest().unwrap_or(self.began);
        let mut upload = Upload::new(&self.shared.names);
        let mut pending = Vec::new();
        for tag in tags {
            // Kept also if it fails: finishing is not tried again.
            self.shared.paths.reserve(&tag.path)?.keep();
            let encoded = off_the_runtime(move || {
                let bytes = directory.push_tag(&tag, modified);
                Ok((directory, bytes.map_err(encoding)?))
            });
            let (next, bytes) = encoded.await?;
            directory = next;
            sum.update(&bytes);
            pending.extend(bytes);
            upload
                .take_parts(&mut pending)
                .await
                .map_err(upload_failed)?;
        }
        let end = directory.end_of_container().map_err(encoding)?;
        sum.update(&end);
        pending.extend(end);
        Ok((write(upload, pending).await?, sum))
    }
}

async fn write(mut upload: Upload, mut bytes: Vec<u8>) -> Result<Uploaded, SinkError> {
    upload.take_parts(&mut bytes).await.map_err(upload_failed)?;
    let uploaded = upload.finish(Bytes::from(bytes)).await;
    uploaded.map_err(upload_failed)
}

fn encoding(source: std::io::Error) -> SinkError {
    SinkError::Io {
        action: "encode",
        path: "the end of the bag".into(),
        source,
    }
}

fn unreadable(error: HistoryError) -> SinkError {
    match error {
        HistoryError::Records(error) => not_recorded(error),
        error @ HistoryError::Unreadable(_) => SinkError::Unavailable(Box::new(error)),
    }
}

fn not_readable(error: ReadError) -> SinkError {
    match error {
        ReadError::Records(error) => not_recorded(error),
        error => SinkError::Unavailable(Box::new(error)),
    }
}
