//! Jobs from the queue to their end, with runs that the test lets go on.

mod campaigns;
mod ends;
mod restarts;
mod seals;
mod shares;
mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{
    Admitted, AuditAction, AuditPage, BagStore as _, Job, JobId, JobState, JobStateName,
    JobStoreError, StoredJob, WaitingFor, Wish, WorkerId,
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
    let stores = TestStores::new(folder.path());
    bench_on(stores, folder, terms).await
}

async fn bench_on(stores: TestStores, folder: tempfile::TempDir, terms: Terms) -> Bench {
    let backend = Arc::new(FakeBackend::default());
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
        let john = user("john");
        runner.retry(&john, id, &john, &credentials("john")).await
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
