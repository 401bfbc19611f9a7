//! No person takes more than their share.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::jobs::{
    Admitted, ClaimLimits, Ending, Job, JobId, JobRequest, JobStore, JobStoreError, Shares, Wish,
};
use domain::testing::ManualClock;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::{ANY, HOUR, PLENTY, TERM, claim_one, delivered, id, job, order, user, worker};

/// The same order of the same person while it is under way is one job, also where both come at once.
pub async fn the_same_order_twice_is_one_job(store: &dyn JobStore, _clock: &ManualClock) {
    let request = JobRequest::everything_of(user("john"));
    let orders = (1..=16).map(|number| {
        let job = Job::new(
            id(number),
            user("john"),
            request.clone(),
            Timestamp::UNIX_EPOCH,
        );
        store.admit(job, &PLENTY)
    });
    let admitted = join_all(orders).await;
    let new = admitted
        .iter()
        .filter(|one| matches!(one, Ok(Admitted::New(_))));
    assert_eq!(new.count(), 1);
    let ids: BTreeSet<JobId> = admitted
        .into_iter()
        .map(|one| match one {
            Ok(Admitted::New(stored) | Admitted::Same(stored)) => stored.job.id,
            Err(error) => panic!("{error}"),
        })
        .collect();
    assert_eq!(ids.len(), 1);
    let claim = claim_one(store).await;
    let settled = store.settle(&claim.lease, delivered(), Vec::new()).await;
    settled.expect("it is held");
    let later = Job::new(id(20), user("john"), request.clone(), Timestamp::UNIX_EPOCH);
    let later = store.admit(later, &PLENTY).await;
    assert!(matches!(later, Ok(Admitted::New(_))));
    store
        .wish(&user("john"), &id(20), Wish::Cancel, &user("john"))
        .await
        .expect("it is john's");
    let other = Job::new(id(21), user("john"), request, Timestamp::UNIX_EPOCH);
    let other = store.admit(other, &PLENTY).await;
    assert!(
        matches!(other, Ok(Admitted::New(_))),
        "one that is given up is no equal one"
    );
}

/// No share is exceeded by orders that come at once.
pub async fn shares_are_never_exceeded(store: &dyn JobStore, clock: &ManualClock) {
    let shares = Shares {
        unfinished: 3,
        ..PLENTY
    };
    let orders = (1..=16).map(|number| store.admit(job(number, "john"), &shares));
    let admitted = join_all(orders).await;
    assert_eq!(admitted.iter().filter(|one| one.is_ok()).count(), 3);
    for refused in admitted.into_iter().filter_map(Result::err) {
        assert!(matches!(
            refused,
            JobStoreError::TooManyUnfinished { limit: 3 }
        ));
    }
    let shares = Shares {
        unfinished_in_all: 4,
        ..PLENTY
    };
    let orders = (21..=24).map(|number| store.admit(job(number, "mary"), &shares));
    let admitted = join_all(orders).await;
    assert_eq!(admitted.iter().filter(|one| one.is_ok()).count(), 1);

    let shares = Shares {
        orders_a_day: 3,
        ..PLENTY
    };
    clock.advance(HOUR);
    match store.admit(job(31, "john"), &shares).await {
        Err(JobStoreError::TooManyOrders { limit: 3, wait }) => assert_eq!(wait, HOUR * 23),
        other => panic!("{other:?}"),
    }
    clock.advance(HOUR * 23);
    store
        .admit(job(31, "john"), &shares)
        .await
        .expect("a day is over");
}

/// Whoever keeps too many archives is shown which. What expired is not kept.
pub async fn archives_are_counted_and_named(store: &dyn JobStore, clock: &ManualClock) {
    for number in [1, 2] {
        order(store, number, "john").await;
        let claim = claim_one(store).await;
        let settled = store.settle(&claim.lease, delivered(), Vec::new()).await;
        settled.expect("it is held");
        clock.advance(Duration::from_secs(1));
    }
    let shares = Shares {
        archives: 2,
        ..PLENTY
    };
    match store.admit(job(3, "john"), &shares).await {
        Err(JobStoreError::TooManyArchives { archives }) => assert_eq!(archives, [id(1), id(2)]),
        other => panic!("{other:?}"),
    }
    store
        .admit(job(4, "mary"), &shares)
        .await
        .expect("it is mary's first");
    clock.advance(Duration::from_secs(3_598));
    store
        .admit(job(3, "john"), &shares)
        .await
        .expect("one expired");
    let overdue = store.overdue().await.expect("jobs");
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].job.id, id(1));
}

/// A person of whom enough archives are kept has nothing run until one is gone, but for what is to be given up. An order that may have
/// to wait for that says so.
pub async fn a_job_waits_while_enough_archives_are_kept(store: &dyn JobStore, clock: &ManualClock) {
    let shares = Shares {
        archives: 1,
        ..PLENTY
    };
    let limits = ClaimLimits { archives: 1, ..ANY };
    let next = async || store.claim(&worker(), TERM, limits).await.expect("a claim");
    let mut notes = Vec::new();
    for (number, owner) in [(1, "john"), (2, "john"), (3, "john"), (4, "mary")] {
        match store.admit(job(number, owner), &shares).await {
            Ok(Admitted::New(stored)) => notes.push(stored.job.notes.len()),
            other => panic!("{other:?}"),
        }
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(notes, [0, 1, 1, 0]);
    let first = next().await.expect("nothing is kept");
    let settled = store.settle(&first.lease, delivered(), Vec::new()).await;
    settled.expect("it is held");
    let marys = next().await.expect("it is mary's first");
    assert_eq!(marys.job.id, id(4));
    let settled = store.settle(&marys.lease, Ending::Cancelled, Vec::new());
    settled.await.expect("it is held");
    assert!(next().await.is_none());
    store
        .wish(&user("john"), &id(3), Wish::Cancel, &user("john"))
        .await
        .expect("it is john's");
    let given_up = next().await.expect("it needs no place for an archive");
    assert_eq!(given_up.job.id, id(3));
    let settled = store
        .settle(&given_up.lease, Ending::Cancelled, Vec::new())
        .await;
    settled.expect("it is held");
    clock.advance(HOUR);
    assert_eq!(next().await.expect("it expired").job.id, id(2));
}
