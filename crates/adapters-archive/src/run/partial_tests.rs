//! Downloads that a kill broke off, on a platform that can send the rest.

use std::fs;

use domain::model::BagFormat;
use domain::ports::{EntryWriter, NewEntry, SinkError};

use crate::test_kit::{FORMATS, Kit, Run, archive, document, download, noise};

const CUT: &str = "data/cut";
const OTHER: &str = "data/other";
const LONG: usize = 2_000_000;
/// How much of it came before the kill.
const CAME: usize = 1_200_000;

/// A download of which the platform could send the rest.
fn with_validator(name: &str) -> NewEntry {
    NewEntry {
        validator: Some("\"v1\"".to_owned()),
        ..download(name)
    }
}

/// A run in which a download has come as far as [`CAME`].
struct Cut {
    kit: Kit,
    run: Run,
    writer: Box<dyn EntryWriter>,
}

/// The download has the container.
async fn in_place(format: BagFormat) -> Cut {
    let kit = Kit::new(format);
    let run = kit.open();
    run.put(document("data/user.xml", b"<user/>"), b"<user/>")
        .await
        .unwrap();
    let writer = begun(&kit, &run).await;
    Cut { kit, run, writer }
}

/// Another download has the container.
async fn beside(format: BagFormat) -> (Cut, Box<dyn EntryWriter>) {
    let kit = Kit::new(format);
    let run = kit.open();
    let holder = kit.hold(&run, download(OTHER), &archive(8, 400_000)).await;
    let writer = begun(&kit, &run).await;
    (Cut { kit, run, writer }, holder)
}

async fn begun(kit: &Kit, run: &Run) -> Box<dyn EntryWriter> {
    let on_disk = || total_length(kit);
    let before = on_disk();
    let mut writer = run.begin(with_validator(CUT)).await;
    for chunk in archive(9, LONG)[..CAME].chunks(10_000) {
        writer.write(chunk.to_vec().into()).await.unwrap();
    }
    // All but what is gathered in memory.
    while on_disk() < before + 900_000 {
        std::thread::yield_now();
    }
    writer
}

fn total_length(kit: &Kit) -> u64 {
    let files = fs::read_dir(kit.work()).unwrap();
    files
        .map(|file| file.unwrap().metadata().map_or(0, |file| file.len()))
        .sum()
}

/// The one partial entry, resumed: its writer, and how much of it was there.
async fn resumed(run: &Run) -> (Box<dyn EntryWriter>, usize) {
    let partial = run.sink.partial_entries();
    assert_eq!(partial.len(), 1);
    assert_eq!(partial[0].entry, with_validator(CUT));
    let bytes = usize::try_from(partial[0].bytes).unwrap();
    let path = &partial[0].entry.path;
    let writer = run.sink.resume_entry(path).await.unwrap().unwrap();
    assert_eq!(run.sink.partial_entries(), []);
    (writer, bytes)
}

async fn take_rest(mut writer: Box<dyn EntryWriter>, from: usize) {
    let whole = archive(9, LONG);
    for chunk in whole[from..].chunks(10_000) {
        writer.write(chunk.to_vec().into()).await.unwrap();
    }
    let receipt = writer.close().await.unwrap();
    assert_eq!(receipt.bytes, whole.len() as u64);
    assert_eq!(receipt.sha256, domain::model::Sha256::of(&whole));
    assert!(receipt.durable);
}

async fn finish(kit: &Kit, run: Run) {
    run.finish().await.unwrap();
    assert_eq!(kit.read_back()[CUT], archive(9, LONG));
    assert_eq!(kit.names().len(), 1);
}

async fn only_the_rest_is_fetched(kit: &Kit) {
    let run = kit.open();
    // Whatever comes first does not disturb it.
    run.put(document("data/roles.xml", b"<roles/>"), b"<roles/>")
        .await
        .unwrap();
    let (writer, bytes) = resumed(&run).await;
    assert!((700_000..=CAME).contains(&bytes), "{bytes}");
    take_rest(writer, bytes).await;
    finish(kit, run).await;
}

#[tokio::test]
async fn a_download_that_was_killed_in_the_container_is_resumed() {
    for format in FORMATS {
        let cut = in_place(format).await;
        only_the_rest_is_fetched(&cut.kit.killed()).await;
    }
}

#[tokio::test]
async fn a_download_that_was_killed_beside_the_container_is_resumed() {
    for format in FORMATS {
        let (cut, _holder) = beside(format).await;
        only_the_rest_is_fetched(&cut.kit.killed()).await;
    }
}

#[tokio::test]
async fn a_run_that_was_dropped_leaves_it_as_a_kill_does() {
    for format in FORMATS {
        let Cut { kit, run, writer } = in_place(format).await;
        drop((writer, run));
        only_the_rest_is_fetched(&kit).await;
        let (Cut { kit, run, writer }, holder) = beside(format).await;
        drop((writer, holder, run));
        only_the_rest_is_fetched(&kit).await;
    }
}

#[tokio::test]
async fn it_is_resumed_after_one_kill_more() {
    for format in FORMATS {
        let cut = in_place(format).await;
        let kit = cut.kit.killed();
        let run = kit.open();
        let (mut writer, bytes) = resumed(&run).await;
        let before = total_length(&kit);
        let more = bytes + 500_000;
        for chunk in archive(9, LONG)[bytes..more].chunks(10_000) {
            writer.write(chunk.to_vec().into()).await.unwrap();
        }
        while total_length(&kit) < before + 200_000 {
            std::thread::yield_now();
        }
        let kit = kit.killed();
        let run = kit.open();
        let (writer, further) = resumed(&run).await;
        assert!(further > bytes);
        take_rest(writer, further).await;
        finish(&kit, run).await;
    }
}

/// A kill between the last byte and the journal's line: the head has its sizes already.
#[tokio::test]
async fn a_kill_just_before_it_was_safe_costs_little() {
    for format in FORMATS {
        let cut = in_place(format).await;
        let journal = fs::read(cut.kit.work().join("journal")).unwrap();
        take_rest(cut.writer, CAME).await;
        let kit = cut.kit.killed();
        fs::write(kit.work().join("journal"), journal).unwrap();
        let run = kit.open();
        let (writer, bytes) = resumed(&run).await;
        assert!(bytes > archive(9, LONG).len() - 200_000);
        take_rest(writer, bytes).await;
        finish(&kit, run).await;
    }
}

#[tokio::test]
async fn what_was_discarded_or_refused_leaves_nothing() {
    for format in FORMATS {
        let Cut { kit, run, writer } = in_place(format).await;
        writer.discard().await.unwrap();
        let mut writer = begun(&kit, &run).await;
        writer.write(vec![0; 100_000].into()).await.unwrap();
        let refused = writer.close().await;
        assert!(matches!(refused, Err(SinkError::CheckFailed { .. })));
        // The same entry, this time from a server that cannot send the rest.
        let _held = kit.hold(&run, download(CUT), &archive(5, 900_000)).await;
        assert_eq!(kit.killed().open().sink.partial_entries(), []);
    }
}

#[tokio::test]
async fn a_partial_entry_is_discarded_for_a_new_one() {
    for format in FORMATS {
        let cut = in_place(format).await;
        let kit = cut.kit.killed();
        let run = kit.open();
        let whole = archive(9, LONG);
        run.put(with_validator(CUT), &whole).await.unwrap();
        assert_eq!(run.sink.partial_entries(), []);
        finish(&kit, run).await;
    }
}

#[tokio::test]
async fn a_partial_entry_that_nobody_resumes_is_removed_with_the_run() {
    let cut = in_place(BagFormat::Zip).await;
    let kit = cut.kit.killed();
    let run = kit.open();
    run.finish().await.unwrap();
    assert!(!kit.read_back().contains_key(CUT));
    assert_eq!(kit.names().len(), 1);
}

/// After a loss of power, a file can be as long as it was and hold nothing.
#[tokio::test]
async fn a_partial_entry_that_the_disk_lost_is_never_used() {
    for format in FORMATS {
        let (cut, _holder) = beside(format).await;
        let kit = cut.kit.killed();
        let spool_file = fs::read_dir(kit.work())
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.file_name().is_some_and(|name| name != "bag"))
            .max_by_key(|path| fs::metadata(path).unwrap().len())
            .unwrap();
        let mut bytes = fs::read(&spool_file).unwrap();
        bytes[400_000..].fill(0);
        fs::write(&spool_file, bytes).unwrap();
        let run = kit.open();
        let partial = run.sink.partial_entries().remove(0);
        if let Some(mut writer) = run.sink.resume_entry(&partial.entry.path).await.unwrap() {
            let from = usize::try_from(partial.bytes).unwrap();
            let rest = archive(9, LONG)[from..].to_vec();
            let taken = match writer.write(rest.into()).await {
                Ok(()) => writer.close().await.map(drop),
                error => error,
            };
            assert!(matches!(taken, Err(SinkError::CheckFailed { .. })));
        }
        run.put(with_validator(CUT), &archive(9, LONG))
            .await
            .unwrap();
        finish(&kit, run).await;
    }
}

/// Another place than the one that was asked for, or other content: more of it than the queues hold.
#[tokio::test]
async fn a_resumed_download_whose_rest_is_damaged_is_a_failed_check() {
    for format in FORMATS {
        let cut = in_place(format).await;
        let kit = cut.kit.killed();
        let run = kit.open();
        let (mut writer, _) = resumed(&run).await;
        let mut refused = None;
        for chunk in noise(3, 10_000_000).chunks(10_000) {
            if let Err(error) = writer.write(chunk.to_vec().into()).await {
                refused = Some(error);
                break;
            }
        }
        assert!(
            matches!(refused, Some(SinkError::CheckFailed { .. })),
            "{refused:?}"
        );
        drop(writer);
        run.put(with_validator(CUT), &archive(9, LONG))
            .await
            .unwrap();
        finish(&kit, run).await;
    }
}
