//! Kills at instants that no chance would find: the system call that is about to happen never does.
//!
//! The program runs below `strace`, which kills it as it enters the first call of one kind on one file; a later call is found in what
//! `strace` has seen so far (`later`). `cargo xtask test` installs `strace`. Where that is not promised by `UFORGE_EXPORT_TEST_TOOLS`,
//! every test here is ignored, and counted as such. The same command, without `strace`, then has to resume the run, end well, and leave
//! nothing.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod later;
mod places;
mod poor;
mod receipts;
mod since;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use sandbox::scenario::ItemKind;
use tests::kit::{Bag, Ended, Site, quick};

const TOOLS: &str = "UFORGE_EXPORT_TEST_TOOLS";
const FORMATS: [&str; 3] = ["zip", "tar", "tar.gz"];
/// In the list of tickets, a run sees its own.
const MOVING: &str = "data/exports/";

/// A call that is never made.
#[derive(Clone, Copy)]
struct Instant {
    name: &'static str,
    /// Kinds of calls, as `strace` names them.
    calls: &'static str,
    /// The file that the call is about.
    file: File,
    /// Which of them, counted over all threads.
    nth: usize,
}

#[derive(Clone, Copy)]
enum File {
    /// The container before it has its name.
    UnfinishedRun,
    /// What is recorded beside it.
    Journal,
    /// The folder of both.
    Work,
    /// A file of this name in the folder of the bag.
    Beside(&'static str),
}

const INSTANTS: [Instant; 11] = [
    instant(
        "as_the_first_entry_is_flushed",
        "fdatasync",
        File::UnfinishedRun,
        1,
    ),
    instant("as_the_whole_is_flushed", "fsync", File::UnfinishedRun, 1),
    instant(
        "as_it_is_given_its_name",
        "rename,renameat,renameat2,link,linkat",
        File::UnfinishedRun,
        1,
    ),
    instant(
        "as_the_journal_is_removed",
        "unlink,unlinkat",
        File::Journal,
        1,
    ),
    instant("as_the_journal_is_begun", "write", File::Journal, 1),
    instant(
        "as_the_journal_is_flushed_for_the_first_time",
        "fdatasync",
        File::Journal,
        1,
    ),
    instant(
        "in_the_second_line_of_the_journal",
        "write",
        File::Journal,
        2,
    ),
    instant(
        "as_the_second_line_of_the_journal_is_flushed",
        "fdatasync",
        File::Journal,
        2,
    ),
    instant("in_a_later_line_of_the_journal", "write", File::Journal, 4),
    instant(
        "as_a_later_line_of_the_journal_is_flushed",
        "fdatasync",
        File::Journal,
        4,
    ),
    instant("as_the_work_folder_is_flushed", "fsync", File::Work, 1),
];

const fn instant(name: &'static str, calls: &'static str, file: File, nth: usize) -> Instant {
    Instant {
        name,
        calls,
        file,
        nth,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_tools = std::env::var_os(TOOLS).is_some();
    if !has_tools && !arguments.list {
        // Past the harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"\nThe tests of kills at forced instants are NOT run: they need `strace`. `cargo xtask test` brings it and runs all tests.\n",
        );
    }
    let trials = FORMATS.into_iter().flat_map(|format| {
        INSTANTS.into_iter().map(move |instant| {
            let name = format!("{format}::a_kill_{}", instant.name);
            Trial::test(name, move || {
                killed_at(instant, format);
                Ok::<(), Failed>(())
            })
            .with_ignored_flag(!has_tools)
        })
    });
    let trials = trials
        .chain(places::trials(has_tools))
        .chain(poor::trials(has_tools))
        .chain(receipts::trials(has_tools))
        .chain(since::trials(has_tools));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn site() -> Site {
    Site::new(env!("CARGO_BIN_EXE_uforge-export-under-test"), quick())
}

/// The archive of appliance 202 comes slowly the first time.
fn slow_downloads() -> sandbox::Scenario {
    quick().with_fault(
        "GET users/*/appliances/202/exports/*/downloads"
            .parse()
            .expect("a pattern"),
        sandbox::scenario::Times::First(1),
        sandbox::scenario::Fault::Slow {
            bytes_per_second: 4_000,
        },
    )
}

fn killed_at(instant: Instant, format: &str) {
    let name = format!("j.{format}");
    let site = match instant.nth {
        1 => killed_at_first(instant, &name),
        _ => later::killed(instant, &name, &site, &|site| site.export_to(&name)),
    };
    let ended = site.program.run(site.export_to(&name)).expect_status(0);
    let bag = Bag::read(&site.path(&name));
    bag.check();
    assert_eq!(bag.sums_without(&[MOVING]), undisturbed(&name));
    assert_eq!(site.listing(), [name]);
    check_tickets(&site, ended);
}

/// `strace` counts the calls of each thread: the first of all is the first of its thread.
fn killed_at_first(instant: Instant, name: &str) -> Site {
    let site = site();
    let export = site.export_to(name);
    killed_in(&site, instant, name, &export);
    site
}

/// The same with another command in a site that is there already.
fn killed_in(site: &Site, instant: Instant, name: &str, export: &Command) {
    let mut traced = traced(site, instant, name, Path::new("/dev/null"));
    traced.arg(format!("--inject={}:signal=KILL:when=1", instant.calls));
    let killed = site.program.run(below(traced, export));
    assert_eq!(
        killed.signal,
        Some(9),
        "it was not killed:\n{}",
        killed.stderr
    );
}

/// My software has no list of its tickets: one whose start was on its way when the kill came can only be reported.
fn check_tickets(site: &Site, mut ended: Ended) {
    site.leaves_tickets("those of software whose starts were lost are reported");
    for ticket in site.platform().open_tickets() {
        assert_eq!(ticket.kind, ItemKind::Software, "{ticket:?}");
        ended = ended.expect_word(&format!("a start of mysoftware {} was lost", ticket.item));
    }
}

fn undisturbed(name: &str) -> BTreeMap<String, String> {
    let site = site();
    site.program.run(site.export_to(name)).expect_status(0);
    Bag::read(&site.path(name)).sums_without(&[MOVING])
}

/// `strace` that watches these calls on this file, and writes what it sees to `log`.
fn traced(site: &Site, instant: Instant, name: &str, log: &Path) -> Command {
    let work = site.path(&format!(".{name}.uforge-run"));
    let file = match instant.file {
        File::UnfinishedRun => work.join("bag"),
        File::Journal => work.join("journal"),
        File::Work => work,
        File::Beside(name) => site.path(name),
    };
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qqq", "-o"]).arg(log);
    strace.arg("-P").arg(file);
    strace.arg(format!("--trace={}", instant.calls));
    strace
}

/// The same command below `strace`.
fn below(mut strace: Command, command: &Command) -> Command {
    strace
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a path"));
    for (key, value) in command.get_envs() {
        strace.env(key, value.expect("nothing is removed"));
    }
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    strace.stdin(std::process::Stdio::null());
    strace
}

/// Kills what `strace` traces; it then ends as that does.
fn kill_traced(strace: u32) {
    let children = std::fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
    // It may have ended by itself: then there is nothing to kill.
    let children = children.unwrap_or_default();
    for child in children.split_whitespace() {
        let _ = Command::new("kill")
            .args(["-KILL", child])
            .stderr(std::process::Stdio::null())
            .status();
    }
}
