//! What [`CampaignStore`] promises of exports that failed.

use std::time::Duration;

use domain::jobs::{
    CampaignStore, CampaignStoreError, Ending, JobFailure, JobId, JobState, JobStateName, StoredJob,
};
use domain::ports::Clock as _;
use domain::testing::ManualClock;

use super::campaign_store::{Store, named, ordered, states};
use super::job_store::{claim, delivered, user};

/// Fails the next job, whose unfinished run is kept for so long.
pub(super) async fn failed(store: &dyn Store, kept: Option<Duration>) -> JobId {
    let run = claim(store).await.expect("a job");
    let failure = JobFailure {
        message: "it broke off".to_owned(),
        hint: None,
    };
    let ending = Ending::Failed(failure, kept);
    let settled = store.settle(&run.lease, ending, Vec::new()).await;
    settled.expect("settled").job.id
}

/// Failed exports go on, all that can, once, and count as unfinished again.
pub async fn failed_exports_are_tried_again(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 4).await;
    let soon_gone = failed(store, Some(Duration::from_secs(1))).await;
    let kept = failed(store, Some(Duration::from_hours(1))).await;
    let never = failed(store, None).await;
    let ready = claim(store).await.expect("a job");
    let settled = store.settle(&ready.lease, delivered(), Vec::new()).await;
    settled.expect("settled");
    clock.advance(Duration::from_secs(2));
    let before = store.find(&kept).await.expect("a job");
    let root = user("root");
    let retried = CampaignStore::retry(store, &named(1), &root).await;
    assert_eq!(retried.expect("retried"), 1);
    let counts = [
        (JobStateName::Queued, 1),
        (JobStateName::Ready, 1),
        (JobStateName::Failed, 2),
    ];
    assert_eq!(states(store, 1).await, counts);
    let after = store.find(&kept).await.expect("a job");
    assert!(after.version > before.version);
    let mut expected = before.job;
    expected.retry(clock.now()).expect("it can be");
    assert_eq!(after.job, expected);
    let open = CampaignStore::unfinished(store).await.expect("a list");
    assert_eq!(open, [(named(1), root.clone())]);
    let again = CampaignStore::retry(store, &named(1), &root).await;
    assert_eq!(again.expect("retried"), 0);
    // It has begun before: a pause does not hold it up.
    let paused = CampaignStore::pause(store, &named(1)).await;
    paused.expect("paused");
    assert_eq!(failed(store, Some(Duration::from_hours(1))).await, kept);
    for id in [soon_gone, never] {
        let job = store.find(&id).await.expect("a job").job;
        assert!(matches!(job.state, JobState::Failed { .. }));
    }
    let unknown = CampaignStore::retry(store, &named(9), &root).await;
    assert!(matches!(unknown, Err(CampaignStoreError::Unknown { .. })));
}

/// However many have failed, each of them takes the job's own step, and those that cannot stay as they are.
pub async fn many_failed_exports_are_tried_again(store: &dyn Store, clock: &ManualClock) {
    const PEOPLE: u64 = 601;
    ordered(store, 1, PEOPLE).await;
    let mut expected = Vec::new();
    for StoredJob { mut job, version } in all(store, PEOPLE).await {
        let failure = JobFailure {
            message: "it broke off".to_owned(),
            hint: None,
        };
        let kept = (expected.len() % 3 > 0).then_some(Duration::from_hours(1));
        job.fail(failure, clock.now(), kept).expect("it can");
        let failed = store.update(version, job).await.expect("failed");
        expected.push(failed.job);
    }
    let retried = CampaignStore::retry(store, &named(1), &user("root")).await;
    let can = expected.iter_mut().map(|job| job.retry(clock.now()));
    assert_eq!(retried.expect("retried"), can.flatten().count() as u64);
    let found = all(store, PEOPLE).await.into_iter().map(|found| found.job);
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

async fn all(store: &dyn Store, people: u64) -> Vec<StoredJob> {
    let limit = usize::try_from(people).expect("a number of people");
    let all = CampaignStore::exports(store, &named(1), None, limit).await;
    all.expect("a list")
}

/// Of a campaign that was given up, only an export that somebody tries again goes on.
pub async fn what_was_given_up_is_not_tried_again(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 2).await;
    let kept = failed(store, Some(Duration::from_hours(1))).await;
    let root = user("root");
    let given_up = CampaignStore::cancel(store, &named(1), &root).await;
    assert_eq!(given_up.expect("given up"), []);
    let over = CampaignStore::retry(store, &named(1), &root).await;
    assert!(matches!(over, Err(CampaignStoreError::Over { .. })));
    assert!(claim(store).await.is_none());
    let StoredJob { mut job, version } = store.find(&kept).await.expect("a job");
    job.retry(clock.now()).expect("it can be");
    store.update(version, job).await.expect("queued again");
    assert_eq!(claim(store).await.expect("a job").job.id, kept);
}
