//! A healthy platform: everything is exported, byte for byte, in every format.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use domain::model::Section;
use sandbox::scenario::ItemKind;
use sandbox::{OutputFormat, Platform, Representation};
use serde_json::Value;
use tests::kit::{Bag, Site, quick};

use crate::site;

/// Documents that list this run's own tickets: they say something else at every time.
const MOVING: &str = "data/exports/";

#[test]
fn everything_is_exported_into_a_zip_file() {
    everything_is_exported("john.zip");
}

#[test]
fn everything_is_exported_into_a_tar_file() {
    everything_is_exported("john.tar");
}

#[test]
fn everything_is_exported_into_a_tar_gz_file() {
    everything_is_exported("john.tar.gz");
}

fn everything_is_exported(name: &str) {
    let site = site(quick());
    let path = site.path(name);
    let ended = site.program.run(site.export_to(name)).expect_status(0);
    assert_eq!(ended.out(), format!("{}\n", path.display()));
    let ended = ended.expect_word("3 appliances, 2 software bundles, 14 cloud accounts");
    assert!(!ended.stderr.contains("Missing"), "{}", ended.stderr);
    assert_eq!(site.listing(), [name]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    site.check_no_ticket_left();
    let bag = Bag::read(&path);
    assert_eq!(bag.top, "john");
    bag.check();
    check_report(&bag);
    check_archives(&site, &bag);
    check_bytes(&site, &bag);
    check_that_nothing_is_missing(&site, &bag);
}

fn check_report(bag: &Bag) {
    let schema = include_str!("../../../docs/export.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let export = bag.export_json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let complaints: Vec<String> = validator
        .iter_errors(&export)
        .map(|complaint| complaint.to_string())
        .collect();
    assert_eq!(complaints, [""; 0]);
    assert_eq!(export["outcome"], "complete");
    assert_eq!(export["failures"], Value::Array(Vec::new()));
    for section in export["sections"].as_array().unwrap() {
        assert_eq!(section["status"], "complete", "{section}");
        assert_eq!(section["listed"], section["recounted"], "{section}");
    }
    let recorded: BTreeSet<&str> = export["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    let there: BTreeSet<&str> = bag.payload().into_keys().collect();
    assert_eq!(recorded, there);
    for path in there {
        assert!(bag.text("index.html").contains(path), "{path}");
    }
}

fn check_archives(site: &Site, bag: &Bag) {
    for (kind, folder) in [
        (ItemKind::Appliance, "data/appliances/"),
        (ItemKind::Software, "data/mysoftware/"),
    ] {
        for id in site.platform().items(kind) {
            let start = format!("{folder}{id}-");
            let archives: Vec<&[u8]> = bag
                .payload()
                .into_iter()
                .filter(|(path, _)| path.starts_with(&start) && path.ends_with("/archive.tar.gz"))
                .map(|(_, bytes)| bytes)
                .collect();
            let [archive] = archives.as_slice() else {
                panic!("{} archives of {kind:?} {id}", archives.len());
            };
            let sent = site
                .platform()
                .archive(kind, id, OutputFormat::Yaml)
                .unwrap();
            assert_eq!(archive.len() as u64, sent.bytes);
            assert_eq!(Platform::sha256(archive), sent.sha256);
        }
    }
}

/// Every other file holds what its source sends.
fn check_bytes(site: &Site, bag: &Bag) {
    for file in bag.export_json()["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let source = file["source"].as_str().unwrap();
        let source = source.strip_prefix("GET ").unwrap();
        let held = bag.file(path);
        assert_eq!(file["bytes"], held.len(), "{path}");
        assert_eq!(file["sha256"], Platform::sha256(held).as_str(), "{path}");
        if path.ends_with("archive.tar.gz")
            || path.starts_with(MOVING)
            || path.starts_with("data/workspace-comments/")
        {
            continue;
        }
        let sent = match path.rsplit('.').next() {
            Some("xml") => site.platform().document(source, Representation::Xml),
            Some("json") => site.platform().document(source, Representation::Json),
            _ => site.platform().binary(source),
        };
        assert!(
            sent.as_deref() == Some(held),
            "{path} is not what {source} sends"
        );
    }
}

/// What the platform's own lists name is there: known from the lists, not by the report.
fn check_that_nothing_is_missing(site: &Site, bag: &Bag) {
    for section in Section::ALL {
        if section == Section::WorkspaceComments {
            continue;
        }
        let folder = format!("data/{section}/");
        for ending in [".xml", ".json"] {
            let document = |path: &str| path.starts_with(&folder) && path.ends_with(ending);
            assert!(
                bag.payload().keys().any(|path| document(path)),
                "{section} {ending}"
            );
        }
    }
    assert!(
        bag.payload()
            .keys()
            .any(|path| path.starts_with("data/profile/photo."))
    );
    let uploaded = |document: &str| {
        let bytes = site.platform().document(document, Representation::Json);
        let text = String::from_utf8(bytes.unwrap()).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        count_uploads(&document)
    };
    let user = site.announcement().user;
    for (kind, resource, folder) in [
        (ItemKind::Appliance, "appliances", "data/appliances"),
        (ItemKind::Software, "mysoftware", "data/mysoftware"),
        (ItemKind::Account, "accounts", "data/cloud-accounts"),
    ] {
        for id in site.platform().items(kind) {
            let start = format!("{folder}/{id}-");
            let files: Vec<&str> = bag
                .payload()
                .into_keys()
                .filter(|path| path.starts_with(&start))
                .collect();
            let documents = files
                .iter()
                .filter(|path| matches!(path.rsplit('.').next(), Some("xml" | "json")))
                .count();
            assert_eq!(documents, 2, "{files:?}");
            let binaries = files.len() - documents - usize::from(kind != ItemKind::Account);
            let expected = uploaded(&format!("users/{user}/{resource}/{id}"));
            assert_eq!(binaries, expected, "{files:?}");
        }
    }
}

/// How many files a document says were uploaded, without those that the archive of an item holds.
fn count_uploads(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let here = usize::from(fields.get("uploaded") == Some(&Value::Bool(true)));
            let is_in_archive = |name: &str| matches!(name, "license" | "oasPackage");
            let fields = fields.iter().filter(|(name, _)| !is_in_archive(name));
            here + fields.map(|(_, value)| count_uploads(value)).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(count_uploads).sum(),
        _ => 0,
    }
}

#[test]
fn standard_output_gets_the_same_payload_and_nothing_else() {
    let site = site(quick());
    site.program
        .run(site.export_to("john.zip"))
        .expect_status(0);
    let file = Bag::read(&site.path("john.zip"));
    for format in ["zip", "tar", "tar.gz"] {
        let mut command = site.export();
        command.args(["-o", "-", "-f", format]);
        let ended = site.program.run(command).expect_status(0);
        let bag = Bag::of_bytes(&format!("john.{format}"), ended.stdout);
        bag.check();
        assert_eq!(bag.sums_without(&[MOVING]), file.sums_without(&[MOVING]));
        site.check_no_ticket_left();
    }
    assert_eq!(site.listing(), ["john.zip"]);
}

#[test]
fn without_an_output_the_bag_is_named_after_the_user_and_the_time() {
    let site = site(quick());
    let mut command = site.export();
    command.current_dir(site.folder());
    site.program.run(command).expect_status(0);
    let names = site.listing();
    let [name] = names.as_slice() else {
        panic!("{names:?}");
    };
    let stem = name.strip_prefix("uforge-jleaver-").unwrap();
    let time = stem.strip_suffix("Z.zip").unwrap();
    let (day, second) = time.split_once('T').unwrap();
    assert_eq!((day.len(), second.len()), (8, 6), "{name}");
    assert!(
        day.chars()
            .chain(second.chars())
            .all(|digit| digit.is_ascii_digit())
    );
    let mut into_folder = site.export();
    into_folder
        .arg("-o")
        .arg(site.folder())
        .args(["-f", "tar.gz"]);
    let printed = site.program.run(into_folder).expect_status(0).out();
    assert!(
        printed.starts_with(&site.folder().display().to_string()),
        "{printed}"
    );
    assert!(printed.ends_with("Z.tar.gz\n"), "{printed}");
}
