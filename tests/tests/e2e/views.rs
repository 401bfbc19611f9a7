//! The pages of `view/`: what people read of their own data.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::scenario::{Fault, ItemFault, ItemKind, ItemScenario, Names, Times};
use tests::kit::{Bag, Child, Key, Signal, Site, quick};

use crate::memory::most_resident_until;
use crate::site;

/// The list of this run's own tickets says something else at every time.
const MOVING: &str = "view/exports.html";

fn pages(bag: &Bag) -> BTreeMap<&str, &str> {
    let pages = bag.files.keys().filter(|path| path.starts_with("view/"));
    pages.map(|path| (path.as_str(), bag.text(path))).collect()
}

/// The same without what depends on the run.
fn lasting(bag: &Bag) -> BTreeMap<String, String> {
    let pages = pages(bag).into_iter().filter(|(path, _)| *path != MOVING);
    pages
        .map(|(path, page)| (path.to_owned(), page.to_owned()))
        .collect()
}

#[track_caller]
fn assert_same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    let names = one.keys().chain(other.keys());
    let different: BTreeSet<&String> = names
        .filter(|name| one.get(*name) != other.get(*name))
        .collect();
    assert_eq!(different, BTreeSet::new());
}

/// Values of an attribute, as written.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    let rest = page.split(opening.as_str()).skip(1);
    rest.filter_map(|rest| rest.split('"').next()).collect()
}

/// Every link and every picture is a file of the bag, and no page runs or loads anything.
fn check_references(bag: &Bag) {
    for (path, page) in pages(bag) {
        let ids: BTreeSet<&str> = values(page, "id").into_iter().collect();
        for address in values(page, "href").into_iter().chain(values(page, "src")) {
            let (file, place) = address.split_once('#').unwrap_or((address, ""));
            let file = match file.strip_prefix("../") {
                _ if file.is_empty() => path.to_owned(),
                Some(file) => file.to_owned(),
                None => format!("view/{file}"),
            };
            assert!(bag.files.contains_key(&file), "{path}: {address}");
            let is_there = match file.as_str() {
                file if file == path => place.is_empty() || ids.contains(place),
                file => place.is_empty() || bag.text(file).contains(&format!("id=\"{place}\"")),
            };
            assert!(is_there, "{path}: {address}");
        }
        assert!(page.contains("content=\"default-src 'none';"), "{path}");
        let lower = page.to_lowercase();
        for forbidden in [
            "<script", "<link", "<iframe", "<svg", "http://", "https://", "url(",
        ] {
            // Addresses are values too: they stand on the page, and lead nowhere.
            let found = lower.match_indices(forbidden);
            let leads = found
                .filter(|(at, _)| !forbidden.starts_with("http") || lower[..*at].ends_with("=\""));
            assert_eq!(leads.count(), 0, "{path}: {forbidden}");
        }
    }
}

/// Each section with objects has its page, to which the overview leads, and no other has one.
fn check_sections(bag: &Bag) {
    let index = bag.text("index.html");
    for section in bag.export_json()["sections"].as_array().unwrap() {
        let name = section["name"].as_str().unwrap();
        let page = format!("view/{name}.html");
        let items = section["items"].as_u64().unwrap();
        let is_there = bag.files.contains_key(&page);
        if name != "activities" {
            assert_eq!(is_there, items > 0, "{name}");
        }
        assert_eq!(
            is_there,
            index.contains(&format!("href=\"{page}\"")),
            "{name}"
        );
        if let Some(page) = pages(bag)
            .get(page.as_str())
            .filter(|_| page != MOVING && items > 0 && items < 200)
        {
            let objects = page.matches("<article").count();
            assert_eq!(objects as u64, items, "{name}");
        }
    }
}

fn check_secrets(site: &Site, bag: &Bag) {
    let secrets = site.platform().secrets();
    let secrets: Vec<&String> = secrets.iter().filter(|secret| secret.len() > 5).collect();
    assert!(secrets.len() > 20);
    for (path, page) in pages(bag) {
        for secret in &secrets {
            assert!(!page.contains(secret.as_str()), "{path}: {secret}");
        }
    }
}

fn exported(site: &Site, name: &str, arguments: &[&str], status: i32) -> Bag {
    let mut export = site.export_to(name);
    export.args(arguments);
    site.program.run(export).expect_status(status);
    let bag = Bag::read(&site.path(name));
    bag.check();
    check_references(&bag);
    check_sections(&bag);
    check_secrets(site, &bag);
    bag
}

#[test]
fn everything_can_be_read_in_every_container() {
    let mut before = None;
    for name in ["j.zip", "j.tar", "j.tar.gz"] {
        let site = site(quick());
        let bag = exported(&site, name, &[], 0);
        let accounts = pages(&bag)["view/cloud-accounts.html"];
        assert!(accounts.contains("A value is there; it is not shown."));
        let profile = pages(&bag)["view/profile.html"];
        assert!(
            profile.contains("<img src=\"../data/profile/photo."),
            "{profile}"
        );
        assert!(profile.contains(&site.announcement().user));
        let found = lasting(&bag);
        assert!(found.len() > 15, "{:?}", found.keys());
        let before = before.get_or_insert_with(|| found.clone());
        assert_same(before, &found);
    }
}

#[test]
fn they_say_the_same_where_only_json_is_kept_or_secrets_are_blanked() {
    let both = site(quick());
    let whole = exported(&both, "j.zip", &[], 0);
    let of_json = exported(&both, "k.zip", &["--documents", "json"], 0);
    let names = |bag: &Bag| -> Vec<String> { lasting(bag).into_keys().collect() };
    assert_eq!(names(&whole), names(&of_json));
    exported(&both, "l.zip", &["--redact-secrets"], 0);
}

#[test]
fn what_cannot_be_read_back_is_copied_meanwhile() {
    let site = site(quick());
    let in_file = exported(&site, "j.zip", &[], 0);
    let key = Key::new(&site.program);
    let mut export = site.export_to("sealed.zip.age");
    export.args(["--encrypt-to", &key.recipient]);
    site.program.run(export).expect_status(0);
    let sealed = Bag::of_bytes("j.zip", key.open(&site.path("sealed.zip.age")));
    let mut export = site.export();
    export.args(["-o", "-", "--format", "tar"]);
    let ended = site.program.run(export).expect_status(0);
    let printed = Bag::of_bytes("j.tar", ended.stdout);
    for bag in [sealed, printed] {
        bag.check();
        check_references(&bag);
        assert_same(&lasting(&bag), &lasting(&in_file));
    }
}

#[test]
fn names_that_mean_harm_are_text() {
    let mut scenario = quick();
    scenario.data.names = Names::Hostile;
    let site = site(scenario);
    exported(&site, "j.zip", &[], 0);
}

#[test]
fn what_is_missing_is_named_where_it_would_be() {
    let refused = ItemFault::StartRefused {
        status: 500,
        times: Times::Always,
    };
    let scenario =
        quick().with_item(ItemScenario::new(ItemKind::Appliance, 202).with_fault(refused));
    let site = site(scenario);
    let mut export = site.export_to("j.zip");
    export.args(["--include", "appliances"]);
    site.program.run(export).expect_status(3);
    let bag = Bag::read(&site.path("j.zip"));
    bag.check();
    let page = bag.text("view/appliances.html");
    assert_eq!(page.matches("<article").count(), 3);
    assert!(page.contains("<bdi>Incomplete. "), "{page}");
}

#[test]
fn after_a_kill_they_are_as_whole_as_without() {
    let slow = Fault::Slow {
        bytes_per_second: 4_000,
    };
    let download = "GET users/*/appliances/202/exports/*/downloads";
    let scenario = quick().with_fault(download.parse().unwrap(), Times::First(1), slow);
    let undisturbed = lasting(&exported(&site(quick()), "j.zip", &[], 0));
    let site = site(scenario);
    let mut child = site.program.spawn(site.export_to("j.zip"));
    let asked = || site.platform().count_requests(&download.parse().unwrap()) > 0;
    assert!(child.wait_until(asked));
    child.signal(Signal::Kill);
    site.was_killed();
    child.wait();
    let bag = exported(&site, "j.zip", &[], 0);
    assert_same(&lasting(&bag), &undisturbed);
}

#[test]
fn a_thousand_objects_have_pages_of_two_hundred_and_take_no_more_memory() {
    let mut scenario = quick();
    scenario.data.appliances = 1_001;
    scenario.data.archive_bytes = 500;
    scenario.timing.slots = 32;
    scenario.timing.export_millis = 1;
    let site = site(scenario);
    let mut export = site.export_to("j.zip");
    export.args(["--jobs", "16", "--include", "appliances"]);
    export.args(["--documents", "xml", "--progress", "json"]);
    let mut child = site.program.spawn(export);
    let is_finishing = |child: &Child| child.said().contains("\"finishing\"");
    let (before, most) = most_resident_until(&mut child, is_finishing);
    child.wait().expect_status(0);
    // One page and one document, whatever their number.
    assert!(most < before + 12 * 1024, "{before} KiB, then {most} KiB");
    let bag = Bag::read(&site.path("j.zip"));
    bag.check();
    check_references(&bag);
    for (page, objects) in [("", 200), ("-2", 200), ("-5", 200), ("-6", 1)] {
        let page = bag.text(&format!("view/appliances{page}.html"));
        assert_eq!(page.matches("<article").count(), objects);
    }
    assert!(!bag.files.contains_key("view/appliances-7.html"));
}
