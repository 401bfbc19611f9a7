//! What writing costs: the checksum of a zip, and the journal, each of whose records is flushed. `cargo xtask bench micro` runs it.

#![expect(clippy::expect_used, reason = "benchmarks run on data of their own")]

use adapters_archive::{OpenedRun, Replace, RunSettings, Target, UnfinishedPolicy, open_run};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use domain::model::{BagFormat, ItemKind, ItemRef, ObjectId, SafeName, Sha256, UserId};
use domain::ports::Fact;

const PIECE_BYTES: usize = 256 * 1024;

fn main() {
    divan::main();
}

#[divan::bench]
fn crc_32(bencher: Bencher<'_, '_>) {
    let bytes = vec![0x5a; PIECE_BYTES];
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| crc32fast::hash(black_box(&bytes)));
}

/// Into the system's folder for temporary files; where that is in memory, a flush costs nothing.
#[divan::bench]
fn journal_commit(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = open_run(RunSettings {
        whole_sum: adapters_archive::WholeSum::None,
        target: Target::File {
            path: folder.path().join("bag.zip"),
            replace: Replace::Refuse,
        },
        format: BagFormat::Zip,
        top: SafeName::parse("bag").expect("a name"),
        fingerprint: Sha256::of(b"order"),
        user: UserId::parse("john").expect("a user"),
        source: "https://uforge.example.com/api".to_owned(),
        encryption: None,
        unfinished: UnfinishedPolicy::Resume,
    });
    let Ok(OpenedRun::Ready(run)) = opened else {
        panic!("a new run can begin");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let item = ItemRef {
        kind: ItemKind::Appliance,
        id: ObjectId::try_from(201).expect("an id"),
    };
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let recorded = run.journal.record(Fact::Intent { item, at: None });
        runtime.block_on(recorded).expect("there is space");
    });
}
