//! A disk that is full for a while: nothing is lost, and what waits for space goes on.
//!
//! The disk is a file system of its own, in memory. Where the right to mount one is missing, the test is ignored, and counted as such.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]
#![allow(dead_code, reason = "the helpers are those of the other tests")]

#[path = "../service/bag.rs"]
mod bag;
#[path = "../service/bench.rs"]
mod bench;
#[path = "../service/caller.rs"]
mod caller;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use app_server::Pace;
use bench::{Bench, bench_with, create, quick, until};
use domain::model::UserId;
use libtest_mimic::{Arguments, Trial};

const MEBIBYTE: u64 = 1024 * 1024;

/// A file system of 48 MiB. It goes with this.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"]);
        let mounted = mount.arg(folder.path()).stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn free(&self) -> u64 {
        let mut df = Command::new("df");
        let output = df
            .args(["--output=avail", "-B1"])
            .arg(self.0.path())
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }

    /// Takes all of the disk but so many bytes.
    fn leave(&self, name: &str, free: u64) -> PathBuf {
        let path = self.path(name);
        let mut file = File::create(&path).unwrap();
        let piece = vec![1; 4096];
        while self.free() > free {
            let pieces = (self.free() - free).div_ceil(4096);
            for _ in 0..pieces {
                if file.write_all(&piece).is_err() {
                    return path;
                }
            }
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let can_mount = Disk::mount().is_some();
    if !can_mount && !arguments.list {
        let _ = writeln!(
            std::io::stderr(),
            "no file system can be mounted here: the test of a full disk is ignored"
        );
    }
    let trial = Trial::test("a_full_disk_loses_nothing", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(a_full_disk_loses_nothing());
        Ok(())
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(!can_mount)]).exit_code()
}

async fn bench_on(data: &Path) -> Bench {
    let mut scenario = quick();
    scenario.data.appliances = 4;
    scenario.data.archive_bytes = 6_000_000;
    let administrator = UserId::parse(&scenario.administrator.login).unwrap();
    bench_with(scenario, |settings| {
        settings.administrators.push(administrator);
        data.clone_into(&mut settings.data);
        settings.pace = Pace {
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_millis(50),
            look_every: Duration::from_millis(20),
            ..Pace::default()
        };
    })
    .await
}

async fn a_full_disk_loses_nothing() {
    let disk = Disk::mount().unwrap();
    let bench = bench_on(&disk.path("data")).await;
    let user = bench.user();
    let first = create(&user, r#"{"include":["profile"]}"#).await;
    let record = until(&user, &first, "ready").await;
    let archive = user.get(&format!("{first}/archive")).await;

    // Enough for a run to begin, and not for its archives.
    let much = disk.leave("much", 20 * MEBIBYTE);
    let second = create(&user, r#"{"include":["appliances"]}"#).await;
    // The archives take the last byte, and that the export waits is recorded nevertheless.
    let waiting = until(&user, &second, "waiting").await;
    assert_eq!(waiting["waiting_for"], "disk-space", "{waiting:#}");
    let all = disk.leave("all", 0);
    assert_eq!(disk.free(), 0);

    // What is there can be had, and what cannot be recorded is refused for now.
    assert_eq!(user.get("/healthz").await.status, 200);
    let again = user.get(&format!("{first}/archive")).await;
    assert_eq!((again.status, again.body), (200, archive.body.clone()));
    for _ in 0..5 {
        // It may be that the entry which says that it is read has a place inside the database.
        let trail = bench.administrator().get("/api/v1/audit").await;
        if trail.status != 200 {
            assert_eq!(trail.status, 503, "{:?}", trail.json());
            assert_eq!(trail.json()["type"], "/problems/no-space");
            assert!(trail.headers.contains_key("retry-after"));
        }
    }
    for number in 0..200 {
        let colleague = bench.colleague();
        let order = format!(r#"{{"appliances":[{}]}}"#, number + 1);
        let answer = colleague.post(&order).await;
        match answer.status {
            202 => {
                let path = answer.headers["location"].clone();
                let given_up = colleague.delete(&path).await;
                assert!(matches!(given_up.status, 204 | 503), "{}", given_up.status);
            }
            429 => {}
            status => {
                assert_eq!(status, 503);
                assert_eq!(answer.json()["type"], "/problems/no-space");
                assert!(answer.headers.contains_key("retry-after"));
            }
        }
    }
    // It is tried again and again.
    until(&user, &second, "waiting").await;

    std::fs::remove_file(all).unwrap();
    std::fs::remove_file(much).unwrap();
    let export = until(&user, &second, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    assert_eq!(bench.forge.platform().open_tickets(), []);
    let now = user.get(&first).await.json();
    assert_eq!(now["archive"], record["archive"]);
    let again = user.get(&format!("{first}/archive")).await;
    assert_eq!(again.body, archive.body);
    nothing_is_lost_over_a_new_start(bench, &disk, &[first, second]).await;
}

async fn nothing_is_lost_over_a_new_start(bench: Bench, disk: &Disk, exports: &[String]) {
    bench.service.shutdown().await;
    let bench = bench_on(&disk.path("data")).await;
    let user = bench.user();
    for export in exports {
        assert_eq!(user.get(export).await.json()["state"], "ready");
        let archive = user.get(&format!("{export}/archive")).await;
        assert!(!bag::unpack(&archive.body).is_empty());
    }
}
