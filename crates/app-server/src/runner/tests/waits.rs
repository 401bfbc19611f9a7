//! What jobs wait for, and how they go on.

use std::sync::atomic::Ordering;

use super::*;

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

/// One request to the platform is enough to know, however many exports there are.
#[tokio::test]
async fn refused_credentials_of_the_service_are_not_sent_for_every_export() {
    let folder = tempfile::tempdir().unwrap();
    let stores = TestStores::new(folder.path());
    let backend = Arc::new(FakeBackend::default());
    backend.add_service_account();
    backend.refuses_service.store(true, Ordering::SeqCst);
    let runner = Runner::start(stores.ports(&backend), terms(3));
    let bench = Bench {
        runner: runner.await.unwrap(),
        backend,
        stores,
        folder,
    };
    let context = Arc::clone(&bench.runner.context);
    for (number, owner) in [(1, "ann"), (2, "bob"), (3, "mary")] {
        let owner = user(owner);
        let job = job(number, owner.as_str());
        let stores = &bench.stores;
        stores.store.admit(job, &Terms::SHARES).await.unwrap();
    }
    for number in 1..=3 {
        let job = bench
            .until_waiting_for(&id(number), WaitingFor::SignIn)
            .await;
        assert!(job.notes[0].contains("no credentials"), "{:?}", job.notes);
    }
    assert_eq!(bench.backend.passwords(), [""; 0]);
    assert_eq!(bench.backend.service_checks.load(Ordering::SeqCst), 1);

    // A person can go on at once with their own.
    bench.backend.let_through(3);
    bench.signs_in("ann").await;
    bench.until(&id(1), JobStateName::Ready).await;
    assert_eq!(bench.backend.passwords(), ["secret"]);
    // Everybody's go on when the platform accepts the service's again.
    bench.backend.refuses_service.store(false, Ordering::SeqCst);
    context.service_account.ask_again_now();
    for number in 2..=3 {
        bench.until(&id(number), JobStateName::Ready).await;
    }
}

#[tokio::test]
async fn a_refusal_says_whose_credentials_were_refused() {
    let bench = bench(1).await;
    bench.backend.add_service_account();
    bench.backend.behave(Behaviour::Refuse);
    bench.backend.let_through(2);
    let id = bench.start(1).await;
    let job = bench.until_waiting_for(&id, WaitingFor::SignIn).await;
    let said = job.notes.last().unwrap();
    assert!(said.contains("the credentials of `john`"), "{said}");
    // The service's own were refused first.
    assert_eq!(bench.backend.passwords(), ["", "secret"]);
    assert!(!bench.runner.context.has_service_account());
}
