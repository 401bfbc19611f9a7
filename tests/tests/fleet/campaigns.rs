//! Campaigns: ordered, watched and given up at any replica, run by whatever worker.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use sandbox::OutputFormat;
use sandbox::scenario::ItemKind;
use serde_json::{Value, json};
use tests::kit::{S3, Signal};

use crate::service::{Fleet, Process, quick, slow, slowness};

fn read(fleet: &Fleet, replica: &Process, path: &str) -> Value {
    let answer = fleet.administrator().get(replica, path);
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn until_done(fleet: &Fleet, replica: &Process, path: &str) -> Value {
    let until = Instant::now() + Duration::from_mins(5);
    loop {
        let campaign = read(fleet, replica, path);
        if campaign["state"] == "done" {
            return campaign;
        }
        assert!(Instant::now() < until, "{campaign}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How often the export of each of a person's items was asked for.
fn starts(fleet: &Fleet, user: &str) -> BTreeMap<String, usize> {
    let mut starts = BTreeMap::new();
    for request in fleet.forge.platform().requests() {
        let is_theirs = request.path.iter().any(|part| part == user);
        if request.method == "POST" && is_theirs {
            *starts.entry(request.path.join("/")).or_default() += 1;
        }
    }
    assert!(!starts.is_empty());
    starts
}

/// The items of an export that were taken from an earlier archive, and of how many.
fn reused(fleet: &Fleet, replica: &Process, export: &str) -> (usize, usize) {
    let record = read(fleet, replica, &format!("/api/v1/exports/{export}"));
    let items = record["report"]["items"].as_array().cloned();
    let mut items = items.unwrap_or_else(|| panic!("{record}"));
    items.retain(|item| item["section"] != "profile");
    let taken = |item: &&Value| item["reused_from"].is_object();
    (items.iter().filter(taken).count(), items.len())
}

/// Everybody named is exported, whom nobody knows is named in the report, a killed worker and another replica change nothing; the next
/// campaign takes what has not changed from each person's last archive, in a bucket and in a folder.
fn goes_on_and_is_repeated(store: &[(&str, &str)]) {
    let mut scenario = quick();
    scenario.data.neighbours = 3;
    // An appliance refers to the second one: it is taken where that is known not to have changed.
    scenario.data.software = 2;
    scenario.timing.export_millis = 3_600_000;
    let user = scenario.user.login.clone();
    let fleet = Fleet::new(scenario, 2);
    let webs = [fleet.start("web", store), fleet.start("web", store)];
    let workers = [fleet.start("worker", store), fleet.start("worker", store)];
    let names = json!([user, "neighbour-1", "neighbour-2", "no-such-person"]);
    let include = json!(["profile", "appliances", "mysoftware"]);
    let order = json!({"users": names, "include": include}).to_string();
    let root = fleet.administrator();
    let path = root.order_campaign(&webs[0], &order);
    fleet.until_tickets(2);
    let [first, _second] = workers;
    first.signal(Signal::Kill);
    let [ended, web] = webs;
    ended.signal(Signal::Kill);
    fleet.forge.platform().let_end();
    let done = until_done(&fleet, &web, &path);
    assert_eq!(done["counts"], json!({"failed": 1, "ready": 3}), "{done}");
    let report = read(&fleet, &web, &format!("{path}/report"));
    let rows = report["rows"].as_array().expect("rows");
    for row in rows {
        let is_known = row["user"] != "no-such-person";
        assert_eq!(row["sha256"].is_string(), is_known, "{row}");
        let missing = row["missing"].as_array().expect("a list");
        assert_eq!(missing.is_empty(), is_known, "{row}");
    }
    let before = starts(&fleet, &user);
    // One worker was killed.
    assert!(before.values().all(|count| *count <= 2), "{before:?}");
    let trail =
        "SELECT count(*), min(actor), max(actor) FROM audit WHERE action = 'export-requested'";
    let administrator = &fleet.forge.platform().scenario().administrator.login;
    let expected = format!("4|{administrator}|{administrator}");
    assert_eq!(fleet.database_says(trail), expected);

    let order = json!({"users": names, "include": include, "since": "last"}).to_string();
    let again = root.order_campaign(&web, &order);
    until_done(&fleet, &web, &again);
    let report = read(&fleet, &web, &format!("{again}/report"));
    let rows = report["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["user"] == *user);
    let export = row.expect("a row")["export"].as_str().expect("an id");
    let (taken, items) = reused(&fleet, &web, export);
    assert!(taken > 0 && taken == items, "{taken} of {items}");
    assert_eq!(starts(&fleet, &user), before, "nothing is exported again");
    assert!(fleet.forge.platform().open_tickets().is_empty());
    let sealed = fleet.database_says("SELECT count(*) FROM sealed_credentials");
    assert_eq!(sealed, "0");
}

#[test]
fn a_campaign_survives_its_processes_and_is_repeated_from_a_bucket() {
    let s3 = S3::start();
    let place = format!("s3://{}/campaigns", S3::BUCKET);
    goes_on_and_is_repeated(&[("--store", &*place), ("--store-endpoint", &*s3.url)]);
}

/// The object in the bucket that holds the archive of an appliance, with one bit of it flipped.
fn damage(fleet: &Fleet, s3: &S3, appliance: i64) {
    let platform = fleet.forge.platform();
    let archive = platform.archive_content(ItemKind::Appliance, appliance, OutputFormat::Yaml);
    let archive = archive.expect("an archive");
    let [(_, id), (_, secret), (_, region)] = S3::KEYS;
    let bucket = AmazonS3Builder::new()
        .with_bucket_name(S3::BUCKET)
        .with_endpoint(&s3.url)
        .with_region(region)
        .with_access_key_id(id)
        .with_secret_access_key(secret)
        .with_allow_http(true)
        .build()
        .expect("a bucket");
    let damaged = async {
        let listed = bucket.list(None).try_collect::<Vec<_>>().await;
        let mut damaged = 0;
        for object in listed.expect("a list") {
            let got = bucket.get(&object.location).await.expect("an object");
            let mut bytes = got.bytes().await.expect("its bytes").to_vec();
            let mut places = bytes.windows(archive.len());
            if let Some(at) = places.position(|part| part == archive) {
                bytes[at + archive.len() / 2] ^= 4;
                let put = bucket.put(&object.location, bytes.into()).await;
                put.expect("it is replaced");
                damaged += 1;
            }
        }
        damaged
    };
    assert_eq!(fleet.runtime().block_on(damaged), 1);
}

/// One flipped bit in the last archive costs one export, and is reported.
#[test]
fn a_damaged_last_archive_in_a_bucket_costs_one_export() {
    let s3 = S3::start();
    let place = format!("s3://{}/damaged", S3::BUCKET);
    let store = [("--store", &*place), ("--store-endpoint", &*s3.url)];
    let mut scenario = quick();
    // Long enough for an object: what is short is in the database.
    scenario.data.archive_bytes = 300_000;
    scenario.data.software = 2;
    let user = scenario.user.login.clone();
    let fleet = Fleet::new(scenario, 2);
    let web = fleet.start("web", &store);
    let _worker = fleet.start("worker", &store);
    let include = json!(["profile", "appliances", "mysoftware"]);
    let order = json!({"users": [user], "include": include, "since": "last"}).to_string();
    let exported = || {
        let root = fleet.administrator();
        let path = root.order_campaign(&web, &order);
        let done = until_done(&fleet, &web, &path);
        assert_eq!(done["counts"], json!({"ready": 1}), "{done}");
        let report = read(&fleet, &web, &format!("{path}/report"));
        assert_eq!(report["rows"][0]["missing"], json!([]), "{report}");
        report["rows"][0]["export"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    exported();
    damage(&fleet, &s3, 202);
    let export = exported();
    let (taken, items) = reused(&fleet, &web, &export);
    assert_eq!((taken, items), (3, 4));
    let record = read(&fleet, &web, &format!("/api/v1/exports/{export}"));
    let notes = record["notes"].to_string();
    assert!(notes.contains("was not taken from `"), "{notes}");
    assert!(fleet.forge.platform().open_tickets().is_empty());
}

#[test]
fn a_campaign_survives_its_processes_and_is_repeated_from_a_folder() {
    goes_on_and_is_repeated(&[]);
}

/// What runs ends on whatever worker, and its tickets are gone within two seconds.
#[test]
fn a_campaign_is_given_up_at_any_replica_within_two_seconds() {
    let mut scenario = slow();
    scenario.data.neighbours = 6;
    let fleet = Fleet::new(scenario, 4);
    let webs = [fleet.start("web", &[]), fleet.start("web", &[])];
    let _workers = [fleet.start("worker", &[]), fleet.start("worker", &[])];
    let root = fleet.administrator();
    let path = root.order_campaign(&webs[0], r#"{"everyone": true}"#);
    fleet.until_tickets(4);
    let asked = Instant::now();
    let answer = root.send(&webs[1], "DELETE", &path, "");
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    while !fleet.forge.platform().open_tickets().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2) * slowness(), "{took:?}");
    let until = Instant::now() + Duration::from_mins(1);
    let all = "SELECT count(*) FROM jobs WHERE state <> 'cancelled'";
    while fleet.database_says(all) != "0" {
        assert!(Instant::now() < until, "some are not over");
        std::thread::sleep(Duration::from_millis(20));
    }
    let campaign = read(&fleet, &webs[0], &path);
    assert_eq!(campaign["state"], "cancelled");
    assert_eq!(campaign["total"], campaign["counts"]["cancelled"]);
    let taken = "SELECT count(*) FROM slots WHERE job IS NOT NULL";
    assert_eq!(fleet.database_says(taken), "0");
}
