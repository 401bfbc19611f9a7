//! A run that is dropped at any await, and the next one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use domain::jobs::{KeptBag, OpenedRun, RunStore as _};
use domain::model::{BagFormat, Sha256};
use domain::ports::ArchiveSink;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::runtime::{Builder, Runtime};

use super::kit::{Bench, FORMATS, archive, document, download, tags, with_validator, write};

fn contents() -> BTreeMap<String, Vec<u8>> {
    let document = |n: usize| vec![7; n * 400];
    let documents = (0..4).map(|n| (format!("data/document-{n}"), document(n)));
    let archives = (0..3).map(|n| {
        (
            format!("data/archive-{n}"),
            archive(n, 9_000 * (2 * n as usize + 1)),
        )
    });
    documents.chain(archives).collect()
}

/// One run of the job, as the workflow would do it. Counts the entries that it closes.
async fn run(bench: &Bench, uploads: &AtomicUsize) -> KeptBag {
    let lease = bench.claim().await;
    let opened = bench.open_under(&lease).await.unwrap();
    if let OpenedRun::Ready { sink, .. } = opened {
        let there: Vec<_> = sink.resumed_receipts();
        for receipt in &there {
            assert_eq!(
                receipt.sha256,
                Sha256::of(&contents()[receipt.path.as_str()])
            );
        }
        let is_there = |name: &str| there.iter().any(|receipt| receipt.path.as_str() == name);
        let missing: Vec<_> = contents()
            .into_iter()
            .filter(|(name, _)| !is_there(name))
            .collect();
        let puts = missing
            .iter()
            .map(|(name, content)| put(&*sink, name, content, uploads));
        let puts: Vec<_> = stream::iter(puts)
            .buffer_unordered(3)
            .try_collect()
            .await
            .unwrap();
        drop::<Vec<()>>(puts);
        sink.finish(Box::new(tags())).await.unwrap();
    }
    bench
        .store
        .keep(&lease, &bench.settings.file)
        .await
        .unwrap()
}

async fn put(
    sink: &dyn ArchiveSink,
    name: &str,
    content: &[u8],
    uploads: &AtomicUsize,
) -> Result<(), domain::ports::SinkError> {
    let entry = match name {
        name if name.contains("document") => document(name, content),
        "data/archive-0" => download(name),
        _ => with_validator(name),
    };
    let partial = sink.partial_entries();
    let partial = partial.iter().find(|found| found.entry == entry);
    let (mut writer, from) = match partial {
        Some(found) => match sink.resume_entry(&entry.path).await? {
            Some(writer) => (writer, usize::try_from(found.bytes).unwrap()),
            None => (sink.open_entry(entry).await?, 0),
        },
        None => (sink.open_entry(entry).await?, 0),
    };
    write(&mut writer, &content[from..]).await?;
    writer.close().await?;
    uploads.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Dropped as when its lease is lost, and killed as with its process: then the tasks beside it end at once as well.
#[test]
fn a_run_dropped_or_killed_at_any_await_gives_the_same_payload_and_leaves_nothing() {
    let mut polls_in_all = 0;
    for (format, step) in FORMATS.into_iter().zip([1, 5, 3]) {
        for is_killed in [false, true] {
            let mut polls = 1;
            while dropped_twice(format, polls, is_killed) {
                polls += step;
            }
            polls_in_all += polls;
        }
    }
    assert!(polls_in_all > 60, "{polls_in_all}");
}

/// Drops a run at this poll, the one after it at another, and ends the job with the third. Gives whether the first was not done yet.
fn dropped_twice(format: BagFormat, polls: usize, is_killed: bool) -> bool {
    let mut machine = machine();
    let bench = machine.block_on(Bench::new(format));
    let uploads = AtomicUsize::new(0);
    let mut are_done = Vec::new();
    for polls in [polls, polls * 7 % 23] {
        let done = machine.block_on(dropped_after(polls, run(&bench, &uploads)));
        are_done.push(done.is_some());
        if is_killed {
            machine = self::machine();
        }
    }
    machine.block_on(async {
        let kept = run(&bench, &uploads).await;
        let bag = bench.whole(&kept).await;
        assert_eq!(Sha256::of(&bag), kept.sha256, "{polls}");
        let mut files = bench.files(bag);
        assert!(files.remove("bagit.txt").is_some() && files.remove("export.json").is_some());
        assert!(files == contents(), "{format:?} dropped after {polls}");
        settle().await;
        let unnamed = bench.unnamed_after_a_sweep().await;
        assert!(
            unnamed.is_empty(),
            "{format:?} dropped after {polls}: {unnamed:?}"
        );
    });
    // Who closed an entry, and did not live to see it, is not counted; nobody closed one twice.
    assert!(uploads.into_inner() <= contents().len());
    !are_done[0]
}

/// It polls the run after every step of the tasks beside it.
fn machine() -> Runtime {
    let mut machine = Builder::new_current_thread();
    machine.enable_all().event_interval(1);
    machine.build().unwrap()
}

/// Drops a future at its n-th poll. What it has spawned goes on.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Lets the tasks of dropped runs come to their end.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
