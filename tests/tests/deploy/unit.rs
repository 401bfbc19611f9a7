//! The systemd unit.

use std::process::Command;

use crate::{read, root};

const UNIT: &str = "deploy/systemd/uforge-export-server.service";
const WORKER: &str = "deploy/systemd/uforge-export-worker@.service";
/// In tenths.
const EXPOSED_AT_MOST: &str = "20";

/// The value of a setting that stands once.
fn setting(name: &str) -> String {
    let text = read(UNIT);
    let prefix = format!("{name}=");
    let found: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0].to_owned()
}

/// And the user that the package makes, in the folder that it removes at the end.
pub(crate) fn starts_the_program() {
    assert_eq!(
        setting("ExecStart"),
        "/usr/bin/uforge-export-server --data ${STATE_DIRECTORY}"
    );
    let manifest = read("crates/app-server/Cargo.toml");
    assert!(manifest.contains("[\"target/release/uforge-export-server\", \"usr/bin/\", \"755\"]"));
    let user = setting("User");
    let made =
        format!("adduser --quiet --system --group --home /nonexistent --no-create-home {user}");
    assert!(read("deploy/debian/postinst").contains(&made));
    let state = format!("/var/lib/{}", setting("StateDirectory"));
    assert!(read("deploy/debian/postrm").contains(&state));
    let settings = setting("ConditionPathExists");
    for script in ["postinst", "postrm"] {
        assert!(
            read(&format!("deploy/debian/{script}")).contains(&settings),
            "{script}"
        );
    }
}

/// It stops within 10 seconds; wrong settings are status 2.
pub(crate) fn stops_and_starts() {
    assert_eq!(setting("Type"), "notify");
    let seconds: u32 = setting("TimeoutStopSec")
        .strip_suffix('s')
        .and_then(|seconds| seconds.parse().ok())
        .expect("seconds");
    assert!((11..=30).contains(&seconds));
    assert_eq!(setting("Restart"), "on-failure");
    assert_eq!(setting("RestartPreventExitStatus"), "2");
}

/// A worker is started by the same program and the same user, stops in the same time, and may as little.
pub(crate) fn workers() {
    let worker = read(WORKER);
    let started = worker
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let started = started.expect("a command");
    assert!(started.starts_with("/usr/bin/uforge-export-server --role worker "));
    let own: Vec<&str> = worker.lines().collect();
    // But for its folder, which it does not have.
    let differing = [
        "#",
        "[Unit]",
        "Description",
        "Documentation",
        "ExecStart",
        "StateDirectory",
        "LoadCredential",
    ];
    for line in read(UNIT).lines() {
        let differs = differing.iter().any(|prefix| line.starts_with(prefix));
        assert!(differs || own.contains(&line), "{line}");
    }
}

pub(crate) fn is_hardened() {
    for unit in [UNIT, WORKER] {
        judge(unit);
    }
}

fn judge(unit: &str) {
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .args(["--threshold", EXPOSED_AT_MOST])
        .arg(root().join(unit))
        .output()
        .expect("systemd-analyze: `cargo xtask test` installs it where it may");
    let table = String::from_utf8_lossy(&judged.stdout);
    assert!(table.contains("Overall exposure level"), "{table}");
    assert!(judged.status.success(), "{table}");
}
