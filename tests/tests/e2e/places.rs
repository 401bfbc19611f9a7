//! Where the bag goes: what is in its way, what is somebody else's, and names that two runs make up at once.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use sandbox::scenario::{Fault, Times};
use tests::kit::{Bag, Site, quick};

use crate::site;

/// A user that is not this one, where this one may become anybody.
const OTHER_USER: u32 = 65_534;

fn is_root(site: &Site) -> bool {
    fs::metadata(site.folder()).unwrap().uid() == 0
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn run(command: &str, arguments: &[&str]) {
    let status = Command::new(command).args(arguments).status().unwrap();
    assert!(status.success());
}

/// The command, below a shell that does this to its streams.
fn redirected(site: &Site, command: &Command, streams: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec \"$0\" \"$@\" {streams}")])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("HOME", site.program.home())
        .env("TMPDIR", site.program.home())
        .current_dir(site.program.home());
    shell
}

#[test]
fn a_work_folder_that_leads_elsewhere_is_refused_by_every_command() {
    let site = site(quick());
    site.leaves_run_files("nobody removes what is not the run's own");
    let elsewhere = tempfile::tempdir().unwrap();
    set_mode(elsewhere.path(), 0o755);
    symlink(elsewhere.path(), site.path(".q.zip.uforge-run")).unwrap();
    let mut restart = site.export_to("q.zip");
    restart.arg("--restart");
    let mut discard = site.signed_in("discard");
    discard.arg(site.path("q.zip"));
    let mut discard_folder = site.signed_in("discard");
    discard_folder.arg(site.path(".q.zip.uforge-run"));
    for command in [site.export_to("q.zip"), restart, discard, discard_folder] {
        let ended = site.program.run(command).expect_status(2);
        ended
            .expect_word("is a symbolic link")
            .expect_word("hint: only what is yours alone");
    }
    assert_eq!(site.platform().requests_in_all(), 0);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let mode = fs::metadata(elsewhere.path()).unwrap().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn a_run_of_another_user_is_never_resumed() {
    let site = site(quick().with_fault(
        "POST users/*/appliances/203/**".parse().unwrap(),
        Times::Always,
        Fault::Stall,
    ));
    site.leaves_tickets("a run that belongs to somebody else is let alone");
    site.leaves_run_files("a run that belongs to somebody else is let alone");
    if !is_root(&site) {
        // Nobody else can give a folder away.
        return;
    }
    // What an interrupted run left, given to somebody else.
    let mut child = site.program.spawn(site.export_to("q.zip"));
    let posted = || site.platform().count_requests(&"POST **".parse().unwrap()) >= 3;
    assert!(child.wait_until(posted));
    child.signal(tests::kit::Signal::Kill);
    child.wait();
    let work = site.path(".q.zip.uforge-run");
    std::os::unix::fs::chown(&work, Some(OTHER_USER), None).unwrap();
    // The last requests of what was killed may arrive even now; whoever asks the platform anything asks for this first.
    let greetings = || {
        site.platform()
            .count_requests(&"GET status".parse().unwrap())
    };
    let before = greetings();
    assert!(before > 0);
    let mut discard = site.signed_in("discard");
    discard.arg(site.path("q.zip"));
    for command in [site.export_to("q.zip"), discard] {
        site.program
            .run(command)
            .expect_status(2)
            .expect_word("belongs to another user (uid 65534)");
    }
    assert_eq!(greetings(), before);
    let mut inside = site.signed_in("discard");
    inside.arg(site.folder());
    site.program
        .run(inside)
        .expect_status(2)
        .expect_word("no unfinished run");
    // A folder is not searched for somebody else's: the run begins under a name of its own.
    let before = fs::read(work.join("journal")).unwrap();
    let mut command = site.export();
    command.arg("-o").arg(site.folder());
    command.args(["--exclude", "appliances"]);
    site.program.run(command).expect_status(0);
    assert_eq!(fs::read(work.join("journal")).unwrap(), before);
}

#[test]
fn what_is_no_regular_file_is_never_replaced() {
    let site = site(quick());
    let pipe = site.path("pipe.zip");
    run("mkfifo", &[pipe.to_str().unwrap()]);
    symlink(site.path("nothing"), site.path("link.zip")).unwrap();
    let device = site.path("device.zip");
    let device_made = Command::new("mknod")
        .arg(&device)
        .args(["c", "1", "3"])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut cases = vec![
        ("pipe.zip", "is a pipe"),
        ("link.zip", "is a symbolic link"),
    ];
    if device_made {
        cases.push(("device.zip", "is a device"));
    }
    for (name, word) in cases {
        for flags in [&["--force"][..], &[]] {
            let mut command = site.export_to(name);
            command.args(flags);
            let ended = site.program.run(command).expect_status(2);
            let ended = ended.expect_word(word);
            assert!(!ended.stderr.contains("--force"), "{}", ended.stderr);
        }
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    if device_made {
        assert!(fs::metadata(&device).unwrap().file_type().is_char_device());
    }
    let mut stdout = site.export();
    stdout.args(["-o", "/dev/stdout", "--force"]);
    site.program
        .run(stdout)
        .expect_status(2)
        .expect_word("`--output -` is standard output");
    assert_eq!(site.platform().requests_in_all(), 0);
    assert!(!site.listing().iter().any(|name| name.starts_with('.')));
}

#[test]
fn an_output_that_no_bag_can_be_is_refused_with_a_hint_before_anything_is_sent() {
    let site = site(quick());
    fs::write(site.path("file.zip"), "x").unwrap();
    let at = |name: &str| site.path(name).into_os_string();
    let not_text = site.path("x").into_os_string();
    let mut not_text = not_text.into_encoded_bytes();
    not_text.extend(b"\xff.zip");
    for (output, word) in [
        (at("nope/"), "does not exist"),
        (at("nope/x.zip"), "does not exist"),
        (at("file.zip/"), "is not a folder"),
        (at("file.zip/x.zip"), "does not exist"),
        (at("a\nb.zip"), "cannot be the name of a bag"),
        (at("a\u{1b}[2Jb.zip"), "cannot be the name of a bag"),
        (at(&format!("{}.zip", "n".repeat(300))), "too long"),
        (at(&format!("{}.zip", "n".repeat(245))), "too long"),
        (
            std::ffi::OsStr::from_bytes(&not_text).to_owned(),
            "cannot be the name of a bag",
        ),
    ] {
        let mut command = site.export();
        command.arg("-o").arg(&output);
        let ended = site.program.run(command);
        assert_eq!(ended.status, Some(2), "{output:?}: {}", ended.stderr);
        let ended = ended.expect_word(word).expect_word("hint:");
        assert!(!ended.stderr.contains('\u{1b}'));
    }
    assert_eq!(site.platform().requests_in_all(), 0);
    assert_eq!(site.listing(), ["file.zip"]);
}

#[test]
fn standard_output_that_takes_nothing_is_refused_before_anything_is_sent() {
    let site = site(quick());
    let mut export = site.export();
    export.args(["-o", "-"]);
    for streams in [">&-", ">&- <&- 2>/dev/null", "1</dev/null"] {
        let ended = site.program.run(redirected(&site, &export, streams));
        assert_eq!(ended.status, Some(2), "{streams}: {}", ended.stderr);
        assert_eq!(site.platform().requests_in_all(), 0);
    }
    let ended = site.program.run(redirected(&site, &export, ">&-"));
    ended
        .expect_word("standard output is closed")
        .expect_word("hint:");
    // Whoever throws a bag away means it.
    let ended = site.program.run(redirected(&site, &export, "> /dev/null"));
    ended.expect_status(0);
}

#[test]
fn no_bag_has_words_in_it_that_were_for_a_closed_stream() {
    let site = site(quick());
    let export = site.export_to("j.zip");
    let ended = site.program.run(redirected(&site, &export, "<&- >&- 2>&-"));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
}

#[test]
fn a_missing_folder_for_temporary_files_is_found_out_before_anything_is_sent() {
    let site = site(quick());
    let mut command = site.export();
    command.args(["-o", "-"]).env("TMPDIR", "/no/such/folder");
    site.program
        .run(command)
        .expect_status(2)
        .expect_word("set TMPDIR to a folder that exists");
    assert_eq!(site.platform().requests_in_all(), 0);
}

#[test]
fn runs_that_make_the_same_name_up_get_a_bag_each() {
    let site = site(quick());
    // They begin together, so that most have a name in common with another.
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = site.export();
            command.arg("-o").arg(site.folder()).arg("--force");
            site.program.spawn(command)
        })
        .collect();
    let mut printed: Vec<String> = children
        .into_iter()
        .map(|child| child.wait().expect_status(0).out().trim_end().to_owned())
        .collect();
    printed.sort();
    printed.dedup();
    assert_eq!(printed.len(), 4, "{printed:?}");
    for path in &printed {
        let bag = Bag::read(Path::new(path));
        bag.check();
    }
    assert_eq!(site.listing().len(), 4, "{:?}", site.listing());
}

#[test]
fn what_cannot_be_written_to_standard_output_is_an_error_that_says_what_stands() {
    let site = site(quick());
    let full = |command: &Command| site.program.run(redirected(&site, command, "> /dev/full"));
    // The bag is there: its exit status is the bag's, and the path stands elsewhere.
    let ended = full(&site.export_to("j.zip")).expect_status(0);
    let ended = ended.expect_word("could not write the path of the bag to standard output");
    ended.expect_word("The bag is complete");
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
    let bag = site.path("j.zip").display().to_string();
    for arguments in [
        &["list", &bag][..],
        &["list", &bag, "--json"],
        &["verify", &bag, "--json"],
        &["config"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let ended = full(&site.program.command(arguments));
        assert_eq!(ended.status, Some(1), "{arguments:?}: {}", ended.stderr);
    }
    fs::write(site.path("damaged.zip"), &fs::read(&bag).unwrap()[..5000]).unwrap();
    let damaged = site.path("damaged.zip").display().to_string();
    full(&site.program.command(["verify", &damaged, "--json"])).expect_status(5);
}
