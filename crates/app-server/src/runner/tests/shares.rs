//! Places, turns and shares.

use super::*;

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
async fn somebody_else_s_job_is_not_cancelled() {
    let bench = bench(1).await;
    let running = bench.start(1).await;
    let refused = bench.cancel("mary", &running).await;
    assert!(matches!(refused, Err(JobStoreError::Unknown { .. })));
    bench.until(&running, JobStateName::Running).await;
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
