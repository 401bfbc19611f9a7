//! Bags in pieces on an object store that speaks S3, over a socket: every promise, processes that are killed, and other people's readers.
//!
//! They need moto, which `cargo xtask test` brings into a folder of its own and names in `UFORGE_EXPORT_TEST_S3`, and `unzip`. Without
//! that variable every test here is ignored, and counted as such; with it a missing tool is a failure.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod kills;
mod readers;
mod records;
mod worker;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapters_store::{S3Store, S3StoreError};
use domain::jobs::RunRecords;
use domain::model::BagFormat;
use domain::testing::{ManualClock, MemoryJobStore, MemoryRunRecords};
use libtest_mimic::{Arguments, Trial};
use tests::contract::ropes::{self, NewStore};
use tests::kit::S3;
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    if let Some(folder) = std::env::var_os(worker::FOLDER) {
        return worker::work(Path::new(&folder));
    }
    let arguments = Arguments::from_args();
    let has_tools = S3::program().is_some() || std::env::var_os(S3::TOOLS).is_some();
    if !has_tools && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe tests with an object store are NOT run: they need moto. `cargo xtask test` brings it and runs all tests.\n",
        );
    }
    let has_keys = std::env::var("AWS_ACCESS_KEY_ID").is_ok_and(|key| key == S3::KEYS[0].1);
    if has_tools && !has_keys {
        return with_keys();
    }
    let server = has_tools.then(|| Arc::new(S3::start()));
    let ended = libtest_mimic::run(&arguments, trials(server.as_ref()));
    drop(server);
    ended.exit_code()
}

/// Runs this program again, with keys in its environment.
fn with_keys() -> ExitCode {
    let own = std::env::current_exe().expect("this program");
    let mut again = Command::new(own);
    let ended = again
        .args(std::env::args_os().skip(1))
        .envs(S3::KEYS)
        .status();
    let status = ended.expect("a process").code();
    ExitCode::from(status.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn trials(server: Option<&Arc<S3>>) -> Vec<Trial> {
    let trial = |name: &str, check: fn(&S3)| {
        let server = server.map(Arc::clone);
        Trial::test(name, move || {
            check(&server.expect("it is ignored without a server"));
            Ok(())
        })
    };
    let trials = vec![
        trial("the_sink_of_a_bag_in_pieces_keeps_its_promises", |server| {
            runtime().block_on(ropes::the_sink_keeps_its_promises(&below(server)));
        }),
        trial("the_journal_in_records_keeps_its_promises", |server| {
            runtime().block_on(ropes::the_journal_keeps_its_promises(&below(server)));
        }),
        trial("runs_and_bags_in_pieces_keep_their_promises", |server| {
            runtime().block_on(ropes::the_stores_keep_their_promises(&below(server)));
        }),
        trial("a_bucket_that_is_not_there_is_said_to_be", |server| {
            runtime().block_on(no_bucket(server));
        }),
        trial(
            "killed_processes_make_the_same_zip_as_one_that_is_not",
            |server| {
                kills::check(server, BagFormat::Zip);
            },
        ),
        trial(
            "killed_processes_make_the_same_tar_as_one_that_is_not",
            |server| {
                kills::check(server, BagFormat::Tar);
            },
        ),
        trial(
            "killed_processes_make_the_same_tar_gz_as_one_that_is_not",
            |server| {
                kills::check(server, BagFormat::TarGz);
            },
        ),
        trial("long_archives_take_little_memory", kills::check_memory),
    ];
    let trials = trials.into_iter();
    let trials = trials.map(|trial| trial.with_ignored_flag(server.is_none()));
    trials.collect()
}

fn runtime() -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all();
    runtime.build().expect("a runtime")
}

/// Stores below prefixes that nobody has used.
fn below(server: &S3) -> impl Fn(Arc<dyn RunRecords>) -> S3Store + Sync {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let url = server.url.clone();
    let new = move |records| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = format!("s3://{}/promises/{number}", S3::BUCKET);
        S3Store::open(&place, Some(&url), records).expect("a store")
    };
    let _: NewStore<'_> = &new;
    new
}

/// A mistyped bucket is found before anything is done.
async fn no_bucket(server: &S3) {
    let clock = Arc::new(ManualClock::default());
    let records = MemoryRunRecords::new(Arc::new(MemoryJobStore::new(clock)));
    let records = Arc::new(records);
    let open = |url: &str| S3Store::open(url, Some(&server.url), records.clone());
    let there = open(&format!("s3://{}/any", S3::BUCKET)).expect("a store");
    there.check().await.expect("it is there");
    let missing = open("s3://no-such-bucket").expect("a store").check().await;
    assert!(
        matches!(missing, Err(S3StoreError::NoBucket(_))),
        "{missing:?}"
    );
}
