//! Tickets that could not be deleted when their job ended, where nobody but the seal can sign in for it later.

use std::sync::atomic::Ordering;

use super::campaigns::{FakeSeal, named};
use super::*;

async fn sealed_bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let stores = TestStores::in_database(folder.path()).await;
    bench_on(stores, folder, terms(3)).await.with_seal().await
}

impl Bench {
    /// The process is killed while tickets are left. The next one deletes them with what is sealed, which then goes.
    async fn tidied_after_a_kill(self, tickets: usize) {
        assert_eq!(self.backend.open_tickets(), tickets);
        assert_eq!(self.stores.sealed.list().await.unwrap().len(), tickets);
        let bench = self.with_seal().await;
        // The platform is still away.
        assert_eq!(bench.backend.open_tickets(), tickets);
        assert_eq!(bench.stores.sealed.list().await.unwrap().len(), tickets);
        bench.backend.is_away.store(false, Ordering::SeqCst);
        let bench = bench.with_seal().await;
        assert_eq!(bench.backend.open_tickets(), 0);
        assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_was_sealed_is_kept_until_the_tickets_of_a_cancelled_job_are_gone() {
    let bench = sealed_bench().await;
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    // Its owner signed in with the process before.
    let bench = bench.with_seal().await;
    bench.backend.is_away.store(true, Ordering::SeqCst);
    let john = user("john");
    bench.runner.give_up(&john, &id, &john).await.unwrap();
    bench.until(&id, JobStateName::Cancelled).await;
    bench.tidied_after_a_kill(1).await;
}

#[tokio::test]
async fn what_was_sealed_is_kept_until_the_tickets_of_a_cancelled_campaign_are_gone() {
    let bench = sealed_bench().await;
    bench.order_campaign().await;
    bench.until_tickets(2).await;
    let bench = bench.with_seal().await;
    bench.backend.is_away.store(true, Ordering::SeqCst);
    let given_up = bench.runner.cancel_campaign(&named(), &user("root")).await;
    given_up.unwrap();
    for job in [id(901), id(902)] {
        bench.until(&job, JobStateName::Cancelled).await;
    }
    while bench.stores.sealed.list().await.unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bench.tidied_after_a_kill(2).await;
}

/// Nobody runs it: it waited for the platform.
#[tokio::test]
async fn what_was_sealed_is_kept_until_the_tickets_of_a_job_that_waited_are_gone() {
    let bench = sealed_bench().await;
    bench.backend.behave(Behaviour::BeAway);
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    bench.backend.is_away.store(true, Ordering::SeqCst);
    bench.backend.let_through(1);
    bench.until_waiting_for(&id, WaitingFor::Platform).await;
    let john = user("john");
    bench.runner.give_up(&john, &id, &john).await.unwrap();
    bench.until(&id, JobStateName::Cancelled).await;
    bench.tidied_after_a_kill(1).await;
}

#[tokio::test]
async fn nothing_stays_sealed_where_no_ticket_is_left() {
    let bench = sealed_bench().await;
    let id = bench.start(1).await;
    bench.until_tickets(1).await;
    let john = user("john");
    bench.runner.give_up(&john, &id, &john).await.unwrap();
    assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
    bench.backend.behave(Behaviour::Break);
    bench.backend.let_through(1);
    let failed = bench.start(2).await;
    bench.until(&failed, JobStateName::Failed).await;
    bench.runner.stop().await;
    assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
}

/// The platform refused them for a moment, as directories do. The process at which their owner signs in holds the same password already, and
/// only the one that ran the export knows that it was refused.
#[tokio::test]
async fn an_export_that_another_process_runs_resumes_with_the_same_password() {
    let folder = tempfile::tempdir().unwrap();
    let stores = TestStores::in_database(folder.path()).await;
    let usual = bench_on(stores.clone(), folder, terms(1)).await;
    usual.runner.kill();
    let start = async |duty| {
        let ports = RunnerPorts {
            seal: Some(Arc::new(FakeSeal)),
            ..stores.ports(&usual.backend)
        };
        let terms = Terms { duty, ..terms(1) };
        Runner::start(ports, terms).await.unwrap()
    };
    let web = start(Duty::Serves).await;
    let worker = start(Duty::Runs).await;
    usual.backend.behave(Behaviour::Refuse);
    usual.backend.let_through(1);
    let taken = web.take_on(job(1, "john"), credentials("john")).await;
    taken.unwrap();
    usual.until_waiting_for(&id(1), WaitingFor::SignIn).await;
    assert_eq!(stores.sealed.list().await.unwrap(), []);
    usual.backend.behave(Behaviour::Deliver);
    usual.backend.let_through(1);
    web.accepted(&user("john"), &credentials("john")).await;
    usual.until(&id(1), JobStateName::Ready).await;
    worker.kill();
}
