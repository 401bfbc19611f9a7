//! Something rather than nothing: of what the platform cannot export, everything that it gives below it.

use std::collections::BTreeMap;

use sandbox::Platform;
use sandbox::scenario::{Ending, ItemFault, ItemKind, ItemScenario, Scenario, Times};
use serde_json::Value;
use tests::kit::{Bag, quick};

use crate::site;

const ALWAYS: Times = Times::Always;

/// An appliance whose start is refused for ever, and a bundle whose export always ends in an error.
fn broken() -> Scenario {
    let refused = ItemFault::StartRefused {
        status: 500,
        times: ALWAYS,
    };
    let ends = ItemFault::Ends {
        how: Ending::Error,
        times: ALWAYS,
    };
    quick()
        .with_item(ItemScenario::new(ItemKind::Appliance, 201).with_fault(refused))
        .with_item(ItemScenario::new(ItemKind::Software, 301).with_fault(ends))
}

/// The files below the `fallback/` of an item, by what follows it.
fn fallback<'a>(bag: &'a Bag, item: &str) -> BTreeMap<&'a str, &'a [u8]> {
    let start = format!("data/{item}-");
    let files = bag.payload().into_iter();
    let below = files.filter(|(path, _)| path.starts_with(&start));
    below
        .filter_map(|(path, bytes)| Some((path.split_once("/fallback/")?.1, bytes)))
        .collect()
}

fn item<'a>(export: &'a Value, section: &str, id: i64) -> &'a Value {
    let mut items = export["items"].as_array().unwrap().iter();
    items
        .find(|item| item["section"] == section && item["id"] == id)
        .unwrap()
}

#[test]
fn what_cannot_be_exported_is_kept_in_parts() {
    let site = site(broken());
    site.program
        .run(site.export_to("john.zip"))
        .expect_status(3)
        .expect_word("fallback");
    let bag = Bag::read(&site.path("john.zip"));
    bag.check();
    let appliance = fallback(&bag, "appliances/201");
    for path in [
        "bootscripts.xml",
        "bootscripts.json",
        "bootscripts/20131-first-boot.sh",
        "installProfile.xml",
        "installProfile/2011/users.xml",
        "installProfile/2011/pt/2015/disks/20111/partitions/20113/lpartitions/20114.json",
        "osprofile/2012/pkgs.xml",
        "mysoftware.xml",
    ] {
        let is_there = appliance.contains_key(path);
        assert!(is_there, "{path}: {:?}", appliance.keys());
    }
    assert!(appliance["bootscripts/20131-first-boot.sh"].starts_with(b"#!/bin/sh"));
    let bundle = fallback(&bag, "mysoftware/301");
    let file = bundle["artifacts/30101-content-tar.gz"];
    let said = String::from_utf8_lossy(bundle["artifacts/30101.xml"]).into_owned();
    assert!(said.contains(&Platform::sha256(file)), "{said}");
    assert!(
        bundle.contains_key("licenses/3014-license.txt"),
        "{:?}",
        bundle.keys()
    );
    let export = bag.export_json();
    for (section, id, stage) in [("appliances", 201, "start"), ("mysoftware", 301, "wait")] {
        assert_eq!(item(&export, section, id)["status"], "partial");
        let failures = export["failures"].as_array().unwrap();
        let of_item: Vec<_> = failures
            .iter()
            .filter(|failure| failure["id"] == id)
            .collect();
        assert_eq!(of_item.len(), 1, "{failures:#?}");
        assert_eq!(of_item[0]["stage"], stage);
    }
    let sources = export["files"].as_array().unwrap().iter();
    let mut sources = sources.map(|file| file["source"].as_str().unwrap());
    assert!(sources.any(|source| source.ends_with("/mysoftware/301/artifacts/30101/bin")));
    let notes = export["notes"].to_string();
    assert!(notes.contains("osprofile/2012/services (404)"), "{notes}");
    // What can be exported is not asked for its parts.
    let requests = site.platform().requests();
    let parts = ["bootscripts", "installProfile", "artifacts", "osprofile"];
    let mut asked = requests.iter().filter(|request| {
        request
            .path
            .get(4)
            .is_some_and(|part| parts.contains(&part.as_str()))
    });
    assert!(asked.all(|request| ["201", "301"].contains(&request.path[3].as_str())));
    let mut verify = site.program.command(["verify", "--deep"]);
    verify.arg(site.path("john.zip"));
    site.program.run(verify).expect_status(0);
}

#[test]
fn a_part_that_is_refused_changes_nothing() {
    let mut scenario = broken();
    scenario.access.forbidden = vec!["appliances/201/installProfile".to_owned()];
    scenario.access.unknown = vec!["mysoftware/301/artifacts".to_owned()];
    let site = site(scenario);
    site.program
        .run(site.export_to("john.tar"))
        .expect_status(3);
    let bag = Bag::read(&site.path("john.tar"));
    bag.check();
    assert_eq!(bag.export_json()["failures"].as_array().unwrap().len(), 2);
    let notes = bag.export_json()["notes"].to_string();
    assert!(notes.contains("installProfile (403)"), "{notes}");
    assert!(notes.contains("artifacts (404)"), "{notes}");
    assert!(fallback(&bag, "appliances/201").contains_key("bootscripts.xml"));
}

#[test]
fn secrets_in_parts_are_blanked_where_that_is_ordered() {
    let site = site(broken());
    let mut command = site.export_to("john.zip");
    command.arg("--redact-secrets");
    site.program.run(command).expect_status(3);
    let bag = Bag::read(&site.path("john.zip"));
    let parts = fallback(&bag, "appliances/201");
    let documents = parts
        .iter()
        .filter(|(path, _)| path.starts_with("installProfile"));
    let text: String = documents
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    assert!(
        text.contains("<password></password>") || text.contains("<password/>"),
        "{text}"
    );
    for secret in site.platform().secrets() {
        assert!(!text.contains(&secret));
    }
}
