//! The summary, `export.json` and the exit status say one thing.

use std::collections::BTreeMap;

use sandbox::Scenario;
use sandbox::scenario::{Damage, Fault, ItemFault, ItemKind, ItemScenario, Times};
use serde_json::Value;
use tests::kit::{Bag, Site, quick};

use crate::site;

const ALWAYS: Times = Times::Always;

fn refused(scenario: Scenario, request: &str, status: u16, times: Times) -> Scenario {
    let fault = Fault::Refuse {
        status,
        retry_after: None,
    };
    scenario.with_fault(request.parse().unwrap(), times, fault)
}

/// The report of an export that ends with this status, and its summary. What must hold of every report is checked.
fn reported(site: &Site, name: &str, more: &[&str], status: i32) -> (Value, String) {
    let mut command = site.export_to(name);
    command.args(more);
    let ended = site.program.run(command).expect_status(status);
    let bag = Bag::read(&site.path(name));
    bag.check();
    let export = bag.export_json();
    let (outcome, first) = match status {
        0 => ("complete", "Complete:"),
        _ => ("partial", "Partial:"),
    };
    assert_eq!(export["outcome"], outcome);
    assert!(ended.stderr.contains(first), "{}", ended.stderr);
    if status == 0 {
        assert!(!ended.stderr.contains("Missing"), "{}", ended.stderr);
        assert!(sections(&export).all(|section| section["status"] != "partial"));
    }
    check_counts(&export);
    (export, ended.stderr)
}

fn sections(export: &Value) -> impl Iterator<Item = &Value> {
    export["sections"].as_array().unwrap().iter()
}

fn section<'a>(export: &'a Value, name: &str) -> &'a Value {
    sections(export)
        .find(|section| section["name"] == name)
        .unwrap()
}

fn item<'a>(export: &'a Value, section: &str, id: i64) -> &'a Value {
    let mut items = export["items"].as_array().unwrap().iter();
    items
        .find(|item| item["section"] == section && item["id"] == id)
        .unwrap()
}

/// `listed` = items complete + partial + failed + unavailable + excluded.
fn check_counts(export: &Value) {
    let mut items: BTreeMap<&str, u64> = BTreeMap::new();
    for item in export["items"].as_array().unwrap() {
        *items.entry(item["section"].as_str().unwrap()).or_default() += 1;
    }
    for section in sections(export).filter(|section| section["listed"].is_u64()) {
        let of_it = items.get(section["name"].as_str().unwrap());
        let counted = of_it.copied().unwrap_or_default() + section["excluded"].as_u64().unwrap();
        assert_eq!(section["listed"], counted, "{section}");
    }
}

#[test]
fn comments_that_the_platform_does_not_give_are_not_available_and_not_missing() {
    for (request, status) in [
        ("GET orgs/*/workspaces/**", 404),
        ("GET orgs/*/workspaces/*/comments", 403),
        ("GET orgs/*/workspaces/*/templates", 404),
    ] {
        let site = site(refused(quick(), request, status, ALWAYS));
        let (export, said) = reported(&site, "john.zip", &[], 0);
        assert_eq!(
            section(&export, "workspace-comments")["status"],
            "unavailable"
        );
        assert!(said.contains("Workspace comments: "), "{said}");
        reported(&site, "strict.zip", &["--strict"], 3);
    }
}

#[test]
fn comments_of_one_workspace_that_are_refused_leave_the_others_in_the_bag() {
    let scenario = refused(
        quick(),
        "GET orgs/*/workspaces/*/comments",
        404,
        Times::First(1),
    );
    let site = site(scenario);
    let (export, _) = reported(&site, "john.zip", &["--jobs", "1"], 0);
    let comments = section(&export, "workspace-comments");
    assert_eq!(comments["status"], "unavailable");
    assert_ne!(comments["items"], 0);
    assert_ne!(comments["reason"], Value::Null);
}

#[test]
fn an_item_of_which_something_is_there_is_partial_and_one_of_which_nothing_is_has_failed() {
    let start_refused = ItemFault::StartRefused {
        status: 500,
        times: ALWAYS,
    };
    let appliance = |id| ItemScenario::new(ItemKind::Appliance, id);
    let mut scenario = quick()
        .with_item(appliance(201).with_fault(start_refused.clone()))
        .with_item(appliance(203).with_fault(start_refused));
    for id in [202, 203] {
        let document = format!("GET users/*/appliances/{id}");
        scenario = refused(scenario, &document, 500, ALWAYS);
    }
    let parts = "GET users/*/appliances/203/**";
    let scenario = refused(scenario, parts, 403, ALWAYS);
    let site = site(scenario);
    let (export, said) = reported(&site, "john.zip", &[], 3);
    let status = |id| item(&export, "appliances", id)["status"].as_str().unwrap();
    assert_eq!(status(201), "partial", "its documents are there");
    assert_eq!(status(202), "partial", "its archive is there");
    assert_eq!(status(203), "failed", "only the list names it");
    assert_eq!(section(&export, "appliances")["items"], 0);
    let numbers = said.matches(" of 3").count();
    let none = said.matches("0 of 3").count();
    assert_eq!(numbers, none, "all lines say one number:\n{said}");
    assert!(none >= 2, "{said}");
}

#[test]
fn an_item_that_is_gone_is_unavailable() {
    let scenario = refused(quick(), "POST users/*/appliances/202/exports", 404, ALWAYS);
    let site = site(scenario);
    let (export, _) = reported(&site, "john.zip", &[], 3);
    assert_eq!(item(&export, "appliances", 202)["status"], "unavailable");
}

#[test]
fn an_archive_that_is_complete_too_early_is_fetched_a_moment_later() {
    for status in [400, 404, 409] {
        let mut scenario = quick();
        for kind in ["appliances", "mysoftware"] {
            let download = format!("GET users/*/{kind}/*/exports/*/downloads");
            scenario = refused(scenario, &download, status, Times::First(3));
        }
        let site = site(scenario);
        reported(&site, "john.zip", &[], 0);
        site.check_no_ticket_left();
    }
}

/// The check runs ahead of the disk, and the archive is long enough to be worth resuming.
#[test]
fn damage_in_the_middle_of_a_long_archive_costs_an_item_and_never_the_run() {
    let mut scenario = quick();
    for (kind, id) in [(ItemKind::Appliance, 201), (ItemKind::Software, 301)] {
        let mut item = ItemScenario::new(kind, id).with_fault(ItemFault::Archive {
            damage: Damage::BitFlip { at: 600_000 },
            times: ALWAYS,
        });
        item.archive_bytes = Some(4_000_000);
        scenario = scenario.with_item(item);
    }
    let site = site(scenario);
    site.leaves_tickets("an archive that is always damaged may be had in another way");
    let (export, said) = reported(&site, "john.zip", &[], 3);
    let left = site.platform().open_tickets();
    let failures = export["failures"].as_array().unwrap();
    assert_eq!(failures.len(), left.len(), "one ticket of each is left");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for failure in failures {
        let message = failure["message"].as_str().unwrap();
        let (_, number) = message.split_once("export ticket ").unwrap();
        let number = number.split(' ').next().unwrap();
        assert!(
            said.contains(&format!("export ticket {number} was left")),
            "{said}"
        );
    }
}
