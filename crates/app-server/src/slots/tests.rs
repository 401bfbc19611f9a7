//! Items that wait, and what one of them gives back.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    ClaimLimits, Freed, Job, JobId, JobRequest, JobStore as _, Lease, Slot, Slots, SlotsError,
    WorkerId,
};
use domain::model::{ItemRef, UserId};
use domain::testing::{ManualClock, MemoryJobStore, MemorySlots, appliance};
use futures_util::stream::{BoxStream, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;

use super::{RunSlots, SlotQueue};
use crate::runner::Terms;
use crate::testing::id;

/// Slots in memory that count questions.
struct Counting {
    slots: MemorySlots,
    questions: AtomicUsize,
}

#[async_trait]
impl Slots for Counting {
    async fn take(
        &self,
        lease: &Lease,
        items: &[ItemRef],
    ) -> Result<Vec<(ItemRef, Slot)>, SlotsError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.slots.take(lease, items).await
    }

    async fn give_back(
        &self,
        lease: &Lease,
        item: &ItemRef,
        next: Option<ItemRef>,
    ) -> Result<Freed, SlotsError> {
        self.slots.give_back(lease, item, next).await
    }

    fn turns(&self) -> BoxStream<'static, JobId> {
        self.slots.turns()
    }

    async fn taken(&self) -> Result<usize, SlotsError> {
        self.slots.taken().await
    }
}

/// Runs of as many people on a platform with one slot, in one process.
async fn runs(people: u32) -> (Arc<Counting>, Vec<RunSlots>) {
    let jobs = Arc::new(MemoryJobStore::new(Arc::new(ManualClock::default())));
    let counting = Arc::new(Counting {
        slots: MemorySlots::new(Arc::clone(&jobs), 1),
        questions: AtomicUsize::new(0),
    });
    let queue = Arc::new(SlotQueue::new(Arc::clone(&counting) as Arc<dyn Slots>));
    let mut runs = Vec::new();
    for number in 1..=people {
        let owner = UserId::parse(&format!("person{number}")).unwrap();
        let request = JobRequest::everything_of(owner.clone());
        let job = Job::new(id(number), owner, request, Timestamp::UNIX_EPOCH);
        jobs.admit(job, &Terms::SHARES).await.unwrap();
        let limits = ClaimLimits {
            archives: 1,
            campaigns: false,
        };
        let (worker, term) = (WorkerId::of("worker"), Duration::from_mins(1));
        let claim = jobs.claim(&worker, term, limits).await.unwrap().unwrap();
        runs.push(RunSlots::new(Arc::clone(&queue), claim.lease));
    }
    (counting, runs)
}

#[tokio::test]
async fn items_that_wait_are_one_question_and_a_slot_passes_without_another() {
    let (counting, runs) = runs(1).await;
    let run = &runs[0];
    let mut waiting: FuturesUnordered<_> = (1..=3)
        .map(|item| run.take(appliance(item)).map(move |()| item))
        .collect();
    for item in 1..=3 {
        assert_eq!(waiting.next().await, Some(item));
        assert_eq!(counting.questions.load(Ordering::SeqCst), 1);
        assert_eq!(counting.taken().await.unwrap(), 1);
        run.give_back(appliance(item)).await;
    }
    assert_eq!(counting.taken().await.unwrap(), 0);
    run.give_back(appliance(1)).await;
    assert!(!run.waits());
}

#[tokio::test]
async fn whoever_waits_in_the_same_process_is_woken() {
    let (counting, runs) = runs(2).await;
    let [busy, waiting] = &runs[..] else {
        panic!("two runs")
    };
    busy.take(appliance(1)).await;
    let mut take = pin!(waiting.take(appliance(1)));
    while counting.questions.load(Ordering::SeqCst) < 2 {
        assert!(take.as_mut().now_or_never().is_none());
    }
    assert!(waiting.waits() && !busy.waits());
    busy.give_back(appliance(1)).await;
    take.await;
    assert_eq!(counting.questions.load(Ordering::SeqCst), 3);
}
