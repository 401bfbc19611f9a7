//! What survives a stop and a kill.

use domain::testing::MemoryJobStore;

use super::*;

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

/// Its answer is on its way when the service is stopped: nobody else could run that job before its lease ran out.
#[tokio::test]
async fn a_job_that_is_claimed_while_the_service_stops_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let others = TestStores::new(folder.path());
    let jobs = Arc::new(MemoryJobStore::new(Arc::clone(&others.clock)));
    let stores = TestStores {
        store: Arc::clone(&jobs) as _,
        campaigns: Arc::clone(&jobs) as _,
        ..others
    };
    let bench = bench_on(stores, folder, terms(1)).await;
    let answers = jobs.hold_answers_to_claims().await;
    let id = bench.start(1).await;
    bench.until(&id, JobStateName::Running).await;
    let mut stop = std::pin::pin!(bench.runner.stop());
    for _ in 0..100 {
        assert!(futures_util::poll!(stop.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(answers);
    stop.await;
    let job = bench.job(&id).await;
    assert_eq!((job.state.name(), job.deaths), (JobStateName::Queued, 0));
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
    let wished = bench
        .stores
        .store
        .wish(&john, &running, Wish::Cancel, &john);
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

/// This process lost the lease as it was about to record the end, and another one runs the job, or has its bag by now.
#[tokio::test]
async fn what_another_process_took_over_is_not_cleaned_up() {
    let bench = bench(1).await;
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    let context = Arc::clone(&bench.runner.context);
    context.registry.add_open(&id, &user("john"));
    context.finish_open().await;
    assert_eq!(bench.backend.open_tickets(), 1);
    bench.backend.let_through(1);
    bench.until(&id, JobStateName::Ready).await;
    context.finish_open().await;
    assert_eq!(bench.on_disk().await, 1);
    assert_eq!(context.registry.open(), []);
}

/// The name of a run decides where its files are: it is not guessed.
#[tokio::test]
async fn a_run_has_no_name_while_the_store_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let stores = TestStores::new(folder.path());
    let mut away = domain::jobs::MockJobStore::new();
    away.expect_list()
        .returning(|_, _| Err(JobStoreError::Unavailable("it is away".into())));
    let ports = RunnerPorts {
        store: Arc::new(away),
        ..stores.ports(&Arc::default())
    };
    let context = context::Context::new(ports, terms(1));
    let setback = context.place(&job(1, "john")).await.err().unwrap();
    assert_eq!(setback.kind, crate::backend::SetbackKind::StoreAway);
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
        let claimed = bench.stores.store.claim(
            &other,
            Duration::from_hours(1),
            domain::jobs::ClaimLimits {
                archives: 3,
                campaigns: true,
            },
        );
        match claimed.await.unwrap() {
            Some(claim) => break Some(claim),
            None if bench.job(&id).await.state.name() == JobStateName::Running => break None,
            None => {}
        }
    };
    bench.backend.let_through(1);
    // Otherwise this process was faster, and runs it again.
    if let Some(claim) = claim {
        tokio::time::sleep(terms.pace.lease).await;
        assert_eq!(bench.job(&id).await.state.name(), JobStateName::Running);
        bench.stores.store.give_back(&claim.lease).await.unwrap();
    }
    bench.backend.let_through(1);
    bench.until(&id, JobStateName::Ready).await;
    assert_eq!(bench.audited().await[AuditAction::ExportReady.name()], 1);
}

/// A worker died between the end of a job and the deletion of its files: the others find them.
#[tokio::test]
async fn what_another_worker_left_of_a_job_that_is_over_is_deleted() {
    let usual = terms(1);
    let bench = bench_with(Terms {
        duty: Duty::Runs,
        pace: Pace {
            clean_up_every: Duration::from_millis(20),
            ..usual.pace
        },
        ..usual
    })
    .await;
    bench.backend.let_through(1);
    let ready = bench.start(1).await;
    bench.until(&ready, JobStateName::Ready).await;
    let cancelled = bench.start(2).await;
    bench.until_tickets(1).await;
    bench.cancel("john", &cancelled).await.unwrap();
    bench.until(&cancelled, JobStateName::Cancelled).await;
    let bags = &bench.stores.bags;
    bags.work_folder(&cancelled).await.unwrap();
    while bench.on_disk().await != 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(bags.list().await.unwrap(), [ready]);
}

/// All places are taken, perhaps for hours: the job of a worker that died is run all the same.
#[tokio::test]
async fn the_job_of_a_worker_that_died_does_not_wait_for_a_place() {
    let bench = bench_with(Terms {
        duty: Duty::Runs,
        ..terms(1)
    })
    .await;
    bench.start(1).await;
    bench.until_tickets(1).await;
    bench.take_on(job(2, "mary")).await.unwrap();
    let other = WorkerId::of("other");
    let store = &bench.stores.store;
    let limits = domain::jobs::ClaimLimits {
        archives: 3,
        campaigns: true,
    };
    let claimed = store.claim(&other, Duration::from_millis(1), limits).await;
    assert!(claimed.unwrap().is_some());
    let taken_over = bench.until_tickets(2);
    let taken_over = tokio::time::timeout(Duration::from_secs(30), taken_over).await;
    assert!(taken_over.is_ok(), "it waits for a place");
}
