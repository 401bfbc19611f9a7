//! The container image of the service (`deploy/Dockerfile`).

use std::process::{Command, Stdio};

use crate::process::{Chore, say};

/// Who builds images, all of them by `build`.
const ENGINES: [&str; 3] = ["docker", "podman", "buildah"];

/// Builds it where an engine works. Where none does, its steps are checked without one.
pub(crate) fn build() -> Result<(), String> {
    let Some(engine) = ENGINES.into_iter().find(|engine| works(engine)) else {
        say(
            "xtask: neither docker nor podman nor buildah works here: the steps of the Dockerfile are checked instead\n",
        );
        return Chore::cargo(["test", "--locked", "-p", "tests", "--test", "deploy"]).run();
    };
    let tag = concat!("uforge-export-server:", env!("CARGO_PKG_VERSION"));
    Chore::new(engine, ["build", "--file", "deploy/Dockerfile", "--tag"])
        .args([tag, "."])
        .run()
}

/// A client without its service answers `--version` too.
fn works(engine: &str) -> bool {
    let asked = Command::new(engine)
        .arg("info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}
