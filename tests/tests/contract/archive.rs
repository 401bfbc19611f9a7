//! The archive adapter in every container, plain and encrypted.

use std::path::Path;

use adapters_archive::{Encryption, OpenRun, Recipient};
use domain::model::BagFormat;
use tests::contract::{archive_sink, journal};
use tests::kit;

const FORMATS: [BagFormat; 3] = [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz];

/// Nobody in particular: what is encrypted here is not read again.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn fresh(folder: &Path, format: BagFormat, encrypted: bool) -> (tempfile::TempDir, OpenRun) {
    let inner = tempfile::tempdir_in(folder).expect("a folder");
    let mut settings = kit::settings(inner.path(), format);
    if encrypted {
        settings.encryption = Some(Encryption::Recipients(vec![
            Recipient::parse(RECIPIENT).expect("a recipient"),
        ]));
    }
    let run = kit::open(settings);
    (inner, run)
}

async fn every_promise(format: BagFormat, encrypted: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let new = || fresh(folder.path(), format, encrypted);
    let (_kept, run) = new();
    archive_sink::a_receipt_says_what_was_written(run.sink.as_ref()).await;
    let (_kept, run) = new();
    archive_sink::open_entries_never_mix(run.sink.as_ref()).await;
    let (_kept, run) = new();
    archive_sink::what_was_taken_back_may_be_opened_again(run.sink.as_ref()).await;
    let (_kept, run) = new();
    archive_sink::a_damaged_archive_is_refused(run.sink.as_ref()).await;
    let (_kept, run) = new();
    archive_sink::a_published_sum_is_checked(run.sink.as_ref()).await;
    let (_kept, run) = new();
    archive_sink::a_name_is_taken_only_once(run.sink.as_ref()).await;
}

#[tokio::test]
async fn a_zip_keeps_the_sink_s_promises() {
    every_promise(BagFormat::Zip, false).await;
    every_promise(BagFormat::Zip, true).await;
}

#[tokio::test]
async fn a_tar_keeps_the_sink_s_promises() {
    every_promise(BagFormat::Tar, false).await;
    every_promise(BagFormat::Tar, true).await;
}

#[tokio::test]
async fn a_tar_gz_keeps_the_sink_s_promises() {
    every_promise(BagFormat::TarGz, false).await;
    every_promise(BagFormat::TarGz, true).await;
}

#[tokio::test]
async fn the_journal_on_disk_keeps_its_promises_across_a_restart() {
    for format in FORMATS {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = kit::settings(folder.path(), format);
        let run = kit::open(settings.clone());
        journal::record_some(run.journal.as_ref()).await;
        journal::the_checkpoint_holds_what_was_recorded(run.journal.as_ref());
        drop(run);
        let again = kit::open(settings);
        assert!(again.resumed);
        journal::the_checkpoint_holds_what_was_recorded(again.journal.as_ref());
    }
}

#[tokio::test]
async fn what_was_closed_to_be_safe_is_recovered_and_what_was_open_is_not() {
    for format in FORMATS {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = kit::settings(folder.path(), format);
        let run = kit::open(settings.clone());
        let sink = run.sink.as_ref();
        let content = domain::testing::gzip(&[3; 5000]);
        let held = sink
            .open_entry(archive_sink::archive("data/appliances/2-b/archive.tar.gz"))
            .await
            .expect("a writer");
        let entry = archive_sink::archive("data/appliances/1-a/archive.tar.gz");
        let receipt = archive_sink::put(sink, entry, &content, 100)
            .await
            .expect("a receipt");
        assert!(receipt.durable, "{format:?}");
        drop((held, run));
        let again = kit::open(settings);
        assert_eq!(again.sink.resumed_receipts(), [receipt], "{format:?}");
    }
}
