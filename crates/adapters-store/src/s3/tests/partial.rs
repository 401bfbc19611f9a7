//! Long entries that are interrupted: what is in objects that are whole is not fetched again.

use std::time::Duration;

use super::kit::{Bench, FORMATS, Run, archive, path, tags, with_validator, write};

const LONG: usize = 200_000;
/// Two objects of 64 KiB are whole by then.
const ARRIVED: usize = 150_000;
/// Length of an object that is followed by others.
const OBJECT: u64 = 65_536;

/// Waits until so many bytes are recorded in whole objects.
async fn recorded(bench: &Bench, least: u64) {
    until_recorded(bench, |objects| objects.iter().sum::<u64>() >= least).await;
}

/// Waits until all that a dropped writer leaves is recorded: its last object is shorter than the others. Whoever opens the run before
/// is its next holder, and the record comes too late.
async fn all_recorded(bench: &Bench) {
    until_recorded(bench, |objects| objects.iter().any(|bytes| *bytes < OBJECT)).await;
}

/// The lengths of the objects that an interrupted entry has so far.
async fn until_recorded(bench: &Bench, so: impl Fn(&[u64]) -> bool) {
    for _ in 0..1000 {
        let job = super::kit::job();
        let history = super::super::history::History::load(&*bench.store.records, &job).await;
        let history = history.unwrap();
        let partial = history.partial.values();
        let objects = partial.flat_map(|partial| &partial.objects);
        let lengths: Vec<u64> = objects.map(|object| object.bytes).collect();
        if so(&lengths) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nothing was recorded");
}

async fn go_on(run: &Run, content: &[u8]) -> usize {
    let partial = run.sink.partial_entries();
    assert_eq!(partial.len(), 1);
    assert_eq!(partial[0].entry, with_validator("data/a"));
    let from = usize::try_from(partial[0].bytes).unwrap();
    let mut writer = run
        .sink
        .resume_entry(&path("data/a"))
        .await
        .unwrap()
        .unwrap();
    assert!(run.sink.partial_entries().is_empty());
    write(&mut writer, &content[from..]).await.unwrap();
    let receipt = writer.close().await.unwrap();
    assert_eq!(receipt.sha256, domain::model::Sha256::of(content));
    from
}

async fn bag_has(bench: &Bench, run: Run, content: &[u8]) {
    run.sink.finish(Box::new(tags())).await.unwrap();
    let kept = bench.keep(&run.lease).await;
    assert!(bench.files(bench.whole(&kept).await)["data/a"] == content);
    assert!(bench.unnamed().await.is_empty());
}

#[tokio::test]
async fn a_killed_run_leaves_the_objects_that_were_whole() {
    let content = archive(1, LONG);
    for format in FORMATS {
        let bench = Bench::new(format).await;
        let killed = bench.open().await;
        let mut writer = killed
            .sink
            .open_entry(with_validator("data/a"))
            .await
            .unwrap();
        write(&mut writer, &content[..ARRIVED]).await.unwrap();
        recorded(&bench, 2 * 65_536).await;
        // Not dropped before the next run is opened: what it says at its end comes too late.
        let run = bench.open().await;
        drop((writer, killed));
        let from = go_on(&run, &content).await;
        assert!((65_535..=2 * 65_536).contains(&from), "{from}");
        bag_has(&bench, run, &content).await;
    }
}

#[tokio::test]
async fn a_run_that_is_given_back_leaves_all_that_arrived() {
    let content = archive(1, LONG);
    for format in FORMATS {
        let bench = Bench::new(format).await;
        let run = bench.open().await;
        let mut writer = run.sink.open_entry(with_validator("data/a")).await.unwrap();
        write(&mut writer, &content[..ARRIVED]).await.unwrap();
        drop(writer);
        all_recorded(&bench).await;
        drop(run);
        let run = bench.open().await;
        let from = go_on(&run, &content).await;
        // What the encoder of tar.gz holds back is not in an object yet.
        assert!((ARRIVED - 65_536..=ARRIVED).contains(&from), "{from}");
        bag_has(&bench, run, &content).await;
    }
}

#[tokio::test]
async fn a_partial_entry_that_is_fetched_anew_or_cannot_be_read_leaves_nothing() {
    let content = archive(1, LONG);
    for is_lost in [false, true] {
        let bench = Bench::new(FORMATS[0]).await;
        let run = bench.open().await;
        let mut writer = run.sink.open_entry(with_validator("data/a")).await.unwrap();
        write(&mut writer, &content[..ARRIVED]).await.unwrap();
        drop(writer);
        all_recorded(&bench).await;
        drop(run);
        let run = bench.open().await;
        if is_lost {
            let objects = bench.objects().await;
            let job = super::kit::job();
            bench.store.objects.delete(&job, objects).await.unwrap();
            let resumed = run.sink.resume_entry(&path("data/a")).await.unwrap();
            assert!(resumed.is_none());
        }
        run.put(with_validator("data/a"), &content).await.unwrap();
        bag_has(&bench, run, &content).await;
    }
}
