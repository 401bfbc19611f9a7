//! Gates that need a tool of their own: licences and bans, unused dependencies, spelling. Each installs its tool into the target
//! folder where it is absent, in a fixed version.

use std::path::PathBuf;

use crate::process::{Chore, target};

/// Licences, sources and bans of dependencies (`deny.toml`).
pub(crate) fn deny() -> Result<(), String> {
    let deny = cargo_tool("cargo-deny", "0.20.2")?;
    Chore::new(deny, ["check", "licenses", "bans", "sources"]).run()
}

/// Dependencies that no code uses.
pub(crate) fn unused() -> Result<(), String> {
    let machete = cargo_tool("cargo-machete", "0.9.2")?;
    Chore::new(machete, ["crates", "tests", "xtask"]).run()
}

/// Spelling, in code and texts (`_typos.toml`).
pub(crate) fn spelling() -> Result<(), String> {
    let typos = python_environment("typos", &["typos==1.52.0"])?.join("typos");
    Chore::new(typos, ["--format", "brief"]).run()
}

/// A program that Cargo builds; the path of its binary.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf, String> {
    let folder = target()?.join("tools").join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.exists() {
        let quiet = ["install", "--quiet", "--locked", name, "--version", version];
        // A target folder of its own would build the same crates again at the next version; the default one is temporary.
        Chore::cargo(quiet).arg("--root").arg(&folder).run()?;
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
