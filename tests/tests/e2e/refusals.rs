//! Runs that end without a bag: with which status, with which word, and with nothing under the final name.

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use sandbox::scenario::{Fault, Times};
use tests::kit::{Ended, Site, quick};

use crate::site;

/// The lines that it wrote for people, without progress.
#[track_caller]
fn check_is_clear(ended: &Ended) {
    let said = &ended.stderr;
    assert!(!said.trim().is_empty());
    assert!(
        !said.contains("panicked") && !said.contains("Error {"),
        "{said}"
    );
    assert_eq!(ended.out(), "");
}

fn run(site: &Site, command: Command, status: i32) -> Ended {
    let ended = site.program.run(command).expect_status(status);
    check_is_clear(&ended);
    assert!(!site.path("john.zip").exists());
    ended
}

#[test]
fn a_wrong_password_is_reported_in_one_clear_line_and_by_its_own_status() {
    let site = site(quick());
    site.program.private_file("password", "wrong\n");
    let ended = run(&site, site.export_to("john.zip"), 4);
    let errors: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("refused the credentials of `jleaver`"))
        .collect();
    assert_eq!(errors.len(), 1, "{}", ended.stderr);
    assert_eq!(site.listing(), [""; 0]);
    assert_eq!(site.platform().open_tickets(), []);
}

#[test]
fn a_platform_that_is_not_there_or_is_none_is_reported() {
    let site = site(quick().with_fault("GET **".parse().unwrap(), Times::Always, Fault::HtmlLogin));
    let ended = run(&site, site.export_to("john.zip"), 1);
    let ended = ended.expect_word("this is not a UForge answer");
    ended.expect_word("the URL should be the API's");
    assert_eq!(site.listing(), [""; 0]);
    // A port that was free a moment ago, and on which nobody listens now.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = site.program.command(["export", "-u", "jleaver"]);
    command.args(["-a", &format!("http://{free}/api"), "--password-file"]);
    command.arg(site.program.home().join("password"));
    command.arg("-o").arg(site.path("john.zip"));
    let ended = run(&site, command, 1);
    assert!(ended.stderr.contains("127.0.0.1"), "{}", ended.stderr);
    assert_eq!(site.listing(), [""; 0]);
}

#[test]
fn an_output_that_cannot_be_is_refused_before_anything_is_sent() {
    let site = site(quick());
    fs::write(site.path("taken.zip"), "dear to somebody").unwrap();
    let nowhere = format!("{}/nowhere/john.zip", site.folder().display());
    for (output, word) in [
        (nowhere, "does not exist"),
        (site.path("taken.zip").display().to_string(), "--force"),
    ] {
        let mut command = site.export();
        command.args(["-o", &output]);
        run(&site, command, 2).expect_word(word);
    }
    assert_eq!(site.platform().requests_in_all(), 0);
    assert_eq!(
        fs::read(site.path("taken.zip")).unwrap(),
        b"dear to somebody"
    );
    assert_eq!(site.listing(), ["taken.zip"]);
    let mut forced = site.export_to("taken.zip");
    forced.arg("--force");
    site.program.run(forced).expect_status(0);
    tests::kit::Bag::read(&site.path("taken.zip")).check();
    assert_eq!(site.listing(), ["taken.zip"]);
}

#[test]
fn wrong_words_are_refused_before_anything_is_sent() {
    let site = site(quick());
    for (flags, word) in [
        (&["--include", "aplliances"][..], "aplliances"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["-f", "rar"], "rar"),
        (&["--jobs", "0"], "--jobs"),
        (&["--appliance", "two"], "two"),
    ] {
        let mut command = site.signed_in("export");
        command.arg("-o").arg(site.path("john.zip")).args(flags);
        run(&site, command, 2).expect_word(word);
    }
    let nobody = site.program.command(["export", "-o", "john.zip"]);
    run(&site, nobody, 2);
    assert_eq!(site.platform().requests_in_all(), 0);
    assert_eq!(site.listing(), [""; 0]);
}

#[test]
fn an_id_that_nobody_has_is_refused_before_any_export_is_started() {
    let site = site(quick());
    let mut command = site.export_to("john.zip");
    command.args(["--appliance", "201,999"]);
    run(&site, command, 2).expect_word("999");
    let posts = "POST **".parse().unwrap();
    assert_eq!(site.platform().count_requests(&posts), 0);
    assert_eq!(site.listing(), [""; 0]);
    let mut corrected = site.export_to("john.zip");
    corrected.args(["--appliance", "201,202"]);
    site.program.run(corrected).expect_status(0);
}

#[test]
fn a_full_disk_ends_the_run_with_a_clear_word_and_leaves_no_ticket() {
    let site = site(quick());
    for format in ["zip", "tar", "tar.gz"] {
        // The shell opens the full device; the program is what it becomes.
        let export = site.export();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "exec \"$0\" \"$@\" > /dev/full"])
            .arg(export.get_program())
            .args(export.get_args())
            .args(["-o", "-", "-f", format])
            .env_clear()
            .env("HOME", site.program.home())
            .stdin(Stdio::null());
        let ended = run(&site, shell, 1);
        assert!(
            ended.stderr.to_lowercase().contains("space"),
            "{}",
            ended.stderr
        );
        site.check_no_ticket_left();
    }
    assert!(File::open("/dev/full").is_ok(), "this test needs /dev/full");
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let site = site(quick());
    let mut command = site.export();
    // Nobody can make files there, not even root.
    command.args(["-o", "/proc/john.zip"]);
    let ended = run(&site, command, 1);
    assert!(ended.stderr.contains("/proc"), "{}", ended.stderr);
    assert_eq!(site.platform().open_tickets(), []);
}
