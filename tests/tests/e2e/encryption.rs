//! An encrypted bag opens for whom it was made, and no plain text of it ever lies on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox::scenario::{Fault, ItemKind, Times};
use sandbox::{OutputFormat, Representation};
use serde_json::Value;
use tests::kit::{Bag, Key, Signal, Site, quick};

use crate::site;

/// A slow platform: time to look into the work folder.
fn slow() -> Site {
    let mut scenario = quick();
    scenario.timing.export_millis = 150;
    site(
        scenario.with_fault(
            "GET users/*/appliances/202/exports/*/downloads"
                .parse()
                .unwrap(),
            Times::First(1),
            Fault::Slow {
                bytes_per_second: 60_000,
            },
        ),
    )
}

/// What would show that something of the payload lies there unencrypted.
fn markers(site: &Site) -> Vec<Vec<u8>> {
    let mut markers = vec![
        b"http://www.usharesoft.com/uforge".to_vec(),
        b"<?xml".to_vec(),
        b"archive.tar.gz".to_vec(),
        b"export.json".to_vec(),
    ];
    let platform = site.platform();
    for id in platform.items(ItemKind::Appliance) {
        let path = format!("users/{}/appliances/{id}", site.announcement().user);
        let document = platform.document(&path, Representation::Json).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        let name = document["appliance"]["name"].as_str().unwrap();
        markers.push(name.as_bytes().to_vec());
        let archive = platform.archive_content(ItemKind::Appliance, id, OutputFormat::Yaml);
        let archive = archive.unwrap();
        let middle = archive.len() / 2;
        markers.push(archive[middle..middle + 24].to_vec());
    }
    markers.extend(platform.secrets().into_iter().map(String::into_bytes));
    markers.retain(|marker| marker.len() > 4);
    markers
}

/// Every file of the folder, and every file without a name that the process has open.
fn on_disk(folder: &Path, process: u32) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let open = fs::read_dir(format!("/proc/{process}/fd"));
    for entry in open.into_iter().flatten().flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        if target.to_string_lossy().ends_with("(deleted)") {
            files.push(entry.path());
        }
    }
    files
}

fn holds(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker)
}

#[test]
fn no_plain_text_lies_on_the_disk_at_any_moment_and_the_recipient_reads_it_all() {
    for (name, plain) in [("j.zip.age", "j.zip"), ("j.tar.gz.age", "j.tar.gz")] {
        let site = slow();
        let markers = markers(&site);
        let key = Key::new(&site.program);
        let mut command = site.export_to(name);
        command.args(["--encrypt-to", &key.recipient]);
        let mut child = site.program.spawn(command);
        let (mut looked, mut most) = (0, 0);
        while !child.has_ended() {
            let mut bytes = 0;
            for path in on_disk(site.folder(), child.id()) {
                // It may be gone already.
                let found = fs::read(&path).unwrap_or_default();
                bytes += found.len();
                for marker in &markers {
                    let text = String::from_utf8_lossy(marker);
                    assert!(!holds(&found, marker), "`{text}` in {}", path.display());
                }
            }
            (looked, most) = (looked + 1, most.max(bytes));
        }
        child.wait().expect_status(0);
        assert!(
            looked > 3 && most > 10_000,
            "looked {looked} times, {most} bytes"
        );
        site.check_no_ticket_left();
        assert_eq!(site.listing(), [name]);
        Bag::of_bytes(plain, key.open(&site.path(name))).check();
        opens_with(
            &site,
            name,
            &["--identity", &key.file.display().to_string()],
        );
    }
}

fn opens_with(site: &Site, name: &str, key: &[&str]) {
    for (command, flags) in [("verify", &["--deep"][..]), ("list", &["--json"])] {
        let run = |key: &[&str]| {
            let mut run = site.program.command([command]);
            run.arg(site.path(name)).args(flags).args(key);
            site.program.run(run)
        };
        run(key).expect_status(0);
        run(&[]).expect_status(2).expect_word("is encrypted");
    }
}

#[test]
fn a_passphrase_opens_what_it_closed_and_another_does_not() {
    let site = site(quick());
    let right = site
        .program
        .private_file("right", "six dull words for a bag\n");
    let wrong = site.program.private_file("wrong", "six other words\n");
    let mut command = site.export_to("j.tar");
    command.arg("--passphrase-file").arg(&right);
    site.program.run(command).expect_status(0);
    opens_with(
        &site,
        "j.tar",
        &["--passphrase-file", &right.display().to_string()],
    );
    let asked = site.platform().requests_in_all();
    for command in opening_commands(&site, "j.tar") {
        for (flag, file) in [
            ("passphrase-file", &wrong),
            ("identity", &Key::new(&site.program).file),
        ] {
            let ended = site.program.run(command(flag, file)).expect_status(2);
            ended
                .expect_word("cannot be decrypted with what was given")
                .expect_word(flag);
        }
        let absent = site.program.run(command("identity", &site.path("absent")));
        absent.expect_status(2).expect_word("could not read");
    }
    assert_eq!(site.platform().requests_in_all(), asked);
    assert_eq!(site.listing(), ["j.tar"]);
}

type Opening<'a> = Box<dyn Fn(&str, &Path) -> Command + 'a>;

/// Every command that opens an encrypted bag, given a flag and a file that is to open it.
fn opening_commands<'a>(site: &'a Site, bag: &'a str) -> Vec<Opening<'a>> {
    let mut all = Vec::<Opening<'a>>::new();
    for (name, connected) in [("verify", false), ("list", false), ("import", true)] {
        all.push(Box::new(move |flag, file| {
            let mut command = if connected {
                site.signed_in(name)
            } else {
                site.program.command([name])
            };
            command.arg(site.path(bag));
            command.arg(format!("--{flag}")).arg(file);
            command
        }));
    }
    for name in ["export", "plan"] {
        all.push(Box::new(move |flag, file| {
            let mut command = site.signed_in(name);
            command.arg("--since").arg(site.path(bag));
            command.arg(format!("--since-{flag}")).arg(file);
            command
        }));
    }
    all
}

#[test]
fn a_killed_encrypted_run_uses_its_tickets_again() {
    let site = slow();
    let key = Key::new(&site.program);
    let command = || {
        let mut command = site.export_to("j.zip.age");
        command.args(["--encrypt-to", &key.recipient]);
        // A bundle's start that is unanswered at the kill cannot be looked up by anybody.
        command.args(["--exclude", "mysoftware"]);
        command
    };
    let starts = || {
        let starts = "POST users/*/*/*/exports".parse().unwrap();
        site.platform().count_requests(&starts)
    };
    let downloads = "GET users/*/appliances/202/exports/*/downloads"
        .parse()
        .unwrap();
    let mut child = site.program.spawn(command());
    assert!(child.wait_until(|| site.platform().count_requests(&downloads) > 0));
    let begun = starts();
    child.signal(Signal::Kill);
    site.was_killed();
    child.wait();
    let kept = site.platform().open_tickets().len();
    assert!(kept > 0);
    site.program.run(command()).expect_status(0);
    let appliances = site.platform().items(ItemKind::Appliance).len();
    assert_eq!(starts(), appliances, "{begun} were begun, {kept} were kept");
    assert_eq!(site.listing(), ["j.zip.age"]);
    site.check_no_ticket_left();
}
