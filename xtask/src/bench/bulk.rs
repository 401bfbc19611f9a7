//! Two archives of 1 GiB that do not compress, over loopback: against two `curl` that throw them away, which is the floor, and against
//! what a person would do with common tools: fetch both, sum them up, check them, put them into a zip.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Options;
use super::archives::{
    CURL, Downloads, PIPELINE, add_all, export_and_keep, export_to, named, scenario, to_stdout,
};
use super::report::{Program, Report, Turns};
use super::timed::{Figures, run};
use super::tools;
use crate::platform::{Folder, Platform};

const BENCH: &str = "bulk";
const GIB: u64 = 1 << 30;
const SHORT: u64 = 32 << 20;
/// A recipient that nobody is.
const NOBODY: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let bytes = if options.short { SHORT } else { GIB };
    let folder = Folder::new("bench")?;
    let with_length = Platform::start(&folder, &scenario(bytes, "length", ""))?;
    let chunked = Platform::start(&folder, &scenario(bytes, "chunked", ""))?;
    let missing = tools::missing();
    let downloads = if missing.contains(&"curl") {
        None
    } else {
        Some(Downloads::of(&with_length, &folder)?)
    };
    let export = |platform, bag: &'static str, more: &'static [&'static str]| {
        let path = folder.path(bag);
        move || export_to(platform, &path, more)
    };
    let mut programs: Vec<Program<'_>> = vec![
        named("zip", export(&with_length, "bag.zip", &[])),
        named(
            "zip, --downloads 1",
            export(&with_length, "one.zip", &["--downloads", "1"]),
        ),
        named("zip, chunked", export(&chunked, "chunked.zip", &[])),
        named("tar", export(&with_length, "bag.tar", &[])),
        named("tar.gz", export(&with_length, "bag.tar.gz", &[])),
        named("standard output", || to_stdout(&with_length)),
        named(
            "encrypted",
            export(&with_length, "bag.zip.age", &["--encrypt-to", NOBODY]),
        ),
        named("verify", || verify(&with_length, &folder.path("kept.zip"))),
    ];
    if let Some(downloads) = &downloads {
        programs.push(named(CURL, || downloads.thrown_away()));
    }
    if let Some(downloads) = downloads.as_ref().filter(|_| missing.is_empty()) {
        programs.push(named(PIPELINE, || downloads.pipeline()));
        programs.push(named("openssl", || openssl(&folder.path("kept.zip"))));
    }
    // Not measured: the bag that is verified.
    export_and_keep(&with_length, &folder.path("kept.zip"), &[])?;
    let turns = Turns::take(options.runs, programs)?;
    let pairs = [
        ("zip", PIPELINE),
        ("zip", CURL),
        ("zip", "zip, --downloads 1"),
        ("zip, chunked", "zip"),
        ("tar", "zip"),
        ("tar.gz", "zip"),
        ("standard output", "zip"),
        ("encrypted", "zip"),
        ("verify", "openssl"),
    ];
    add_all(report, BENCH, (&turns, 2 * bytes), &pairs);
    Ok(())
}

fn verify(platform: &Platform, bag: &Path) -> Result<Figures, String> {
    let mut command = platform.program();
    command.arg("verify").arg(bag);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    run(command)
}

fn openssl(bag: &Path) -> Result<Figures, String> {
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256"]).arg(bag);
    command.stdout(Stdio::null());
    run(command)
}
