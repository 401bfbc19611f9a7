//! The promises of [`BagStore`].

use std::ops::Range;

use bytes::Bytes;
use domain::jobs::{BagStore, BagStoreError, KeptBag};
use domain::model::{SafeName, Sha256};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::job_store::id;

const CONTENT: &[u8] = b"0123456789";

fn name() -> SafeName {
    SafeName::parse("uforge-john.zip").expect("a name")
}

fn kept() -> KeptBag {
    KeptBag {
        bytes: 10,
        sha256: Sha256::of(CONTENT),
    }
}

/// A bag that comes as a stream.
async fn put(store: &dyn BagStore) -> KeptBag {
    let pieces = CONTENT.chunks(3).map(|piece| Ok(Bytes::from_static(piece)));
    let body = stream::iter(pieces.collect::<Vec<_>>()).boxed();
    store.put(&id(1), &name(), body).await.expect("it is kept")
}

async fn read(store: &dyn BagStore, size: u64, part: Range<u64>) -> Result<Vec<u8>, BagStoreError> {
    let body = store.open(&id(1), &name(), size, part).await?;
    let chunks: Vec<Bytes> = body.try_collect().await?;
    Ok(chunks.concat())
}

/// A bag is read back in any part.
pub async fn a_kept_bag_is_read_back_in_any_part(store: &dyn BagStore) {
    assert_eq!(put(store).await, kept());
    for (part, expected) in [(0..10, CONTENT), (3..5, b"34"), (9..10, b"9"), (4..4, b"")] {
        assert_eq!(read(store, 10, part).await.expect("a part"), expected);
    }
    assert_eq!(store.used_bytes().await.expect("a sum"), 10);
    for (number, bytes) in [(1, 10), (2, 0)] {
        let used = store.used_bytes_of(&id(number)).await;
        assert_eq!(used.expect("a sum"), bytes);
    }
    store.answers().await.expect("an answer");
    assert_eq!(store.list().await.expect("ids"), [id(1)]);
    assert!(
        store
            .free_space()
            .await
            .expect("an answer")
            .is_none_or(|free| free > 0)
    );
}

/// A bag of another size is not given to anybody.
pub async fn a_bag_of_another_size_is_not_given_away(store: &dyn BagStore) {
    put(store).await;
    let changed = read(store, 9, 0..9).await;
    assert!(matches!(
        changed,
        Err(BagStoreError::Changed {
            found: 10,
            expected: 9,
            ..
        })
    ));
}

/// A stream that ends with an error keeps nothing.
pub async fn a_stream_that_breaks_keeps_nothing(store: &dyn BagStore) {
    let pieces = [
        Ok(Bytes::from_static(b"0123")),
        Err(BagStoreError::NoSpace { id: id(1) }),
    ];
    let put = store
        .put(&id(1), &name(), stream::iter(pieces).boxed())
        .await;
    assert!(matches!(put, Err(BagStoreError::NoSpace { .. })));
    let missing = read(store, 10, 0..4).await;
    assert!(matches!(missing, Err(BagStoreError::Missing { .. })));
    assert_eq!(store.used_bytes().await.expect("a sum"), 0);
}

/// What becomes of a bag that is open when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDeleted {
    /// It is read to its end.
    ReadToItsEnd,
    /// It may end with an error.
    MayEndWithAnError,
}

/// What is deleted is gone; what is open can be read to its end, or ends with an error.
pub async fn a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(
    store: &dyn BagStore,
    when_deleted: WhenDeleted,
) {
    put(store).await;
    let open = store
        .open(&id(1), &name(), 10, 0..10)
        .await
        .expect("it is there");
    for _ in 0..2 {
        store.delete(&id(1)).await.expect("it is deleted");
    }
    match open.try_collect::<Vec<Bytes>>().await {
        Ok(chunks) => assert_eq!(chunks.concat(), CONTENT),
        Err(error) => assert_eq!(when_deleted, WhenDeleted::MayEndWithAnError, "{error}"),
    }
    let missing = read(store, 10, 0..10).await;
    assert!(matches!(missing, Err(BagStoreError::Missing { .. })));
    assert!(store.list().await.expect("ids").is_empty());
}
