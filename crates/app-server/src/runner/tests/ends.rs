//! How runs end, and what of them stays.

use super::*;

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
