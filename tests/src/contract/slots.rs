//! The promises of [`Slots`], under leases of a [`JobStore`]. There are three slots.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::jobs::{Ending, Freed, JobStore, Lease, Slot, SlotRules, Slots, SlotsError, WorkerId};
use domain::model::ItemRef;
use domain::testing::{ManualClock, appliance};
use futures_util::StreamExt as _;
use futures_util::future::join_all;

use super::campaign_store::{Store, ordered};
use super::job_store::{ANY, TERM, claim, order};

/// Slots that each store of the suite has.
pub const SLOTS: u32 = 3;

async fn take_all(slots: &dyn Slots, lease: &Lease, items: &[i64]) -> Vec<(ItemRef, Slot)> {
    let items: Vec<ItemRef> = items.iter().map(|item| appliance(*item)).collect();
    slots.take(lease, &items).await.expect("it is held")
}

async fn take(slots: &dyn Slots, lease: &Lease, item: i64) -> Option<Slot> {
    let taken = take_all(slots, lease, &[item]).await;
    taken.first().map(|(_, slot)| *slot)
}

async fn free(slots: &dyn Slots, lease: &Lease, item: i64) -> Freed {
    pass(slots, lease, item, None).await
}

async fn pass(slots: &dyn Slots, lease: &Lease, item: i64, next: Option<i64>) -> Freed {
    let item = appliance(item);
    let freed = slots.give_back(lease, &item, next.map(appliance));
    freed.await.expect("it is held")
}

/// The job of another person, claimed.
async fn another(jobs: &dyn JobStore, number: u64) -> Lease {
    order(jobs, number, &format!("owner{number}")).await;
    claim(jobs).await.expect("a job").lease
}

/// However many want one at once, no more are taken than there are, each by one.
pub async fn slots_are_never_exceeded(slots: &dyn Slots, jobs: &dyn JobStore, clock: &ManualClock) {
    let mut leases = Vec::new();
    for number in 1..=8 {
        leases.push(another(jobs, number).await);
    }
    for _ in 0..20 {
        let taken = join_all(leases.iter().map(|lease| take_all(slots, lease, &[1, 2]))).await;
        let taken: Vec<Slot> = taken.into_iter().flatten().map(|(_, slot)| slot).collect();
        let distinct: BTreeSet<Slot> = taken.iter().copied().collect();
        assert_eq!(taken.len(), distinct.len(), "{taken:?}");
        assert!(distinct.iter().all(|slot| (1..=SLOTS).contains(&slot.0)));
        assert!(slots.taken().await.expect("a count") <= 3);
        // Whoever asked at the same moment may have seen a slot that was about to be taken, or be behind others: the rest is taken one by
        // one, when nobody is thought to wait any more.
        for lease in &leases {
            clock.advance(SlotRules::WANTED_FOR);
            take(slots, lease, 1).await;
        }
        assert_eq!(slots.taken().await.expect("a count"), 3);
        let passed = leases.iter().map(|lease| pass(slots, lease, 1, Some(3)));
        join_all(passed).await;
        assert_eq!(slots.taken().await.expect("a count"), 3);
        for item in [2, 3] {
            join_all(leases.iter().map(|lease| free(slots, lease, item))).await;
        }
        assert_eq!(slots.taken().await.expect("a count"), 0);
        clock.advance(SlotRules::WANTED_FOR);
    }
}

/// A job of a campaign takes no slot while one wants some that a person asked for, and does not keep one for its next item.
pub async fn who_asks_for_themselves_has_the_next_slot(
    slots: &dyn Slots,
    jobs: &dyn Store,
    _clock: &ManualClock,
) {
    ordered(jobs, 1, 2).await;
    let campaign = claim(jobs).await.expect("a job").lease;
    assert_eq!(take_all(slots, &campaign, &[1, 2, 3, 4]).await.len(), 3);
    order(jobs, 1, "john").await;
    let own = claim(jobs).await.expect("a job").lease;
    assert_eq!(take(slots, &own, 1).await, None);
    let freed = pass(slots, &campaign, 1, Some(4)).await;
    assert_eq!(freed, Freed::For(own.job.clone()));
    assert_eq!(take(slots, &campaign, 4).await, None, "it is John's turn");
    assert!(take(slots, &campaign, 2).await.is_some(), "its own stays");
    assert!(take(slots, &own, 1).await.is_some());
    assert_eq!(pass(slots, &campaign, 2, Some(4)).await, Freed::Passed);
    assert!(take(slots, &campaign, 4).await.is_some());
    // The other way round a person's job keeps what it has.
    assert_eq!(take(slots, &campaign, 5).await, None);
    assert_eq!(pass(slots, &own, 1, Some(2)).await, Freed::Passed);
    assert_eq!(free(slots, &own, 2).await, Freed::For(campaign.job.clone()));
}

/// A slot belongs to the export: a successor has the same one, a late worker none; it is free with its job's end.
pub async fn a_slot_survives_its_worker_and_goes_with_the_job(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    let late = another(jobs, 1).await;
    let first = take(slots, &late, 1).await.expect("one is free");
    assert_eq!(take(slots, &late, 1).await, Some(first));
    let second = take(slots, &late, 2).await.expect("one is free");
    assert_ne!(first, second);
    clock.advance(TERM);
    let other = WorkerId::of("other");
    let successor = jobs.take_over(&other, TERM).await.expect("an answer");
    let successor = successor.expect("its job").lease;
    let refused = slots.take(&late, &[appliance(3)]).await;
    assert!(matches!(refused, Err(SlotsError::Lost { .. })));
    let item = appliance(1);
    let refused = slots.give_back(&late, &item, Some(appliance(3)));
    assert!(matches!(refused.await, Err(SlotsError::Lost { .. })));
    assert_eq!(take(slots, &successor, 1).await, Some(first));
    free(slots, &successor, 1).await;
    let freed = free(slots, &successor, 9).await;
    assert_eq!(freed, Freed::Nobody, "none is taken for it");
    assert_eq!(slots.taken().await.expect("a count"), 1);
    jobs.give_back(&successor).await.expect("it is held");
    assert_eq!(slots.taken().await.expect("a count"), 1, "it goes on there");
    let again = claim(jobs).await.expect("the same job").lease;
    assert_eq!(take(slots, &again, 2).await, Some(second));
    let settled = jobs.settle(&again, Ending::Cancelled, Vec::new()).await;
    settled.expect("it is held");
    assert_eq!(slots.taken().await.expect("a count"), 0);
}

/// The next item of the same job has it at once, and it is the same slot; unless it has one already.
pub async fn a_slot_passes_to_the_next_item_of_its_job(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    let lease = another(jobs, 1).await;
    let got = take_all(slots, &lease, &[1, 2, 3, 4, 5]).await;
    let items: BTreeSet<ItemRef> = got.iter().map(|(item, _)| *item).collect();
    assert_eq!(items, [1, 2, 3].map(appliance).into(), "in their order");
    let first = take(slots, &lease, 1).await.expect("its own");
    assert_eq!(pass(slots, &lease, 1, Some(4)).await, Freed::Passed);
    assert_eq!(take(slots, &lease, 4).await, Some(first));
    assert_eq!(pass(slots, &lease, 2, Some(4)).await, Freed::Nobody);
    assert_eq!(slots.taken().await.expect("a count"), 2);
    let freed = pass(slots, &lease, 2, Some(5)).await;
    assert_eq!(freed, Freed::Nobody, "there was none");
    assert_eq!(slots.taken().await.expect("a count"), 2);
    // Nobody waits for so long that others who have nothing would have to stand back for ever.
    assert!(take(slots, &lease, 2).await.is_some());
    let other = another(jobs, 2).await;
    assert_eq!(take(slots, &other, 1).await, None);
    assert_eq!(pass(slots, &lease, 2, Some(5)).await, Freed::Passed);
    let mut waited = Duration::ZERO;
    while waited < SlotRules::PATIENCE {
        let step = SlotRules::WANTED_FOR / 2;
        clock.advance(step);
        waited += step;
        assert_eq!(take(slots, &other, 1).await, None);
    }
    let freed = pass(slots, &lease, 5, Some(6)).await;
    assert_eq!(freed, Freed::For(other.job.clone()));
}

/// Whoever waits the longest is next; one that asks no more is passed over.
pub async fn those_that_wait_are_served_in_order(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    let busy = another(jobs, 1).await;
    assert_eq!(take_all(slots, &busy, &[1, 2, 3]).await.len(), 3);
    let (mut waiting, moment) = (Vec::new(), Duration::from_millis(1));
    for number in 2..=4 {
        let lease = another(jobs, number).await;
        assert_eq!(take(slots, &lease, 1).await, None);
        clock.advance(moment);
        waiting.push(lease);
    }
    let [first, second, third] = &waiting[..] else {
        panic!("three wait")
    };
    // To ask again costs nobody their place.
    assert_eq!(take(slots, first, 1).await, None);
    assert_eq!(free(slots, &busy, 1).await, Freed::For(first.job.clone()));
    for later in [third, second] {
        assert_eq!(take(slots, later, 1).await, None, "it is not its turn");
    }
    assert!(take(slots, first, 1).await.is_some());
    assert_eq!(free(slots, &busy, 2).await, Freed::For(second.job.clone()));
    // Its worker died: the others do not wait for it.
    clock.advance(SlotRules::WANTED_FOR);
    assert!(take(slots, third, 1).await.is_some());
    assert_eq!(free(slots, &busy, 3).await, Freed::Nobody);
    assert!(take(slots, second, 1).await.is_some());
}

/// What a worker left that died comes before all who wait; once it has a slot, it is one of them.
pub async fn what_was_taken_over_has_the_next_slot(
    slots: &dyn Slots,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    let dead = another(jobs, 1).await;
    clock.advance(TERM);
    let busy = another(jobs, 2).await;
    assert_eq!(busy.job, dead.job, "it comes first");
    let successor = busy;
    let busy = claim(jobs).await.expect("a job").lease;
    assert_eq!(take_all(slots, &busy, &[1, 2, 3]).await.len(), 3);
    let waiting = another(jobs, 3).await;
    assert_eq!(take(slots, &waiting, 1).await, None);
    clock.advance(Duration::from_millis(1));
    assert_eq!(take_all(slots, &successor, &[1, 2]).await, []);
    let freed = pass(slots, &busy, 1, Some(4)).await;
    assert_eq!(freed, Freed::For(successor.job.clone()));
    assert_eq!(take(slots, &waiting, 1).await, None);
    assert_eq!(take_all(slots, &successor, &[1, 2]).await.len(), 1);
    assert_eq!(free(slots, &busy, 2).await, Freed::For(waiting.job));
}

/// Whoever gives a slot back says whose turn it is, and a worker that waits in another process hears of it. `theirs` is how that one has them.
pub async fn a_worker_hears_of_its_turn(
    slots: &dyn Slots,
    theirs: &dyn Slots,
    jobs: &dyn JobStore,
) {
    let busy = another(jobs, 1).await;
    assert_eq!(take_all(slots, &busy, &[1, 2, 3]).await.len(), 3);
    let mut turns = theirs.turns();
    order(jobs, 2, "mary").await;
    let claimed = jobs.claim(&WorkerId::of("another"), TERM, ANY).await;
    let waiting = claimed.expect("an answer").expect("a job").lease;
    assert_eq!(take(theirs, &waiting, 1).await, None);
    assert_eq!(free(slots, &busy, 1).await, Freed::For(waiting.job.clone()));
    let turn = tokio::time::timeout(Duration::from_secs(30), turns.next()).await;
    assert_eq!(turn.expect("it hears of it"), Some(waiting.job.clone()));
    assert!(take(theirs, &waiting, 1).await.is_some());
}
