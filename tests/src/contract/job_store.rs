//! The promises of [`JobStore`]. Each store is new, and its clock is the one that is given.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    Admitted, BagRecord, Change, Claim, Delivery, Ending, Job, JobFailure, JobId, JobPage,
    JobProgress, JobRequest, JobState, JobStateName, JobStore, JobStoreError, Pause, Shares,
    StoredJob, Transfer, WaitingFor, Whose, Wish, WorkerId,
};
use domain::model::{BagFormat, OutputFormat, SafeName, Sha256, UserId};
use domain::report::Completeness;
use domain::testing::ManualClock;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use jiff::Timestamp;

/// How long a lease is held.
pub const TERM: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Shares that nobody reaches.
pub const PLENTY: Shares = Shares {
    unfinished: 1000,
    unfinished_in_all: 1000,
    orders_a_day: 1000,
    archives: 1000,
};

/// A person.
pub fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a login")
}

/// The job of this number.
pub fn id(number: u64) -> JobId {
    JobId::parse(&format!("018f3c5e-7b1a-7c3e-9d55-{number:012x}")).expect("an id")
}

fn worker() -> WorkerId {
    WorkerId::of("worker")
}

/// A job for data that no other number asks for.
pub fn job(number: u64, owner: &str) -> Job {
    let request = JobRequest::everything_of(user(&format!("person{number}")));
    Job::new(id(number), user(owner), request, Timestamp::UNIX_EPOCH)
}

/// Orders a job.
pub async fn order(store: &dyn JobStore, number: u64, owner: &str) -> StoredJob {
    match store.admit(job(number, owner), &PLENTY).await {
        Ok(Admitted::New(stored)) => stored,
        other => panic!("{other:?}"),
    }
}

/// Claims the job that is next.
pub async fn claim(store: &dyn JobStore) -> Option<Claim> {
    store.claim(&worker(), TERM).await.expect("a claim")
}

async fn claim_one(store: &dyn JobStore) -> Claim {
    claim(store).await.expect("a job is next")
}

/// An ending with a bag, kept for an hour.
pub fn delivered() -> Ending {
    let delivery = Delivery {
        ready: Timestamp::UNIX_EPOCH,
        bag: BagRecord {
            name: SafeName::parse("uforge-john.zip").expect("a name"),
            format: BagFormat::Zip,
            bytes: 10,
            sha256: Sha256::of(b"0123456789"),
        },
        completeness: Completeness::Partial,
        report: Bytes::from_static(b"{}"),
    };
    Ending::Delivered(delivery, HOUR)
}

fn failed(resumable_for: Option<Duration>) -> Ending {
    let failure = JobFailure {
        message: "the platform is away".to_owned(),
        hint: Some("try again".to_owned()),
    };
    Ending::Failed(failure, resumable_for)
}

fn pause(waiting_for: WaitingFor, retry_after: Option<Duration>) -> Pause {
    Pause {
        waiting_for,
        retry_after,
        give_up_after: DAY,
    }
}

async fn state(store: &dyn JobStore, number: u64) -> JobStateName {
    let stored = store.find(&id(number)).await.expect("a job");
    stored.job.state.name()
}

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
        .wish(&user("john"), &id(20), Wish::Cancel)
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
    assert_eq!(store.signed_in(&user("john")).await.expect("a count"), 1);
    assert_eq!(claim_one(store).await.job.id, id(1));
    assert!(claim(store).await.is_none());
}

/// A wish reaches the holder; one for a job that nobody runs reaches whoever claims it.
pub async fn a_wish_reaches_the_holder(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    let held = claim_one(store).await;
    assert_eq!(held.wish, None);
    let foreign = store.wish(&user("mary"), &id(1), Wish::Cancel).await;
    assert!(matches!(foreign, Err(JobStoreError::Unknown { .. })));
    store
        .wish(&user("john"), &id(1), Wish::Cancel)
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
    let over = store.wish(&user("john"), &id(1), Wish::Cancel).await;
    assert!(matches!(over, Err(JobStoreError::Conflict { .. })));

    order(store, 2, "john").await;
    let held = claim_one(store).await;
    let waits = pause(WaitingFor::SignIn, None);
    store
        .pause(&held.lease, waits, Vec::new())
        .await
        .expect("it is held");
    store
        .wish(&user("john"), &id(2), Wish::Cancel)
        .await
        .expect("it is john's");
    assert_eq!(claim_one(store).await.wish, Some(Wish::Cancel));
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

/// Who watches hears of every change, or that some may have been missed.
pub async fn changes_are_heard_or_resynced(store: &dyn JobStore, _clock: &ManualClock) {
    order(store, 1, "john").await;
    let mut changes = store.changes();
    let mut idle = store.changes();
    claim_one(store).await;
    assert_eq!(changes.next().await, Some(Change::Job(id(1))));
    for _ in 0..1500 {
        store
            .wish(&user("john"), &id(1), Wish::Cancel)
            .await
            .expect("it is john's");
    }
    let mut resynced = false;
    for _ in 0..2 {
        resynced |= idle.next().await == Some(Change::Resync);
    }
    assert!(resynced);
}
