//! Bags from their first entry to their end, read back.

use domain::jobs::{
    BagStore as _, BagStoreError, KeptBag, OpenedRun, RunStore as _, RunStoreError, RunWriter,
};
use domain::model::Sha256;
use domain::ports::SinkError;

use super::kit::{Bench, FORMATS, archive, document, download, job, tags, write};

/// Documents below and above what records keep, archives of one part, of several, and of several objects, and what was given up.
async fn finished(bench: &Bench) -> (KeptBag, Vec<(String, Vec<u8>)>) {
    let run = bench.open().await;
    let mut files = Vec::new();
    for (number, length) in [0, 1, 300, 1100, 7000, 30_000].into_iter().enumerate() {
        let name = format!("data/document-{number}");
        let content: Vec<u8> = (0..length)
            .map(|n: u32| n.to_be_bytes()[3] ^ n.to_be_bytes()[2])
            .collect();
        run.put(document(&name, &content), &content).await.unwrap();
        files.push((name, content));
    }
    let lengths = [10, 10_000, 16_384, 50_000, 100_000, 200_000];
    let mut open = Vec::new();
    for (seed, length) in (0..).zip(lengths) {
        let name = format!("data/archive-{seed}");
        open.push(run.sink.open_entry(download(&name)).await.unwrap());
        files.push((name, archive(seed, length)));
    }
    let mut given_up = run
        .sink
        .open_entry(download("data/given-up"))
        .await
        .unwrap();
    write(&mut given_up, &archive(9, 100_000)[..90_000])
        .await
        .unwrap();
    let archives = files.split_off(files.len() - lengths.len());
    for (writer, (_, content)) in open.iter_mut().zip(&archives).rev() {
        write(writer, content).await.unwrap();
    }
    given_up.discard().await.unwrap();
    for (writer, (name, content)) in open.into_iter().zip(&archives).rev() {
        let receipt = writer.close().await.unwrap();
        assert_eq!(receipt.path.as_str(), name);
        assert_eq!(receipt.sha256, Sha256::of(content));
        assert!(receipt.durable);
    }
    files.extend(archives);
    let finished = run.sink.finish(Box::new(tags())).await.unwrap();
    let kept = bench.keep(&run.lease).await;
    assert_eq!(finished.bytes, kept.bytes);
    (kept, files)
}

#[tokio::test]
async fn a_bag_in_pieces_is_read_by_other_tools_and_in_any_part() {
    for format in FORMATS {
        let bench = Bench::new(format).await;
        let (kept, files) = finished(&bench).await;
        let bag = bench.whole(&kept).await;
        assert_eq!(bag.len() as u64, kept.bytes);
        assert_eq!(Sha256::of(&bag), kept.sha256);
        let length = bag.len();
        for start in (0..length).step_by(7919).chain([length - 1, length]) {
            for long in [0, 1, 5000, 70_000] {
                let end = (start + long).min(length);
                let part = bench
                    .part(kept.bytes, start as u64..end as u64)
                    .await
                    .unwrap();
                assert!(part == bag[start..end], "{format:?} {start}..{end}");
            }
        }
        let mut found = bench.files(bag);
        assert_eq!(found.remove("bagit.txt").unwrap(), b"BagIt-Version: 1.0\n");
        assert_eq!(found.remove("export.json").unwrap(), b"{\"report\": 1}");
        assert_eq!(found.len(), files.len());
        for (name, content) in files {
            assert!(found[&name] == content, "{format:?} {name}");
        }
        assert!(bench.unnamed().await.is_empty());
    }
}

#[tokio::test]
async fn a_finished_bag_is_kept_once_and_says_what_it_holds() {
    let bench = Bench::new(FORMATS[0]).await;
    let run = bench.open().await;
    let file = &bench.settings.file;
    let missing = bench.store.keep(&run.lease, file).await;
    assert!(matches!(missing, Err(RunStoreError::Missing { .. })));
    run.put(document("data/a", b"a"), b"a").await.unwrap();
    run.sink.finish(Box::new(tags())).await.unwrap();
    drop(run.journal);
    // The worker dies here: the next one has only to keep it.
    let lease = bench.claim().await;
    let opened = bench.open_under(&lease).await.unwrap();
    assert!(matches!(opened, OpenedRun::Complete { .. }));
    assert!(!bench.store.is_kept(&lease, file).await.unwrap());
    let report = bench.store.report(&lease, file).await.unwrap();
    assert_eq!(report.unwrap().export_json, &b"{\"report\": 1}"[..]);
    let unkept = bench.part(1, 0..1).await;
    assert!(matches!(unkept, Err(BagStoreError::Missing { .. })));
    let kept = bench.keep(&lease).await;
    assert_eq!(bench.keep(&lease).await, kept);
    assert!(bench.store.is_kept(&lease, file).await.unwrap());
    let other = bench.part(kept.bytes + 1, 0..1).await;
    assert!(matches!(other, Err(BagStoreError::Changed { .. })));
    assert_eq!(bench.store.list().await.unwrap(), [job()]);
}

#[tokio::test]
async fn what_is_discarded_leaves_nothing() {
    let bench = Bench::new(FORMATS[0]).await;
    let run = bench.open().await;
    run.put(download("data/a"), &archive(1, 50_000))
        .await
        .unwrap();
    let again = run.put(download("data/a"), b"x").await;
    assert!(matches!(again, Err(SinkError::Duplicate { .. })));
    assert!(!bench.objects().await.is_empty());
    let swept = bench.store.discard(&RunWriter::Sweeper(job())).await;
    assert!(
        matches!(swept, Err(RunStoreError::Lost { .. })),
        "somebody runs it"
    );
    assert!(!bench.objects().await.is_empty());
    let writer = RunWriter::Holder(run.lease.clone());
    bench.store.discard(&writer).await.unwrap();
    assert!(bench.objects().await.is_empty());
    assert!(bench.store.list().await.unwrap().is_empty());
    assert!(bench.store.unfinished(&writer).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_run_of_another_order_is_not_resumed() {
    let mut bench = Bench::new(FORMATS[0]).await;
    drop(bench.open().await);
    bench.settings.fingerprint = Sha256::of(b"another");
    let lease = bench.claim().await;
    let refused = bench.open_under(&lease).await;
    assert!(matches!(refused, Err(RunStoreError::Unresumable { .. })));
}
