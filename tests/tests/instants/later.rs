//! A kill at a later call, whichever thread makes it.
//!
//! `strace` counts calls for each thread, and which thread makes which call is different each time. So it only holds every call up
//! before it is made, and writes down that it has come; whoever reads that kills the program when the nth call is there. On a busy
//! machine the call may have been made by then, which can be read too: then it is tried again, with calls held up for longer.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::kit::Site;

use super::{Instant, below, kill_traced, traced};

/// How long each call is held up at first, and how often it is doubled at most.
const HELD_UP: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 7;

/// A site whose run was killed as its nth call was about to be made.
pub(super) fn killed(
    instant: Instant,
    name: &str,
    site: &dyn Fn() -> Site,
    export: &dyn Fn(&Site) -> Command,
) -> Site {
    let mut held_up = HELD_UP;
    for _ in 0..ATTEMPTS {
        let site = site();
        if is_killed_in_time(&site, instant, (name, export(&site)), held_up) {
            return site;
        }
        site.leaves_tickets("it was killed too late, or not at all");
        site.leaves_run_files("it was killed too late, or not at all");
        held_up *= 2;
    }
    panic!("the program was never killed in time");
}

fn is_killed_in_time(
    site: &Site,
    instant: Instant,
    (name, export): (&str, Command),
    held_up: Duration,
) -> bool {
    let log = site.program.home().join("calls");
    let mut strace = traced(site, instant, name, &log);
    let micros = held_up.as_micros();
    strace.arg(format!("--inject={}:delay_enter={micros}", instant.calls));
    let mut child = site.program.spawn(below(strace, &export));
    let calls = || Calls::read(&log, instant.calls);
    let has_come = child.wait_until(|| calls().entered.len() >= instant.nth);
    assert!(
        has_come,
        "call {} never comes:\n{}",
        instant.nth,
        child.said()
    );
    kill_traced(child.id());
    let ended = child.wait();
    ended.signal == Some(9) && !calls().was_made(instant.nth)
}

/// What `strace` has seen: lines that begin with a thread's number.
struct Calls {
    lines: Vec<String>,
    /// The lines of calls that were entered, in their order.
    entered: Vec<usize>,
}

impl Calls {
    fn read(log: &Path, kinds: &str) -> Self {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let is_entered = |line: &str| {
            kinds
                .split(',')
                .any(|kind| call(line).starts_with(&format!("{kind}(")))
        };
        let entered = (0..lines.len())
            .filter(|&number| is_entered(&lines[number]))
            .collect();
        Self { lines, entered }
    }

    /// Whether the nth call has returned: in its own line, or in the next one of its thread.
    fn was_made(&self, nth: usize) -> bool {
        let at = self.entered[nth - 1];
        let thread = thread(&self.lines[at]);
        let returned = |line: &String| line.contains(") = ") && !line.contains(") = ?");
        let later = self.lines[at + 1..]
            .iter()
            .filter(|line| thread == self::thread(line) && call(line).starts_with("<... "));
        returned(&self.lines[at]) || later.into_iter().any(returned)
    }
}

fn thread(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

fn call(line: &str) -> &str {
    line.trim_start()
        .trim_start_matches(|letter: char| letter.is_ascii_digit())
        .trim_start()
}
