//! The promises of [`JobStore`]. Each function takes an empty store.
//!
//! This file knows nothing but the domain: the crate whose store is private to it takes it in as a module of its tests.

use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    BagRecord, Delivery, DownloadRecord, Job, JobId, JobPage, JobRequest, JobStore, JobStoreError,
};
use domain::model::{BagFormat, SafeName, Sha256, UserId};
use domain::report::Completeness;
use jiff::Timestamp;

/// The job of this number.
///
/// # Panics
///
/// Where it is not so.
pub fn id(number: u32) -> JobId {
    JobId::parse(&format!("00000000-0000-7000-8000-{number:012x}")).expect("it works")
}

/// The user of this login.
///
/// # Panics
///
/// Where it is not so.
pub fn user(login: &str) -> UserId {
    UserId::parse(login).expect("it works")
}

/// A job requested `number` seconds after the beginning of time.
///
/// # Panics
///
/// Never.
pub fn job(number: u32, owner: &str) -> Job {
    Job::new(
        id(number),
        user(owner),
        JobRequest::everything_of(user(owner)),
        second(i64::from(number)),
    )
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("it works")
}

fn delivery() -> Delivery {
    Delivery {
        ready: second(1_000),
        bag: BagRecord {
            name: SafeName::parse("uforge-john.zip").expect("it works"),
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

/// A new job is found by its owner alone, and its id is taken.
///
/// # Panics
///
/// Where it is not so.
pub async fn new_jobs_are_found_by_their_owner_alone(store: &dyn JobStore) {
    let created = store.create(job(1, "john")).await.expect("it works");
    assert_eq!(
        store.get(&user("john"), &id(1)).await.expect("it works"),
        created
    );
    for (owner, wanted) in [("mary", 1), ("john", 2)] {
        let missing = store.get(&user(owner), &id(wanted)).await;
        assert!(matches!(missing, Err(JobStoreError::Unknown { .. })));
    }
    let again = store.create(job(1, "mary")).await;
    assert!(matches!(again, Err(JobStoreError::Exists { .. })));
}

/// A list is newest first and comes in pages.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_list_is_newest_first_and_comes_in_pages(store: &dyn JobStore) {
    for number in [2, 1, 3] {
        store.create(job(number, "john")).await.expect("it works");
    }
    store.create(job(4, "mary")).await.expect("it works");
    let john = user("john");
    let ids = |jobs: Vec<domain::jobs::StoredJob>| -> Vec<JobId> {
        jobs.into_iter().map(|stored| stored.job.id).collect()
    };
    let first = store.list(&john, page(None, 2)).await.expect("it works");
    assert_eq!(ids(first), [id(3), id(2)]);
    let rest = store.list(&john, page(Some(2), 2)).await.expect("it works");
    assert_eq!(ids(rest), [id(1)]);
    let foreign = store.list(&john, page(Some(4), 2)).await;
    assert!(matches!(foreign, Err(JobStoreError::Unknown { .. })));
}

/// Of two writers that have seen the same version, the later changes nothing.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_late_writer_changes_nothing(store: &dyn JobStore) {
    let seen = store.create(job(1, "john")).await.expect("it works");
    let mut running = seen.job.clone();
    running.begin(second(2)).expect("it works");
    let now = store.update(seen.version, running).await.expect("it works");
    assert!(now.version > seen.version);

    let mut late = seen.job;
    late.cancel(second(3)).expect("it works");
    let refused = store.update(seen.version, late).await;
    assert!(matches!(refused, Err(JobStoreError::Conflict { .. })));
    assert_eq!(
        store.get(&user("john"), &id(1)).await.expect("it works"),
        now
    );
}

/// Downloads are recorded whatever else changes.
///
/// # Panics
///
/// Where it is not so.
pub async fn downloads_are_never_lost_to_an_update(store: &dyn JobStore) {
    let seen = store.create(job(1, "john")).await.expect("it works");
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
        .expect("it works");
    let mut running = seen.job;
    running.begin(second(2)).expect("it works");
    let updated = store.update(seen.version, running).await.expect("it works");
    assert_eq!(updated.job.downloads, std::slice::from_ref(&download));
    assert_eq!(updated.job.downloads_total, 1);
    let unknown = store.record_download(&id(2), download).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

/// Unfinished jobs and overdue bags are found.
///
/// # Panics
///
/// Where it is not so.
pub async fn what_is_unfinished_and_what_is_overdue_is_found(store: &dyn JobStore) {
    store.create(job(2, "mary")).await.expect("it works");
    let seen = store.create(job(1, "john")).await.expect("it works");
    let unfinished = store.unfinished().await.expect("it works");
    assert_eq!(unfinished.len(), 2);
    assert_eq!(unfinished[0].job.id, id(1));

    let mut ready = seen.job;
    ready.begin(second(2)).expect("it works");
    ready
        .deliver(delivery(), Duration::from_secs(10))
        .expect("it works");
    store.update(seen.version, ready).await.expect("it works");
    assert_eq!(store.unfinished().await.expect("it works").len(), 1);
    assert!(
        store
            .overdue(second(1_009))
            .await
            .expect("it works")
            .is_empty()
    );
    let overdue = store.overdue(second(1_010)).await.expect("it works");
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].job.id, id(1));
}
