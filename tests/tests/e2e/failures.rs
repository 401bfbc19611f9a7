//! Items that cannot be had: each is named with its reason, the rest is in a bag that verifies.

use sandbox::scenario::{Damage, Ending, Framing, ItemFault, ItemKind, ItemScenario, Times};
use tests::kit::{Bag, quick};

use crate::site;

const ALWAYS: Times = Times::Always;

#[test]
fn what_the_platform_cannot_export_is_named_and_the_rest_is_there() {
    let ends = |how| ItemFault::Ends { how, times: ALWAYS };
    let damaged = |damage| ItemFault::Archive {
        damage,
        times: ALWAYS,
    };
    let lost = [
        (
            201,
            ItemFault::StartRefused {
                status: 500,
                times: ALWAYS,
            },
            "start",
        ),
        (202, ends(Ending::Error), "wait"),
        (203, ends(Ending::Cancelled), "wait"),
        (204, ends(Ending::ErrorAndComplete), "wait"),
        (205, damaged(Damage::BitFlip { at: 2000 }), "download"),
        (
            206,
            damaged(Damage::SilentlyTruncated {
                after: 1000,
                framing: Framing::Close,
            }),
            "download",
        ),
        (207, damaged(Damage::Html), "download"),
    ];
    let mut scenario = quick();
    scenario.data.appliances = 9;
    for (id, fault, _) in &lost {
        let item = ItemScenario::new(ItemKind::Appliance, *id).with_fault(fault.clone());
        scenario = scenario.with_item(item);
    }
    let site = site(scenario);
    site.leaves_tickets("an archive that is always damaged may be had in another way");
    let ended = site
        .program
        .run(site.export_to("john.zip"))
        .expect_status(3);
    assert_eq!(
        ended.out(),
        format!("{}\n", site.path("john.zip").display())
    );
    let bag = Bag::read(&site.path("john.zip"));
    bag.check();
    let export = bag.export_json();
    assert_eq!(export["outcome"], "partial");
    let failures = export["failures"].as_array().unwrap();
    assert_eq!(failures.len(), lost.len(), "{failures:#?}");
    for (id, fault, stage) in &lost {
        let reported = failures.iter().find(|reported| reported["id"] == *id);
        let reported = reported.unwrap_or_else(|| panic!("{id} {fault:?} is not reported"));
        assert_eq!(reported["stage"], *stage, "{reported}");
        assert_ne!(reported["message"], "", "{reported}");
        let item = export["items"].as_array().unwrap().iter();
        let mut item = item.filter(|item| item["section"] == "appliances");
        let item = item.find(|item| item["id"] == *id).unwrap();
        assert_eq!(item["status"], "partial");
        assert_ne!(item["reason"], "");
        let missing = format!("Appliance {id} ");
        assert!(ended.stderr.contains(&missing), "{}", ended.stderr);
        let name = item["name"].as_str().unwrap();
        assert!(bag.text("index.html").contains(&format!("{id}")), "{name}");
        let start = format!("data/appliances/{id}-");
        let archive = |path: &&str| path.starts_with(&start) && path.ends_with(".tar.gz");
        assert!(!bag.payload().keys().any(archive), "{id}");
    }
    for id in [208, 209] {
        let start = format!("data/appliances/{id}-");
        let archive = |path: &&str| path.starts_with(&start) && path.ends_with(".tar.gz");
        assert!(bag.payload().keys().any(archive), "{id}");
    }
    let verify = site.program.command(["verify", "--deep"]);
    let mut verify = verify;
    verify.arg(site.path("john.zip"));
    site.program.run(verify).expect_status(0);
    // A ticket whose archive never arrived whole is the platform's only proof, and stays there, and is reported.
    for ticket in site.platform().open_tickets() {
        assert!([205, 206, 207].contains(&ticket.item), "{ticket:?}");
        assert!(ended.stderr.contains("Left behind") || ended.stderr.contains("ticket"));
    }
}

#[test]
fn what_goes_wrong_once_is_no_loss() {
    let once = Times::First(1);
    let mut scenario = quick();
    scenario.data.appliances = 6;
    for (id, fault) in [
        (
            201,
            ItemFault::StartRefused {
                status: 503,
                times: once,
            },
        ),
        (
            202,
            ItemFault::Archive {
                damage: Damage::Empty,
                times: once,
            },
        ),
        (
            203,
            ItemFault::Archive {
                damage: Damage::Html,
                times: once,
            },
        ),
        (
            204,
            ItemFault::Archive {
                damage: Damage::Truncated {
                    after: 500,
                    framing: Framing::Chunked,
                },
                times: once,
            },
        ),
        (205, ItemFault::SingleDownload),
        (
            205,
            ItemFault::Archive {
                damage: Damage::BitFlip { at: 77 },
                times: once,
            },
        ),
    ] {
        let item = ItemScenario::new(ItemKind::Appliance, id).with_fault(fault);
        scenario = match scenario.items.iter_mut().find(|item| item.id == id) {
            Some(there) => {
                there.faults.extend(item.faults);
                scenario
            }
            None => scenario.with_item(item),
        };
    }
    let site = site(scenario);
    site.program
        .run(site.export_to("john.tar"))
        .expect_status(0);
    Bag::read(&site.path("john.tar")).check();
    site.check_no_ticket_left();
}

#[test]
fn a_section_that_is_refused_or_unknown_is_named_and_strictness_counts_it() {
    let mut scenario = quick();
    scenario.access.forbidden = vec!["scans".to_owned()];
    scenario.access.unknown = vec!["blueprints".to_owned()];
    let site = site(scenario);
    let ended = site
        .program
        .run(site.export_to("john.zip"))
        .expect_status(0);
    let ended = ended.expect_word("Not available on this platform or to this account");
    assert!(ended.stderr.contains("Blueprints") && ended.stderr.contains("Scans"));
    let mut strict = site.export_to("strict.zip");
    strict.arg("--strict");
    site.program.run(strict).expect_status(3);
    let export = Bag::read(&site.path("strict.zip")).export_json();
    let unavailable: Vec<&str> = export["sections"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|section| section["status"] == "unavailable")
        .map(|section| section["name"].as_str().unwrap())
        .collect();
    assert_eq!(unavailable, ["scans", "blueprints"]);
}

#[test]
fn a_core_section_that_is_refused_and_an_account_without_its_secrets_are_losses() {
    let mut scenario = quick();
    scenario.access.forbidden = vec!["mysoftware".to_owned()];
    let account = ItemScenario::new(ItemKind::Account, 402);
    let scenario = scenario.with_item(account.with_fault(ItemFault::SecretsMissing));
    let site = site(scenario);
    let ended = site
        .program
        .run(site.export_to("john.zip"))
        .expect_status(3);
    assert!(ended.stderr.contains("402"), "{}", ended.stderr);
    assert!(ended.stderr.contains("My software"), "{}", ended.stderr);
    Bag::read(&site.path("john.zip")).check();
}

#[test]
fn an_export_that_never_ends_is_given_up_after_the_time_that_was_given() {
    let stuck = ItemFault::NeverCompletes { times: ALWAYS };
    let scenario = quick().with_item(ItemScenario::new(ItemKind::Appliance, 202).with_fault(stuck));
    let site = site(scenario);
    let mut command = site.export_to("john.zip");
    command.args(["--max-wait", "1s"]);
    let ended = site.program.run(command).expect_status(3);
    assert!(ended.stderr.contains("Appliance 202"), "{}", ended.stderr);
    Bag::read(&site.path("john.zip")).check();
    site.check_no_ticket_left();
}
