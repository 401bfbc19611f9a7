//! The promises of [`RunStore`], with the bags that it keeps read from a [`BagStore`].

use bytes::Bytes;
use domain::jobs::{
    BagStore, JobStore, Lease, OpenedRun, RunSettings, RunStore, RunStoreError, RunWriter,
};
use domain::model::{BagPath, ExportId, SafeName, Ticket};
use domain::ports::{ArchiveSink, Fact, Journal, JournalError, SinkError, TagFile};
use domain::testing::{ManualClock, appliance, gzip, order};
use futures_util::TryStreamExt as _;
use std::sync::Arc;

use super::archive_sink::{archive, document, put};
use super::job_store::{TERM, claim, delivered, order as order_job};

fn file() -> SafeName {
    SafeName::parse("uforge-john.zip").expect("a name")
}

fn settings() -> RunSettings {
    RunSettings::of(&order(), file())
}

fn ticket() -> Ticket {
    Ticket {
        item: appliance(201),
        id: ExportId::try_from(7).expect("an id"),
    }
}

async fn ready(
    runs: &dyn RunStore,
    lease: &Lease,
) -> (Box<dyn ArchiveSink>, Arc<dyn Journal>, bool) {
    match runs.open(lease, &settings()).await.expect("a run") {
        OpenedRun::Ready {
            sink,
            journal,
            resumed,
        } => (sink, journal, resumed),
        OpenedRun::Complete { .. } => panic!("nothing was finished"),
    }
}

async fn put_user(sink: &dyn ArchiveSink) {
    let entry = document("data/profile/user.xml", 7);
    let receipt = put(sink, entry, b"<user/>", 7).await;
    receipt.expect("it is written");
}

fn tags() -> Vec<TagFile> {
    vec![TagFile {
        path: BagPath::parse("export.json").expect("a path"),
        bytes: Bytes::from_static(br#"{"outcome":"complete"}"#),
    }]
}

/// The job's next lease; whoever had it before has lost it.
async fn claimed(jobs: &dyn JobStore, clock: &ManualClock) -> Lease {
    clock.advance(TERM * 2);
    claim(jobs).await.expect("the job").lease
}

/// What was durable under one lease is resumed under the next, and can be given up.
pub async fn an_unfinished_run_is_resumed_under_the_next_lease(
    runs: &dyn RunStore,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order_job(jobs, 1, "john").await;
    let first = claimed(jobs, clock).await;
    let (sink, journal, resumed) = ready(runs, &first).await;
    assert!(!resumed);
    let started = Fact::Started { ticket: ticket() };
    journal.record(started).await.expect("it is recorded");
    put_user(&*sink).await;
    drop((sink, journal));

    let second = claimed(jobs, clock).await;
    let (sink, journal, resumed) = ready(runs, &second).await;
    assert!(resumed);
    assert_eq!(journal.checkpoint().open, [ticket()].into());
    drop((sink, journal));
    let writer = RunWriter::Holder(second.clone());
    let left = runs.unfinished(&writer).await.expect("journals");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].checkpoint().open, [ticket()].into());
    drop(left);
    for _ in 0..2 {
        runs.discard(&writer).await.expect("it is removed");
    }
    assert!(runs.unfinished(&writer).await.expect("none").is_empty());
    assert!(!ready(runs, &second).await.2);
}

/// A finished bag is kept and read back; a kill between the two costs nothing.
pub async fn a_finished_bag_is_kept(
    runs: &dyn RunStore,
    bags: &dyn BagStore,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order_job(jobs, 1, "john").await;
    let first = claimed(jobs, clock).await;
    let missing = runs.keep(&first, &file()).await;
    assert!(matches!(missing, Err(RunStoreError::Missing { .. })));
    let (sink, journal, _) = ready(runs, &first).await;
    put_user(&*sink).await;
    sink.finish(Box::new(tags())).await.expect("it is finished");
    drop(journal);

    let lease = claimed(jobs, clock).await;
    let opened = runs.open(&lease, &settings()).await.expect("a run");
    assert!(matches!(opened, OpenedRun::Complete { .. }));
    drop(opened);
    let report = runs.report(&lease, &file()).await.expect("an answer");
    let report = report.expect("there is a bag").export_json;
    assert_eq!(report, &br#"{"outcome":"complete"}"#[..]);
    assert!(!runs.is_kept(&lease, &file()).await.expect("an answer"));
    let kept = runs.keep(&lease, &file()).await.expect("it is kept");
    assert!(runs.is_kept(&lease, &file()).await.expect("an answer"));
    assert_eq!(runs.keep(&lease, &file()).await.expect("again"), kept);
    let report = runs.report(&lease, &file()).await.expect("an answer");
    assert!(report.is_some());

    let (file, whole) = (file(), 0..kept.bytes);
    let body = bags.open(&lease.job, &file, kept.bytes, whole).await;
    let chunks: Vec<Bytes> = body.expect("a bag").try_collect().await.expect("all");
    let whole = chunks.concat();
    assert_eq!(domain::model::Sha256::of(&whole), kept.sha256);
    let settled = jobs.settle(&lease, delivered(), Vec::new()).await;
    settled.expect("it is held");
    bags.delete(&lease.job).await.expect("it is deleted");
    assert!(!runs.is_kept(&lease, &file).await.expect("an answer"));
}

/// Whoever lost the lease writes nothing that the next run would take for its own, and the bag has nothing of it. For stores that more
/// than one process uses.
pub async fn a_late_run_is_refused(
    runs: &dyn RunStore,
    bags: &dyn BagStore,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order_job(jobs, 1, "john").await;
    let late = claimed(jobs, clock).await;
    let (late_sink, late_journal, _) = ready(runs, &late).await;
    let path = "data/appliances/1-a/archive.tar.gz";
    let writer = late_sink.open_entry(archive(path)).await;
    let mut writer = writer.expect("a writer");
    let chunk = Bytes::from(gzip(b"late"));
    writer.write(chunk).await.expect("written");

    let lease = claimed(jobs, clock).await;
    let (sink, journal, _) = ready(runs, &lease).await;
    let refused = writer.close().await.expect_err("it is lost");
    assert!(matches!(refused, SinkError::Lost), "{refused}");
    let fact = Fact::Started { ticket: ticket() };
    let refused = late_journal.record(fact).await.expect_err("it is lost");
    assert!(matches!(refused, JournalError::Lost), "{refused}");
    let refused = late_sink.finish(Box::new(tags())).await;
    refused.expect_err("it is lost");
    let refused = runs.open(&late, &settings()).await.map(drop);
    let is_harmless = matches!(refused, Ok(()) | Err(RunStoreError::Lost { .. }));
    assert!(is_harmless, "{refused:?}");
    for refused in [
        runs.keep(&late, &file()).await.map(drop),
        runs.discard(&RunWriter::Holder(late.clone())).await,
        runs.discard(&RunWriter::Sweeper(late.job.clone())).await,
    ] {
        let error = refused.expect_err("it is lost");
        let is_meant = matches!(
            error,
            RunStoreError::Lost { .. } | RunStoreError::Missing { .. }
        );
        assert!(is_meant, "{error}");
    }

    let content = gzip(b"whole");
    let receipt = put(&*sink, archive(path), &content, 9).await;
    assert_eq!(receipt.expect("a receipt").bytes, content.len() as u64);
    assert!(journal.checkpoint().open.is_empty());
    sink.finish(Box::new(tags())).await.expect("it is finished");
    let kept = runs.keep(&lease, &file()).await.expect("it is kept");
    let (file, whole) = (file(), 0..kept.bytes);
    let body = bags.open(&lease.job, &file, kept.bytes, whole).await;
    let chunks: Vec<Bytes> = body.expect("a bag").try_collect().await.expect("all");
    assert_eq!(domain::model::Sha256::of(&chunks.concat()), kept.sha256);
}
