//! `verify` and `list` distinguish a good bag from one that was changed by a single bit or file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use sandbox::scenario::{ItemFault, ItemKind, ItemScenario, Times};
use serde_json::Value;
use tests::kit::{Bag, Ended, Site, quick};

use crate::site;

fn verify(site: &Site, name: &str, flags: &[&str]) -> Ended {
    let mut command = site.program.command(["verify"]);
    command.arg(site.path(name)).args(flags);
    site.program.run(command)
}

/// A site with a good bag.
fn with_bag(name: &str) -> Site {
    let site = site(quick());
    site.program.run(site.export_to(name)).expect_status(0);
    site
}

fn archive_of(bag: &Bag) -> String {
    let mut archives = bag
        .payload()
        .into_keys()
        .filter(|path| path.ends_with(".tar.gz"));
    archives.next().unwrap().to_owned()
}

fn position_of(haystack: &[u8], needle: &[u8]) -> usize {
    let mut windows = haystack.windows(needle.len());
    windows.position(|window| window == needle).unwrap()
}

#[test]
fn a_good_bag_is_whole() {
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        let site = with_bag(name);
        verify(&site, name, &[])
            .expect_status(0)
            .expect_word("is whole");
        let deep = verify(&site, name, &["--deep"]).expect_status(0);
        assert_eq!(deep.out(), "");
        deep.expect_word("every inner archive opens");
    }
}

#[test]
fn one_flipped_bit_in_the_payload_is_found_and_named() {
    for name in ["j.zip", "j.tar"] {
        let site = with_bag(name);
        let bag = Bag::read(&site.path(name));
        let path = archive_of(&bag);
        let archive = bag.file(&path);
        let mut bytes = fs::read(site.path(name)).unwrap();
        // Archives are stored as they are.
        let at = position_of(&bytes, &archive[..200]) + archive.len() / 2;
        bytes[at] ^= 1;
        fs::write(site.path(name), bytes).unwrap();
        verify(&site, name, &[]).expect_status(5).expect_word(&path);
    }
}

#[test]
fn one_flipped_bit_anywhere_in_a_tar_gz_is_found() {
    let site = with_bag("j.tar.gz");
    let good = fs::read(site.path("j.tar.gz")).unwrap();
    for part in 1..12 {
        let mut bytes = good.clone();
        let at = bytes.len() * part / 12;
        bytes[at] ^= 4;
        fs::write(site.path("j.tar.gz"), bytes).unwrap();
        verify(&site, "j.tar.gz", &[]).expect_status(5);
    }
}

fn write_zip(path: &Path, top: &str, files: &BTreeMap<String, Vec<u8>>) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{top}/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn write_tar(path: &Path, top: &str, files: &BTreeMap<String, Vec<u8>>) {
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, format!("{top}/{name}"), bytes.as_slice())
            .unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn a_file_that_is_missing_added_or_changed_is_found_and_named() {
    for name in ["j.zip", "j.tar"] {
        let site = with_bag(name);
        let bag = Bag::read(&site.path(name));
        let write = if name == "j.zip" {
            write_zip
        } else {
            write_tar
        };
        let rewrite = |files: &BTreeMap<String, Vec<u8>>| {
            fs::remove_file(site.path(name)).unwrap();
            write(&site.path(name), &bag.top, files);
        };
        rewrite(&bag.files);
        verify(&site, name, &["--deep"]).expect_status(0);
        let missing = "data/cloud-accounts/accounts.xml";
        let mut files = bag.files.clone();
        files.remove(missing).unwrap();
        rewrite(&files);
        verify(&site, name, &[])
            .expect_status(5)
            .expect_word(missing);
        let mut files = bag.files.clone();
        files.insert("data/profile/extra.xml".to_owned(), b"<x/>".to_vec());
        rewrite(&files);
        let ended = verify(&site, name, &[]).expect_status(5);
        ended.expect_word("data/profile/extra.xml");
        let mut files = bag.files.clone();
        files.get_mut("export.json").unwrap().push(b' ');
        rewrite(&files);
        verify(&site, name, &[])
            .expect_status(5)
            .expect_word("export.json");
    }
}

#[test]
fn a_bag_cut_short_is_damaged() {
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        let site = with_bag(name);
        let good = fs::read(site.path(name)).unwrap();
        for part in 1..6 {
            fs::write(site.path(name), &good[..good.len() * part / 6]).unwrap();
            verify(&site, name, &[]).expect_status(5);
        }
    }
}

#[test]
fn what_is_no_bag_is_reported_clearly() {
    let site = site(quick());
    fs::write(site.path("garbage.zip"), "this is no bag at all").unwrap();
    for command in ["verify", "list"] {
        let mut garbage = site.program.command([command]);
        garbage.arg(site.path("garbage.zip"));
        let ended = site.program.run(garbage);
        assert!(matches!(ended.status, Some(1 | 2 | 5)), "{ended:?}");
        ended.expect_word("is not a bag");
        let mut nothing = site.program.command([command]);
        nothing.arg(site.path("nothing.zip"));
        let ended = site.program.run(nothing).expect_status(1);
        ended.expect_word("nothing.zip");
    }
}

#[test]
fn list_says_what_is_in_a_bag_to_people_and_to_programs() {
    for name in ["j.zip", "j.tar.gz"] {
        let site = with_bag(name);
        let bag = Bag::read(&site.path(name));
        let list = |flags: &[&str]| {
            let mut command = site.program.command(["list"]);
            command.arg(site.path(name)).args(flags);
            site.program.run(command).expect_status(0).out()
        };
        let (people, programs) = (list(&[]), list(&["--json"]));
        let programs: Value = serde_json::from_str(&programs).unwrap();
        let listed: Vec<&str> = programs["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap())
            .collect();
        for path in bag.payload().into_keys() {
            assert!(people.contains(path), "{path}");
            assert!(listed.contains(&path), "{path}");
        }
    }
}

#[test]
fn deep_says_what_a_uforge_will_take_and_the_bag_stays_whole() {
    let fault = ItemFault::StartRefused {
        status: 500,
        times: Times::Always,
    };
    let item = ItemScenario::new(ItemKind::Appliance, 201).with_fault(fault);
    let site = site(quick().with_item(item));
    site.program.run(site.export_to("j.zip")).expect_status(3);
    let deep = verify(&site, "j.zip", &["--deep", "--json"]).expect_status(0);
    let found: Value = serde_json::from_str(&deep.out()).unwrap();
    assert_eq!(found["sound"], true);
    let import = found["import"].as_array().unwrap();
    let verdicts: Vec<&str> = import
        .iter()
        .map(|found| found["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["expected", "expected", "refused", "expected", "expected"]
    );
    let why = import[2]["obstacles"][0].as_str().unwrap();
    assert!(why.contains("holds no archive"), "{why}");
    deep.expect_word("nothing speaks against 4; 1 will be refused");
    let plain = verify(&site, "j.zip", &["--json"]).expect_status(0);
    let plain: Value = serde_json::from_str(&plain.out()).unwrap();
    assert_eq!(plain["import"], Value::Null);
}
