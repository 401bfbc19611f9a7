//! The Debian packages in a fresh Debian: installed, started, upgraded with a running export, removed and purged.
//!
//! `cargo xtask deb-check` builds the packages, installs `debootstrap` where it may, and names the folder of the packages in
//! `UFORGE_EXPORT_TEST_PACKAGES`. Without that variable the test is ignored, and counted as such. It needs root and some minutes: a Debian
//! is laid into a folder, first without and then with a running service manager, which has namespaces of its own and the machine's network.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod caller;
mod root;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use sandbox::Scenario;
use tests::kit::start;

use caller::Caller;
use root::{Booted, Root};

const PACKAGES: &str = "UFORGE_EXPORT_TEST_PACKAGES";
const UNIT: &str = "uforge-export-server";
const SETTINGS: &str = "etc/uforge-export/server.toml";
const DATA: &str = "var/lib/uforge-export";
const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let packages = std::env::var_os(PACKAGES).map(PathBuf::from);
    if packages.is_none() && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe test of the Debian packages is NOT run: it needs root and some minutes. `cargo xtask deb-check` runs it.\n",
        );
    }
    let is_here = packages.is_some();
    let trial = Trial::test("the_packages_live_and_go_in_a_fresh_debian", move || {
        let root = Root::new(&packages.expect("the test is ignored without it"));
        without_a_service_manager(&root);
        with_one(&root);
        Ok(())
    });
    let trials = vec![trial.with_ignored_flag(!is_here)];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// As in the making of an image: the scripts have nobody to start or stop anything.
fn without_a_service_manager(root: &Root) {
    let before = root.listing();
    let install = root.install("revision-1");
    root.run(&install);
    assert!(root.run(&["uforge-export", "--version"]).contains("0.1"));
    assert!(
        root.run(&["uforge-export-server", "--version"])
            .contains("0.1")
    );
    let user = root.run(&["getent", "passwd", "uforge-export"]);
    assert!(
        user.trim().ends_with(":/nonexistent:/usr/sbin/nologin"),
        "{user}"
    );
    let enabled = "etc/systemd/system/multi-user.target.wants/uforge-export-server.service";
    assert!(root.path(enabled).is_symlink(), "it is enabled");
    let there = [
        "usr/share/man/man1/uforge-export.1.gz",
        "usr/share/bash-completion/completions/uforge-export",
        "usr/share/zsh/vendor-completions/_uforge-export",
        "usr/share/fish/vendor_completions.d/uforge-export.fish",
        "usr/share/uforge-export-server/server.toml",
    ];
    for path in there {
        assert!(root.path(path).is_file(), "{path}");
    }
    root.run(&root.install("revision-2"));
    root.run(&["dpkg", "--purge", "uforge-export-server", "uforge-export"]);
    assert_eq!(difference(&before, &root.listing()), Vec::<String>::new());
}

fn with_one(root: &Root) {
    let before = root.listing();
    let system = root.boot();
    system.run(&root.install("revision-1"));
    // Enabled, not started, and nothing has failed.
    assert_eq!(system.show("UnitFileState"), "enabled");
    assert_eq!(system.show("ActiveState"), "inactive");
    assert_eq!(system.run(&["systemctl", "--failed", "--quiet"]), "");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let platform = runtime.block_on(start(slow()));
    wrong_settings_end_it(root, &system);
    upgraded(root, &system, &platform);
    removed(root, &system);
    system.run(&["dpkg", "--purge", "uforge-export-server", "uforge-export"]);
    assert!(!root.path(DATA).exists());
    assert!(!root.path("etc/uforge-export").exists());
    assert!(!root.path("etc/credstore/uforge-export.seal-key").exists());
    assert_eq!(system.try_run(&["getent", "passwd", "uforge-export"]), None);
    drop(system);
    // The service manager's own files have come meanwhile; the packages' are gone.
    let left = difference(&before, &root.listing());
    let ours = left.iter().filter(|path| path.contains("uforge"));
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Exports that go on for longer than an upgrade takes.
fn slow() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 2;
    scenario.data.software = 1;
    scenario.data.archive_bytes = 40_000;
    scenario.timing.export_millis = 30_000;
    scenario
}

/// Once: the same settings would be wrong again.
fn wrong_settings_end_it(root: &Root, system: &Booted) {
    root.write(
        SETTINGS,
        "url = \"https://uforge.example.com/api\"\nno-such-key = 1\n",
        0o644,
    );
    assert_eq!(system.try_run(&["systemctl", "start", UNIT]), None);
    assert_eq!(system.show("ExecMainStatus"), "2");
    assert_eq!(system.show("NRestarts"), "0");
    system.run(&["systemctl", "reset-failed", UNIT]);
}

fn upgraded(root: &Root, system: &Booted, platform: &sandbox::Running) {
    let announced = platform.announcement();
    let listen = caller::free_address();
    let key = "/run/credentials/uforge-export-server.service/uforge-export.seal-key";
    let settings = format!(
        "url = \"{}\"\nlisten = \"{listen}\"\nseal-credentials = \"{key}\"\n",
        announced.url
    );
    root.write(SETTINGS, &settings, 0o644);
    root.write("etc/credstore/uforge-export.seal-key", KEY, 0o600);
    system.run(&["systemctl", "start", UNIT]);
    // `Type=notify`: it has said that it listens.
    assert_eq!(system.show("ActiveState"), "active");
    assert_eq!(system.show("User"), "uforge-export");
    let first = system.show("MainPID");
    let caller = Caller::new(listen, &announced.user, &announced.password);
    let export = caller.order();
    until(|| platform.platform().open_tickets().len() == 3);
    system.run(&root.install("revision-2"));
    assert_eq!(system.show("ActiveState"), "active");
    assert_ne!(system.show("MainPID"), first, "the upgrade restarts it");
    assert_eq!(caller.status("/healthz"), 200);
    // Nobody signs in meanwhile: the sealed credentials do.
    until(|| platform.platform().open_tickets().is_empty());
    let ready = caller.until(&export, |record| record["state"] == "ready");
    assert_eq!(ready["outcome"], "complete", "{ready}");
    let starts = "POST users/*/appliances/*/exports"
        .parse()
        .expect("a pattern");
    assert_eq!(platform.platform().count_requests(&starts), 2, "each once");
    backed_up(root, system);
}

/// As its user, while it runs.
fn backed_up(root: &Root, system: &Booted) {
    let [data, copy] = ["/var/lib/uforge-export", "/var/tmp/uforge-export.sqlite"];
    let user = ["runuser", "--user", "uforge-export", "--"];
    let backup = ["uforge-export-server", "backup", "--data", data, copy];
    system.run(&[&user[..], &backup].concat());
    std::fs::remove_file(root.path(&copy[1..])).expect("a copy");
}

fn until(so: impl Fn() -> bool) {
    let from = Instant::now();
    while !so() {
        assert!(
            from.elapsed() < Duration::from_mins(3),
            "waited for nothing"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What people have is kept, and so is what the operator wrote.
fn removed(root: &Root, system: &Booted) {
    system.run(&["dpkg", "--remove", "uforge-export-server"]);
    assert_eq!(system.show("ActiveState"), "inactive");
    assert!(!root.path("usr/bin/uforge-export-server").exists());
    for path in [SETTINGS, "var/lib/uforge-export/jobs.sqlite"] {
        assert!(root.path(path).is_file(), "{path}");
    }
}

fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    before.symmetric_difference(after).cloned().collect()
}

/// A packages' folder has both.
fn packages_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the packages");
    let mut packages: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    packages.sort();
    assert_eq!(packages.len(), 2, "{packages:?}");
    packages
}
