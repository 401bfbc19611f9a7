//! Receipts: what was delivered, signed, and found again; and when there is none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use sandbox::Platform;
use sandbox::scenario::{Fault, ItemFault, ItemKind, ItemScenario, Times};
use serde_json::{Value, json};
use tests::kit::{Bag, Ended, Key, Signer, Site, quick};

use crate::site;

pub(crate) const RECEIPT: &str = "r.json";
pub(crate) const SIGNATURE: &str = "r.json.minisig";

pub(crate) fn with_receipt(site: &Site, mut command: Command) -> Command {
    command.arg("--receipt").arg(site.path(RECEIPT));
    command
}

pub(crate) fn signed(site: &Site, name: &str, signer: &Signer) -> Command {
    let mut command = with_receipt(site, site.export_to(name));
    command.arg("--sign-key").arg(&signer.secret);
    command
}

pub(crate) fn verify(site: &Site, name: &str, public: Option<&Path>) -> Ended {
    let mut command = with_receipt(site, site.program.command(["verify"]));
    command.arg(site.path(name));
    if let Some(public) = public {
        command.arg("--public-key").arg(public);
    }
    site.program.run(command)
}

pub(crate) fn receipt(site: &Site) -> Value {
    serde_json::from_slice(&fs::read(site.path(RECEIPT)).unwrap()).unwrap()
}

/// What a receipt has to say of a bag.
#[track_caller]
fn check_receipt(site: &Site, file: &[u8], bag: &Bag) {
    let receipt = receipt(site);
    let export = bag.export_json();
    assert_eq!(receipt["format"], "uforge-receipt/1");
    assert!(
        receipt["about"]
            .as_str()
            .unwrap()
            .contains("does not prove")
    );
    assert_eq!(receipt["bag"]["bytes"], file.len());
    assert_eq!(receipt["bag"]["sha256"], Platform::sha256(file));
    for (field, tag) in [
        ("tagmanifest_sha256", "tagmanifest-sha256.txt"),
        ("export_json_sha256", "export.json"),
    ] {
        assert_eq!(receipt[field], Platform::sha256(bag.file(tag)));
    }
    for field in ["user", "source", "tool", "started", "finished", "outcome"] {
        assert_eq!(receipt[field], export[field], "{field}");
    }
    assert_eq!(receipt["requested_by"], site.announcement().user);
    let length = |list: &str| export[list].as_array().unwrap().len();
    let files = export["files"].as_array().unwrap().iter();
    let bytes: u64 = files.map(|file| file["bytes"].as_u64().unwrap()).sum();
    let counts = json!({
        "sections": length("sections"), "items": length("items"), "files": length("files"), "bytes": bytes,
        "failures": length("failures"),
    });
    assert_eq!(receipt["counts"], counts);
}

#[test]
fn a_receipt_says_what_was_delivered_in_every_container() {
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        let site = site(quick());
        let signer = Signer::new(&site.program, "mine", None);
        let ended = site.program.run(signed(&site, name, &signer));
        let ended = ended.expect_status(0);
        assert_eq!(ended.out(), format!("{}\n", site.path(name).display()));
        ended.expect_word(&format!("signed with the key {}", signer.id));
        assert_eq!(site.listing(), [name, RECEIPT, SIGNATURE]);
        for file in site.listing() {
            let mode = fs::metadata(site.path(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let file = fs::read(site.path(name)).unwrap();
        check_receipt(&site, &file, &Bag::read(&site.path(name)));
        assert_eq!(receipt(&site)["bag"]["name"], name);
        verify(&site, name, Some(&signer.public))
            .expect_status(0)
            .expect_word("is of this bag")
            .expect_word(&format!("file:{RECEIPT}"));
        verify(&site, name, None)
            .expect_status(0)
            .expect_word("was not checked");
    }
}

#[test]
fn the_receipt_of_an_encrypted_bag_is_of_the_encrypted_file() {
    let site = site(quick());
    let key = Key::new(&site.program);
    let mut export = with_receipt(&site, site.export_to("j.zip.age"));
    export.args(["--encrypt-to", &key.recipient]);
    site.program.run(export).expect_status(0);
    let file = fs::read(site.path("j.zip.age")).unwrap();
    let bag = Bag::of_bytes("j.zip", key.open(&site.path("j.zip.age")));
    check_receipt(&site, &file, &bag);
    let mut command = with_receipt(&site, site.program.command(["verify"]));
    command.arg(site.path("j.zip.age"));
    command.arg("--identity").arg(&key.file);
    site.program.run(command).expect_status(0);
}

#[test]
fn the_receipt_of_a_bag_on_standard_output_is_of_its_bytes() {
    for format in ["zip", "tar.gz"] {
        let site = site(quick());
        let mut export = with_receipt(&site, site.export());
        export.args(["-o", "-", "-f", format]);
        let ended = site.program.run(export).expect_status(0);
        let name = format!("j.{format}");
        check_receipt(
            &site,
            &ended.stdout,
            &Bag::of_bytes(&name, ended.stdout.clone()),
        );
        assert_eq!(receipt(&site)["bag"]["name"], Value::Null);
        fs::write(site.path(&name), &ended.stdout).unwrap();
        verify(&site, &name, None).expect_status(0);
    }
}

#[test]
fn what_cannot_be_written_or_signed_is_refused_before_anything_is_sent() {
    let site = site(quick());
    let signer = Signer::new(&site.program, "mine", None);
    let locked = Signer::new(&site.program, "locked", Some("right"));
    let wrong = site.program.private_file("wrong", "wrong\n");
    let refused = |flags: &[&Path], words: &str| {
        let mut command = site.export_to("j.zip");
        command.args(flags);
        site.program
            .run(command)
            .expect_status(2)
            .expect_word(words);
        assert_eq!(site.platform().requests().len(), 0);
        assert_eq!(site.listing(), ["taken", "taken2.minisig"]);
    };
    fs::write(site.path("taken"), "somebody's").unwrap();
    fs::write(site.path("taken2.minisig"), "somebody's").unwrap();
    let [flag, key, pass] = ["--receipt", "--sign-key", "--sign-passphrase-file"].map(Path::new);
    let to = site.path(RECEIPT);
    refused(&[flag, &site.path("taken")], "exists already");
    refused(&[flag, &site.path("taken2")], "exists already");
    refused(
        &[flag, &site.path("j.zip")],
        "the bag as well as the receipt",
    );
    refused(&[flag, &site.path("none/r.json")], "no folder");
    refused(&[flag, site.folder()], "a folder");
    refused(&[flag, Path::new("/dev/null")], "a device");
    refused(&[key, &signer.secret], "--receipt");
    refused(
        &[flag, &to, key, &site.path("none")],
        "could not read the secret key",
    );
    refused(
        &[flag, &to, key, &signer.public],
        "no secret key of minisign",
    );
    refused(
        &[flag, &to, key, &locked.secret],
        "passphrase of the secret key",
    );
    refused(
        &[flag, &to, key, &locked.secret, pass, &wrong],
        "does not open the secret key",
    );
    fs::remove_file(site.path("taken")).unwrap();
    fs::remove_file(site.path("taken2.minisig")).unwrap();
    let right = site.program.private_file("right", "right\n");
    let mut export = signed(&site, "j.zip", &locked);
    export.arg("--sign-passphrase-file").arg(&right);
    site.program.run(export).expect_status(0);
    verify(&site, "j.zip", Some(&locked.public)).expect_status(0);
}

#[test]
fn force_replaces_bag_receipt_and_signature() {
    let site = site(quick());
    let signer = Signer::new(&site.program, "mine", None);
    for _ in 0..2 {
        let mut export = signed(&site, "j.zip", &signer);
        export.arg("--force");
        site.program.run(export).expect_status(0);
        verify(&site, "j.zip", Some(&signer.public)).expect_status(0);
    }
    let mut export = with_receipt(&site, site.export_to("j.zip"));
    export.arg("--force");
    site.program.run(export).expect_status(0);
    assert_eq!(site.listing(), ["j.zip", RECEIPT]);
    verify(&site, "j.zip", None).expect_status(0);
}

#[test]
fn a_partial_bag_has_a_receipt_and_no_bag_has_none() {
    let fault = ItemFault::StartRefused {
        status: 500,
        times: Times::Always,
    };
    let item = ItemScenario::new(ItemKind::Appliance, 201).with_fault(fault);
    let site = site(quick().with_item(item));
    site.program
        .run(with_receipt(&site, site.export_to("j.zip")))
        .expect_status(3);
    let file = fs::read(site.path("j.zip")).unwrap();
    check_receipt(&site, &file, &Bag::read(&site.path("j.zip")));
    assert_eq!(receipt(&site)["outcome"], "partial");
    fs::remove_file(site.path(RECEIPT)).unwrap();
    site.program.private_file("password", "wrong\n");
    site.program
        .run(with_receipt(&site, site.export_to("k.zip")))
        .expect_status(4);
    assert_eq!(site.listing(), ["j.zip"]);
}

/// The name is taken by another file while the export is under way.
#[test]
fn a_receipt_that_cannot_be_written_at_last_is_written_by_the_same_command() {
    for (name, is_encrypted) in [("j.zip", false), ("j.zip.age", true), ("made-up", false)] {
        let slow = Fault::Slow {
            bytes_per_second: 60_000,
        };
        let downloads = "GET users/*/appliances/202/exports/*/downloads";
        let scenario = quick().with_fault(downloads.parse().unwrap(), Times::First(1), slow);
        let site = site(scenario);
        let signer = Signer::new(&site.program, "mine", None);
        let key = Key::new(&site.program);
        let export = || {
            if name == "made-up" {
                let mut export = with_receipt(&site, site.export());
                export.arg("-o").arg(site.folder());
                return export;
            }
            let mut export = signed(&site, name, &signer);
            if is_encrypted {
                export.args(["--encrypt-to", &key.recipient]);
            }
            export
        };
        let mut child = site.program.spawn(export());
        let pattern = downloads.parse().unwrap();
        assert!(child.wait_until(|| site.platform().count_requests(&pattern) > 0));
        fs::write(site.path(RECEIPT), "somebody's").unwrap();
        child
            .wait()
            .expect_status(2)
            .expect_word("the bag is complete")
            .expect_word("the same command writes the receipt");
        let before = site.platform().requests().len();
        // It is still somebody's.
        site.program.run(export()).expect_status(2);
        fs::remove_file(site.path(RECEIPT)).unwrap();
        let ended = site.program.run(export()).expect_status(0);
        let sent = site.platform().requests().split_off(before);
        // At most tickets are deleted once more: nothing is exported again.
        assert!(sent.iter().all(|sent| sent.method == "DELETE"), "{sent:?}");
        let bag = ended.out().trim().to_owned();
        let sum = Platform::sha256(&fs::read(&bag).unwrap());
        assert_eq!(receipt(&site)["bag"]["sha256"], sum);
        let files = if name == "made-up" { 2 } else { 3 };
        assert_eq!(site.listing().len(), files, "{:?}", site.listing());
    }
}

#[test]
fn programs_hear_of_the_receipt_before_the_outcome() {
    let site = site(quick());
    let signer = Signer::new(&site.program, "mine", None);
    let mut export = signed(&site, "j.zip", &signer);
    export.args(["--progress", "json"]);
    let ended = site.program.run(export).expect_status(0);
    let events: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [.., receipt, outcome] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(receipt["event"], "receipt");
    assert_eq!(receipt["receipt"], site.path(RECEIPT).display().to_string());
    assert_eq!(receipt["key"], signer.id);
    assert_eq!(outcome["event"], "outcome");
}
