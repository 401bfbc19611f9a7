//! Archives on an object store: no process has a disk.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::kit::{Bag, S3, Signal};

use crate::service::{Fleet, quick};

/// A worker that is killed in the middle leaves what was whole; the archive is fetched in parts from one replica after the other.
#[test]
fn an_archive_survives_its_worker_and_the_replica_that_sends_it() {
    let s3 = S3::start();
    let mut scenario = quick();
    scenario.data.appliances = 4;
    scenario.data.archive_bytes = 2_000_000;
    let fleet = Fleet::new(scenario, 1);
    let place = format!("s3://{}/a/prefix", S3::BUCKET);
    let store = [("--store", &*place), ("--store-endpoint", &*s3.url)];
    let webs = [fleet.start("web", &store), fleet.start("web", &store)];
    let first = fleet.start("worker", &store);
    let john = fleet.user();
    let order = john.order(&webs[0], r#"{"include":["profile","appliances","roles"]}"#);
    let until = Instant::now() + Duration::from_mins(2);
    let archives = "SELECT count(*) FROM run_records WHERE position('archive.tar.gz' IN encode(content, 'escape')) > 0 AND position('placed' IN encode(content, 'escape')) > 0";
    while fleet.database_says(archives) == "0" {
        assert!(Instant::now() < until, "no archive is placed");
    }
    first.signal(Signal::Kill);
    let _second = fleet.start("worker", &store);
    john.until(&webs[0], &order, "ready");
    fleet.assert_every_item_started_once();

    let path = format!("{order}/archive");
    let whole = john.get(&webs[0], &path).body;
    let record: Value = serde_json::from_slice(&john.get(&webs[1], &order).body).expect("JSON");
    let sha256 = domain::model::Sha256::of(&whole).to_string();
    assert!(record.to_string().contains(&sha256), "{record}");
    Bag::of_bytes("bag.zip", whole.clone()).check();
    let [first, second] = webs;
    let middle = whole.len() / 2;
    let mut parts = john.get_part(&first, &path, 0..middle);
    assert_eq!(parts.status, 206);
    first.signal(Signal::Kill);
    let rest = john.get_part(&second, &path, middle..whole.len());
    assert_eq!(rest.status, 206);
    parts.body.extend(rest.body);
    assert!(parts.body == whole);

    let deleted = john.send(&second, "DELETE", &order, "");
    assert!((200..300).contains(&deleted.status), "{}", deleted.status);
    let until = Instant::now() + Duration::from_mins(1);
    while fleet.database_says("SELECT count(*) FROM run_records") != "0" {
        assert!(Instant::now() < until, "its records are there yet");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What one process kept in its folder is in the bucket, and read from there.
#[test]
fn a_folder_becomes_a_bucket() {
    let s3 = S3::start();
    let place = format!("s3://{}", S3::BUCKET);
    crate::becomes_shared(&[("--store", &*place), ("--store-endpoint", &*s3.url)]);
}

/// What cannot be a place for archives is said at once, and with exit status 2.
#[test]
fn a_bucket_that_cannot_be_used_is_refused() {
    let s3 = S3::start();
    let fleet = Fleet::new(quick(), 1);
    for (place, endpoint) in [
        ("s3://no-such-bucket", &*s3.url),
        ("s3://b", &*s3.url),
        ("s3://bags", "http://user:secret@127.0.0.1"),
        ("ftp://bags", &*s3.url),
    ] {
        let store = [("--store", place), ("--store-endpoint", endpoint)];
        let (status, said) = fleet.refused("worker", &store, &[]);
        assert_eq!(status, Some(2), "{place} {endpoint}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
