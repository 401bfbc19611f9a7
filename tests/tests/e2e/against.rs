//! `verify --against`: a bag held against the platform that it was made from, which has gone on meanwhile.

use std::fs;
use std::process::Command;

use sandbox::Scenario;
use sandbox::scenario::{Change, ItemKind};
use serde_json::{Value, json};
use tests::kit::{Bag, Ended, Program, Signal, Site, quick};

use crate::site;

/// `verify NAME --against` with the flags that sign in with a password.
fn against(site: &Site, name: &str) -> Command {
    let mut command = site.signed_in("verify");
    command.arg("--against").arg(site.path(name));
    command
}

fn verify(site: &Site, name: &str, flags: &[&str]) -> Ended {
    let mut command = against(site, name);
    command.args(flags);
    site.program.run(command)
}

/// A site with a bag of everything.
fn with_bag(name: &str) -> Site {
    let site = site(quick());
    site.program.run(site.export_to(name)).expect_status(0);
    site
}

/// What was asked of the platform since.
fn requests_since(site: &Site, before: usize) -> Vec<(String, String)> {
    let requests = site.platform().requests().into_iter().skip(before);
    requests
        .map(|request| (request.method, request.path.join("/")))
        .collect()
}

fn change_a_little(site: &Site) {
    let platform = site.platform();
    platform.apply(Change::Add {
        kind: ItemKind::Appliance,
    });
    platform.apply(Change::Edit {
        kind: ItemKind::Appliance,
        id: 201,
    });
    platform.apply(Change::Remove {
        kind: ItemKind::Account,
        id: 402,
    });
}

#[test]
fn a_bag_of_just_now_is_up_to_date_and_nothing_but_lists_is_read() {
    for name in ["j.zip", "j.tar.gz"] {
        let site = with_bag(name);
        let before = site.platform().requests().len();
        let ended = verify(&site, name, &[]).expect_status(0);
        assert_eq!(ended.out(), "");
        ended
            .expect_word("is whole")
            .expect_word("is up to date with");
        let requests = requests_since(&site, before);
        assert!(requests.len() > 20, "{requests:?}");
        for (method, path) in &requests {
            assert_eq!(method, "GET", "{path}");
            let downloads = path.contains("/exports/") || path.ends_with("/downloads");
            assert!(!downloads, "{path}");
        }
        site.check_no_ticket_left();
    }
}

#[test]
fn what_was_added_changed_and_removed_since_is_named() {
    let site = with_bag("j.zip");
    change_a_little(&site);
    let ended = verify(&site, "j.zip", &["--deep", "--json"]).expect_status(3);
    let document: Value = serde_json::from_str(&ended.out()).unwrap();
    let ended = ended
        .expect_word("is whole")
        .expect_word("1 added, 1 changed");
    ended
        .expect_word("Added since Appliances:")
        .expect_word("(204)")
        .expect_word("Changed since Appliances:")
        .expect_word("(201)")
        .expect_word("No longer on the platform, but in the bag Cloud accounts:");
    assert_eq!(document["sound"], true);
    let found = &document["against"];
    assert_eq!(found["up_to_date"], false);
    assert_eq!(found["url"], site.announcement().url);
    let section = |name: &str| {
        let sections = found["sections"].as_array().unwrap();
        sections
            .iter()
            .find(|section| section["name"] == name)
            .unwrap()
            .clone()
    };
    let appliances = section("appliances");
    assert_eq!(appliances["standing"], "compared");
    assert_eq!(appliances["unchanged"], 2);
    assert_eq!(appliances["added"][0]["id"], 204);
    let changed = &appliances["changed"][0];
    assert_eq!(changed["id"], 201);
    let bag = Bag::read(&site.path("j.zip")).export_json();
    let items = bag["items"].as_array().unwrap();
    let item = items
        .iter()
        .find(|item| item["section"] == "appliances" && item["id"] == 201)
        .unwrap();
    assert_eq!(changed["digest_in_bag"], item["digest"]);
    assert_ne!(changed["digest"], item["digest"]);
    assert_eq!(section("cloud-accounts")["vanished"][0]["id"], 402);
    assert_eq!(section("mysoftware")["added"], json!([]));
}

#[test]
fn a_new_export_is_up_to_date_again() {
    let site = with_bag("old.zip");
    change_a_little(&site);
    verify(&site, "old.zip", &[]).expect_status(3);
    site.program.run(site.export_to("new.zip")).expect_status(0);
    verify(&site, "new.zip", &[]).expect_status(0);
}

#[test]
fn lists_that_come_in_pages_are_read_to_their_end() {
    let mut scenario = quick();
    scenario.data.appliances = 7;
    scenario.lists.page_cap = Some(3);
    let site = site(scenario);
    site.program.run(site.export_to("j.zip")).expect_status(0);
    verify(&site, "j.zip", &[]).expect_status(0);
    site.platform().apply(Change::Edit {
        kind: ItemKind::Appliance,
        id: 207,
    });
    verify(&site, "j.zip", &[])
        .expect_status(3)
        .expect_word("(207)");
}

#[test]
fn what_was_not_selected_is_not_missing() {
    let site = site(quick());
    let mut command = site.export_to("j.zip");
    command.args(["--include", "profile,appliances", "--appliance", "202"]);
    site.program.run(command).expect_status(0);
    change_a_little(&site);
    let before = site.platform().requests().len();
    verify(&site, "j.zip", &[])
        .expect_status(0)
        .expect_word("not selected");
    let asked = requests_since(&site, before);
    assert!(!asked.iter().any(|(_, path)| path.ends_with("/mysoftware")));
    site.platform().apply(Change::Edit {
        kind: ItemKind::Appliance,
        id: 202,
    });
    verify(&site, "j.zip", &[])
        .expect_status(3)
        .expect_word("(202)");
}

#[test]
fn tickets_that_were_to_stay_are_nothing_new() {
    let site = site(quick());
    site.leaves_tickets("`--keep-tickets`");
    let mut command = site.export_to("j.zip");
    command.arg("--keep-tickets");
    site.program.run(command).expect_status(0);
    assert!(!site.platform().open_tickets().is_empty());
    verify(&site, "j.zip", &[]).expect_status(0);
}

#[test]
fn a_damaged_bag_is_damaged_and_the_platform_is_not_asked() {
    let site = with_bag("j.tar");
    let mut bytes = fs::read(site.path("j.tar")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(site.path("j.tar"), bytes).unwrap();
    let before = site.platform().requests().len();
    let ended = verify(&site, "j.tar", &["--json"]).expect_status(5);
    let document: Value = serde_json::from_str(&ended.out()).unwrap();
    assert_eq!(
        (&document["sound"], &document["against"]),
        (&json!(false), &Value::Null)
    );
    assert!(!document["findings"].as_array().unwrap().is_empty());
    assert_eq!(requests_since(&site, before), []);
}

#[test]
fn somebody_else_s_bag_and_another_platform_s_are_refused_before_anything_is_sent() {
    let site = with_bag("j.zip");
    let before = site.platform().requests().len();
    verify(&site, "j.zip", &["--as", "jane"])
        .expect_status(2)
        .expect_word("holds the data of")
        .expect_word("`jane`");
    let mut elsewhere = site.program.command(["verify", "--against"]);
    elsewhere
        .arg(site.path("j.zip"))
        .args([
            "-a",
            "https://uforge.example.com/api",
            "-u",
            &site.announcement().user,
        ])
        .env("UFORGE_PASSWORD", "secret");
    site.program
        .run(elsewhere)
        .expect_status(2)
        .expect_word("https://uforge.example.com/api");
    assert_eq!(requests_since(&site, before), []);
}

#[test]
fn the_same_host_by_another_address_is_only_warned_of() {
    let site = with_bag("j.zip");
    let announced = site.announcement();
    let other = announced.url.replace("127.0.0.1", "localhost");
    assert_ne!(other, announced.url);
    // The URL may stand behind the bag as well.
    let mut command = site.program.command(["verify"]);
    command
        .arg(site.path("j.zip"))
        .args(["--against", &other, "-u", &announced.user])
        .env("UFORGE_PASSWORD", &announced.password);
    site.program
        .run(command)
        .expect_status(0)
        .expect_word("the same platform?");
}

#[test]
fn refused_credentials_have_their_own_status() {
    let site = with_bag("j.zip");
    let wrong = site.program.private_file("wrong", "no such password\n");
    let announced = site.announcement();
    let mut command = site.program.command(["verify", "--against"]);
    command
        .arg(site.path("j.zip"))
        .args([
            "-a",
            &announced.url,
            "-u",
            &announced.user,
            "--password-file",
        ])
        .arg(wrong);
    site.program
        .run(command)
        .expect_status(4)
        .expect_word("is whole")
        .expect_word("refused the credentials");
}

#[test]
fn connection_flags_need_against_and_against_needs_a_platform() {
    let site = with_bag("j.zip");
    let mut without = site.signed_in("verify");
    without.arg(site.path("j.zip"));
    site.program
        .run(without)
        .expect_status(2)
        .expect_word("--against");
    let mut nowhere = site.program.command(["verify", "--against"]);
    nowhere.arg(site.path("j.zip"));
    site.program
        .run(nowhere)
        .expect_status(2)
        .expect_word("the URL of the platform is missing");
}

#[test]
fn an_encrypted_bag_is_opened_and_compared() {
    let site = site(quick());
    let passphrase = site.program.private_file("passphrase", "correct horse\n");
    let flags = [
        "--passphrase-file".to_owned(),
        passphrase.display().to_string(),
    ];
    let mut command = site.export_to("j.zip.age");
    command.args(&flags);
    site.program.run(command).expect_status(0);
    verify(&site, "j.zip.age", &[])
        .expect_status(2)
        .expect_word("--passphrase-file");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    verify(&site, "j.zip.age", &flags).expect_status(0);
    change_a_little(&site);
    verify(&site, "j.zip.age", &flags).expect_status(3);
}

/// A platform that refuses something after an export has asked for it three times: as XML, as JSON, and in its recount.
fn closing(list: &str) -> Scenario {
    let mut scenario = Scenario::from_toml(&format!(
        r#"
        [[faults]]
        request = "GET users/*/{list}"
        first = 4
        times = "always"
        fault = {{ refuse = {{ status = 403 }} }}
        "#
    ))
    .unwrap();
    let quick = quick();
    scenario.data = quick.data;
    scenario.timing = quick.timing;
    scenario
}

#[test]
fn a_list_that_is_closed_now_is_said_and_counts_where_it_is_of_the_core() {
    let site = site(closing("scans"));
    site.program.run(site.export_to("j.zip")).expect_status(0);
    verify(&site, "j.zip", &[])
        .expect_status(0)
        .expect_word("Cannot be read now Scans: the platform refuses it (403)");
    let site = crate::site(closing("mysoftware"));
    site.program.run(site.export_to("j.zip")).expect_status(0);
    verify(&site, "j.zip", &[])
        .expect_status(3)
        .expect_word("Cannot be read now My software: the platform refuses it (403)");
}

#[test]
fn a_bag_that_was_not_complete_is_not_up_to_date_although_nothing_changed() {
    let mut scenario = Scenario::from_toml(
        r#"
        [[faults]]
        request = "POST users/*/appliances/202/exports"
        times = "always"
        fault = { refuse = { status = 400 } }
        "#,
    )
    .unwrap();
    scenario.data = quick().data;
    scenario.timing = quick().timing;
    let site = site(scenario);
    site.program.run(site.export_to("j.zip")).expect_status(3);
    verify(&site, "j.zip", &[])
        .expect_status(3)
        .expect_word("1 not complete in the bag")
        .expect_word("(202)");
}

#[test]
fn a_bag_that_says_nothing_of_itself_cannot_be_compared() {
    let site = with_bag("j.zip");
    let bag = Bag::read(&site.path("j.zip"));
    let folder = site.path("plain");
    for (path, bytes) in &bag.files {
        let tags = [
            "export.json",
            "index.html",
            "bag-info.txt",
            "tagmanifest-sha256.txt",
        ];
        if tags.contains(&path.as_str()) {
            continue;
        }
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let before = site.platform().requests().len();
    verify(&site, "plain", &[])
        .expect_status(2)
        .expect_word("cannot be compared");
    assert_eq!(requests_since(&site, before), []);
}

#[test]
fn an_interrupt_ends_the_comparison_at_once() {
    let mut scenario = Scenario::from_toml(
        r#"
        [[faults]]
        request = "GET users/*/sshkeys"
        first = 4
        times = "always"
        fault = "stall"
        "#,
    )
    .unwrap();
    scenario.data = quick().data;
    scenario.timing = quick().timing;
    let site = site(scenario);
    site.program.run(site.export_to("j.zip")).expect_status(0);
    let before = site.platform().requests().len();
    let mut child = site.program.spawn(against(&site, "j.zip"));
    let asked = || {
        let requests = requests_since(&site, before);
        requests.iter().any(|(_, path)| path.ends_with("/sshkeys"))
    };
    assert!(child.wait_until(asked));
    child.signal(Signal::Interrupt);
    child.wait().expect_status(130);
}

/// The bag as a folder, with another `export.json` whose sums are right.
fn forged(site: &Site, bag: &Bag, export_json: &[u8]) -> String {
    let sum = sandbox::Platform::sha256;
    let folder = site.path("forged");
    let _ = fs::remove_dir_all(&folder);
    let tags = bag.text("tagmanifest-sha256.txt");
    let tags = tags.replace(&sum(bag.file("export.json")), &sum(export_json));
    for (path, bytes) in &bag.files {
        let bytes = match path.as_str() {
            "export.json" => export_json,
            "tagmanifest-sha256.txt" => tags.as_bytes(),
            _ => bytes,
        };
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    "forged".to_owned()
}

#[test]
fn a_hostile_export_json_is_damage_or_a_clear_error() {
    let site = with_bag("j.zip");
    let bag = Bag::read(&site.path("j.zip"));
    let good = bag.export_json();
    verify(&site, &forged(&site, &bag, bag.file("export.json")), &[]).expect_status(0);
    let with = |pointer: &str, value: Value| {
        let mut forged = good.clone();
        *forged.pointer_mut(pointer).unwrap() = value;
        forged.to_string().into_bytes()
    };
    let deep = format!(
        r#"{{"format": "uforge-export/1", "user": {}"#,
        "[".repeat(2_000_000)
    );
    let many = format!(
        r#"{{"format": "uforge-export/1", "items": [{}"#,
        "{},".repeat(2_000_000)
    );
    let before = site.platform().requests().len();
    for (export_json, status) in [
        (deep.into_bytes(), 5),
        (many.into_bytes(), 5),
        (with("/items/0/id", json!("one")), 5),
        (with("/source", json!([])), 5),
        (with("/files/0/bytes", json!(1)), 5),
        (with("/files/0/path", json!("../../etc/passwd")), 5),
        (with("/user", Value::Null), 2),
        (with("/user", json!("\u{1b}[2Jroot")), 2),
        (
            with("/source/url", json!("https://evil.example.com/api")),
            2,
        ),
        (with("/source/url", json!("javascript:alert(1)")), 2),
        (with("/sections", json!([])), 2),
    ] {
        let name = forged(&site, &bag, &export_json);
        let ended = verify(&site, &name, &[]).expect_status(status);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
        assert!(ended.stderr.len() < 20_000, "{}", ended.stderr.len());
    }
    assert_eq!(requests_since(&site, before), []);
    let unknown = with("/sections/3/name", json!("moods\u{1b}[2J"));
    let name = forged(&site, &bag, &unknown);
    let ended = verify(&site, &name, &[]).expect_status(3);
    ended.expect_word("this version does not know it");
}

#[test]
fn plain_verify_says_in_json_what_it_found() {
    let site = with_bag("j.zip");
    let mut command = site.program.command(["verify", "--json"]);
    command.arg(site.path("j.zip"));
    let ended = site.program.run(command).expect_status(0);
    let document: Value = serde_json::from_str(&ended.out()).unwrap();
    let bag = Bag::read(&site.path("j.zip"));
    assert_eq!(document["sound"], true);
    assert_eq!(document["files"], bag.payload().len());
    assert_eq!(document["findings"], json!([]));
    assert_eq!(document["against"], Value::Null);
}

#[test]
fn settings_for_the_platform_come_from_the_environment_too() {
    let site = with_bag("j.zip");
    let announced = site.announcement();
    let program: &Program = &site.program;
    let mut command = program.command(["verify", "--against"]);
    command
        .arg(site.path("j.zip"))
        .env("UFORGE_URL", announced.url)
        .env("UFORGE_USER", announced.user)
        .env("UFORGE_PASSWORD", announced.password);
    program.run(command).expect_status(0);
}
