//! `--since`: what has not changed since an earlier bag is taken from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use sandbox::Scenario;
use sandbox::scenario::{Change, ItemFault, ItemKind, ItemScenario, Times};
use serde_json::Value;
use tests::kit::{Bag, Ended, Key, Signal, Site, quick};

use crate::site;

/// Five items: the appliances 201 and 203 refer to bundle 301, and 202 to 302.
fn with_bag(name: &str) -> Site {
    let site = site(quick());
    site.program.run(site.export_to(name)).expect_status(0);
    site
}

/// `export` into one file, with another one at hand.
fn since(site: &Site, name: &str, earlier: &str) -> Command {
    let mut command = site.export_to(name);
    command.arg("--since").arg(site.path(earlier));
    command
}

fn edit(site: &Site, kind: ItemKind, id: i64) {
    site.platform().apply(Change::Edit { kind, id });
}

/// What was started, and how often an archive was downloaded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    starts: BTreeSet<String>,
    downloads: usize,
}

impl Asked {
    fn after(site: &Site, before: usize) -> Self {
        let mut asked = Self::default();
        for request in site.platform().requests().into_iter().skip(before) {
            let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
            match (request.method.as_str(), path.as_slice()) {
                ("POST", ["users", _, section, id, "exports"]) => {
                    assert!(asked.starts.insert(format!("{section} {id}")));
                }
                ("GET", [.., "downloads"]) => asked.downloads += 1,
                _ => {}
            }
        }
        asked
    }

    fn only(items: &[&str]) -> Self {
        Self {
            starts: items.iter().map(|&item| item.to_owned()).collect(),
            downloads: items.len(),
        }
    }
}

/// Runs an export that succeeds; what it asked the platform for.
fn run(site: &Site, command: Command) -> (Ended, Asked) {
    let before = site.platform().requests().len();
    let ended = site.program.run(command).expect_status(0);
    site.check_no_ticket_left();
    let asked = Asked::after(site, before);
    (ended, asked)
}

fn verify(site: &Site, path: &Path, key: &Key) {
    let mut verify = site.program.command(["verify", "--deep"]);
    verify.arg(path).arg("--identity").arg(&key.file);
    site.program.run(verify).expect_status(0);
}

fn is_encrypted(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|kind| kind == "age")
}

fn archives(bag: &Bag) -> Vec<(&str, &[u8])> {
    let payload = bag.payload().into_iter();
    payload
        .filter(|(path, _)| path.ends_with("archive.tar.gz"))
        .collect()
}

fn reused(export_json: &Value) -> Vec<i64> {
    let items = export_json["items"].as_array().unwrap().iter();
    let reused = items.filter(|item| !item["reused_from"].is_null());
    reused.map(|item| item["id"].as_i64().unwrap()).collect()
}

#[test]
fn nothing_is_exported_again_whatever_both_bags_are_packed_in() {
    let site = with_bag("first.zip");
    let key = Key::new(&site.program);
    let first = Bag::read(&site.path("first.zip"));
    let mut earlier = "first.zip".to_owned();
    for name in ["j.tar.gz", "j.tar", "j.zip.age", "k.tar.gz", "k.zip"] {
        let mut command = since(&site, name, &earlier);
        if is_encrypted(&earlier) {
            command.arg("--since-identity").arg(&key.file);
        }
        if is_encrypted(name) {
            command.args(["--encrypt-to", &key.recipient]);
        }
        let (ended, asked) = run(&site, command);
        assert_eq!(asked, Asked::default(), "{name} out of {earlier}");
        ended.expect_word(&format!(
            "5 archives had not changed and were taken from {earlier}"
        ));
        verify(&site, &site.path(name), &key);
        let bag = if is_encrypted(name) {
            Bag::of_bytes("j.zip", key.open(&site.path(name)))
        } else {
            Bag::read(&site.path(name))
        };
        bag.check();
        assert_eq!(archives(&bag), archives(&first));
        assert_eq!(reused(&bag.export_json()), [201, 202, 203, 301, 302]);
        earlier = name.to_owned();
    }
}

#[test]
fn an_item_says_which_bag_its_archive_was_taken_from() {
    let site = with_bag("old.zip");
    let mut to_stdout = site.export();
    to_stdout.args(["-o", "-", "--format", "tar", "--since"]);
    to_stdout.arg(site.path("old.zip"));
    let (ended, asked) = run(&site, to_stdout);
    assert_eq!(asked, Asked::default());
    let old = Bag::read(&site.path("old.zip"));
    let new = Bag::of_bytes("new.tar", ended.stdout);
    new.check();
    let (before, after) = (old.export_json(), new.export_json());
    assert_eq!(after["output_format"], "yaml");
    let sum = sandbox::Platform::sha256(old.file("export.json"));
    let files = |json: &Value| -> Vec<Value> {
        let files = json["files"].as_array().unwrap().iter();
        let archives = files.filter(|file| file["path"].as_str().unwrap().ends_with(".tar.gz"));
        let mut archives: Vec<Value> = archives.cloned().collect();
        archives.sort_by_key(|file| file["path"].to_string());
        archives
    };
    assert_eq!(
        files(&after),
        files(&before),
        "source and fetched are the earlier bag's"
    );
    let items = after["items"].as_array().unwrap();
    let shop = items.iter().find(|item| item["id"] == 201).unwrap();
    assert_eq!(shop["reused_from"]["bag"], "old.zip");
    assert_eq!(shop["reused_from"]["export_json_sha256"], sum);
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/export.schema.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &after));
}

#[test]
fn what_has_changed_is_exported_and_nothing_else() {
    let site = with_bag("old.zip");
    edit(&site, ItemKind::Appliance, 203);
    let (_, asked) = run(&site, since(&site, "j.zip", "old.zip"));
    assert_eq!(asked, Asked::only(&["appliances 203"]));
    edit(&site, ItemKind::Software, 302);
    let (_, asked) = run(&site, since(&site, "k.zip", "j.zip"));
    assert_eq!(asked, Asked::only(&["appliances 202", "mysoftware 302"]));
    let export_json = Bag::read(&site.path("k.zip")).export_json();
    assert_eq!(reused(&export_json), [201, 203, 301]);
    let mut against = site.signed_in("verify");
    against.arg("--against").arg(site.path("k.zip"));
    site.program.run(against).expect_status(0);
}

/// Archives that are too long to be gathered in memory.
fn long_archives() -> Scenario {
    let mut scenario = quick();
    scenario.data.archive_bytes = 3_000_000;
    scenario
}

#[test]
fn long_archives_lie_in_every_later_bag_byte_for_byte() {
    let site = site(long_archives());
    site.program.run(site.export_to("a.zip")).expect_status(0);
    let key = Key::new(&site.program);
    let first = Bag::read(&site.path("a.zip"));
    let mut earlier = "a.zip";
    for name in ["b.zip", "c.tar", "d.tar", "e.tar.gz", "f.zip"] {
        let (_, asked) = run(&site, since(&site, name, earlier));
        assert_eq!(asked, Asked::default(), "{name} out of {earlier}");
        verify(&site, &site.path(name), &key);
        let bag = Bag::read(&site.path(name));
        bag.check();
        assert!(
            archives(&bag) == archives(&first),
            "{name} out of {earlier}"
        );
        earlier = name;
    }
}

#[test]
fn one_flipped_bit_is_found_and_the_item_exported() {
    let cases = [
        ("old.tar", quick()),
        ("old.zip", quick()),
        ("old.tar", long_archives()),
        ("old.zip", long_archives()),
    ];
    for (name, scenario) in cases {
        let site = site(scenario);
        site.program.run(site.export_to(name)).expect_status(0);
        let archive =
            site.platform()
                .archive_content(ItemKind::Appliance, 202, sandbox::OutputFormat::Yaml);
        let archive = archive.unwrap();
        let mut bytes = fs::read(site.path(name)).unwrap();
        let at = bytes
            .windows(archive.len())
            .position(|part| part == archive);
        bytes[at.unwrap() + archive.len() / 2] ^= 4;
        fs::write(site.path(name), bytes).unwrap();
        let (ended, asked) = run(&site, since(&site, "j.zip", name));
        assert_eq!(asked, Asked::only(&["appliances 202"]), "{name}");
        ended.expect_word(&format!(
            "was not taken from `{name}`, and exported instead"
        ));
        let bag = Bag::read(&site.path("j.zip"));
        bag.check();
        assert_eq!(reused(&bag.export_json()), [201, 203, 301, 302]);
    }
}

/// Ends with status 2, and the platform has seen nothing of it.
fn refused(site: &Site, command: Command, word: &str) {
    let before = site.platform().requests_in_all();
    let ended = site.program.run(command).expect_status(2);
    assert_eq!(site.platform().requests_in_all(), before);
    ended.expect_word(word);
    assert!(!site.path("j.zip").exists());
}

#[test]
fn a_bag_that_nothing_can_be_taken_from_is_refused_before_anything_is_sent() {
    let site = with_bag("old.tar");
    let bytes = fs::read(site.path("old.tar")).unwrap();
    refused(&site, since(&site, "j.zip", "none.zip"), "could not open");
    fs::write(site.path("half.tar"), &bytes[..bytes.len() / 2]).unwrap();
    refused(
        &site,
        since(&site, "j.zip", "half.tar"),
        "holds no `export.json`",
    );
    let mut changed = bytes.clone();
    let mark = b"\"started\": \"20";
    let at = changed.windows(mark.len()).position(|part| part == mark);
    changed[at.unwrap() + mark.len()] ^= 1;
    fs::write(site.path("changed.tar"), &changed).unwrap();
    refused(
        &site,
        since(&site, "j.zip", "changed.tar"),
        "`export.json` is not what `tagmanifest-sha256.txt` lists",
    );
    let mut other = since(&site, "j.zip", "old.tar");
    other.args(["--as", "mkowalski"]);
    refused(&site, other, "holds the data of `jleaver`");
    let elsewhere = self::site(quick());
    let mut command = elsewhere.export_to("j.zip");
    command.arg("--since").arg(site.path("old.tar"));
    refused(&elsewhere, command, "name a bag of the same person");
}

#[test]
fn an_encrypted_bag_needs_what_opens_it() {
    let site = site(quick());
    let key = Key::new(&site.program);
    let mut export = site.export_to("old.zip.age");
    export.args(["--encrypt-to", &key.recipient]);
    site.program.run(export).expect_status(0);
    refused(
        &site,
        since(&site, "j.zip", "old.zip.age"),
        "`--since-identity FILE`",
    );
}

#[test]
fn a_plan_says_what_would_be_taken_and_why_not() {
    let site = with_bag("old.zip");
    edit(&site, ItemKind::Software, 302);
    let plan = |flags: &[&str]| {
        let mut plan = site.signed_in("plan");
        plan.args(flags).arg("--since").arg(site.path("old.zip"));
        let before = site.platform().requests().len();
        let ended = site.program.run(plan).expect_status(0);
        assert_eq!(Asked::after(&site, before), Asked::default());
        ended.out()
    };
    let table = plan(&[]);
    assert!(
        table.contains(
            "2 archives would be exported by the platform, 3 archives taken from `old.zip`"
        ),
        "{table}"
    );
    assert!(
        table.contains("exported: software bundle 302 that it refers to: it has changed"),
        "{table}"
    );
    let json: Value = serde_json::from_str(&plan(&["--json"])).unwrap();
    assert_eq!(json["since"], "old.zip");
    let actions: Vec<_> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["id"].as_i64().unwrap(),
                item["action"].as_str().unwrap(),
                item["reason"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        actions,
        [
            (201, "reuse", None),
            (
                202,
                "export",
                Some("software bundle 302 that it refers to: it has changed")
            ),
            (203, "reuse", None),
            (301, "reuse", None),
            (302, "export", Some("it has changed")),
        ]
    );
}

/// Exports of appliance 202 end when the test lets them.
fn long_wait() -> Scenario {
    let times = Times::Always;
    let item = ItemScenario::new(ItemKind::Appliance, 202);
    quick().with_item(item.with_fault(ItemFault::NeverCompletes { times }))
}

#[test]
fn a_killed_run_is_resumed_and_takes_nothing_twice() {
    let site = site(long_wait());
    for (name, earlier) in [("j.zip", "old.zip"), ("j.tar.gz", "old.tar")] {
        site.platform().let_end();
        site.program.run(site.export_to(earlier)).expect_status(0);
        site.platform().hold();
        edit(&site, ItemKind::Appliance, 202);
        let before = site.platform().requests().len();
        let mut command = since(&site, name, earlier);
        command.args(["--progress", "json"]);
        let mut child = site.program.spawn(command);
        let words = child.words();
        let taken = |said: &str| said.matches("\"stage\":\"reused\"").count();
        assert!(child.wait_until(|| taken(&words.said()) == 4));
        child.signal(Signal::Kill);
        site.was_killed();
        assert_eq!(child.wait().signal, Some(9));
        site.platform().let_end();
        // Another earlier bag, or none, is another order.
        site.program.run(site.export_to(name)).expect_status(2);
        let mut again = since(&site, name, earlier);
        again.args(["--progress", "json"]);
        let ended = site.program.run(again).expect_status(0);
        assert_eq!(taken(&ended.stderr), 0, "{}", ended.stderr);
        let asked = Asked::after(&site, before);
        assert_eq!(asked, Asked::only(&["appliances 202"]));
        let bag = Bag::read(&site.path(name));
        bag.check();
        assert_eq!(reused(&bag.export_json()), [201, 203, 301, 302]);
    }
}

#[test]
fn an_account_of_a_hundred_items_is_exported_again_for_almost_nothing() {
    let mut scenario = quick();
    scenario.data.appliances = 60;
    scenario.data.software = 40;
    scenario.data.archive_bytes = 4_000;
    scenario.timing.export_millis = 10;
    let site = site(scenario);
    site.program.run(site.export_to("old.zip")).expect_status(0);
    let (_, asked) = run(&site, since(&site, "j.zip", "old.zip"));
    assert_eq!(asked, Asked::default());
    edit(&site, ItemKind::Appliance, 260);
    let (_, asked) = run(&site, since(&site, "k.tar", "j.zip"));
    assert_eq!(asked, Asked::only(&["appliances 260"]));
    let bag = Bag::read(&site.path("k.tar"));
    bag.check();
    // What a bundle is in: by the documents that are in the bag.
    let bundle = "mysoftware/302\"";
    let refers = |id: &i64| {
        let of_item = format!("data/appliances/{id}-");
        let mut payload = bag.payload().into_iter();
        payload.any(|(path, bytes)| {
            path.starts_with(&of_item)
                && path.ends_with("appliance.json")
                && String::from_utf8_lossy(bytes).contains(bundle)
        })
    };
    let referring: Vec<i64> = (201..=260).filter(refers).collect();
    assert!(
        !referring.is_empty() && referring.len() < 60,
        "{referring:?}"
    );
    let mut expected: Vec<String> = referring
        .iter()
        .map(|id| format!("appliances {id}"))
        .collect();
    expected.push("mysoftware 302".to_owned());
    edit(&site, ItemKind::Software, 302);
    let (_, asked) = run(&site, since(&site, "l.zip", "k.tar"));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(asked, Asked::only(&expected));
}
