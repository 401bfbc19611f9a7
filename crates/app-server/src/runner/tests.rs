//! Jobs from the queue to their end, with runs that the test lets go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{
    Admitted, AuditAction, AuditPage, Job, JobId, JobState, JobStateName, JobStoreError,
    SealedCredentials as _, StoredJob, WaitingFor, Wish, WorkerId,
};
use domain::model::Sha256;

use super::*;
use crate::testing::{BAG, Behaviour, FakeBackend, TestStores, credentials, id, job, terms, user};

struct Bench {
    runner: Arc<Runner>,
    backend: Arc<FakeBackend>,
    stores: TestStores,
    folder: tempfile::TempDir,
}

async fn bench(places: usize) -> Bench {
    bench_with(terms(places)).await
}

async fn bench_with(terms: Terms) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(FakeBackend::default());
    let stores = TestStores::new(folder.path());
    let runner = Runner::start(stores.ports(&backend), terms).await.unwrap();
    Bench {
        runner,
        backend,
        stores,
        folder,
    }
}

impl Bench {
    async fn start(&self, number: u32) -> JobId {
        self.take_on(job(number, "john")).await.unwrap();
        id(number)
    }

    async fn take_on(&self, job: Job) -> Result<Admitted, TakeOnError> {
        let credentials = credentials(job.owner.as_str());
        self.runner.take_on(job, credentials).await
    }

    async fn signs_in(&self, login: &str) {
        let runner = &self.runner;
        runner.accepted(&user(login), &credentials(login)).await;
    }

    async fn cancel(&self, login: &str, id: &JobId) -> Result<(), JobStoreError> {
        let runner = &self.runner;
        runner.cancel(&user(login), id, &credentials(login)).await
    }

    async fn retry(&self, id: &JobId) -> Result<StoredJob, RetryError> {
        let runner = &self.runner;
        runner.retry(&user("john"), id, credentials("john")).await
    }

    /// The process is killed, and another one begins with what it left.
    async fn killed(mut self, terms: Terms) -> Self {
        self.runner.kill();
        self.runner = Runner::start(self.stores.ports(&self.backend), terms)
            .await
            .unwrap();
        self
    }

    async fn job(&self, id: &JobId) -> Job {
        self.stores.store.find(id).await.unwrap().job
    }

    async fn until(&self, id: &JobId, state: JobStateName) -> Job {
        loop {
            let job = self.job(id).await;
            if job.state.name() == state {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_waiting_for(&self, id: &JobId, wanted: WaitingFor) -> Job {
        loop {
            let job = self.until(id, JobStateName::Waiting).await;
            if matches!(job.state, JobState::Waiting { waiting_for, .. } if waiting_for == wanted) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_tickets(&self, count: usize) {
        while self.backend.open_tickets() != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many jobs have something on disk.
    async fn on_disk(&self) -> usize {
        self.stores.bags.list().await.unwrap().len()
    }

    async fn audited(&self) -> BTreeMap<&'static str, usize> {
        let page = AuditPage {
            before: None,
            limit: 100,
        };
        let mut counts = BTreeMap::new();
        for entry in self.stores.audit.page(page).await.unwrap() {
            *counts.entry(entry.entry.action.name()).or_default() += 1;
        }
        counts
    }
}

#[tokio::test]
async fn a_run_ends_in_a_bag_with_its_sum() {
    let bench = bench(1).await;
    let id = bench.start(1).await;
    bench.until(&id, JobStateName::Running).await;
    bench.until_tickets(1).await;
    let live = bench.runner.live(&id).unwrap().latest();
    assert_eq!(live.progress.items.planned, 1);

    bench.backend.let_through(1);
    let job = bench.until(&id, JobStateName::Ready).await;
    let delivery = job.delivery().unwrap();
    assert_eq!(delivery.bag.sha256, Sha256::of(BAG));
    let began = job.began.unwrap().strftime("%Y%m%dT%H%M%SZ");
    assert_eq!(
        delivery.bag.name.as_str(),
        format!("uforge-john-{began}.zip")
    );
    let kept = job.expires().unwrap().duration_since(delivery.ready);
    assert_eq!(kept.as_secs(), 3_600);
    assert_eq!(bench.backend.open_tickets(), 0);
    while bench.runner.live(&id).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.audited().await, [("export-ready", 1)].into());
}

#[tokio::test]
async fn no_more_jobs_run_at_a_time_than_there_are_places() {
    let bench = bench(1).await;
    let first = bench.start(1).await;
    bench.until(&first, JobStateName::Running).await;
    bench.take_on(job(2, "mary")).await.unwrap();
    bench.until_tickets(1).await;
    assert_eq!(bench.job(&id(2)).await.state.name(), JobStateName::Queued);
    bench.backend.let_through(1);
    bench.until(&first, JobStateName::Ready).await;
    bench.until(&id(2), JobStateName::Running).await;
}

#[tokio::test]
async fn many_orders_of_one_person_do_not_hold_up_another_s_one() {
    let bench = bench(2).await;
    for number in 1..=9 {
        bench.start(number).await;
    }
    bench.take_on(job(10, "mary")).await.unwrap();
    bench.until(&id(10), JobStateName::Running).await;
    bench.until(&id(1), JobStateName::Running).await;
    bench.backend.let_through(3);
    bench.until(&id(10), JobStateName::Ready).await;
    let mut ready = 0;
    for number in 1..=9 {
        ready += usize::from(bench.job(&id(number)).await.state.name() == JobStateName::Ready);
    }
    assert!(ready <= 2, "{ready}");
}

#[tokio::test]
async fn a_cancelled_run_leaves_no_ticket_and_no_file() {
    let bench = bench(1).await;
    let running = bench.start(1).await;
    bench.until_tickets(1).await;
    let queued = bench.start(2).await;
    for id in [&queued, &running] {
        bench.cancel("john", id).await.unwrap();
        assert_eq!(bench.job(id).await.state.name(), JobStateName::Cancelled);
    }
    assert_eq!(bench.backend.open_tickets(), 0);
    assert_eq!(bench.on_disk().await, 0);
    bench.cancel("john", &running).await.unwrap();
    assert_eq!(bench.audited().await, [("export-cancelled", 2)].into());
}

#[tokio::test]
async fn a_job_that_waits_is_given_up_with_its_tickets() {
    let bench = bench(1).await;
    bench.backend.behave(Behaviour::Refuse);
    bench.backend.let_through(1);
    let waiting = bench.start(1).await;
    bench.until_waiting_for(&waiting, WaitingFor::SignIn).await;
    bench.until_tickets(1).await;
    bench.cancel("john", &waiting).await.unwrap();
    let job = bench.job(&waiting).await;
    assert_eq!(job.state.name(), JobStateName::Cancelled);
    assert_eq!(bench.backend.open_tickets(), 0);
    assert_eq!(bench.on_disk().await, 0);
}

#[tokio::test]
async fn somebody_else_s_job_is_not_cancelled() {
    let bench = bench(1).await;
    let running = bench.start(1).await;
    let refused = bench.cancel("mary", &running).await;
    assert!(matches!(refused, Err(JobStoreError::Unknown { .. })));
    bench.until(&running, JobStateName::Running).await;
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_leaves_nothing() {
    let bench = bench(1).await;
    bench.backend.behave(Behaviour::Fail);
    bench.backend.let_through(1);
    let id = bench.start(1).await;
    let job = bench.until(&id, JobStateName::Failed).await;
    let JobState::Failed { failure, .. } = job.state else {
        unreachable!()
    };
    assert_eq!(failure.message, "the platform went away");
    assert_eq!(bench.backend.open_tickets(), 0);
    assert_eq!(bench.on_disk().await, 0);
    assert_eq!(bench.audited().await, [("export-failed", 1)].into());
}

#[tokio::test]
async fn a_run_that_breaks_down_is_a_failed_job_that_can_be_tried_again() {
    let bench = bench(1).await;
    bench.backend.behave(Behaviour::Panic);
    bench.backend.let_through(1);
    let broken = bench.start(1).await;
    bench.until(&broken, JobStateName::Failed).await;
    assert_eq!(bench.backend.open_tickets(), 0);
    assert_eq!(bench.on_disk().await, 1);

    bench.backend.behave(Behaviour::Deliver);
    bench.backend.let_through(2);
    let next = bench.start(2).await;
    bench.until(&next, JobStateName::Ready).await;
    let again = bench.retry(&broken).await;
    assert_eq!(again.unwrap().job.state.name(), JobStateName::Queued);
    bench.until(&broken, JobStateName::Ready).await;
    let refused = bench.retry(&broken).await;
    assert!(matches!(refused, Err(RetryError::State(_))));
}

#[tokio::test]
async fn a_stop_keeps_every_run_and_the_next_start_resumes_them() {
    let bench = bench(1).await;
    let running = bench.start(1).await;
    bench.until_tickets(1).await;
    let queued = bench.start(2).await;
    bench.runner.stop().await;
    assert_eq!(bench.backend.open_tickets(), 1);
    for id in [&running, &queued] {
        let job = bench.job(id).await;
        assert_eq!((job.state.name(), job.deaths), (JobStateName::Queued, 0));
    }
    let late = bench.take_on(job(3, "john")).await;
    assert!(matches!(late, Err(TakeOnError::Stopping)));

    let bench = bench.killed(terms(1)).await;
    // The password was in memory only.
    bench.until_waiting_for(&running, WaitingFor::SignIn).await;
    bench.until_waiting_for(&queued, WaitingFor::SignIn).await;
    bench.backend.let_through(2);
    bench.signs_in("john").await;
    for id in [&running, &queued] {
        bench.until(id, JobStateName::Ready).await;
    }
    assert_eq!(bench.backend.open_tickets(), 0);
}

#[tokio::test]
async fn a_job_in_whose_run_the_process_dies_again_and_again_is_failed() {
    let mut bench = bench(1).await;
    bench.backend.add_service_account();
    let dying = bench.start(1).await;
    for deaths in 0..Job::DEATHS {
        loop {
            let job = bench.until(&dying, JobStateName::Running).await;
            if job.deaths == deaths && bench.backend.open_tickets() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bench = bench.killed(terms(1)).await;
    }
    let job = bench.until(&dying, JobStateName::Failed).await;
    assert!(matches!(
        job.state,
        JobState::Failed {
            resumable_until: Some(_),
            ..
        }
    ));
    assert_eq!(bench.backend.open_tickets(), 0);
}

#[tokio::test]
async fn a_job_whose_cancellation_was_cut_off_by_a_kill_leaves_no_ticket() {
    let bench = bench(1).await;
    let running = bench.start(1).await;
    bench.until_tickets(1).await;
    bench.runner.kill();
    let john = user("john");
    let wished = bench.stores.store.wish(&john, &running, Wish::Cancel);
    wished.await.unwrap();
    let bench = bench.killed(terms(1)).await;
    bench.until(&running, JobStateName::Cancelled).await;
    assert_eq!(bench.backend.open_tickets(), 1);
    bench.signs_in("john").await;
    bench.until_tickets(0).await;
    while bench.on_disk().await > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_bag_that_was_kept_before_a_kill_is_delivered_and_not_made_again() {
    let bench = bench(1).await;
    let id = bench.start(1).await;
    let began = bench.until(&id, JobStateName::Running).await.began.unwrap();
    bench.until_tickets(1).await;
    bench.runner.kill();
    let name = format!("uforge-john-{}.zip", began.strftime("%Y%m%dT%H%M%SZ"));
    let work = bench.stores.bags.work_folder(&id).await.unwrap();
    std::fs::write(work.join(&name), BAG).unwrap();
    let name = domain::model::SafeName::parse(&name).unwrap();
    bench.stores.bags.keep(&id, &name).await.unwrap();
    let prepared = bench.backend.passwords().len();
    let bench = bench.killed(terms(1)).await;
    let job = bench.until(&id, JobStateName::Ready).await;
    assert_eq!(job.delivery().unwrap().bag.sha256, Sha256::of(BAG));
    assert_eq!(bench.backend.passwords().len(), prepared);
}

#[tokio::test]
async fn refused_credentials_wait_for_a_sign_in_and_go_on_with_it() {
    let bench = bench(1).await;
    bench.backend.behave(Behaviour::Refuse);
    bench.backend.let_through(1);
    let id = bench.start(1).await;
    let job = bench.until_waiting_for(&id, WaitingFor::SignIn).await;
    assert!(matches!(job.state, JobState::Waiting { retry: None, .. }));
    bench.backend.behave(Behaviour::Deliver);
    bench.backend.let_through(1);
    bench.signs_in("mary").await;
    bench.signs_in("john").await;
    bench.until(&id, JobStateName::Ready).await;
}

#[tokio::test]
async fn a_platform_that_is_away_and_a_full_disk_are_waited_for() {
    for (behaviour, wanted) in [
        (Behaviour::BeAway, WaitingFor::Platform),
        (Behaviour::FindNoSpace, WaitingFor::DiskSpace),
    ] {
        let bench = bench(1).await;
        bench.backend.behave(behaviour);
        bench.backend.let_through(1);
        let id = bench.start(1).await;
        let job = bench.until_waiting_for(&id, wanted).await;
        assert_eq!(job.notes.len(), 1, "{:?}", job.notes);
        assert_eq!(bench.backend.open_tickets(), 1);
        bench.backend.behave(Behaviour::Deliver);
        bench.backend.let_through(1);
        bench.until(&id, JobStateName::Ready).await;
    }
}

#[tokio::test]
async fn what_waits_too_long_is_given_up_and_can_be_tried_again() {
    let terms = Terms {
        give_up_after: Duration::from_millis(50),
        ..terms(1)
    };
    let bench = bench_with(terms).await;
    bench.backend.behave(Behaviour::BeAway);
    bench.backend.let_through(100);
    let id = bench.start(1).await;
    let job = bench.until(&id, JobStateName::Failed).await;
    let JobState::Failed { failure, .. } = job.state else {
        unreachable!()
    };
    assert_eq!(failure.message, "the platform was away for too long");
    assert_eq!(bench.on_disk().await, 1);
    bench.backend.behave(Behaviour::Deliver);
    bench.retry(&id).await.unwrap();
    bench.until(&id, JobStateName::Ready).await;
}

#[tokio::test]
async fn a_full_store_lets_jobs_wait_until_there_is_space() {
    let terms = Terms {
        store_limit: Some(BAG.len() as u64),
        ..terms(1)
    };
    let bench = bench_with(terms).await;
    bench.backend.let_through(2);
    let first = bench.start(1).await;
    bench.until(&first, JobStateName::Ready).await;
    let second = bench.start(2).await;
    bench
        .until_waiting_for(&second, WaitingFor::DiskSpace)
        .await;
    let stored = bench.stores.store.find(&first).await.unwrap();
    let mut over = stored.job;
    over.delete_bag(bench.stores.clock.now()).unwrap();
    bench.stores.bags.delete(&first).await.unwrap();
    let updated = bench.stores.store.update(stored.version, over);
    updated.await.unwrap();
    bench.until(&second, JobStateName::Ready).await;
}

#[tokio::test]
async fn an_expired_bag_goes_and_its_record_stays() {
    let terms = Terms {
        keep_archive: Duration::from_millis(30),
        ..terms(1)
    };
    let bench = bench_with(terms).await;
    bench.backend.let_through(1);
    let id = bench.start(1).await;
    let job = bench.until(&id, JobStateName::Expired).await;
    assert_eq!(job.delivery().unwrap().bag.sha256, Sha256::of(BAG));
    assert_eq!(bench.on_disk().await, 0);
    assert_eq!(
        bench.audited().await,
        [("expired", 1), ("export-ready", 1)].into()
    );
}

#[tokio::test]
async fn with_a_service_account_a_job_goes_on_without_its_owner() {
    let bench = bench(1).await;
    bench.backend.add_service_account();
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    let bench = bench.killed(terms(1)).await;
    bench.backend.let_through(1);
    bench.until(&id, JobStateName::Ready).await;
    assert!(bench.backend.passwords().iter().all(String::is_empty));
}

#[tokio::test]
async fn a_service_account_that_is_refused_leaves_it_to_the_owner() {
    let bench = bench(1).await;
    bench.backend.add_service_account();
    bench.backend.behave(Behaviour::Refuse);
    bench.backend.let_through(1);
    let id = bench.start(1).await;
    while bench.backend.passwords().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bench.backend.let_through(1);
    bench.until_waiting_for(&id, WaitingFor::SignIn).await;
    assert_eq!(bench.backend.passwords(), ["", "secret"]);
}

#[tokio::test]
async fn the_same_order_twice_is_one_job_and_nobody_fills_the_queue() {
    let bench = bench(1).await;
    for number in 1..=10 {
        bench.start(number).await;
    }
    let mut same = job(11, "john");
    same.request = job(1, "john").request;
    let same = bench.take_on(same).await.unwrap();
    assert!(matches!(same, Admitted::Same(stored) if stored.job.id == id(1)));
    let eleventh = bench.take_on(job(12, "john")).await;
    assert!(matches!(
        eleventh,
        Err(TakeOnError::Store(JobStoreError::TooManyUnfinished { .. }))
    ));
    bench.take_on(job(13, "mary")).await.unwrap();
    assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
}

#[tokio::test]
async fn what_an_earlier_process_left_without_a_job_is_deleted_and_nothing_else() {
    let bench = bench(1).await;
    bench.backend.let_through(1);
    let ready = bench.start(1).await;
    bench.until(&ready, JobStateName::Ready).await;
    bench.stores.bags.work_folder(&id(77)).await.unwrap();
    std::fs::write(bench.folder.path().join("bags/notes.txt"), b"mine").unwrap();
    let bench = bench.killed(terms(1)).await;
    assert_eq!(bench.stores.bags.list().await.unwrap(), [ready]);
    assert!(bench.folder.path().join("bags/notes.txt").exists());
}

#[tokio::test]
async fn a_run_whose_lease_is_lost_writes_nothing_more() {
    let mut terms = terms(1);
    terms.pace.lease = Duration::from_millis(300);
    let bench = bench_with(terms.clone()).await;
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    // Another process has the store for itself and claims the job.
    bench.stores.store.void_leases().await.unwrap();
    let other = WorkerId::of("other");
    let claim = loop {
        let claimed = bench.stores.store.claim(&other, Duration::from_hours(1));
        match claimed.await.unwrap() {
            Some(claim) => break Some(claim),
            None if bench.job(&id).await.state.name() == JobStateName::Running => break None,
            None => {}
        }
    };
    bench.backend.let_through(1);
    match claim {
        Some(claim) => {
            tokio::time::sleep(terms.pace.lease).await;
            assert_eq!(bench.job(&id).await.state.name(), JobStateName::Running);
            bench.stores.store.give_back(&claim.lease).await.unwrap();
        }
        // This process was faster and runs it again.
        None => {}
    }
    bench.backend.let_through(1);
    bench.until(&id, JobStateName::Ready).await;
    assert_eq!(bench.audited().await[AuditAction::ExportReady.name()], 1);
}
