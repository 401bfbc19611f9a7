//! A job is run by one holder of a lease at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::jobs::{
    Claim, Ending, JobId, JobProgress, JobStateName, JobStore, JobStoreError, WaitingFor,
};
use domain::testing::ManualClock;
use futures_util::future::join_all;

use super::{HOUR, TERM, claim, claim_one, delivered, id, order, pause, state, user};

/// Sixteen claimers at once claim each job once.
pub async fn each_job_is_claimed_once(store: &dyn JobStore, _clock: &ManualClock) {
    for number in 1..=12 {
        order(store, number, &format!("owner{number}")).await;
    }
    let claims = join_all((0..16).map(|_| claim(store))).await;
    let claims: Vec<Claim> = claims.into_iter().flatten().collect();
    let ids: BTreeSet<&JobId> = claims.iter().map(|claim| &claim.job.id).collect();
    assert_eq!((claims.len(), ids.len()), (12, 12));
    assert!(claim(store).await.is_none());
}

/// Of one person at most one job runs, and the person who was served the longest ago is next.
pub async fn owners_take_turns(store: &dyn JobStore, clock: &ManualClock) {
    for number in 1..=10 {
        order(store, number, "john").await;
        clock.advance(Duration::from_secs(1));
    }
    order(store, 11, "mary").await;
    let first = claim_one(store).await;
    let second = claim_one(store).await;
    assert_eq!((first.job.id, second.job.owner), (id(1), user("mary")));
    assert!(claim(store).await.is_none(), "both have one running");
    let settled = store
        .settle(&first.lease, Ending::Cancelled, Vec::new())
        .await;
    settled.expect("it is held");
    let settled = store
        .settle(&second.lease, Ending::Cancelled, Vec::new())
        .await;
    settled.expect("it is held");
    clock.advance(Duration::from_secs(1));
    order(store, 12, "mary").await;
    order(store, 13, "anna").await;
    let turns = [
        claim_one(store).await,
        claim_one(store).await,
        claim_one(store).await,
    ];
    assert_eq!(turns.map(|turn| turn.job.id), [id(13), id(2), id(12)]);
}

/// A lease that ran out is claimed before everything else; it counts a death, and its late holder changes nothing.
pub async fn a_lease_that_ran_out_is_taken_over(store: &dyn JobStore, clock: &ManualClock) {
    order(store, 1, "john").await;
    let late = claim_one(store).await;
    assert_eq!(late.job.deaths, 0);
    order(store, 2, "mary").await;
    clock.advance(TERM / 2);
    let renewed = store.renew(std::slice::from_ref(&late.lease), TERM).await;
    assert_eq!(renewed.expect("a renewal").len(), 1);
    clock.advance(TERM * 3 / 4);
    let other = claim_one(store).await;
    assert_eq!(other.job.id, id(2), "john's is still held");
    clock.advance(TERM / 2);
    let successor = claim_one(store).await;
    assert_eq!((&successor.job.id, successor.job.deaths), (&id(1), 1));
    assert_ne!(successor.lease.token, late.lease.token);

    let before = store.find(&id(1)).await.expect("a job");
    let held = [late.lease.clone(), successor.lease.clone()];
    let renewed = store.renew(&held, TERM).await.expect("a renewal");
    assert_eq!(renewed.len(), 1);
    assert_eq!(renewed[0].lease, successor.lease);
    late_writes_are_refused(store, &late).await;
    assert_eq!(store.find(&id(1)).await.expect("a job"), before);
    let settled = store
        .settle(&successor.lease, delivered(), Vec::new())
        .await;
    settled.expect("it is held");
    late_writes_are_refused(store, &successor).await;
}

async fn late_writes_are_refused(store: &dyn JobStore, late: &Claim) {
    let settled = store.settle(&late.lease, delivered(), Vec::new()).await;
    assert!(matches!(settled, Err(JobStoreError::Lost { .. })));
    let waits = pause(WaitingFor::Platform, Some(HOUR));
    let paused = store.pause(&late.lease, waits, Vec::new()).await;
    assert!(matches!(paused, Err(JobStoreError::Lost { .. })));
    let given = store.give_back(&late.lease).await;
    assert!(matches!(given, Err(JobStoreError::Lost { .. })));
    let progress = JobProgress {
        stored_bytes: 1 << 40,
        ..JobProgress::default()
    };
    let recorded = store
        .record_progress(&[(late.lease.clone(), progress)])
        .await;
    recorded.expect("progress cannot fail a run");
    let known = store.progress(&late.job.id).await.expect("a job");
    assert!(known.is_none_or(|known| known.1.stored_bytes < 1 << 40));
}

/// Where a late end races the takeover, one of them wins and the other changes nothing.
pub async fn a_late_end_races_the_takeover(store: &dyn JobStore, clock: &ManualClock) {
    for number in 1..=20 {
        order(store, number, "john").await;
        let late = claim_one(store).await;
        clock.advance(TERM);
        let settle = store.settle(&late.lease, Ending::Cancelled, Vec::new());
        let (settled, successor) = if number % 2 == 0 {
            futures_util::future::join(settle, claim(store)).await
        } else {
            let (successor, settled) = futures_util::future::join(claim(store), settle).await;
            (settled, successor)
        };
        match (settled, successor) {
            (Ok(_), None) => {}
            (Err(JobStoreError::Lost { .. }), Some(successor)) => {
                assert_eq!(state(store, number).await, JobStateName::Running);
                let settled = store.settle(&successor.lease, Ending::Cancelled, Vec::new());
                settled.await.expect("it is held");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(state(store, number).await, JobStateName::Cancelled);
    }
}

/// What is given back is next for its owner at once, without a death; all leases are void with one each.
pub async fn what_is_given_back_is_no_death(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    let claim = claim_one(store).await;
    store.give_back(&claim.lease).await.expect("it is held");
    let again = claim_one(store).await;
    assert_eq!((again.job.deaths, again.job.began), (0, claim.job.began));
    assert_eq!(store.void_leases().await.expect("a count"), 1);
    assert_eq!(state(store, 1).await, JobStateName::Queued);
    late_writes_are_refused(store, &again).await;
    assert_eq!(claim_one(store).await.job.deaths, 1);
}

/// Progress is read back, newest last; a run that has more bytes than any before has its deaths forgotten.
pub async fn progress_is_recorded(store: &dyn JobStore, clock: &ManualClock) {
    order(store, 1, "john").await;
    let first = claim_one(store).await;
    assert_eq!(store.progress(&id(1)).await.expect("a job"), None);
    let progress = |bytes| JobProgress {
        stored_bytes: bytes,
        ..JobProgress::default()
    };
    let mut lease = first.lease;
    let mut serial = 0;
    for (bytes, deaths) in [(10, 0), (10, 1), (9, 2), (11, 0)] {
        let recorded = store
            .record_progress(&[(lease.clone(), progress(bytes))])
            .await;
        recorded.expect("progress cannot fail");
        let (number, known) = store
            .progress(&id(1))
            .await
            .expect("a job")
            .expect("progress");
        assert!(number > serial);
        serial = number;
        assert_eq!(known, progress(bytes));
        let stored = store.find(&id(1)).await.expect("a job");
        assert_eq!(stored.job.deaths, deaths, "{bytes} bytes");
        clock.advance(TERM);
        lease = claim_one(store).await.lease;
    }
    let unknown = store.progress(&id(2)).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

/// A worker without a free place takes over what others lost, and nothing else.
pub async fn only_a_lease_that_ran_out_is_taken_over_by_a_full_worker(
    store: &dyn JobStore,
    clock: &ManualClock,
) {
    let take_over = async || {
        let taken = store.take_over(&super::worker(), TERM).await;
        taken.expect("an answer")
    };
    order(store, 1, "john").await;
    assert!(take_over().await.is_none(), "it is only queued");
    let late = claim_one(store).await;
    assert!(take_over().await.is_none(), "it is held");
    order(store, 2, "mary").await;
    clock.advance(TERM);
    let successor = take_over().await.expect("its lease ran out");
    assert_eq!((&successor.job.id, successor.job.deaths), (&id(1), 1));
    late_writes_are_refused(store, &late).await;
    assert!(take_over().await.is_none());
    let settled = store
        .settle(&successor.lease, delivered(), Vec::new())
        .await;
    settled.expect("it is held");
}
