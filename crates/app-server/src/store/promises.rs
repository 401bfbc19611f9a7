//! What every job store and every bag store must hold, as functions over the ports. Each takes an empty store.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    BagRecord, BagStore, BagStoreError, Delivery, DownloadRecord, Job, JobId, JobPage, JobRequest,
    JobStore, JobStoreError,
};
use domain::model::{BagFormat, SafeName, Sha256, UserId};
use domain::ports::FinishedBag;
use domain::report::Completeness;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;

pub(crate) fn id(number: u32) -> JobId {
    JobId::parse(&format!("00000000-0000-7000-8000-{number:012x}")).unwrap()
}

pub(crate) fn user(login: &str) -> UserId {
    UserId::parse(login).unwrap()
}

/// A job requested `number` seconds after the beginning of time.
pub(crate) fn job(number: u32, owner: &str) -> Job {
    Job::new(
        id(number),
        user(owner),
        JobRequest::everything_of(user(owner)),
        second(i64::from(number)),
    )
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn delivery() -> Delivery {
    Delivery {
        ready: second(1_000),
        bag: BagRecord {
            name: SafeName::parse("uforge-john.zip").unwrap(),
            format: BagFormat::Zip,
            bytes: 3,
            sha256: Sha256::of(b"bag"),
        },
        completeness: Completeness::Complete,
        report: Bytes::from_static(b"{}"),
    }
}

fn page(after: Option<u32>, limit: usize) -> JobPage {
    JobPage {
        after: after.map(id),
        limit,
    }
}

pub(crate) async fn new_jobs_are_found_by_their_owner_alone(store: &dyn JobStore) {
    let created = store.create(job(1, "john")).await.unwrap();
    assert_eq!(store.get(&user("john"), &id(1)).await.unwrap(), created);
    for (owner, wanted) in [("mary", 1), ("john", 2)] {
        let missing = store.get(&user(owner), &id(wanted)).await;
        assert!(matches!(missing, Err(JobStoreError::Unknown { .. })));
    }
    let again = store.create(job(1, "mary")).await;
    assert!(matches!(again, Err(JobStoreError::Exists { .. })));
}

pub(crate) async fn a_list_is_newest_first_and_comes_in_pages(store: &dyn JobStore) {
    for number in [2, 1, 3] {
        store.create(job(number, "john")).await.unwrap();
    }
    store.create(job(4, "mary")).await.unwrap();
    let john = user("john");
    let ids = |jobs: Vec<domain::jobs::StoredJob>| -> Vec<JobId> {
        jobs.into_iter().map(|stored| stored.job.id).collect()
    };
    let first = store.list(&john, page(None, 2)).await.unwrap();
    assert_eq!(ids(first), [id(3), id(2)]);
    let rest = store.list(&john, page(Some(2), 2)).await.unwrap();
    assert_eq!(ids(rest), [id(1)]);
    let foreign = store.list(&john, page(Some(4), 2)).await;
    assert!(matches!(foreign, Err(JobStoreError::Unknown { .. })));
}

pub(crate) async fn a_late_writer_changes_nothing(store: &dyn JobStore) {
    let seen = store.create(job(1, "john")).await.unwrap();
    let mut running = seen.job.clone();
    running.begin(second(2)).unwrap();
    let now = store.update(seen.version, running).await.unwrap();
    assert!(now.version > seen.version);

    let mut late = seen.job;
    late.cancel(second(3)).unwrap();
    let refused = store.update(seen.version, late).await;
    assert!(matches!(refused, Err(JobStoreError::Conflict { .. })));
    assert_eq!(store.get(&user("john"), &id(1)).await.unwrap(), now);
}

pub(crate) async fn downloads_are_never_lost_to_an_update(store: &dyn JobStore) {
    let seen = store.create(job(1, "john")).await.unwrap();
    let download = DownloadRecord {
        at: second(5),
        by: user("john"),
        from: "192.0.2.1".to_owned(),
        offset: 0,
        bytes: 3,
        complete: true,
    };
    store
        .record_download(&id(1), download.clone())
        .await
        .unwrap();
    let mut running = seen.job;
    running.begin(second(2)).unwrap();
    let updated = store.update(seen.version, running).await.unwrap();
    assert_eq!(updated.job.downloads, std::slice::from_ref(&download));
    assert_eq!(updated.job.downloads_total, 1);
    let unknown = store.record_download(&id(2), download).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

pub(crate) async fn what_is_unfinished_and_what_is_overdue_is_found(store: &dyn JobStore) {
    store.create(job(2, "mary")).await.unwrap();
    let seen = store.create(job(1, "john")).await.unwrap();
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), 2);
    assert_eq!(unfinished[0].job.id, id(1));

    let mut ready = seen.job;
    ready.begin(second(2)).unwrap();
    ready.deliver(delivery(), Duration::from_secs(10)).unwrap();
    store.update(seen.version, ready).await.unwrap();
    assert_eq!(store.unfinished().await.unwrap().len(), 1);
    assert!(store.overdue(second(1_009)).await.unwrap().is_empty());
    let overdue = store.overdue(second(1_010)).await.unwrap();
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].job.id, id(1));
}

/// Runs a job's writing as far as the finished bag.
async fn finish_bag(store: &dyn BagStore, content: &[u8]) -> Sha256 {
    let workplace = store.workplace(&id(1)).await.unwrap();
    let path = workplace.join("uforge-john.zip");
    std::fs::write(&path, content).unwrap();
    let bag = FinishedBag {
        path: Some(path),
        bytes: content.len() as u64,
        sha256: None,
    };
    store.keep(&id(1), &bag).await.unwrap()
}

fn name() -> SafeName {
    SafeName::parse("uforge-john.zip").unwrap()
}

async fn read(store: &dyn BagStore, part: std::ops::Range<u64>) -> Result<Vec<u8>, BagStoreError> {
    let body = store.open(&id(1), &name(), 10, part).await?;
    let chunks: Vec<Bytes> = body.try_collect().await?;
    Ok(chunks.concat())
}

pub(crate) async fn a_kept_bag_is_read_back_in_any_part(store: &dyn BagStore) {
    let sum = finish_bag(store, b"0123456789").await;
    assert_eq!(sum, Sha256::of(b"0123456789"));
    assert_eq!(read(store, 0..10).await.unwrap(), b"0123456789");
    assert_eq!(read(store, 3..5).await.unwrap(), b"34");
    assert_eq!(read(store, 9..10).await.unwrap(), b"9");
}

pub(crate) async fn a_bag_of_another_size_is_not_given_away(store: &dyn BagStore) {
    finish_bag(store, b"012345678").await;
    let changed = read(store, 0..9).await;
    assert!(matches!(changed, Err(BagStoreError::Changed { .. })));
}

pub(crate) async fn a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(store: &dyn BagStore) {
    finish_bag(store, b"0123456789").await;
    let open = store.open(&id(1), &name(), 10, 0..10).await.unwrap();
    store.delete(&id(1)).await.unwrap();
    store.delete(&id(1)).await.unwrap();
    let chunks: Vec<Bytes> = open.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"0123456789");
    let gone = read(store, 0..10).await;
    assert!(matches!(gone, Err(BagStoreError::Missing { .. })));
    assert!(store.kept().await.unwrap().is_empty());
}

pub(crate) async fn a_workplace_is_empty_and_for_its_owner_s_eyes_only(store: &dyn BagStore) {
    let workplace = store.workplace(&id(1)).await.unwrap();
    std::fs::write(workplace.join("file"), b"x").unwrap();
    let workplace = store.workplace(&id(1)).await.unwrap();
    assert_eq!(std::fs::read_dir(&workplace).unwrap().count(), 0);
    let mode = std::fs::metadata(&workplace).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(store.kept().await.unwrap(), [id(1)]);
}
