//! Jobs that wait, and what wakes them.

use domain::jobs::{Ending, JobState, JobStore, JobStoreError, WaitingFor, Whose, Wish};
use domain::testing::ManualClock;

use super::{DAY, HOUR, TERM, claim, claim_one, failed, id, order, pause, user};

/// A waiting job is claimed when its time has come, not before and not after it was given up.
pub async fn a_waiting_job_waits_for_its_time(store: &dyn JobStore, clock: &ManualClock) {
    order(store, 1, "john").await;
    for _ in 0..2 {
        let held = claim_one(store).await;
        let waits = pause(WaitingFor::Platform, Some(HOUR));
        store
            .pause(&held.lease, waits, Vec::new())
            .await
            .expect("it is held");
        assert!(claim(store).await.is_none());
        clock.advance(HOUR);
    }
    let held = claim_one(store).await;
    let waits = pause(WaitingFor::Platform, Some(HOUR * 22));
    let paused = store
        .pause(&held.lease, waits, Vec::new())
        .await
        .expect("it is held");
    let JobState::Waiting { give_up, .. } = paused.job.state else {
        panic!("it waits");
    };
    let began = paused.job.paused_since.expect("a pause");
    assert_eq!(
        began.checked_add(DAY).ok(),
        Some(give_up),
        "a day from its first pause"
    );
    assert!(store.given_up().await.expect("jobs").is_empty());
    clock.advance(HOUR * 22);
    assert!(claim(store).await.is_none());
    let given_up = store.given_up().await.expect("jobs");
    assert_eq!(given_up.len(), 1);

    order(store, 2, "mary").await;
    let held = claim_one(store).await;
    let settled = store
        .settle(&held.lease, failed(Some(HOUR)), Vec::new())
        .await;
    settled.expect("it is held");
    assert_eq!(store.given_up().await.expect("jobs").len(), 1);
    clock.advance(HOUR);
    assert_eq!(store.given_up().await.expect("jobs").len(), 2);
}

/// Who signs in has their own jobs queued that wait for that, and no others.
pub async fn a_sign_in_wakes_the_owner_s_jobs(store: &dyn JobStore, _clock: &ManualClock) {
    for (number, owner, waiting_for) in [
        (1, "john", WaitingFor::SignIn),
        (2, "john", WaitingFor::Platform),
        (3, "mary", WaitingFor::SignIn),
    ] {
        order(store, number, owner).await;
        let held = claim_one(store).await;
        let waits = pause(waiting_for, None);
        store
            .pause(&held.lease, waits, Vec::new())
            .await
            .expect("it is held");
    }
    assert!(claim(store).await.is_none());
    assert_eq!(
        store
            .signed_in(&Whose::Of(user("john")))
            .await
            .expect("a count"),
        1
    );
    assert_eq!(claim_one(store).await.job.id, id(1));
    assert!(claim(store).await.is_none());
    // The service can sign in for all.
    let woken = store.signed_in(&Whose::Everybodys).await;
    assert_eq!(woken.expect("a count"), 1);
    assert_eq!(claim_one(store).await.job.id, id(3));
}

/// A wish reaches the holder; one for a job that nobody runs reaches whoever claims it.
pub async fn a_wish_reaches_the_holder(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    let held = claim_one(store).await;
    assert_eq!(held.wish, None);
    let foreign = store
        .wish(&user("mary"), &id(1), Wish::Cancel, &user("mary"))
        .await;
    assert!(matches!(foreign, Err(JobStoreError::Unknown { .. })));
    store
        .wish(&user("john"), &id(1), Wish::Cancel, &user("john"))
        .await
        .expect("it is john's");
    let renewed = store.renew(std::slice::from_ref(&held.lease), TERM).await;
    assert_eq!(renewed.expect("a renewal")[0].wish, Some(Wish::Cancel));
    let waits = pause(WaitingFor::SignIn, None);
    let paused = store
        .pause(&held.lease, waits, Vec::new())
        .await
        .expect("it is held");
    assert_eq!(paused.job.state, JobState::Queued, "the wish does not wait");
    let held = claim_one(store).await;
    assert_eq!(held.wish, Some(Wish::Cancel));
    let settled = store
        .settle(&held.lease, Ending::Cancelled, Vec::new())
        .await;
    settled.expect("it is held");
    let over = store
        .wish(&user("john"), &id(1), Wish::Cancel, &user("john"))
        .await;
    assert!(matches!(over, Err(JobStoreError::Conflict { .. })));

    order(store, 2, "john").await;
    let held = claim_one(store).await;
    let waits = pause(WaitingFor::SignIn, None);
    store
        .pause(&held.lease, waits, Vec::new())
        .await
        .expect("it is held");
    store
        .wish(&user("john"), &id(2), Wish::Cancel, &user("john"))
        .await
        .expect("it is john's");
    assert_eq!(claim_one(store).await.wish, Some(Wish::Cancel));
}
