//! The promises of [`BagStore`]. Each function takes an empty store.
//!
//! This file knows nothing but the domain: the crate whose store is private to it takes it in as a module of its tests.

use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use domain::jobs::{BagStore, BagStoreError, JobId};
use domain::model::{SafeName, Sha256};
use domain::ports::FinishedBag;
use futures_util::TryStreamExt as _;

fn id(number: u32) -> JobId {
    JobId::parse(&format!("00000000-0000-7000-8000-{number:012x}")).expect("an id")
}

/// Runs a job's writing as far as the finished bag.
async fn finish_bag(store: &dyn BagStore, content: &[u8]) -> Sha256 {
    let workplace = store.workplace(&id(1)).await.expect("it works");
    let path = workplace.join("uforge-john.zip");
    std::fs::write(&path, content).expect("it works");
    let bag = FinishedBag {
        path: Some(path),
        bytes: content.len() as u64,
    };
    store.keep(&id(1), &bag).await.expect("it works")
}

fn name() -> SafeName {
    SafeName::parse("uforge-john.zip").expect("it works")
}

async fn read(store: &dyn BagStore, part: std::ops::Range<u64>) -> Result<Vec<u8>, BagStoreError> {
    let body = store.open(&id(1), &name(), 10, part).await?;
    let chunks: Vec<Bytes> = body.try_collect().await?;
    Ok(chunks.concat())
}

/// A kept bag is read back in any part.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_kept_bag_is_read_back_in_any_part(store: &dyn BagStore) {
    let sum = finish_bag(store, b"0123456789").await;
    assert_eq!(sum, Sha256::of(b"0123456789"));
    assert_eq!(read(store, 0..10).await.expect("it works"), b"0123456789");
    assert_eq!(read(store, 3..5).await.expect("it works"), b"34");
    assert_eq!(read(store, 9..10).await.expect("it works"), b"9");
}

/// A bag that has changed its size is refused.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_bag_of_another_size_is_not_given_away(store: &dyn BagStore) {
    finish_bag(store, b"012345678").await;
    let changed = read(store, 0..9).await;
    assert!(matches!(changed, Err(BagStoreError::Changed { .. })));
}

/// A deleted bag cannot be opened; one that is open is read to its end.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(store: &dyn BagStore) {
    finish_bag(store, b"0123456789").await;
    let open = store
        .open(&id(1), &name(), 10, 0..10)
        .await
        .expect("it works");
    store.delete(&id(1)).await.expect("it works");
    store.delete(&id(1)).await.expect("it works");
    let chunks: Vec<Bytes> = open.try_collect().await.expect("it works");
    assert_eq!(chunks.concat(), b"0123456789");
    let gone = read(store, 0..10).await;
    assert!(matches!(gone, Err(BagStoreError::Missing { .. })));
    assert!(store.kept().await.expect("it works").is_empty());
}

/// A workplace is empty, and only its owner may look into it.
///
/// # Panics
///
/// Where it is not so.
pub async fn a_workplace_is_empty_and_for_its_owner_s_eyes_only(store: &dyn BagStore) {
    let workplace = store.workplace(&id(1)).await.expect("it works");
    std::fs::write(workplace.join("of an earlier run"), b"x").expect("it works");
    let workplace = store.workplace(&id(1)).await.expect("it works");
    assert_eq!(std::fs::read_dir(&workplace).expect("it works").count(), 0);
    let mode = std::fs::metadata(&workplace)
        .expect("it works")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(store.kept().await.expect("it works"), [id(1)]);
}
