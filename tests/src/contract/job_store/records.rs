//! What is recorded of a job comes back.

use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    Admitted, Change, Ending, Job, JobPage, JobStateName, JobStore, JobStoreError, Transfer,
    WaitingFor, Whose, Wish,
};
use domain::model::OutputFormat;
use domain::testing::ManualClock;
use futures_util::StreamExt as _;
use futures_util::future::join_all;

use super::{DAY, HOUR, PLENTY, claim_one, delivered, failed, id, job, order, pause, user};

/// What is admitted comes back as it was, to its owner only.
pub async fn a_job_comes_back_to_its_owner_only(store: &dyn JobStore, clock: &ManualClock) {
    let mut asked = job(1, "john");
    asked.request.output_format = OutputFormat::Json;
    let Ok(Admitted::New(stored)) = store.admit(asked.clone(), &PLENTY).await else {
        panic!("it is new");
    };
    asked.requested = store.now().await.expect("a time");
    assert_eq!(stored.job, asked);
    assert_eq!(
        store.get(&user("john"), &id(1)).await.expect("john's"),
        stored
    );
    assert_eq!(store.find(&id(1)).await.expect("anybody's"), stored);
    for (owner, number) in [("mary", 1), ("john", 2)] {
        let missing = store.get(&user(owner), &id(number)).await;
        assert!(matches!(missing, Err(JobStoreError::Unknown { .. })));
    }
    clock.advance(DAY);
    let again = store
        .admit(
            Job {
                owner: user("mary"),
                ..asked
            },
            &PLENTY,
        )
        .await;
    assert!(matches!(again, Err(JobStoreError::Exists { .. })));
}

/// Every state comes back as it was, and so do versions, notes and times.
pub async fn every_state_comes_back(store: &dyn JobStore, clock: &ManualClock) {
    for (number, ending) in [
        (1, delivered()),
        (2, failed(Some(HOUR))),
        (3, failed(None)),
        (4, Ending::Cancelled),
    ] {
        order(store, number, "john").await;
        let claim = claim_one(store).await;
        let notes = vec!["a ticket is left".to_owned()];
        let settled = store.settle(&claim.lease, ending, notes).await;
        let settled = settled.expect("it is held");
        assert_eq!(settled.job.notes, ["a ticket is left"]);
        assert!(settled.version > claim.version);
        assert_eq!(store.find(&id(number)).await.expect("a job"), settled);
    }
    let now = store.now().await.expect("a time");
    let ready = store.find(&id(1)).await.expect("a job");
    assert_eq!(ready.job.expires(), now.checked_add(HOUR).ok());
    let mut deleted = ready.job.clone();
    deleted.delete_bag(now).expect("it is ready");
    let updated = store.update(ready.version, deleted.clone()).await;
    assert_eq!(updated.expect("nobody changed it").job, deleted);

    order(store, 5, "john").await;
    let claim = claim_one(store).await;
    let waits = pause(WaitingFor::DiskSpace, Some(HOUR));
    let paused = store.pause(&claim.lease, waits, Vec::new()).await;
    let paused = paused.expect("it is held");
    assert_eq!(store.find(&id(5)).await.expect("a job"), paused);
    assert_eq!(paused.job.paused_since, Some(now));
    clock.advance(HOUR);
    assert_eq!(claim_one(store).await.job.id, id(5));
}

/// The report of a delivered job is read by itself, and stays when the bag is gone.
pub async fn a_report_is_read_by_itself(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    assert_eq!(store.report(&id(1)).await.expect("a job"), None);
    let claim = claim_one(store).await;
    let settled = store.settle(&claim.lease, delivered(), Vec::new()).await;
    let mut settled = settled.expect("it is held");
    let report = Some(Bytes::from_static(b"{}"));
    assert_eq!(store.report(&id(1)).await.expect("a job"), report);
    let now = store.now().await.expect("a time");
    settled.job.delete_bag(now).expect("it is ready");
    let deleted = store.update(settled.version, settled.job).await;
    deleted.expect("nobody changed it");
    assert_eq!(store.report(&id(1)).await.expect("a job"), report);
    let unknown = store.report(&id(2)).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

/// Lists are newest first, of one person or of all, in pages that do not overlap.
pub async fn lists_are_newest_first(store: &dyn JobStore, clock: &ManualClock) {
    for number in 1..=5 {
        order(store, number, if number == 3 { "mary" } else { "john" }).await;
        if number % 2 == 0 {
            clock.advance(Duration::from_secs(1));
        }
    }
    let list = async |whose: &Whose, after: Option<u64>, limit| {
        let after = after.map(id);
        let found = store.list(whose, JobPage { after, limit }).await?;
        Ok::<_, JobStoreError>(
            found
                .into_iter()
                .map(|stored| stored.job.id)
                .collect::<Vec<_>>(),
        )
    };
    let johns = Whose::Of(user("john"));
    assert_eq!(list(&johns, None, 2).await.expect("a page"), [id(5), id(4)]);
    assert_eq!(
        list(&johns, Some(4), 9).await.expect("a page"),
        [id(2), id(1)]
    );
    assert_eq!(
        list(&Whose::Everybodys, Some(4), 1).await.expect("a page"),
        [id(3)]
    );
    for unknown in [3, 9] {
        let page = list(&johns, Some(unknown), 9).await;
        assert!(matches!(page, Err(JobStoreError::Unknown { .. })));
    }
    claim_one(store).await;
    let counts = store.count().await.expect("counts");
    assert_eq!(
        counts,
        [(JobStateName::Queued, 4), (JobStateName::Running, 1)]
    );
}

/// An update needs the version that it builds on, and a job that nobody runs.
pub async fn a_late_update_changes_nothing(store: &dyn JobStore, _clock: &ManualClock) {
    let seen = order(store, 1, "john").await;
    let claim = claim_one(store).await;
    let mut late = seen.job.clone();
    late.cancel(seen.job.requested).expect("it is queued");
    let current = store.find(&id(1)).await.expect("a job");
    assert_eq!(current.version, claim.version);
    for version in [seen.version, current.version] {
        let refused = store.update(version, late.clone()).await;
        assert!(matches!(refused, Err(JobStoreError::Conflict { .. })));
    }
    assert_eq!(store.find(&id(1)).await.expect("a job"), current);
    store.give_back(&claim.lease).await.expect("it is held");
    let current = store.find(&id(1)).await.expect("a job");
    let mut running = current.job.clone();
    running.begin(seen.job.requested).expect("it is queued");
    let refused = store.update(current.version, running).await;
    assert!(
        matches!(refused, Err(JobStoreError::Conflict { .. })),
        "only a claim runs a job"
    );
    let cancelled = store
        .update(current.version, late)
        .await
        .expect("nobody runs it");
    assert_eq!(cancelled.job.state.name(), JobStateName::Cancelled);
    let unknown = store.update(current.version, job(2, "john")).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

/// Transfers are never lost to an update that did not see them, and leave the version as it is.
pub async fn transfers_are_never_lost_to_an_update(store: &dyn JobStore, _clock: &ManualClock) {
    let seen = order(store, 1, "john").await;
    let transfer = Transfer {
        at: seen.job.requested,
        by: user("john"),
        from: "192.0.2.1".to_owned(),
        offset: 0,
        bytes: 10,
        size: 10,
    };
    let transfers = (0..8).map(|number| {
        let from = format!("192.0.2.{number}");
        store.record_transfer(
            &seen.job.id,
            Transfer {
                from,
                ..transfer.clone()
            },
        )
    });
    for recorded in join_all(transfers).await {
        recorded.expect("it is there");
    }
    let mut cancelled = seen.job.clone();
    cancelled.cancel(seen.job.requested).expect("it is queued");
    let updated = store
        .update(seen.version, cancelled)
        .await
        .expect("the same version");
    assert_eq!(
        (updated.job.downloads.len(), updated.job.downloads_total),
        (8, 8)
    );
    assert!(
        updated
            .job
            .downloads
            .iter()
            .all(|download| download.complete)
    );
    let unknown = store.record_transfer(&id(2), transfer).await;
    assert!(matches!(unknown, Err(JobStoreError::Unknown { .. })));
}

/// Who watches hears of every change, or that some may have been missed.
pub async fn changes_are_heard_or_resynced(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    let mut changes = store.changes();
    let mut idle = store.changes();
    claim_one(store).await;
    let mut heard = changes.next().await;
    while heard == Some(Change::Resync) {
        // A store that others change as well may still have to say so of what was before.
        heard = changes.next().await;
    }
    assert_eq!(heard, Some(Change::Job(id(1))));
    for _ in 0..1500 {
        store
            .wish(&user("john"), &id(1), Wish::Cancel, &user("john"))
            .await
            .expect("it is john's");
    }
    let mut resynced = false;
    for _ in 0..2 {
        resynced |= idle.next().await == Some(Change::Resync);
    }
    assert!(resynced);
}
