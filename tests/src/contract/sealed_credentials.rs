//! The promises of [`SealedCredentials`].

use bytes::Bytes;
use domain::jobs::SealedCredentials;

use super::job_store::id;

/// What was put last is got, until it is deleted; others' stay.
pub async fn what_was_put_is_got_until_it_is_deleted(store: &dyn SealedCredentials) {
    assert_eq!(store.get(&id(1)).await.expect("an answer"), None);
    for (job, sealed) in [(1, &b"one\0"[..]), (2, b"two"), (1, b"newer")] {
        store
            .put(&id(job), Bytes::copy_from_slice(sealed))
            .await
            .expect("it is kept");
        let got = store.get(&id(job)).await.expect("an answer");
        assert_eq!(got.as_deref(), Some(sealed));
    }
    assert_eq!(store.list().await.expect("ids"), [id(1), id(2)]);
    for _ in 0..2 {
        store.delete(&id(1)).await.expect("it is deleted");
    }
    assert_eq!(store.get(&id(1)).await.expect("an answer"), None);
    assert_eq!(store.list().await.expect("ids"), [id(2)]);
}
