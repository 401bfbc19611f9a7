//! Ctrl-C and SIGTERM: a quick end, no ticket left, and the same command resumes.

use std::time::{Duration, Instant};

use sandbox::Scenario;
use sandbox::scenario::{Fault, Times};
use tests::kit::{Bag, Child, Signal, Site, quick};

use crate::process::shell;
use crate::site;
use crate::slow::{asked, long_download, long_wait};

/// Lists of this run's own tickets say something else at every time.
const MOVING: &str = "data/exports/";
/// Long before the exports and downloads of these tests would end. The limits that make it two seconds are the program's own
/// (`commands::run`), and tested there: here the machine may be busy.
const SOON: Duration = Duration::from_secs(30);

fn wait_for_wait(site: &Site, child: &mut Child) {
    let all_but_one = || asked(site, "DELETE users/*/*/*/exports/*") >= 4;
    assert!(child.wait_until(all_but_one), "{}", child.said());
}

fn wait_for_download(site: &Site, child: &mut Child) {
    let asked = || asked(site, "GET users/*/appliances/202/exports/*/downloads") > 0;
    assert!(child.wait_until(asked), "{}", child.said());
}

fn interrupted(
    scenario: Scenario,
    wait: fn(&Site, &mut Child),
    signal: Signal,
    status: i32,
    name: &str,
) {
    let undisturbed = {
        let site = site(quick());
        site.program.run(site.export_to(name)).expect_status(0);
        Bag::read(&site.path(name)).sums_without(&[MOVING])
    };
    let site = site(scenario);
    let mut child = site.program.spawn(site.export_to(name));
    wait(&site, &mut child);
    let at = Instant::now();
    child.signal(signal);
    let ended = child.wait().expect_status(status);
    assert!(at.elapsed() < SOON, "it took {:?}", at.elapsed());
    assert_eq!(ended.out(), "");
    let ended = ended.expect_word("the same command resumes");
    site.check_no_ticket_left_after(at, &ended);
    assert!(!site.path(name).exists());
    assert_eq!(site.listing().len(), 1, "{:?}", site.listing());
    drop(ended);
    site.program.run(site.export_to(name)).expect_status(0);
    let bag = Bag::read(&site.path(name));
    bag.check();
    assert_eq!(bag.sums_without(&[MOVING]), undisturbed);
    assert_eq!(site.listing(), [name]);
    site.check_no_ticket_left();
}

#[test]
fn an_interrupt_while_an_export_is_waited_for() {
    interrupted(long_wait(), wait_for_wait, Signal::Interrupt, 130, "j.zip");
}

#[test]
fn an_interrupt_in_the_middle_of_a_download() {
    interrupted(
        long_download(),
        wait_for_download,
        Signal::Interrupt,
        130,
        "j.tar",
    );
}

#[test]
fn a_termination_while_an_export_is_waited_for() {
    interrupted(
        long_wait(),
        wait_for_wait,
        Signal::Terminate,
        143,
        "j.tar.gz",
    );
}

#[test]
fn a_termination_in_the_middle_of_a_download() {
    interrupted(
        long_download(),
        wait_for_download,
        Signal::Terminate,
        143,
        "j.zip",
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let scenario =
        long_wait().with_fault("DELETE **".parse().unwrap(), Times::Always, Fault::Stall);
    let site = site(scenario);
    site.leaves_tickets("the second signal ends their deletion");
    site.leaves_run_files("an interrupted run is kept");
    let mut child = site.program.spawn(site.export_to("j.zip"));
    assert!(child.wait_until(|| asked(&site, "DELETE users/*/*/*/exports/*") > 0));
    // Two signals that are alike and come at once are one, and what the first one begins ends by itself before long. Two that differ
    // and come while it stands still are two, however busy the machine is.
    child.signal(Signal::Stop);
    child.signal(Signal::Interrupt);
    child.signal(Signal::Terminate);
    child.signal(Signal::Continue);
    let ended = child.wait();
    assert!(
        matches!(ended.status, Some(130 | 143)),
        "{:?} {}",
        ended.status,
        ended.stderr
    );
    // What the first signal alone would have said at its end.
    assert!(
        !ended.stderr.contains("the same command"),
        "{}",
        ended.stderr
    );
    assert!(!site.path("j.zip").exists());
}

#[test]
fn an_interrupt_after_a_failure_leaves_no_ticket_unsaid() {
    let scenario = long_wait().with_fault(
        "DELETE users/*/*/202/**".parse().unwrap(),
        Times::Always,
        Fault::Stall,
    );
    let site = site(scenario);
    site.leaves_tickets("the signal ends their deletion");
    let mut export = site.export();
    export.args(["-o", "-", "-f", "tar"]);
    // Less than the archives have: the run fails while the export of 202 is waited for.
    let export = shell(&site, "ulimit -f 60;", &export);
    let mut child = site.program.spawn(export);
    let stopped = || asked(&site, "DELETE users/*/appliances/202/exports/*/status") > 0;
    assert!(child.wait_until(stopped), "{}", child.said());
    child.signal(Signal::Interrupt);
    // The failure decides how it ends.
    child
        .wait()
        .expect_status(1)
        .expect_word("of this run may still be on the server");
}

#[test]
fn an_interrupt_before_anything_was_begun_leaves_nothing_behind() {
    let scenario = quick().with_fault("GET status".parse().unwrap(), Times::Always, Fault::Stall);
    let site = site(scenario);
    let mut child = site.program.spawn(site.export_to("j.zip"));
    assert!(child.wait_until(|| site.platform().requests_in_all() > 0));
    child.signal(Signal::Interrupt);
    child.wait().expect_status(130);
    assert_eq!(site.listing(), [""; 0]);
}
