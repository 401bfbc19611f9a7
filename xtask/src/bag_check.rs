//! The demo's bags, checked by other people's tools.

use std::fs;
use std::path::{Path, PathBuf};

use crate::gates::python_environment;
use crate::process::{Chore, say, target};

/// The release binary, built where it is not, and the service's with it, as they are released. One alone would be another build: its
/// dependencies have fewer features, so that Cargo would build nearly all of them once more.
pub(crate) fn release_binary() -> Result<PathBuf, String> {
    Chore::cargo(["build", "--release", "--locked"])
        .args(["-p", "app-cli", "-p", "app-server"])
        .run()?;
    let binary = target()?.join("release").join("uforge-export");
    binary
        .canonicalize()
        .map_err(|error| format!("{}: {error}", binary.display()))
}

/// Runs the demo into each container and has every bag checked.
pub(crate) fn demo() -> Result<(), String> {
    let binary = release_binary()?;
    let bagit = bagit()?;
    let folder = std::env::temp_dir().join(format!("uforge-export-demo-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let outcome = ["zip", "tar", "tar.gz"]
        .iter()
        .try_for_each(|format| check(&binary, &bagit, &folder, format));
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn check(binary: &Path, bagit: &Path, folder: &Path, format: &str) -> Result<(), String> {
    let bag = folder.join(format!("demo.{format}"));
    Chore::new(
        binary,
        ["demo", "--progress", "plain", "--output"]
            .map(Into::into)
            .iter()
            .chain([&bag.clone().into_os_string()]),
    )
    .run()?;
    Chore::new(
        binary,
        ["verify".as_ref(), bag.as_os_str(), "--deep".as_ref()],
    )
    .run()?;
    let unpacked = folder.join(format!("unpacked-{format}"));
    fs::create_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
    unpack(&bag, &unpacked, format)?;
    let top = unpacked.join("demo");
    Chore::new(
        bagit,
        ["--validate".as_ref(), "--quiet".as_ref(), top.as_os_str()],
    )
    .run()?;
    Chore::new("sha256sum", ["--check", "--quiet", "manifest-sha256.txt"])
        .within(&top)
        .run()
}

/// `unzip` is not on every machine; Python, which is needed for `bagit` anyway, then does the same.
fn unpack(bag: &Path, into: &Path, format: &str) -> Result<(), String> {
    if format != "zip" {
        Chore::new("tar", ["tf".as_ref(), bag.as_os_str()]).output()?;
        return Chore::new(
            "tar",
            [
                "xf".as_ref(),
                bag.as_os_str(),
                "-C".as_ref(),
                into.as_os_str(),
            ],
        )
        .run();
    }
    if Chore::new("unzip", ["-v"]).output().is_ok() {
        Chore::new("unzip", ["-tq".as_ref(), bag.as_os_str()]).run()?;
        return Chore::new(
            "unzip",
            [
                "-q".as_ref(),
                bag.as_os_str(),
                "-d".as_ref(),
                into.as_os_str(),
            ],
        )
        .run();
    }
    say("xtask: `unzip` is not on this machine: `python3 -m zipfile` reads the bag instead\n");
    Chore::new(
        "python3",
        [
            "-m".as_ref(),
            "zipfile".as_ref(),
            "-t".as_ref(),
            bag.as_os_str(),
        ],
    )
    .run()?;
    Chore::new(
        "python3",
        [
            "-m".as_ref(),
            "zipfile".as_ref(),
            "-e".as_ref(),
            bag.as_os_str(),
            into.as_os_str(),
        ],
    )
    .run()
}

/// Python's `bagit`, in an environment of its own.
fn bagit() -> Result<PathBuf, String> {
    let programs = python_environment("bagit", &["bagit==1.9.0", "setuptools<81"])?;
    Ok(programs.join("bagit.py"))
}
