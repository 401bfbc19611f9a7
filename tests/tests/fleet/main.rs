//! Many processes of one service: web replicas and workers on one PostgreSQL, in front of one platform.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod caller;
mod campaigns;
mod kills;
mod objects;
mod service;

use std::time::{Duration, Instant};

use domain::jobs::JobId;
use tests::kit::Signal;

use service::{Fleet, TERM, quick, slow};

/// Everybody's export is delivered by whichever worker, fetched from whichever replica, and no more run on the platform than its slots.
#[test]
fn everybody_is_served_and_slots_are_never_exceeded() {
    const PEOPLE: usize = 8;
    const SLOTS: usize = 2;
    let mut scenario = quick();
    scenario.data.neighbours = u32::try_from(PEOPLE).expect("few");
    scenario.timing.export_millis = 200;
    let fleet = Fleet::new(scenario, SLOTS);
    let webs = [fleet.start("web", &[]), fleet.start("web", &[])];
    let _workers = [fleet.start("worker", &[]), fleet.start("worker", &[])];
    let people: Vec<_> = (1..=PEOPLE).map(|n| fleet.neighbour(n)).collect();
    let orders: Vec<_> = people
        .iter()
        .map(|person| (person, person.order(&webs[0], "{}")))
        .collect();
    let mut most = 0;
    let mut ready = 0;
    while ready < orders.len() {
        most = most.max(fleet.running_exports());
        ready = orders
            .iter()
            .filter(|(person, order)| person.state(&webs[1], order) == "ready")
            .count();
    }
    assert!((1..=SLOTS).contains(&most), "{most} ran at once");
    for (person, order) in &orders {
        let archive = person.get(&webs[1], &format!("{order}/archive"));
        assert_eq!(archive.status, 200);
        assert!(archive.body.starts_with(b"PK"));
    }
    assert!(fleet.forge.platform().open_tickets().is_empty());
    fleet.assert_every_item_started_once();
    let trail = fleet.database_says("SELECT count(*), count(DISTINCT number), max(number) FROM audit WHERE action = 'export-ready'");
    assert!(trail.starts_with("8|8|"), "{trail}");
}

/// A worker that is killed costs at most two terms; its tickets are used by its successor and nothing is started twice.
#[test]
fn the_jobs_of_a_killed_worker_are_taken_over() {
    let fleet = Fleet::new(slow(), 4);
    let web = fleet.start("web", &[]);
    let first = fleet.start("worker", &[]);
    let john = fleet.user();
    let order = john.order(&web, r#"{"include":["profile","appliances"]}"#);
    fleet.until_tickets(2);
    first.signal(Signal::Kill);
    let killed = Instant::now();
    let requests = fleet.forge.platform().requests_in_all();
    let _second = fleet.start("worker", &[]);
    while fleet.forge.platform().requests_in_all() == requests {
        assert!(
            killed.elapsed() < TERM * 2 * service::slowness(),
            "nobody goes on"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    fleet.forge.platform().let_end();
    john.until(&web, &order, "ready");
    assert!(fleet.forge.platform().open_tickets().is_empty());
    fleet.assert_every_item_started_once();
}

/// A worker that stands still longer than its lease writes nothing when it goes on, and withdraws nothing.
#[test]
fn a_worker_that_stood_still_leaves_its_successor_alone() {
    let fleet = Fleet::new(slow(), 4);
    let web = fleet.start("web", &[]);
    let first = fleet.start("worker", &[]);
    let john = fleet.user();
    let order = john.order(&web, r#"{"include":["profile","appliances"]}"#);
    fleet.until_tickets(2);
    let lease = || fleet.database_says("SELECT token FROM jobs");
    let before = lease();
    first.signal(Signal::Stop);
    let _second = fleet.start("worker", &[]);
    let until = Instant::now() + TERM * 2 * service::slowness();
    while lease() == before {
        assert!(Instant::now() < until, "nobody took it over");
        std::thread::sleep(Duration::from_millis(50));
    }
    first.signal(Signal::Continue);
    fleet.forge.platform().let_end();
    john.until(&web, &order, "ready");
    assert!(fleet.forge.platform().open_tickets().is_empty());
    fleet.assert_every_item_started_once();
}

/// A cancel reaches the worker from a replica that has nothing to do with the run.
#[test]
fn a_cancel_from_any_replica_ends_the_run_within_two_seconds() {
    let fleet = Fleet::new(slow(), 4);
    let webs = [fleet.start("web", &[]), fleet.start("web", &[])];
    let _worker = fleet.start("worker", &[]);
    let john = fleet.user();
    let order = john.order(&webs[0], "{}");
    fleet.until_tickets(2);
    let asked = Instant::now();
    let answer = john.send(&webs[1], "DELETE", &order, "");
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    while !fleet.forge.platform().open_tickets().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = asked.elapsed();
    assert!(
        took < Duration::from_secs(2) * service::slowness(),
        "{took:?}"
    );
    assert_eq!(john.state(&webs[0], &order), "cancelled");
    assert_eq!(
        fleet.database_says("SELECT count(*) FROM slots WHERE job IS NOT NULL"),
        "0"
    );
}

/// SIGTERM gives leases back: another worker goes on at once, and not when a term is over.
#[test]
fn a_worker_that_is_stopped_gives_its_jobs_back_at_once() {
    let fleet = Fleet::with_lease(slow(), 4, "10m");
    let web = fleet.start("web", &[]);
    let first = fleet.start("worker", &[]);
    let john = fleet.user();
    let order = john.order(&web, r#"{"include":["profile","appliances"]}"#);
    fleet.until_tickets(2);
    let asked = Instant::now();
    let status = first.end(Signal::Terminate);
    assert!(matches!(status, Some(0 | 143)), "{status:?}");
    assert!(asked.elapsed() < Duration::from_secs(10) * service::slowness());
    assert_eq!(fleet.database_says("SELECT state FROM jobs"), "queued");
    let _second = fleet.start("worker", &[]);
    fleet.forge.platform().let_end();
    john.until(&web, &order, "ready");
    fleet.assert_every_item_started_once();
}

/// A person signs in at one replica, and the others know them.
#[test]
fn a_session_and_its_events_are_the_same_at_every_replica() {
    let fleet = Fleet::new(quick(), 4);
    let webs = [fleet.start("web", &[]), fleet.start("web", &[])];
    let _worker = fleet.start("worker", &[]);
    let john = fleet.user();
    let cookie = john.signs_in(&webs[0]);
    let answer = caller::get_with_cookie(&webs[1], "/api/v1/exports", &cookie);
    assert_eq!(answer.status, 200);
    let stored =
        fleet.database_says("SELECT encode(sealed, 'escape') || encode(key, 'hex') FROM sessions");
    assert!(
        !stored.contains(john.password()),
        "a password is in the database"
    );
    let order = john.order(&webs[0], "{}");
    let id = order.rsplit('/').next().expect("an id");
    assert!(JobId::parse(id).is_ok(), "{order}");
    let events = john.get(&webs[1], &format!("{order}/events"));
    let text = String::from_utf8_lossy(&events.body).into_owned();
    assert!(
        text.contains("event: state") && text.contains("\"ready\""),
        "{text}"
    );
}

/// What cannot work is said at once, and with exit status 2.
#[test]
fn settings_that_differ_or_lack_something_are_refused() {
    let fleet = Fleet::new(quick(), 4);
    let _first = fleet.start("worker", &[]);
    for (changed, value) in [
        ("--platform-slots", "5"),
        ("--platform-rate", "9"),
        ("--lease", "77s"),
        ("--url", "http://127.0.0.1:9/api"),
    ] {
        let (status, said) = fleet.refused("worker", &[(changed, value)], &[]);
        assert_eq!(status, Some(2), "{changed}: {said}");
        assert!(said.contains(changed), "{said}");
    }
    let (status, said) = fleet.refused("worker", &[], &["--service-credentials"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("--seal-credentials"), "{said}");
    for lacking in ["--store", "--database"] {
        let (status, said) = fleet.refused("all", &[], &[lacking]);
        assert_eq!(status, Some(2), "{said}");
    }
    let url = fleet
        .url
        .replace("user=exports", "user=exports&password=secret");
    let (status, said) = fleet.refused("worker", &[("--database", &url)], &[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(!said.contains("secret"), "{said}");
    for store in [
        "s3://key:secret@bags",
        "s3:key:secret@bags",
        "ftp://key:secret@bags",
    ] {
        let (status, said) = fleet.refused("worker", &[("--store", store)], &[]);
        assert_eq!(status, Some(2), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

/// A process that could not start is none of the service's: the next one may have other settings.
#[test]
fn a_process_that_could_not_start_leaves_no_settings_behind() {
    let fleet = Fleet::new(quick(), 4);
    let nowhere = [("--store", "file:///dev/null/archives")];
    let (status, said) = fleet.refused("worker", &nowhere, &[]);
    assert!(matches!(status, Some(1 | 2)), "{status:?}: {said}");
    let _other = fleet.start("worker", &[("--lease", "5s"), ("--platform-slots", "5")]);
}

/// Neither is one that has joined the others, and then finds its address taken.
#[test]
fn a_process_whose_address_is_taken_leaves_no_settings_behind() {
    let fleet = Fleet::with_lease(quick(), 4, "1h");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    // A setting that was agreed on would have the next one refused for it.
    for (role, flag, slots) in [
        ("all", "--listen", "5"),
        ("web", "--listen", "6"),
        ("worker", "--metrics-listen", "7"),
    ] {
        let changed = [(flag, &*taken), ("--platform-slots", slots)];
        let (status, said) = fleet.refused(role, &changed, &[]);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(&taken), "{said}");
    }
    let _other = fleet.start("worker", &[("--lease", "5s")]);
}

/// One process that does everything works as well, and a database that crashes costs a pause.
#[test]
fn a_database_that_restarts_costs_a_pause() {
    let mut fleet = Fleet::new(slow(), 4);
    let all = fleet.start("all", &[]);
    let john = fleet.user();
    let order = john.order(&all, "{}");
    fleet.until_tickets(2);
    fleet.postgres.crash();
    std::thread::sleep(Duration::from_millis(500));
    fleet.postgres.start_again();
    fleet.forge.platform().let_end();
    john.until(&all, &order, "ready");
    assert!(fleet.forge.platform().open_tickets().is_empty());
    fleet.assert_every_item_started_once();
}

/// What one process kept in its folder is there for many.
#[test]
fn a_folder_becomes_a_shared_store() {
    becomes_shared(&[]);
}

/// Copies what one process kept to where these settings say, and goes on there.
fn becomes_shared(store: &[(&str, &str)]) {
    let fleet = Fleet::new(quick(), 4);
    let john = fleet.user();
    let (alone, data) = fleet.start_alone();
    let order = john.order(&alone, "{}");
    john.until(&alone, &order, "ready");
    let before = john.get(&alone, &format!("{order}/archive"));
    alone.end(Signal::Terminate);
    for _ in 0..2 {
        let (status, said) = fleet.migrate(&data, store);
        assert_eq!(status, Some(0), "{said}");
        assert!(
            said.contains(r#""exports":1"#) && said.contains(r#""archives":1"#),
            "{said}"
        );
    }
    let web = fleet.start("web", store);
    let after = john.get(&web, &format!("{order}/archive"));
    assert_eq!((before.status, after.status), (200, 200));
    assert!(before.body == after.body);
    let _worker = fleet.start("worker", store);
    let next = john.order(&web, r#"{"include":["profile"]}"#);
    john.until(&web, &next, "ready");
}
