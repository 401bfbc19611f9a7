//! Killed at once (SIGKILL) in the middle of its work, the same command resumes where it stopped.

use std::fs;
use std::path::Path;

use sandbox::Scenario;
use sandbox::scenario::{Fault, ItemKind, ItemScenario, Ranges, Times};
use serde_json::json;
use tests::kit::{Bag, Child, Signal, Site, quick};

use crate::site;
use crate::slow::{asked, long_download, long_wait};

const MOVING: &str = "data/exports/";
/// Nobody in particular: what is encrypted here is not read again.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn undisturbed(name: &str) -> std::collections::BTreeMap<String, String> {
    let site = site(quick());
    site.program.run(site.export_to(name)).expect_status(0);
    Bag::read(&site.path(name)).sums_without(&[MOVING])
}

/// Runs it until all other items are in the bag and appliance 202 is in the making, then kills it.
fn killed(site: &Site, name: &str, last: &str) {
    let mut child = site.program.spawn(site.export_to(name));
    wait_for_the_others(site, &mut child, last);
    child.signal(Signal::Kill);
    site.was_killed();
    assert_eq!(child.wait().signal, Some(9));
    site.platform().let_end();
    assert!(!site.path(name).exists());
}

fn wait_for_the_others(site: &Site, child: &mut Child, last: &str) {
    let others = || asked(site, "DELETE users/*/*/*/exports/*") >= 4 && asked(site, last) > 0;
    assert!(child.wait_until(others));
}

fn goes_on(scenario: Scenario, last: &str, name: &str) {
    let site = site(scenario);
    killed(&site, name, last);
    assert_eq!(site.platform().open_tickets().len(), 1);
    let ended = site.program.run(site.export_to(name)).expect_status(0);
    ended.expect_word("Resuming the run that was interrupted");
    let bag = Bag::read(&site.path(name));
    bag.check();
    bag.check_lists();
    assert_eq!(bag.sums_without(&[MOVING]), undisturbed(name));
    assert_eq!(site.listing(), [name]);
    site.check_no_ticket_left();
    assert_eq!(asked(&site, "POST users/*/appliances/*/exports"), 3);
    assert_eq!(asked(&site, "POST users/*/mysoftware/*/exports"), 2);
    for (kind, resource) in [
        (ItemKind::Appliance, "appliances"),
        (ItemKind::Software, "mysoftware"),
    ] {
        for id in site.platform().items(kind) {
            let again = usize::from(id == 202 && last.ends_with("downloads"));
            let fetched = format!("GET users/*/{resource}/{id}/exports/*/downloads");
            assert_eq!(asked(&site, &fetched), 1 + again, "{id}");
        }
    }
}

const STATUS: &str = "GET users/*/appliances/202/exports/*/status";
const DOWNLOAD: &str = "GET users/*/appliances/202/exports/*/downloads";

#[test]
fn a_kill_while_an_export_is_waited_for_zip() {
    goes_on(long_wait(), STATUS, "j.zip");
}

#[test]
fn a_kill_while_an_export_is_waited_for_tar_gz() {
    goes_on(long_wait(), STATUS, "j.tar.gz");
}

#[test]
fn a_kill_in_the_middle_of_a_download_zip() {
    goes_on(long_download(), DOWNLOAD, "j.zip");
}

#[test]
fn a_kill_in_the_middle_of_a_download_tar() {
    goes_on(long_download(), DOWNLOAD, "j.tar");
}

/// A long archive on a platform that can send the rest.
fn long_archive() -> Scenario {
    let mut item = ItemScenario::new(ItemKind::Appliance, 202);
    item.archive_bytes = Some(2_000_000);
    let mut scenario = quick().with_item(item);
    scenario.timing.slots = 8;
    scenario.downloads.ranges = Ranges::Honoured;
    scenario
}

/// The same, the first time at a pace that leaves time for a kill.
fn long_download_that_can_go_on() -> Scenario {
    let fault = Fault::Slow {
        bytes_per_second: 250_000,
    };
    long_archive().with_fault(DOWNLOAD.parse().unwrap(), Times::First(1), fault)
}

/// Whether a run that follows finds so much of an archive, and knows of it.
fn has_arrived(work: &Path, bytes: u64) -> bool {
    let journal = fs::read(work.join("journal")).unwrap_or_default();
    let journal = String::from_utf8_lossy(&journal);
    if journal.contains("\"reserved\"") {
        // In a place of its own, of which the journal says how much of it is there.
        let arrived = journal.rsplit_once("\"packed\":").map(|(_, rest)| rest);
        let arrived = arrived.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        return arrived.and_then(|digits| digits.parse().ok()) >= Some(bytes);
    }
    let files = fs::read_dir(work).into_iter().flatten().flatten();
    let mut sizes = files.filter_map(|file| file.metadata().ok());
    // Other items are in the same file.
    journal.contains("\"partial\"") && sizes.any(|file| file.len() > bytes + 300_000)
}

/// Killed in the middle of a long archive, it asks for the missing part alone.
fn asks_for_the_rest(name: &str) {
    let site = site(long_download_that_can_go_on());
    let mut child = site.program.spawn(site.export_to(name));
    let work = site.path(&format!(".{name}.uforge-run"));
    let arrived = child.wait_until(|| has_arrived(&work, 600_000));
    assert!(arrived, "{}", child.said());
    child.signal(Signal::Kill);
    site.was_killed();
    child.wait();
    site.program.run(site.export_to(name)).expect_status(0);
    let bag = Bag::read(&site.path(name));
    bag.check();
    let calm = self::site(long_archive());
    calm.program.run(calm.export_to(name)).expect_status(0);
    let undisturbed = Bag::read(&calm.path(name));
    assert_eq!(
        bag.sums_without(&[MOVING]),
        undisturbed.sums_without(&[MOVING])
    );
    assert_eq!(site.listing(), [name]);
    site.check_no_ticket_left();
    let from = site.platform().first_bytes(&DOWNLOAD.parse().unwrap());
    assert!(matches!(from[..], [None, Some(500_000..)]), "{from:?}");
}

#[test]
fn only_the_missing_part_of_a_download_is_asked_for_zip() {
    asks_for_the_rest("j.zip");
}

#[test]
fn only_the_missing_part_of_a_download_is_asked_for_tar() {
    asks_for_the_rest("j.tar");
}

#[test]
fn only_the_missing_part_of_a_download_is_asked_for_tar_gz() {
    asks_for_the_rest("j.tar.gz");
}

/// The archive is in the bag, its ticket's deletion is on its way: nothing is fetched twice, and the ticket goes.
fn killed_before_a_deletion_was_answered(fault: Fault, name: &str) {
    const DELETE: &str = "DELETE users/*/appliances/202/exports/*";
    let site = site(quick().with_fault(DELETE.parse().unwrap(), Times::First(1), fault));
    let mut child = site.program.spawn(site.export_to(name));
    assert!(child.wait_until(|| asked(&site, DELETE) == 1));
    child.signal(Signal::Kill);
    site.was_killed();
    assert_eq!(child.wait().signal, Some(9));
    site.program.run(site.export_to(name)).expect_status(0);
    let bag = Bag::read(&site.path(name));
    bag.check();
    assert_eq!(bag.sums_without(&[MOVING]), undisturbed(name));
    assert_eq!(asked(&site, DOWNLOAD), 1);
    site.check_no_ticket_left();
    assert_eq!(site.listing(), [name]);
}

#[test]
fn a_kill_before_a_ticket_is_deleted_costs_no_second_download() {
    killed_before_a_deletion_was_answered(Fault::Stall, "j.zip");
    killed_before_a_deletion_was_answered(Fault::Stall, "j.tar");
    killed_before_a_deletion_was_answered(Fault::Stall, "j.tar.gz");
}

#[test]
fn a_kill_before_a_deletion_is_heard_of_costs_no_second_download() {
    killed_before_a_deletion_was_answered(Fault::LostAnswer, "j.zip");
}

#[test]
fn an_unfinished_run_in_a_folder_is_found_again() {
    let site = site(long_wait());
    let into_folder = || {
        let mut command = site.export();
        command.arg("-o").arg(site.folder());
        command
    };
    let mut child = site.program.spawn(into_folder());
    wait_for_the_others(&site, &mut child, STATUS);
    child.signal(Signal::Kill);
    site.was_killed();
    child.wait();
    site.platform().let_end();
    let ended = site.program.run(into_folder()).expect_status(0);
    assert_eq!(site.listing().len(), 1, "{:?}", site.listing());
    let path = ended.out().trim_end().to_owned();
    Bag::read(path.as_ref()).check();
    assert_eq!(asked(&site, "POST users/*/appliances/*/exports"), 3);
}

/// The tickets of an encrypted bag go when it has its name. The journal that records them had been removed before.
#[test]
fn a_kill_after_an_encrypted_bag_has_its_name_leaves_no_ticket() {
    killed_when_encrypted(quick(), 0, "complete");
}

/// What is missing is inside the encryption; that something is, the journal knows.
#[test]
fn a_kill_after_a_partial_encrypted_bag_has_its_name_is_still_partial() {
    let start = "POST users/*/mysoftware/*/exports";
    let fault = Fault::Refuse {
        status: 403,
        retry_after: None,
    };
    let refused = quick().with_fault(start.parse().unwrap(), Times::Always, fault);
    killed_when_encrypted(refused, 3, "partial");
}

#[test]
fn an_interrupt_while_tickets_of_a_complete_bag_are_deleted_leaves_that_to_the_next_run() {
    let delete = "DELETE **".parse().unwrap();
    let site = site(quick().with_fault(delete, Times::First(2), Fault::Stall));
    let encrypted = || {
        let mut command = site.export_to("j.zip.age");
        command.args(["--include", "appliances", "--appliance", "202"]);
        command.args(["--encrypt-to", RECIPIENT]);
        command
    };
    let mut first = site.program.spawn(encrypted());
    assert!(first.wait_until(|| asked(&site, "DELETE users/*/appliances/202/exports/*") > 0));
    first.signal(Signal::Kill);
    first.wait();
    let mut second = site.program.spawn(encrypted());
    let stopped = "DELETE users/*/appliances/202/exports/*/status";
    assert!(second.wait_until(|| asked(&site, stopped) > 0));
    second.signal(Signal::Interrupt);
    second
        .wait()
        .expect_status(130)
        .expect_word("The bag is complete");
    let ended = site.program.run(encrypted()).expect_status(0);
    ended.expect_word("had completed the bag");
    assert_eq!(site.listing(), ["j.zip.age"]);
    site.check_no_ticket_left();
}

fn killed_when_encrypted(scenario: Scenario, status: i32, outcome: &str) {
    let delete = "DELETE users/*/appliances/202/exports/*";
    let stalled = scenario.with_fault(delete.parse().unwrap(), Times::First(1), Fault::Stall);
    let site = site(stalled);
    let encrypted = || {
        let mut command = site.export_to("j.zip.age");
        command.arg("--encrypt-to").arg(RECIPIENT);
        command
    };
    let mut child = site.program.spawn(encrypted());
    assert!(child.wait_until(|| asked(&site, delete) > 0));
    child.signal(Signal::Kill);
    site.was_killed();
    child.wait();
    assert!(site.path("j.zip.age").exists());
    let mut again = encrypted();
    again.args(["--progress", "json"]);
    let ended = site.program.run(again).expect_status(status);
    let ended = ended.expect_word("had completed the bag");
    // A program that wraps this one waits for the line that ends a run.
    let last: serde_json::Value =
        serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    let bytes = fs::metadata(site.path("j.zip.age")).unwrap().len();
    assert_eq!(
        (
            &last["event"],
            &last["outcome"],
            &last["bytes"],
            &last["failures"]
        ),
        (
            &json!("outcome"),
            &json!(outcome),
            &json!(bytes),
            &json!([])
        )
    );
    assert_eq!(
        ended.out().trim_end(),
        site.path("j.zip.age").display().to_string()
    );
    assert_eq!(site.listing(), ["j.zip.age"]);
    site.check_no_ticket_left();
}

#[test]
fn a_second_process_on_the_same_output_is_refused() {
    let site = site(long_wait());
    let mut first = site.program.spawn(site.export_to("j.zip"));
    wait_for_the_others(&site, &mut first, STATUS);
    let second = site.program.run(site.export_to("j.zip")).expect_status(1);
    second.expect_word("another run is writing");
    site.platform().let_end();
    first.wait().expect_status(0);
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
    site.check_no_ticket_left();
}

#[test]
fn another_order_is_refused_until_it_says_restart() {
    let site = site(long_wait());
    killed(&site, "j.zip", STATUS);
    let other = || {
        let mut command = site.export_to("j.zip");
        command.args(["--output-format", "json"]);
        command
    };
    site.program
        .run(other())
        .expect_status(2)
        .expect_word("--restart");
    assert_eq!(site.platform().open_tickets().len(), 1);
    let mut restart = other();
    restart.arg("--restart");
    site.program.run(restart).expect_status(0);
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
    site.check_no_ticket_left();
    assert_eq!(asked(&site, "POST users/*/appliances/*/exports"), 6);
}

#[test]
fn an_interrupt_while_an_earlier_run_is_given_up_keeps_that_run() {
    let stall = long_wait().with_fault("DELETE **".parse().unwrap(), Times::Always, Fault::Stall);
    let site = site(stall);
    site.leaves_tickets("the signal ends their deletion");
    site.leaves_run_files("the run was not given up");
    let export = || {
        let mut command = site.export_to("j.zip");
        command.args(["--include", "appliances", "--appliance", "202"]);
        command
    };
    let mut first = site.program.spawn(export());
    assert!(first.wait_until(|| asked(&site, STATUS) > 0));
    first.signal(Signal::Kill);
    site.was_killed();
    first.wait();
    let mut restart = export();
    restart.arg("--restart");
    let mut child = site.program.spawn(restart);
    let stopped = "DELETE users/*/appliances/202/exports/*/status";
    assert!(child.wait_until(|| asked(&site, stopped) > 0));
    child.signal(Signal::Interrupt);
    child
        .wait()
        .expect_status(130)
        .expect_word("The earlier run was kept");
    assert_eq!(site.listing().len(), 1, "{:?}", site.listing());
    assert_eq!(asked(&site, "POST users/*/appliances/202/exports"), 1);
}

#[test]
fn a_damaged_journal_is_refused_until_it_says_restart() {
    let site = site(long_wait());
    site.leaves_tickets("the journal that named it is unreadable");
    killed(&site, "j.zip", STATUS);
    let journal = site.path(&site.listing()[0]).join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    // What is wrong in the last line may be a write that was cut short; the first was flushed long ago.
    bytes[60] ^= 0x55;
    fs::write(&journal, bytes).unwrap();
    let refused = site.program.run(site.export_to("j.zip")).expect_status(1);
    refused.expect_word("--restart");
    let mut restart = site.export_to("j.zip");
    restart.arg("--restart");
    site.program.run(restart).expect_status(0);
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
}

#[test]
fn discard_gives_an_unfinished_run_up_there_and_here() {
    let site = site(long_wait());
    killed(&site, "j.tar", STATUS);
    assert_eq!(site.platform().open_tickets().len(), 1);
    let mut discard = site.program.command(["discard"]);
    discard.arg(site.path("j.tar")).arg("--password-file");
    discard.arg(site.program.home().join("password"));
    site.program.run(discard).expect_status(0);
    assert_eq!(site.listing(), [""; 0]);
    site.check_no_ticket_left();
    let mut nothing = site.program.command(["discard"]);
    nothing.arg(site.path("j.tar"));
    site.program.run(nothing).expect_status(2);
}

#[test]
fn a_folder_whose_name_holds_that_of_a_bag_discards_nothing() {
    let site = site(long_wait());
    killed(&site, "a", STATUS);
    fs::create_dir(site.path("data-a")).unwrap();
    let mut discard = site.signed_in("discard");
    discard.arg(site.path("data-a"));
    site.program.run(discard).expect_status(2);
    assert_eq!(site.platform().open_tickets().len(), 1);
    assert!(site.path(".a.uforge-run").is_dir());
    let mut discard = site.signed_in("discard");
    discard.arg(site.path("a"));
    site.program.run(discard).expect_status(0);
    site.check_no_ticket_left();
}

#[test]
fn an_unfinished_run_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = site(long_wait());
    site.leaves_tickets("the run was killed");
    site.leaves_run_files("the run was killed");
    killed(&site, "j.zip", STATUS);
    let work = site.path(&site.listing()[0]);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&work), 0o700);
    for file in fs::read_dir(&work).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
