//! The process that is killed: one run of the job, with the real workflow against a platform on a socket.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use adapters_http::UforgeApi;
use adapters_store::S3Store;
use domain::jobs::{KeptBag, OpenedRun, RunSettings, RunStore};
use domain::model::{BagFormat, Order, SafeName, UserId};
use domain::ports::NoProgress;
use domain::workflow::{Ports, export};
use serde::{Deserialize, Serialize};
use tests::kit;

use crate::records::FileRecords;
use crate::runtime;

/// Names the folder that a worker works in.
pub(crate) const FOLDER: &str = "UFORGE_TEST_WORKER_FOLDER";

/// What a worker does.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) platform: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) store: String,
    pub(crate) endpoint: String,
    pub(crate) format: BagFormat,
    /// How many workers there were before.
    pub(crate) before: u32,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Task {
    pub(crate) fn store(&self, folder: &Path) -> S3Store {
        let records = Arc::new(FileRecords::new(folder));
        S3Store::open(&self.store, Some(&self.endpoint), records).expect("a store")
    }

    pub(crate) fn file(&self) -> SafeName {
        let name = format!("{}.{}", self.order().bag_name, self.format.ending());
        SafeName::parse(&name).expect("a name")
    }

    fn order(&self) -> Order {
        let mut order = domain::testing::order();
        order.user = UserId::parse(&self.user).expect("a login");
        order.source.clone_from(&self.platform);
        order.format = self.format;
        order
    }
}

pub(crate) fn work(folder: &Path) -> ExitCode {
    let task = fs::read(folder.join("task.json")).expect("a task");
    let task: Task = serde_json::from_slice(&task).expect("a task");
    let kept = runtime().block_on(run(&task, folder));
    let done = Done {
        bytes: kept.bytes,
        sha256: kept.sha256.to_string(),
    };
    let done = serde_json::to_vec(&done).expect("JSON");
    fs::write(folder.join("done.json"), done).expect("a file");
    ExitCode::SUCCESS
}

async fn run(task: &Task, folder: &Path) -> KeptBag {
    let store = task.store(folder);
    let lease = FileRecords::new(folder).claim(u128::from(task.before) + 1);
    let (order, file) = (task.order(), task.file());
    let settings = RunSettings::of(&order, file.clone());
    let opened = RunStore::open(&store, &lease, &settings).await;
    if let OpenedRun::Ready { sink, journal, .. } = opened.expect("a run") {
        let api = kit::settings_at(&task.platform, &task.user, &task.password);
        let api = UforgeApi::new(api).expect("settings");
        let ports = Ports {
            api: &api,
            clock: &kit::HastyClock::running(20),
            journal: &*journal,
            progress: &NoProgress,
        };
        export(ports, sink, &order).await.expect("a bag");
    }
    store.keep(&lease, &file).await.expect("it is kept")
}
