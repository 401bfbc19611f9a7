//! PostgreSQL keeps the promises of the stores, as one process and as many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapters_store::{
    DatabaseUrl, PostgresAudit, PostgresCredentials, PostgresDatabase, PostgresError,
    PostgresJobStore, PostgresKeys, PostgresRunRecords, PostgresSlots, Process,
};
use domain::jobs::{JobStore as _, RunRecords as _, RunWriter, Slots as _, WorkerId};
use domain::testing::{ManualClock, appliance};
use tests::contract::job_store::TERM;
use tests::contract::{
    audit_log, campaign_store, idempotency_keys, job_store, run_records, sealed_credentials, slots,
};
use tests::kit::Postgres;

async fn open(url: &str, clock: Option<&ManualClock>) -> PostgresDatabase {
    let url = DatabaseUrl::parse(url).expect("a URL");
    let clock = clock.map(|clock| Arc::new(clock.clone()) as _);
    let database = PostgresDatabase::open_with(&url, clock).await;
    database.expect("a database")
}

/// Runs each promise against a database of its own.
macro_rules! on_postgres {
    ($($promise:ident)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn jobs_keep_their_promises() {
            let server = Postgres::start();
            $({
                let url = server.database(stringify!($promise));
                let clock = ManualClock::default();
                let database = open(&url, Some(&clock)).await;
                job_store::$promise(&PostgresJobStore::new(&database), &clock).await;
                database.close().await;
            })+
        }
    };
}

tests::job_store_promises!(on_postgres);

/// The same of campaigns.
macro_rules! campaigns_on_postgres {
    ($($promise:ident)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn campaigns_keep_their_promises() {
            let server = Postgres::start();
            $({
                let url = server.database(stringify!($promise));
                let clock = ManualClock::default();
                let database = open(&url, Some(&clock)).await;
                campaign_store::$promise(&PostgresJobStore::new(&database), &clock).await;
                database.close().await;
            })+
            let database = open(&server.database("entries"), None).await;
            let (jobs, trail) = (PostgresJobStore::new(&database), PostgresAudit::new(&database));
            campaign_store::entries_name_the_administrator(&jobs, &trail).await;
            database.close().await;
        }
    };
}

tests::campaign_store_promises!(campaigns_on_postgres);

/// Tables that an older version made are migrated, with what is in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_an_older_version_are_migrated() {
    const FIRST: &str =
        include_str!("../../../crates/adapters-store/src/postgres/migrations/0001.sql");
    let server = Postgres::start();
    let url = server.database("older");
    let job = job_store::job(1, "john");
    let request = serde_json::to_string(&job.request).expect("JSON");
    for statement in [
        FIRST,
        "CREATE TABLE format (number bigint NOT NULL); INSERT INTO format (number) VALUES (1)",
        &format!(
            "INSERT INTO jobs (id, owner, request, requested, state) VALUES ('{}', 'john', '{request}', 0, 'queued')",
            job.id
        ),
    ] {
        server.psql("older", statement).expect("tables");
    }
    let database = open(&url, None).await;
    let claimed = job_store::claim(&PostgresJobStore::new(&database)).await;
    let claimed = claimed.expect("the job").job;
    assert_eq!((claimed.id, claimed.campaign), (job.id, None));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_slots_keep_their_promises_with_300_takeovers() {
    let server = Postgres::start();
    for number in 0..9 {
        let url = server.database(&format!("n{number}"));
        let clock = ManualClock::default();
        let database = open(&url, Some(&clock)).await;
        let jobs = PostgresJobStore::new(&database);
        let records = PostgresRunRecords::new(&database, TERM);
        let slots = PostgresSlots::open(&database, slots::SLOTS).await;
        let slots = slots.expect("slots");
        match number {
            0 => run_records::records_are_read_back_in_order(&records, &jobs, &clock).await,
            1 => {
                run_records::a_late_record_never_appears_behind_the_successor_s_back(
                    &records, &jobs, &clock, 300,
                )
                .await;
            }
            2 => run_records::records_are_progress(&records, &jobs, &clock).await,
            3 => slots::slots_are_never_exceeded(&slots, &jobs, &clock).await,
            4 => slots::who_asks_for_themselves_has_the_next_slot(&slots, &jobs, &clock).await,
            5 => slots::a_slot_passes_to_the_next_item_of_its_job(&slots, &jobs, &clock).await,
            6 => slots::those_that_wait_are_served_in_order(&slots, &jobs, &clock).await,
            7 => slots::what_was_taken_over_has_the_next_slot(&slots, &jobs, &clock).await,
            _ => {
                slots::a_slot_survives_its_worker_and_goes_with_the_job(&slots, &jobs, &clock)
                    .await;
            }
        }
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_keys_and_credentials_keep_their_promises() {
    let server = Postgres::start();
    for number in 0..3 {
        let url = server.database(&format!("n{number}"));
        let clock = ManualClock::default();
        let database = open(&url, Some(&clock)).await;
        let (trail, keys) = (PostgresAudit::new(&database), PostgresKeys::new(&database));
        match number {
            0 => {
                audit_log::entries_are_numbered_without_gaps(&trail).await;
                idempotency_keys::a_key_is_new_once(&keys).await;
                let sealed = PostgresCredentials::new(&database);
                sealed_credentials::what_was_put_is_got_until_it_is_deleted(&sealed).await;
            }
            1 => {
                audit_log::an_entry_may_lack_everything(&trail).await;
                idempotency_keys::a_key_stands_for_one_order_of_one_person(&keys).await;
                let sealed = PostgresCredentials::new(&database);
                let jobs = PostgresJobStore::new(&database);
                sealed_credentials::an_administrator_s_go_with_the_last_job(&sealed, &jobs).await;
            }
            _ => {
                audit_log::a_download_is_one_entry(&trail).await;
                idempotency_keys::a_key_is_kept_for_a_day(&keys, &clock).await;
            }
        }
        for refused in [
            "UPDATE audit SET actor = 'mary'",
            "DELETE FROM audit",
            "TRUNCATE audit CASCADE",
            "UPDATE audit_transfers SET bytes = 0",
            "DELETE FROM audit_transfers",
        ] {
            let error = server.psql(&format!("n{number}"), refused).unwrap_err();
            assert!(error.contains("only added to"), "{refused}: {error}");
        }
        database.close().await;
    }
}

/// The first process of several makes the tables; all of them have one clock, and hear of what the others do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_share_one_database() {
    let server = Postgres::start();
    let url = server.database("shared");
    let opened = (0..6).map(|_| open(&url, None));
    let databases = futures_util::future::join_all(opened).await;
    let stores: Vec<_> = databases.iter().map(PostgresJobStore::new).collect();
    for number in 1..=10 {
        job_store::order(&stores[0], number, &format!("owner{number}")).await;
    }
    let claims = (0..18).map(|number| job_store::claim(&stores[number % 6]));
    let claims = futures_util::future::join_all(claims).await;
    let mut ids: Vec<_> = claims
        .into_iter()
        .flatten()
        .map(|claim| claim.job.id)
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10, "each is claimed by one");

    let mut heard = stores[1].changes();
    job_store::order(&stores[2], 11, "mary").await;
    let change = futures_util::StreamExt::next(&mut heard);
    let change = tokio::time::timeout(std::time::Duration::from_secs(30), change).await;
    change.expect("a change is heard").expect("it never ends");

    let process = |number: u32| Process {
        name: format!("worker-{number}"),
        runs: true,
        term: TERM,
    };
    let wanted = |slots: &str| vec![("platform-slots", slots.to_owned())];
    let joined = databases[0].join(&process(0), wanted("4")).await;
    joined.expect("it is the first");
    let joined = databases[1].join(&process(1), wanted("4")).await;
    joined.expect("it wants the same");
    let other = databases[2].join(&process(2), wanted("5")).await;
    assert!(matches!(other, Err(PostgresError::Disagrees { .. })));
    let alive = databases[1].alive(&process(1)).await;
    assert_eq!(alive.expect("a count"), 2);
    for number in 0..2 {
        let left = databases[0].leave(&process(number)).await;
        left.expect("it ends");
    }
    let joined = databases[2].join(&process(2), wanted("5")).await;
    joined.expect("nobody is there who wants something else");
    let secrets = futures_util::future::join_all(
        databases
            .iter()
            .zip(0..)
            .map(|(database, number)| database.shared_secret([number; 64])),
    );
    let secrets: Result<Vec<_>, _> = secrets.await.into_iter().collect();
    let secrets = secrets.expect("secrets");
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
}

/// Slots of one process are heard of in another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_hears_of_slots_that_another_gives_back() {
    let server = Postgres::start();
    let url = server.database("turns");
    let databases = [open(&url, None).await, open(&url, None).await];
    let [jobs, there] = databases.each_ref().map(PostgresJobStore::new);
    let slots = PostgresSlots::open(&databases[0], slots::SLOTS).await;
    let theirs = PostgresSlots::open(&databases[1], slots::SLOTS).await;
    // It listens once it hears of a change.
    let listens = futures_util::StreamExt::into_future(there.changes());
    job_store::order(&jobs, 9, "somebody").await;
    let listens = tokio::time::timeout(std::time::Duration::from_secs(30), listens).await;
    drop(listens.expect("it listens"));
    let (slots, theirs) = (slots.expect("slots"), theirs.expect("slots"));
    slots::a_worker_hears_of_its_turn(&slots, &theirs, &jobs).await;
}

/// What was given back with slots is resumed by a worker that has no free place: everybody else may be waiting for those slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_given_back_with_slots_is_taken_over() {
    let server = Postgres::start();
    let database = open(&server.database("slots"), None).await;
    let jobs = PostgresJobStore::new(&database);
    let slots = PostgresSlots::open(&database, 1).await.expect("slots");
    job_store::order(&jobs, 1, "john").await;
    let lease = job_store::claim(&jobs).await.expect("a job").lease;
    let taken = slots.take(&lease, &[appliance(1)]).await;
    assert_eq!(taken.expect("it is held").len(), 1);
    let worker = WorkerId::of("full");
    let none = jobs.take_over(&worker, TERM).await;
    assert!(none.expect("an answer").is_none(), "it is held");
    jobs.give_back(&lease).await.expect("it is held");
    let taken = jobs.take_over(&worker, TERM).await.expect("an answer");
    let taken = taken.expect("its job");
    assert_eq!((&taken.job.id, taken.job.deaths), (&lease.job, 0));
    job_store::order(&jobs, 2, "mary").await;
    jobs.give_back(&taken.lease).await.expect("it is held");
    let next = job_store::claim(&jobs).await.expect("a job");
    assert_eq!(next.job.id, lease.job, "before one that has no slots");
}

/// What a newer worker began is left to those who can read it, whether it waits, runs or was given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_records_are_of_a_newer_format_is_not_claimed() {
    let server = Postgres::start();
    let clock = ManualClock::default();
    let database = open(&server.database("formats"), Some(&clock)).await;
    let jobs = PostgresJobStore::new(&database);
    let set = |format: &str| {
        let set = format!("UPDATE jobs SET format = {format}");
        server.psql("formats", &set).expect("it is written");
    };
    job_store::order(&jobs, 1, "john").await;
    set("2000000000");
    assert!(job_store::claim(&jobs).await.is_none(), "it waits");
    set("NULL");
    let lease = job_store::claim(&jobs).await.expect("a job").lease;
    set("2000000000");
    clock.advance(TERM * 2);
    assert!(job_store::claim(&jobs).await.is_none(), "its lease is over");
    let worker = WorkerId::of("old");
    let taken = jobs.take_over(&worker, TERM).await.expect("an answer");
    assert!(taken.is_none());
    jobs.give_back(&lease).await.expect("it is held");
    assert!(job_store::claim(&jobs).await.is_none(), "it was given back");
    set("1");
    assert!(job_store::claim(&jobs).await.is_some());
}

/// A database that crashes and comes back costs a pause, and nothing is written twice or lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_costs_a_pause() {
    let mut server = Postgres::start();
    let url = server.database("restarts");
    let database = open(&url, None).await;
    let jobs = PostgresJobStore::new(&database);
    let records = Arc::new(PostgresRunRecords::new(&database, TERM));
    job_store::order(&jobs, 1, "john").await;
    let lease = job_store::claim(&jobs).await.expect("a job").lease;
    let writer = RunWriter::Holder(lease.clone());
    // Both crashes are in the middle of the writing, however long they take.
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (records, writer) = (Arc::clone(&records), writer.clone());
        let is_over = Arc::clone(&is_over);
        async move {
            let mut number = 0;
            while number < 400 || !is_over.load(Ordering::SeqCst) {
                let content = format!("{number}").into();
                records.append(&writer, vec![content]).await?;
                number += 1;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            Ok::<_, domain::jobs::RunRecordsError>(number)
        }
    });
    for written in [100, 250] {
        let seen = async || records.read(&lease.job, 0, usize::MAX).await;
        while seen().await.map_or(0, |read| read.len()) < written {
            assert!(!writing.is_finished(), "it ended too early");
        }
        server = tokio::task::spawn_blocking(move || {
            server.crash();
            server.start_again();
            server
        })
        .await
        .expect("it starts again");
    }
    is_over.store(true, Ordering::SeqCst);
    let written = writing.await.expect("no panic").expect("all is written");
    let read = records.read(&lease.job, 0, usize::MAX).await;
    let read = read.expect("records");
    let texts = read.iter().map(|record| &*record.content);
    let expected: Vec<String> = (0..written).map(|number: i32| number.to_string()).collect();
    let texts: Vec<String> = texts
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    assert_eq!(texts, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_version_is_left_as_it_is() {
    let server = Postgres::start();
    let url = server.database("newer");
    open(&url, None).await.close().await;
    server
        .psql("newer", "UPDATE format SET number = 99")
        .expect("it is written");
    let refused = PostgresDatabase::open(&DatabaseUrl::parse(&url).expect("a URL")).await;
    assert!(matches!(
        refused.err(),
        Some(PostgresError::Newer { found: 99, .. })
    ));
}
