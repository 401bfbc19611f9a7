//! Sealed credentials in SQLite: what was deleted is in no file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    ClaimLimits, Ending, Job, JobId, JobRequest, JobStore as _, SealedCredentials as _, Shares,
    WorkerId,
};
use domain::model::UserId;
use domain::testing::ManualClock;
use jiff::Timestamp;

use super::{Database, SqliteCredentials, SqliteJobStore};

const SEALED: &[u8] = b"sealed so that nobody reads it";

fn is_in_a_file(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    let mut contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    contents.any(|content| content.windows(SEALED.len()).any(|part| part == SEALED))
}

#[tokio::test]
async fn what_was_deleted_is_in_no_file_whoever_deleted_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let clock = Arc::new(ManualClock::default());
    let database = Database::open(&path, clock).await.unwrap();
    let (store, jobs) = (
        SqliteCredentials::new(&database),
        SqliteJobStore::new(&database),
    );
    let id = JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap();
    let john = UserId::parse("john").unwrap();
    let request = JobRequest::everything_of(john.clone());
    let job = Job::new(id.clone(), john, request, Timestamp::UNIX_EPOCH);
    let shares = Shares {
        unfinished: 1,
        unfinished_in_all: 1,
        orders_a_day: 1,
        archives: 1,
    };
    jobs.admit(job, &shares).await.unwrap();

    store.put(&id, Bytes::from_static(SEALED)).await.unwrap();
    assert!(is_in_a_file(folder.path()));
    store.delete(&id).await.unwrap();
    assert!(!is_in_a_file(folder.path()));

    store.put(&id, Bytes::from_static(SEALED)).await.unwrap();
    let (worker, term) = (WorkerId::of("worker"), Duration::from_mins(1));
    let limits = ClaimLimits {
        archives: 3,
        campaigns: true,
    };
    let claim = jobs.claim(&worker, term, limits).await.unwrap().unwrap();
    let ended = jobs.settle(&claim.lease, Ending::Cancelled, Vec::new());
    ended.await.unwrap();
    assert_eq!(store.get(&id).await.unwrap(), None);
    assert!(!is_in_a_file(folder.path()));
}
