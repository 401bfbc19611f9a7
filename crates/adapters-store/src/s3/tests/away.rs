//! A store that goes away while a bag is finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::bag::receipt::Delivered;
use domain::jobs::{JobId, RunRecord, RunRecords, RunRecordsError, RunWriter};
use domain::ports::{PayloadInPlace, SinkError, TagFiles};

use super::kit::{Bench, FORMATS, document, path, tags};

/// Records that can be written, and not always read.
struct Unread {
    records: Arc<dyn RunRecords>,
    is_away: Arc<AtomicBool>,
}

#[async_trait]
impl RunRecords for Unread {
    async fn append(
        &self,
        writer: &RunWriter,
        contents: Vec<Bytes>,
    ) -> Result<(), RunRecordsError> {
        self.records.append(writer, contents).await
    }

    async fn read(
        &self,
        job: &JobId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<RunRecord>, RunRecordsError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(RunRecordsError::Unavailable("it restarts".into()));
        }
        self.records.read(job, after, bytes).await
    }

    async fn delete(&self, writer: &RunWriter) -> Result<(), RunRecordsError> {
        self.records.delete(writer).await
    }

    async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError> {
        self.records.jobs().await
    }
}

/// Pages that say what a document says, while the store is away or not.
struct Pages {
    away: Option<Arc<AtomicBool>>,
}

impl TagFiles for Pages {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        if let Some(away) = &self.away {
            away.store(true, Ordering::SeqCst);
        }
        let document = bag.first_bytes(&path("data/a"), 100);
        if let Some(away) = &self.away {
            away.store(false, Ordering::SeqCst);
        } else {
            assert_eq!(document.as_deref(), Some(&b"content"[..]));
        }
        tags().into_iter().try_for_each(|tag| bag.add(tag))?;
        Ok(None)
    }
}

/// A bag whose pages lack a document because the store was away for a moment is not delivered: the run is resumed.
#[tokio::test]
async fn a_bag_that_cannot_be_read_back_for_a_moment_is_finished_later() {
    for format in FORMATS {
        let mut bench = Bench::new(format).await;
        let is_away = Arc::new(AtomicBool::new(false));
        bench.store.records = Arc::new(Unread {
            records: Arc::clone(&bench.store.records),
            is_away: Arc::clone(&is_away),
        });
        let run = bench.open().await;
        run.put(document("data/a", b"content"), b"content")
            .await
            .unwrap();
        let away = Some(is_away);
        let refused = run.sink.finish(Box::new(Pages { away })).await;
        assert!(matches!(refused, Err(SinkError::Unavailable(_))));
        let run = bench.open().await;
        let finished = run.sink.finish(Box::new(Pages { away: None })).await;
        finished.unwrap();
        let kept = bench.keep(&run.lease).await;
        let files = bench.files(bench.whole(&kept).await);
        assert_eq!(files["data/a"], b"content");
    }
}
