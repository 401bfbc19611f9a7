//! The promises of [`RunStore`], with the bags that it keeps read from a [`BagStore`].

use bytes::Bytes;
use domain::jobs::{BagStore, Lease, OpenedRun, RunSettings, RunStore, RunStoreError, RunWriter};
use domain::model::{BagPath, ExportId, SafeName, Ticket};
use domain::ports::{ArchiveSink, Fact, Journal, TagFile};
use domain::testing::{appliance, order};
use futures_util::TryStreamExt as _;
use std::sync::Arc;

use super::archive_sink::{document, put};

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

/// What was durable under one lease is resumed under the next, and can be given up.
pub async fn an_unfinished_run_is_resumed_under_the_next_lease(
    runs: &dyn RunStore,
    leases: [&Lease; 2],
) {
    let (sink, journal, resumed) = ready(runs, leases[0]).await;
    assert!(!resumed);
    let started = Fact::Started { ticket: ticket() };
    journal.record(started).await.expect("it is recorded");
    put_user(&*sink).await;
    drop((sink, journal));

    let (sink, journal, resumed) = ready(runs, leases[1]).await;
    assert!(resumed);
    assert_eq!(journal.checkpoint().open, [ticket()].into());
    drop((sink, journal));
    let writer = RunWriter::Holder(leases[1].clone());
    let left = runs.unfinished(&writer).await.expect("journals");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].checkpoint().open, [ticket()].into());
    drop(left);
    for _ in 0..2 {
        runs.discard(&writer).await.expect("it is removed");
    }
    assert!(runs.unfinished(&writer).await.expect("none").is_empty());
    assert!(!ready(runs, leases[1]).await.2);
}

/// A finished bag is kept and read back; a kill between the two costs nothing.
pub async fn a_finished_bag_is_kept(runs: &dyn RunStore, bags: &dyn BagStore, leases: [&Lease; 2]) {
    let missing = runs.keep(leases[0], &file()).await;
    assert!(matches!(missing, Err(RunStoreError::Missing { .. })));
    let (sink, journal, _) = ready(runs, leases[0]).await;
    put_user(&*sink).await;
    sink.finish(tags()).await.expect("it is finished");
    drop(journal);

    let opened = runs.open(leases[1], &settings()).await.expect("a run");
    assert!(matches!(opened, OpenedRun::Complete { .. }));
    drop(opened);
    let report = runs.report(leases[1], &file()).await.expect("an answer");
    assert_eq!(report.as_deref(), Some(&br#"{"outcome":"complete"}"#[..]));
    assert!(!runs.is_kept(leases[1], &file()).await.expect("an answer"));
    let kept = runs.keep(leases[1], &file()).await.expect("it is kept");
    assert!(runs.is_kept(leases[1], &file()).await.expect("an answer"));
    assert_eq!(runs.keep(leases[1], &file()).await.expect("again"), kept);
    let report = runs.report(leases[1], &file()).await.expect("an answer");
    assert!(report.is_some());

    let (file, whole) = (file(), 0..kept.bytes);
    let body = bags.open(&leases[1].job, &file, kept.bytes, whole).await;
    let chunks: Vec<Bytes> = body.expect("a bag").try_collect().await.expect("all");
    let whole = chunks.concat();
    assert_eq!(domain::model::Sha256::of(&whole), kept.sha256);
    bags.delete(&leases[1].job).await.expect("it is deleted");
    assert!(!runs.is_kept(leases[1], &file).await.expect("an answer"));
}
