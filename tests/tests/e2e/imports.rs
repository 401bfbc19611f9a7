//! `import`: a bag into another platform, and what is there afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sandbox::scenario::{ImportFault, ImportScenario, ItemKind, Times};
use sandbox::{Platform, Scenario};
use serde_json::Value;
use tests::kit::{Bag, Ended, Key, Signal, Site, quick};

use crate::site;

const KINDS: [ItemKind; 2] = [ItemKind::Appliance, ItemKind::Software];

/// A platform with an empty account.
pub(crate) fn empty() -> Scenario {
    let mut scenario = quick();
    scenario.data.appliances = 0;
    scenario.data.software = 0;
    scenario.timing.import_millis = 40;
    scenario
}

/// A site with a bag of this name, and one to bring it to.
pub(crate) fn two_sites(name: &str, target: Scenario) -> (Site, Site) {
    let source = site(quick());
    source.program.run(source.export_to(name)).expect_status(0);
    (source, site(target))
}

/// `import` of a bag of one site into the platform of another.
pub(crate) fn import_into(target: &Site, bag: &Path) -> Command {
    let mut command = target.signed_in("import");
    command.arg(bag);
    command
}

pub(crate) fn run_import(target: &Site, bag: &Path, flags: &[&str]) -> Ended {
    let mut command = import_into(target, bag);
    command.args(flags);
    target.program.run(command)
}

/// What an import with `--json` said.
pub(crate) fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out()).unwrap()
}

pub(crate) fn names(value: &Value, list: &str) -> Vec<String> {
    let list = value[list].as_array().unwrap().iter();
    let mut names: Vec<String> = list
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Names, versions and archives of all that can be imported.
fn objects(bag: &Bag) -> BTreeMap<(String, String, String), String> {
    let described = bag.export_json();
    let items = described["items"].as_array().unwrap().iter();
    let word = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    items
        .filter(|item| ["appliances", "mysoftware"].contains(&item["section"].as_str().unwrap()))
        .map(|item| {
            let mut files = item["files"].as_array().unwrap().iter();
            let archive =
                files.find_map(|file| file.as_str().filter(|path| path.ends_with(".tar.gz")));
            let sum = Platform::sha256(bag.file(archive.unwrap()));
            (
                (
                    word(item, "section"),
                    word(item, "name"),
                    word(item, "version"),
                ),
                sum,
            )
        })
        .collect()
}

/// Everything of the source is on the target once, and nothing of the import is left.
#[track_caller]
pub(crate) fn check_all_there(source: &Site, target: &Site, bag: &Path) {
    for kind in KINDS {
        let (mut from, mut to) = (source.platform().names(kind), target.platform().names(kind));
        from.sort();
        to.sort();
        assert_eq!(from, to);
    }
    check_nothing_left(target, bag);
    let mut uploaded = target.platform().uploaded();
    let all = uploaded.len();
    uploaded.sort();
    uploaded.dedup();
    assert_eq!((uploaded.len(), all), (5, 5), "each archive once");
}

/// No appliance ticket, and no state file.
#[track_caller]
pub(crate) fn check_nothing_left(target: &Site, bag: &Path) {
    let open = target.platform().open_imports();
    let appliances: Vec<_> = open
        .iter()
        .filter(|ticket| ticket.kind == ItemKind::Appliance)
        .collect();
    assert!(appliances.is_empty(), "{appliances:?}");
    let folder = fs::read_dir(bag.parent().unwrap()).unwrap();
    let states = folder.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".uforge-import")
    });
    assert_eq!(states.count(), 0, "a state file is left");
}

/// A → bag → B → bag.
fn comes_back_byte_for_byte(name: &str, key: Option<&Key>, source: &Site) {
    let mut export = source.export_to(name);
    let target = site(empty());
    let bag = source.path(name);
    let mut import = import_into(&target, &bag);
    if let Some(key) = key {
        export.args(["--encrypt-to", &key.recipient]);
        import.arg("--identity").arg(&key.file);
    }
    source.program.run(export).expect_status(0);
    target.program.run(import).expect_status(0);
    check_all_there(source, &target, &bag);
    target
        .program
        .run(target.export_to("b.zip"))
        .expect_status(0);
    source
        .program
        .run(source.export_to("a.zip"))
        .expect_status(0);
    let before = objects(&Bag::read(&source.path("a.zip")));
    let after = objects(&Bag::read(&target.path("b.zip")));
    assert_eq!(before.len(), 5);
    assert_eq!(before, after);
    fs::remove_file(source.path("a.zip")).unwrap();
}

#[test]
fn a_bag_comes_back_byte_for_byte_out_of_every_container() {
    let source = site(quick());
    let key = Key::new(&source.program);
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        comes_back_byte_for_byte(name, None, &source);
        comes_back_byte_for_byte(&format!("{name}.age"), Some(&key), &source);
    }
}

#[test]
fn a_plan_is_a_table_and_json_and_sends_nothing_but_get() {
    let (source, target) = two_sites("j.zip", empty());
    let bag = source.path("j.zip");
    let plan = run_import(&target, &bag, &["--dry-run"]).expect_status(0);
    let table = plan.out();
    assert!(table.contains("5 objects would be imported"), "{table}");
    assert!(table.contains("data/cloud-accounts/"), "{table}");
    let plan = json(&run_import(&target, &bag, &["--dry-run", "--json"]).expect_status(0));
    assert_eq!(names(&plan, "imported").len(), 5);
    assert!(plan["imported"][0]["id"].is_null() && plan["imported"][0]["uri"].is_null());
    let requests = target.platform().requests();
    assert!(requests.iter().all(|request| request.method == "GET"));
    check_nothing_left(&target, &bag);
}

#[test]
fn what_was_imported_is_listed_and_a_second_time_it_is_skipped() {
    let (source, target) = two_sites("j.tar", empty());
    let bag = source.path("j.tar");
    let first = json(&run_import(&target, &bag, &["--json", "-j", "1"]).expect_status(0));
    let object = &first["imported"][0];
    let uri = format!(
        "users/jleaver/{}/{}",
        object["section"].as_str().unwrap(),
        object["id"]
    );
    assert_eq!(object["uri"], uri.as_str());
    let manual = first["manual"].as_array().unwrap();
    assert!(
        manual
            .iter()
            .any(|found| found["section"] == "cloud-accounts" && found["count"] == 14)
    );
    let second = json(&run_import(&target, &bag, &["--json"]).expect_status(0));
    assert_eq!(names(&second, "skipped"), names(&first, "imported"));
    assert_eq!(second["imported"].as_array().unwrap().len(), 0);
    check_all_there(&source, &target, &bag);
    let refused = run_import(&target, &bag, &["--json", "--on-conflict", "fail"]);
    let refused = json(&refused.expect_status(1));
    assert_eq!(refused["failed"].as_array().unwrap().len(), 5);
}

#[test]
fn an_appliance_is_overwritten_where_that_is_asked_for() {
    let (source, target) = two_sites("j.zip", quick());
    let bag = source.path("j.zip");
    let flags = [
        "--json",
        "--on-conflict",
        "overwrite",
        "--tag-imported=false",
    ];
    let outcome = json(&run_import(&target, &bag, &flags).expect_status(0));
    assert_eq!(names(&outcome, "imported").len(), 3);
    let reason = outcome["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("cannot be overwritten"), "{reason}");
    assert_eq!(target.platform().names(ItemKind::Appliance).len(), 3);
    assert_eq!(target.platform().uploaded().len(), 3);
    let asked = target.platform().requests().into_iter();
    let asked: Vec<String> = asked
        .filter(|request| request.method == "POST" && request.path.last().unwrap() == "imports")
        .map(|request| request.query)
        .collect();
    let expected = "imported=false&force=true&reuseBundles=true&useMajor=false";
    assert_eq!(asked, [expected; 3]);
}

#[test]
fn one_flipped_bit_keeps_that_archive_back_and_nothing_else() {
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        let (source, target) = two_sites(name, empty());
        let bag = source.path(name);
        let whole = Bag::read(&bag);
        let archive = whole
            .payload()
            .into_keys()
            .find(|path| path.ends_with(".tar.gz"));
        let archive = archive.unwrap().to_owned();
        if name == "j.tar.gz" {
            // A flipped bit of the outer layer would hide all that follows: the archive is another one, and the manifest is not.
            let mut files = whole.files.clone();
            files.get_mut(&archive).unwrap()[100] ^= 1;
            write_tar_gz(&bag, &whole.top, &files);
        } else {
            let mut bytes = fs::read(&bag).unwrap();
            let needle = &whole.file(&archive)[..200];
            let at = bytes.windows(200).position(|window| window == needle);
            bytes[at.unwrap() + 1000] ^= 1;
            fs::write(&bag, bytes).unwrap();
        }
        let outcome = json(&run_import(&target, &bag, &["--json"]).expect_status(5));
        assert_eq!(outcome["failed"].as_array().unwrap().len(), 1);
        assert_eq!(outcome["failed"][0]["stage"], "bag");
        assert_eq!(names(&outcome, "imported").len(), 4);
        assert_eq!(target.platform().uploaded().len(), 4);
        let posts = "POST users/*/imports".parse().unwrap();
        let bundles = "POST users/*/bundleimports".parse().unwrap();
        let platform = target.platform();
        assert_eq!(
            platform.count_requests(&posts) + platform.count_requests(&bundles),
            4
        );
        check_nothing_left(&target, &bag);
    }
}

fn write_tar_gz(path: &Path, top: &str, files: &BTreeMap<String, Vec<u8>>) {
    let file = fs::File::create(path).unwrap();
    let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, format!("{top}/{name}"), bytes.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn killed_at_any_instant_nothing_is_imported_twice_or_missing() {
    let source = site(quick());
    let bag = source.path("j.tar.gz");
    source
        .program
        .run(source.export_to("j.tar.gz"))
        .expect_status(0);
    for number in 1..=20_usize {
        let target = site(empty());
        // Each kill after two requests more than the one before: from the first request to after the last.
        let kill_after = 2 * number;
        let mut child = target.program.spawn(import_into(&target, &bag));
        let came = || target.platform().requests().len() >= kill_after;
        if child.wait_until(came) {
            child.signal(Signal::Kill);
        }
        child.wait();
        let outcome = json(&run_import(&target, &bag, &["--json"]).expect_status(0));
        let there = names(&outcome, "imported").len() + names(&outcome, "skipped").len();
        assert_eq!(there, 5, "killed after {kill_after} requests: {outcome}");
        check_all_there(&source, &target, &bag);
    }
}

#[test]
fn ctrl_c_leaves_no_ticket_and_the_same_command_goes_on() {
    let name = "PostgreSQL 9.6 replica";
    let mut endless = empty();
    endless.imports.push(ImportScenario {
        kind: ItemKind::Appliance,
        name: Some(name.to_owned()),
        faults: vec![ImportFault::NeverCompletes {
            times: Times::First(1),
        }],
    });
    let (source, target) = two_sites("j.zip", endless);
    let bag = source.path("j.zip");
    let mut child = target.program.spawn(import_into(&target, &bag));
    // The platform is at 10 % for ever, the first time.
    let words = child.words();
    let waits = format!("{name}: the server imports it, \"Importing\", 10 %");
    assert!(child.wait_until(|| words.said().contains(&waits)));
    let at = Instant::now();
    child.signal(Signal::Interrupt);
    let ended = child
        .wait()
        .expect_status(130)
        .expect_word("The same command resumes it");
    if !ended.had_no_time(at) {
        let open = target.platform().open_imports();
        assert!(
            open.iter().all(|ticket| ticket.kind == ItemKind::Software),
            "{open:?}"
        );
    }
    run_import(&target, &bag, &[]).expect_status(0);
    for kind in KINDS {
        assert_eq!(
            target.platform().names(kind).len(),
            source.platform().names(kind).len()
        );
    }
    check_nothing_left(&target, &bag);
}

#[test]
fn another_order_does_not_go_on_with_an_interrupted_one() {
    let mut slow = empty();
    slow.timing.import_millis = 60_000;
    let (source, target) = two_sites("j.zip", slow);
    source.leaves_run_files("the import is not finished");
    let bag = source.path("j.zip");
    let mut child = target.program.spawn(import_into(&target, &bag));
    let uploads = "POST users/*/bundleimports/*/uploads".parse().unwrap();
    assert!(child.wait_until(|| target.platform().count_requests(&uploads) > 0));
    child.signal(Signal::Kill);
    child.wait();
    let state = source.path(".j.zip.uforge-import");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&state).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let other = run_import(&target, &bag, &["--use-major"]).expect_status(2);
    other
        .expect_word("belongs to another import")
        .expect_word("--state FILE");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let (source, target) = two_sites("j.zip", empty());
    let bag = source.path("j.zip");
    for wrong in [
        &["--appliance", "999"][..],
        &["--include", "profile"],
        &["--include", "mysoftware", "--appliance", "201"],
        &["--on-conflict", "ask"],
    ] {
        run_import(&target, &bag, wrong).expect_status(2);
    }
    assert_eq!(target.platform().requests().len(), 0);
    check_nothing_left(&target, &bag);
    let flags = ["--json", "--appliance", "202", "--include", "appliances"];
    let some = json(&run_import(&target, &bag, &flags).expect_status(0));
    assert_eq!(names(&some, "imported").len(), 1);
}

#[test]
fn refused_credentials_are_one_request_and_leave_nothing() {
    let (source, target) = two_sites("j.zip", empty());
    let bag = source.path("j.zip");
    target.program.private_file("password", "wrong\n");
    run_import(&target, &bag, &[]).expect_status(4);
    let signed = target.platform().requests();
    let signed = signed.iter().filter(|request| request.path != ["status"]);
    assert_eq!(signed.count(), 1);
    check_nothing_left(&target, &bag);
}
