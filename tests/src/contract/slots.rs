//! The promises of [`Slots`], under leases of a [`JobStore`]. There are three slots.

use std::collections::BTreeSet;

use domain::jobs::{Ending, JobStore, Lease, Slot, Slots, SlotsError};
use domain::testing::{ManualClock, appliance};
use futures_util::future::join_all;

use super::job_store::{TERM, claim, order};

/// Slots that each store of the suite has.
pub const SLOTS: u32 = 3;

async fn take(slots: &dyn Slots, lease: &Lease, item: i64) -> Option<Slot> {
    let taken = slots.take(lease, &appliance(item)).await;
    taken.expect("it is held")
}

/// However many want one at once, no more are taken than there are, each by one.
pub async fn slots_are_never_exceeded(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    _clock: &ManualClock,
) {
    let mut leases = Vec::new();
    for number in 1..=8 {
        order(jobs, number, &format!("owner{number}")).await;
        leases.push(claim(jobs).await.expect("a job").lease);
    }
    for _ in 0..20 {
        let taken = join_all(leases.iter().map(|lease| take(slots, lease, 1))).await;
        let taken: Vec<Slot> = taken.into_iter().flatten().collect();
        let distinct: BTreeSet<Slot> = taken.iter().copied().collect();
        assert_eq!(taken.len(), distinct.len(), "{taken:?}");
        assert!(distinct.iter().all(|slot| (1..=SLOTS).contains(&slot.0)));
        assert!(slots.taken().await.expect("a count") <= 3);
        // Whoever asked at the same moment may have seen a slot that was about to be taken: the rest is taken one by one.
        for lease in &leases {
            take(slots, lease, 1).await;
        }
        assert_eq!(slots.taken().await.expect("a count"), 3);
        let item = appliance(1);
        let freed = leases.iter().map(|lease| slots.give_back(lease, &item));
        for freed in join_all(freed).await {
            freed.expect("it is held");
        }
        assert_eq!(slots.taken().await.expect("a count"), 0);
    }
}

/// A job of a campaign takes no slot while one wants some that a person asked for.
pub async fn who_asks_for_themselves_has_the_next_slot(
    slots: &dyn Slots,
    jobs: &dyn super::campaign_store::Store,
    _clock: &ManualClock,
) {
    super::campaign_store::ordered(jobs, 1, 2).await;
    let campaign = claim(jobs).await.expect("a job").lease;
    for item in 1..=3 {
        assert!(take(slots, &campaign, item).await.is_some());
    }
    order(jobs, 1, "john").await;
    let own = claim(jobs).await.expect("a job").lease;
    assert_eq!(take(slots, &own, 1).await, None);
    let freed = slots.give_back(&campaign, &appliance(1)).await;
    freed.expect("it is held");
    assert_eq!(take(slots, &campaign, 4).await, None, "it is John's turn");
    assert!(take(slots, &campaign, 2).await.is_some(), "its own stays");
    assert!(take(slots, &own, 1).await.is_some());
    let freed = slots.give_back(&campaign, &appliance(2)).await;
    freed.expect("it is held");
    assert!(take(slots, &campaign, 4).await.is_some());
}

/// A slot belongs to the export: a successor has the same one, a late worker none; it is free with its job's end.
pub async fn a_slot_survives_its_worker_and_goes_with_the_job(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order(jobs, 1, "john").await;
    let late = claim(jobs).await.expect("a job").lease;
    let first = take(slots, &late, 1).await.expect("one is free");
    assert_eq!(take(slots, &late, 1).await, Some(first));
    let second = take(slots, &late, 2).await.expect("one is free");
    assert_ne!(first, second);
    clock.advance(TERM);
    let other = domain::jobs::WorkerId::of("other");
    let successor = jobs.take_over(&other, TERM).await.expect("an answer");
    let successor = successor.expect("its job").lease;
    let refused = slots.take(&late, &appliance(3)).await;
    assert!(matches!(refused, Err(SlotsError::Lost { .. })));
    let refused = slots.give_back(&late, &appliance(1)).await;
    assert!(matches!(refused, Err(SlotsError::Lost { .. })));
    assert_eq!(take(slots, &successor, 1).await, Some(first));
    let given = slots.give_back(&successor, &appliance(1)).await;
    given.expect("it is held");
    let given = slots.give_back(&successor, &appliance(9)).await;
    given.expect("none is taken for it");
    assert_eq!(slots.taken().await.expect("a count"), 1);
    jobs.give_back(&successor).await.expect("it is held");
    assert_eq!(slots.taken().await.expect("a count"), 1, "it goes on there");
    let again = claim(jobs).await.expect("the same job").lease;
    assert_eq!(take(slots, &again, 2).await, Some(second));
    let settled = jobs.settle(&again, Ending::Cancelled, Vec::new()).await;
    settled.expect("it is held");
    assert_eq!(slots.taken().await.expect("a count"), 0);
}
