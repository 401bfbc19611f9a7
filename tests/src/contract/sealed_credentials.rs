//! The promises of [`SealedCredentials`].

use bytes::Bytes;
use domain::jobs::{CampaignStore, Ending, SealedCredentials};

use super::campaign_store::{Store, ordered};
use super::job_store::{claim, id, user};

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

/// Where they are kept with the jobs: those of a campaign's administrator go with its last job, whether that had begun or not.
pub async fn an_administrator_s_go_with_the_last_job(
    sealed: &dyn SealedCredentials,
    store: &dyn Store,
) {
    let root = user("root");
    for (number, begun) in [(1, false), (2, true)] {
        let campaign = ordered(store, number, 2).await.id;
        let administrators = campaign.key().clone();
        let put = sealed.put(&administrators, Bytes::from_static(b"sealed"));
        put.await.expect("it is kept");
        let claimed = if begun { claim(store).await } else { None };
        assert_eq!(claimed.is_some(), begun);
        let given_up = CampaignStore::cancel(store, &campaign, &root).await;
        given_up.expect("given up");
        if let Some(claimed) = claimed {
            let kept = sealed.list().await.expect("ids");
            assert_eq!(kept, [administrators], "a run is still to be given up");
            let ended = store.settle(&claimed.lease, Ending::Cancelled, Vec::new());
            ended.await.expect("it ends");
        }
        assert_eq!(sealed.list().await.expect("ids"), []);
    }
}
