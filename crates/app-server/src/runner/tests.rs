//! Jobs from the queue to their end, with runs that the test lets go on.

use super::*;
use crate::store::{DiskBags, MemoryJobs, promises};
use crate::testing::{BAG, Behaviour, FakeBackend};
use domain::jobs::{JobState, JobStateName};
use domain::model::Sha256;
use domain::ports::MockClock;
use jiff::Timestamp;
use secrecy::SecretString;

struct Bench {
    runner: Arc<Runner>,
    backend: Arc<FakeBackend>,
    store: Arc<MemoryJobs>,
    bags: Arc<DiskBags>,
    _folder: tempfile::TempDir,
}

fn bench(places: usize) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let bags = Arc::new(DiskBags::open(folder.path().join("bags")).unwrap());
    let store = Arc::new(MemoryJobs::new(100));
    let backend = Arc::new(FakeBackend::default());
    let mut clock = MockClock::new();
    clock
        .expect_now()
        .returning(|| Timestamp::from_second(1_000).unwrap());
    let ports = RunnerPorts {
        store: Arc::clone(&store) as Arc<dyn JobStore>,
        bags: Arc::clone(&bags) as Arc<dyn BagStore>,
        backend: Arc::clone(&backend) as Arc<dyn Backend>,
        clock: Arc::new(clock),
    };
    Bench {
        runner: Arc::new(Runner::new(ports, places, Duration::from_mins(1))),
        backend,
        store,
        bags,
        _folder: folder,
    }
}

impl Bench {
    async fn start(&self, number: u32) -> JobId {
        let job = promises::job(number, "john");
        self.take_on(job).await.unwrap();
        promises::id(number)
    }

    async fn take_on(&self, job: Job) -> Result<StoredJob, TakeOnError> {
        let credentials = Credentials {
            login: job.owner.clone(),
            password: SecretString::from("secret"),
        };
        self.runner.take_on(job, credentials).await
    }

    async fn job(&self, id: &JobId) -> domain::jobs::Job {
        let owner = promises::user("john");
        self.store.get(&owner, id).await.unwrap().job
    }

    async fn until(&self, id: &JobId, state: JobStateName) -> domain::jobs::Job {
        loop {
            let job = self.job(id).await;
            if job.state_name() == state {
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
}

#[tokio::test]
async fn a_run_ends_in_a_bag_with_its_sum() {
    let bench = bench(1);
    let id = bench.start(1).await;
    bench.until(&id, JobStateName::Running).await;
    bench.until_tickets(1).await;
    let live = bench.runner.live(&id).unwrap().latest();
    assert_eq!(live.progress.items.planned, 1);

    bench.backend.let_through(1);
    let job = bench.until(&id, JobStateName::Ready).await;
    let bag = &job.delivery().unwrap().bag;
    assert_eq!(bag.sha256, Sha256::of(BAG));
    assert_eq!(bag.name.as_str(), "uforge-john-19700101T001640Z.zip");
    assert_eq!(job.expires(), Some(Timestamp::from_second(1_060).unwrap()));
    assert_eq!(bench.backend.open_tickets(), 0);
    while bench.runner.live(&id).is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_more_jobs_run_at_a_time_than_there_are_places() {
    let bench = bench(1);
    let first = bench.start(1).await;
    bench.until(&first, JobStateName::Running).await;
    let second = bench.start(2).await;
    bench.until_tickets(1).await;
    assert_eq!(bench.job(&second).await.state_name(), JobStateName::Queued);
    bench.backend.let_through(1);
    bench.until(&first, JobStateName::Ready).await;
    bench.until(&second, JobStateName::Running).await;
}

#[tokio::test]
async fn a_cancelled_run_leaves_no_ticket_and_no_file() {
    let bench = bench(1);
    let running = bench.start(1).await;
    bench.until_tickets(1).await;
    let queued = bench.start(2).await;
    for id in [&queued, &running] {
        bench.runner.cancel(id).await;
        assert_eq!(bench.job(id).await.state_name(), JobStateName::Cancelled);
    }
    assert_eq!(bench.backend.open_tickets(), 0);
    assert!(bench.bags.kept().await.unwrap().is_empty());
    bench.runner.cancel(&running).await;
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_leaves_nothing() {
    let bench = bench(1);
    bench.backend.behave(Behaviour::Fail);
    bench.backend.let_through(1);
    let id = bench.start(1).await;
    let job = bench.until(&id, JobStateName::Failed).await;
    let JobState::Failed { failure, .. } = job.state else {
        unreachable!()
    };
    assert_eq!(failure.message, "the platform went away");
    assert_eq!(bench.backend.open_tickets(), 0);
    assert!(bench.bags.kept().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_run_that_breaks_down_is_a_failed_job_and_its_place_is_free_again() {
    let bench = bench(1);
    bench.backend.behave(Behaviour::Panic);
    bench.backend.let_through(1);
    let broken = bench.start(1).await;
    bench.until(&broken, JobStateName::Failed).await;

    bench.backend.behave(Behaviour::Deliver);
    bench.backend.let_through(1);
    let next = bench.start(2).await;
    bench.until(&next, JobStateName::Ready).await;
}

#[tokio::test]
async fn a_stop_lets_every_run_go_with_its_tickets_abandoned() {
    let bench = bench(1);
    let running = bench.start(1).await;
    bench.until_tickets(1).await;
    let queued = bench.start(2).await;
    bench.runner.stop().await;
    assert_eq!(bench.backend.open_tickets(), 0);
    for id in [&running, &queued] {
        assert_eq!(bench.job(id).await.state_name(), JobStateName::Failed);
    }
    let late = bench.take_on(promises::job(3, "john")).await;
    assert!(matches!(late, Err(TakeOnError::Stopping)));
}

#[tokio::test]
async fn nobody_fills_the_queue_for_everybody_else() {
    let bench = bench(1);
    for number in 1..=10 {
        bench.start(number).await;
    }
    let eleventh = bench.take_on(promises::job(11, "john")).await;
    assert!(matches!(
        eleventh,
        Err(TakeOnError::TooManyOfOwner { limit: 10 })
    ));
    bench.take_on(promises::job(12, "mary")).await.unwrap();
    bench.runner.cancel(&promises::id(1)).await;
    bench.start(11).await;
}

#[tokio::test]
async fn a_job_that_cannot_be_recorded_takes_no_place() {
    let bench = bench(1);
    let first = bench.start(1).await;
    bench.runner.cancel(&first).await;
    let again = bench.take_on(promises::job(1, "john")).await;
    assert!(matches!(again, Err(TakeOnError::Store(_))));
    assert!(bench.runner.live(&first).is_none());
}
