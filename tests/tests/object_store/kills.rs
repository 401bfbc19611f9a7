//! Workers that are killed, one after the other, at an instant after each of them has recorded something new.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use domain::jobs::BagStore;
use domain::model::BagFormat;
use futures_util::TryStreamExt as _;
use object_store::ObjectStore as _;
use object_store::aws::AmazonS3Builder;
use sandbox::Running;
use tests::contract::job_store::id;
use tests::kit::{self, Bag, S3};

use crate::records::FileRecords;
use crate::worker::{Done, FOLDER, Task};
use crate::{readers, runtime};

/// The length of archives whose worker's memory is measured.
const ARCHIVE_BYTES: &str = "UFORGE_EXPORT_TEST_ARCHIVE_BYTES";
/// Two downloads at a time, each with two parts of 5 MiB and some chunks in flight, and the program itself.
const MOST_MIB: u64 = 100;
/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_mins(3);
/// The list of export tickets changes with every export.
const CHANGES: [&str; 1] = ["data/exports/"];

/// A bag of workers that were killed is the same as one of a worker that was not: valid, with the same payload, and in as many objects.
pub(crate) fn check(server: &S3, format: BagFormat) {
    let runtime = runtime();
    let mut scenario = kit::small("");
    scenario.data.appliances = 6;
    // A start of software that is lost in the instant of a kill can only be reported.
    scenario.data.software = 0;
    scenario.data.archive_bytes = 3_000_000;
    let platform = runtime.block_on(kit::start(scenario));
    let undisturbed = Job::new(server, &platform, format, "undisturbed");
    let status = undisturbed.spawn(0).wait().expect("its end");
    assert!(status.success());
    let expected = undisturbed.bag();
    let killed = Job::new(server, &platform, format, "killed");
    let kills = killed.until_done();
    assert!(kills >= 5, "{kills}");
    let bag = killed.bag();
    assert_eq!(bag.sums_without(&CHANGES), expected.sums_without(&CHANGES));
    let objects = |job: &Job| runtime.block_on(job.objects());
    assert_eq!(
        objects(&killed),
        objects(&undisturbed),
        "nothing is left that no record names"
    );
    assert_eq!(platform.platform().open_tickets(), []);
}

/// A worker that writes long archives takes little memory, however long they are.
pub(crate) fn check_memory(server: &S3) {
    let mut scenario = kit::small("");
    scenario.data.appliances = 2;
    scenario.data.software = 0;
    let asked = std::env::var(ARCHIVE_BYTES).ok();
    scenario.data.archive_bytes = asked.map_or(40_000_000, |bytes| bytes.parse().expect("bytes"));
    let runtime = runtime();
    let platform = runtime.block_on(kit::start(scenario));
    let job = Job::new(server, &platform, BagFormat::Zip, "long");
    let mut worker = job.spawn(0);
    let status = format!("/proc/{}/status", worker.id());
    let mut most = 0;
    while worker.try_wait().expect("its state").is_none() {
        let said = fs::read_to_string(&status).unwrap_or_default();
        let peak = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        most = most.max(peak.unwrap_or(0) / 1024);
        std::thread::yield_now();
    }
    assert!(worker.wait().expect("its end").success());
    assert!((1..=MOST_MIB).contains(&most), "{most} MiB");
    job.bag();
}

struct Job {
    folder: tempfile::TempDir,
    task: Task,
}

impl Job {
    fn new(server: &S3, platform: &Running, format: BagFormat, name: &str) -> Self {
        let announced = platform.announcement();
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            task: Task {
                platform: platform.url().to_owned(),
                user: announced.user,
                password: announced.password,
                store: format!("s3://{}/{name}-{}", S3::BUCKET, format.ending()),
                endpoint: server.url.clone(),
                format,
                before: 0,
            },
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn spawn(&self, before: u32) -> Child {
        let task = Task {
            before,
            store: self.task.store.clone(),
            platform: self.task.platform.clone(),
            user: self.task.user.clone(),
            password: self.task.password.clone(),
            endpoint: self.task.endpoint.clone(),
            format: self.task.format,
        };
        let task = serde_json::to_vec(&task).expect("JSON");
        fs::write(self.path().join("task.json"), task).expect("a file");
        let own = std::env::current_exe().expect("this program");
        let mut worker = Command::new(own);
        worker.env(FOLDER, self.path()).stdout(Stdio::null());
        worker.spawn().expect("a process")
    }

    /// Starts one worker after the other, until one comes to the end. Gives how many were killed.
    fn until_done(&self) -> u32 {
        for number in 0.. {
            // Each comes a little further, and no two as far.
            let further = 2_000 + u64::from(number) * 7_919 % 9_000;
            if let Some(status) = self.killed_after(self.spawn(number), further) {
                assert!(status.success());
                return number;
            }
        }
        unreachable!("one comes to the end")
    }

    /// Kills a worker once its records are so much longer; its end, where it came to that before.
    fn killed_after(&self, mut worker: Child, further: u64) -> Option<ExitStatus> {
        let file = FileRecords::file(self.path());
        let length = || fs::metadata(&file).map_or(0, |file| file.len());
        let (before, began) = (length(), Instant::now());
        loop {
            if let Some(status) = worker.try_wait().expect("its state") {
                return Some(status);
            }
            if length() >= before + further {
                worker.kill().expect("it is killed");
                worker.wait().expect("its end");
                return None;
            }
            assert!(began.elapsed() < PATIENCE, "nothing happens");
            std::thread::yield_now();
        }
    }

    /// The bag, as it is kept, read by other people's programs too.
    fn bag(&self) -> Bag {
        let done = fs::read(self.path().join("done.json")).expect("it came to the end");
        let done: Done = serde_json::from_slice(&done).expect("JSON");
        let bytes = runtime().block_on(async {
            let (store, file) = (self.task.store(self.path()), self.task.file());
            let body = BagStore::open(&store, &id(1), &file, done.bytes, 0..done.bytes).await;
            let chunks: Vec<_> = body.expect("a bag").try_collect().await.expect("all");
            chunks.concat()
        });
        assert_eq!(domain::model::Sha256::of(&bytes).to_string(), done.sha256);
        let path = self.path().join(self.task.file().as_str());
        fs::write(&path, &bytes).expect("a file");
        readers::check(&path, self.task.format);
        let bag = Bag::read(&path);
        bag.check();
        bag
    }

    /// How many objects there are, and bytes in them.
    async fn objects(&self) -> usize {
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(S3::BUCKET)
            .with_endpoint(&self.task.endpoint)
            .with_allow_http(true)
            .build()
            .expect("a store");
        let prefix = self.task.store.rsplit('/').next().expect("a prefix");
        let listed = store.list(Some(&prefix.into()));
        let listed: Vec<_> = listed.try_collect().await.expect("a list");
        listed.len()
    }
}
