//! The stores in memory, in SQLite and on disk keep the same promises.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use adapters_store::{
    Database, DiskBags, DiskRuns, LateAudit, SqliteAudit, SqliteCredentials, SqliteJobStore,
    SqliteKeys,
};
use domain::jobs::{
    AuditAction, AuditEntry, AuditLog as _, AuditPage, Claim, Ending, JobPage, JobState, JobStore,
    JobStoreError, Whose, Wish,
};
use domain::testing::{
    ManualClock, MemoryAudit, MemoryCredentials, MemoryJobStore, MemoryKeys, MemoryRunRecords,
    MemorySlots,
};
use proptest::prelude::*;
use tests::contract::job_store::{PLENTY, TERM, id, job, user};
use tests::contract::{
    audit_log, bag_store, campaign_store, idempotency_keys, job_store, run_records, run_store,
    sealed_credentials, slots,
};

async fn open(folder: &Path, clock: &ManualClock) -> Database {
    let database = Database::open(&folder.join("jobs.sqlite"), Arc::new(clock.clone())).await;
    database.expect("a database")
}

/// Runs a promise of the job store against memory and against SQLite.
macro_rules! in_memory_and_sqlite {
    ($($promise:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let clock = ManualClock::default();
            let memory = MemoryJobStore::new(Arc::new(clock.clone()));
            job_store::$promise(&memory, &clock).await;

            let folder = tempfile::tempdir().expect("a folder");
            let clock = ManualClock::default();
            let database = open(folder.path(), &clock).await;
            job_store::$promise(&SqliteJobStore::new(&database), &clock).await;
        }
    )+};
}

tests::job_store_promises!(in_memory_and_sqlite);

/// Runs a promise of the store of campaigns against memory and against SQLite.
macro_rules! campaigns_in_memory_and_sqlite {
    ($($promise:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let clock = ManualClock::default();
            let memory = MemoryJobStore::new(Arc::new(clock.clone()));
            campaign_store::$promise(&memory, &clock).await;

            let folder = tempfile::tempdir().expect("a folder");
            let clock = ManualClock::default();
            let database = open(folder.path(), &clock).await;
            campaign_store::$promise(&SqliteJobStore::new(&database), &clock).await;
        }
    )+};
}

tests::campaign_store_promises!(campaigns_in_memory_and_sqlite);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_names_who_ordered_a_campaign_and_who_gave_it_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path(), &ManualClock::default()).await;
    let (jobs, trail) = (SqliteJobStore::new(&database), SqliteAudit::new(&database));
    campaign_store::entries_name_the_administrator(&jobs, &trail).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_trail_keeps_its_promises() {
    for number in 0..3 {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(folder.path(), &ManualClock::default()).await;
        let (memory, sqlite) = (MemoryAudit::default(), SqliteAudit::new(&database));
        let late = LateAudit::new(MemoryAudit::default());
        let logs: [&dyn domain::jobs::AuditLog; 3] = [&memory, &sqlite, &late];
        for log in logs {
            match number {
                0 => audit_log::entries_are_numbered_without_gaps(log).await,
                1 => audit_log::an_entry_may_lack_everything(log).await,
                _ => audit_log::a_download_is_one_entry(log).await,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotency_keys_keep_their_promises() {
    for number in 0..3 {
        let clock = ManualClock::default();
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(folder.path(), &clock).await;
        let memory = MemoryKeys::new(Arc::new(clock.clone()));
        let sqlite = SqliteKeys::new(&database);
        let stores: [&dyn domain::jobs::IdempotencyKeys; 2] = [&memory, &sqlite];
        for keys in stores {
            match number {
                0 => idempotency_keys::a_key_is_new_once(keys).await,
                1 => idempotency_keys::a_key_stands_for_one_order_of_one_person(keys).await,
                _ => idempotency_keys::a_key_is_kept_for_a_day(keys, &clock).await,
            }
        }
    }
}

#[tokio::test]
async fn sealed_credentials_keep_their_promises() {
    use sealed_credentials::what_was_put_is_got_until_it_is_deleted as promise;
    promise(&MemoryCredentials::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path(), &ManualClock::default()).await;
    promise(&SqliteCredentials::new(&database)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(folder.path(), &ManualClock::default()).await;
    let (sealed, jobs) = (
        SqliteCredentials::new(&database),
        SqliteJobStore::new(&database),
    );
    sealed_credentials::an_administrator_s_go_with_the_last_job(&sealed, &jobs).await;
}

#[tokio::test]
async fn bags_on_disk_keep_their_promises() {
    for number in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        let bags = DiskBags::open(folder.path()).expect("bags");
        match number {
            0 => bag_store::a_kept_bag_is_read_back_in_any_part(&bags).await,
            1 => bag_store::a_bag_of_another_size_is_not_given_away(&bags).await,
            2 => bag_store::a_stream_that_breaks_keeps_nothing(&bags).await,
            _ => {
                let when_deleted = bag_store::WhenDeleted::ReadToItsEnd;
                bag_store::a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(
                    &bags,
                    when_deleted,
                )
                .await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_on_disk_keep_their_promises() {
    for is_finished in [false, true] {
        let clock = ManualClock::default();
        let jobs = MemoryJobStore::new(Arc::new(clock.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        let bags = DiskBags::open(folder.path()).expect("bags");
        let system = adapters_clock::SystemClock::start();
        let runs = DiskRuns::new(&bags, Arc::new(system));
        if is_finished {
            run_store::a_finished_bag_is_kept(&runs, &bags, &jobs, &clock).await;
        } else {
            run_store::an_unfinished_run_is_resumed_under_the_next_lease(&runs, &jobs, &clock)
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_slots_in_memory_keep_their_promises() {
    for number in 0..10 {
        let clock = ManualClock::default();
        let jobs = Arc::new(MemoryJobStore::new(Arc::new(clock.clone())));
        let records = MemoryRunRecords::new(Arc::clone(&jobs));
        let slots = MemorySlots::new(Arc::clone(&jobs), slots::SLOTS);
        match number {
            0 => run_records::records_are_read_back_in_order(&records, &*jobs, &clock).await,
            1 => {
                run_records::a_late_record_never_appears_behind_the_successor_s_back(
                    &records, &*jobs, &clock, 300,
                )
                .await;
            }
            2 => run_records::records_are_progress(&records, &*jobs, &clock).await,
            3 => slots::slots_are_never_exceeded(&slots, &*jobs, &clock).await,
            4 => slots::who_asks_for_themselves_has_the_next_slot(&slots, &*jobs, &clock).await,
            5 => slots::a_slot_passes_to_the_next_item_of_its_job(&slots, &*jobs, &clock).await,
            6 => slots::those_that_wait_are_served_in_order(&slots, &*jobs, &clock).await,
            7 => slots::what_was_taken_over_has_the_next_slot(&slots, &*jobs, &clock).await,
            8 => slots::a_worker_hears_of_its_turn(&slots, &slots, &*jobs).await,
            _ => {
                slots::a_slot_survives_its_worker_and_goes_with_the_job(&slots, &*jobs, &clock)
                    .await;
            }
        }
    }
}

/// Two services by mistake, or a service and a command beside it: the file decides, not the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_claim_each_job_once_and_share_one_trail() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::default();
    let databases = [
        open(folder.path(), &clock).await,
        open(folder.path(), &clock).await,
    ];
    let stores = databases.each_ref().map(SqliteJobStore::new);
    for number in 1..=10 {
        let owner = format!("owner{number}");
        job_store::order(&stores[0], number, &owner).await;
    }
    let claims = (0..16).map(|number| job_store::claim(&stores[number % 2]));
    let claims = futures_util::future::join_all(claims).await;
    let mut ids: Vec<_> = claims
        .into_iter()
        .flatten()
        .map(|claim| claim.job.id)
        .collect();
    ids.sort();
    assert_eq!(ids, (1..=10).map(id).collect::<Vec<_>>());

    let shares = domain::jobs::Shares {
        unfinished: 2,
        ..PLENTY
    };
    let orders = (21..=36).map(|number: u64| {
        let store = &stores[usize::from(number.is_multiple_of(2))];
        store.admit(job(number, "john"), &shares)
    });
    let admitted = futures_util::future::join_all(orders).await;
    assert_eq!(admitted.iter().filter(|one| one.is_ok()).count(), 2);

    let trails = databases.each_ref().map(SqliteAudit::new);
    let entries = (0..16).map(|number| trails[number % 2].append(signed_in()));
    let mut numbers = Vec::new();
    for number in futures_util::future::join_all(entries).await {
        numbers.push(number.expect("it is appended"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
}

fn signed_in() -> AuditEntry {
    AuditEntry {
        at: jiff::Timestamp::UNIX_EPOCH,
        action: AuditAction::SignedIn,
        actor: Some(user("john")),
        subject: None,
        from: None,
        export: None,
        sha256: None,
        bytes: None,
        detail: None,
    }
}

const FOLDER_OF_ANOTHER: &str = "UFORGE_TEST_STORE_OF_ANOTHER_PROCESS";

/// Run by the test below as a process of its own: claims, says so, and works until it is killed.
#[tokio::test]
#[ignore = "is run by another test, as a second process"]
async fn the_second_process() {
    let Some(folder) = std::env::var_os(FOLDER_OF_ANOTHER) else {
        return;
    };
    let folder = Path::new(&folder);
    let database = open(folder, &ManualClock::default()).await;
    let claim = job_store::claim(&SqliteJobStore::new(&database))
        .await
        .expect("a job");
    let trail = SqliteAudit::new(&database);
    trail.append(signed_in()).await.expect("it is appended");
    let token = claim.lease.token.as_str();
    std::fs::write(folder.join("part"), token).expect("a file");
    std::fs::rename(folder.join("part"), folder.join("token")).expect("a name");
    loop {
        trail.append(signed_in()).await.expect("it is appended");
    }
}

#[tokio::test]
async fn what_a_killed_process_recorded_is_there_and_its_job_is_taken_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::default();
    let database = open(folder.path(), &clock).await;
    let store = SqliteJobStore::new(&database);
    job_store::order(&store, 1, "john").await;
    let mut other = Command::new(std::env::current_exe().expect("a program"))
        .args(["--ignored", "--exact", "stores::the_second_process"])
        .env(FOLDER_OF_ANOTHER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    let token = folder.path().join("token");
    while !token.exists() {
        assert_eq!(
            other.try_wait().expect("its state"),
            None,
            "it ended too soon"
        );
        tokio::task::yield_now().await;
    }
    other.kill().expect("it is killed");
    other.wait().expect("its end");
    assert!(
        job_store::claim(&store).await.is_none(),
        "its lease is held yet"
    );
    clock.advance(TERM);
    let claim = job_store::claim(&store).await.expect("its job");
    assert_eq!(claim.job.deaths, 1);
    let late = std::fs::read_to_string(&token).expect("a token");
    assert_ne!(claim.lease.token.as_str(), late);
    let late = domain::jobs::Lease {
        job: id(1),
        token: domain::jobs::Token::parse(&late).expect("a token"),
    };
    let refused = store.settle(&late, Ending::Cancelled, Vec::new()).await;
    assert!(matches!(refused, Err(JobStoreError::Lost { .. })));
    let page = AuditPage {
        before: None,
        limit: 10_000,
    };
    let trail = SqliteAudit::new(&database)
        .page(page)
        .await
        .expect("a page");
    assert_eq!(trail.last().map(|entry| entry.number), Some(1));
    assert_eq!(
        trail.first().map(|entry| entry.number),
        Some(trail.len() as u64)
    );
}

#[tokio::test]
async fn what_was_recorded_is_there_after_an_end_without_a_close() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::default();
    let seen = {
        let store = SqliteJobStore::new(&open(folder.path(), &clock).await);
        job_store::order(&store, 1, "john").await;
        let claim = job_store::claim(&store).await.expect("a job");
        let settled = store
            .settle(&claim.lease, job_store::delivered(), Vec::new())
            .await;
        settled.expect("it is held")
    };
    let store = SqliteJobStore::new(&open(folder.path(), &clock).await);
    assert_eq!(store.find(&id(1)).await.expect("a job"), seen);
}

/// Calls that are dropped before they are done leave nothing half done, and nobody else waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_leave_no_open_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::default();
    let database = open(folder.path(), &clock).await;
    let store = SqliteJobStore::new(&database);
    for number in 1..=100 {
        let order = store.admit(job(number, "john"), &PLENTY);
        let mut order = std::pin::pin!(order);
        for _ in 0..number % 7 {
            let _ = futures_util::poll!(&mut order);
            tokio::task::yield_now().await;
        }
    }
    let beside = SqliteJobStore::new(&open(folder.path(), &clock).await);
    job_store::order(&beside, 200, "mary").await;
    job_store::order(&store, 201, "mary").await;
}

/// One operation of somebody on the store.
#[derive(Clone, Debug)]
enum Operation {
    Order(u64),
    Claim,
    Renew(usize),
    GiveBack(usize),
    Pause(usize, bool),
    Settle(usize),
    Cancel(u64),
    SignIn(u64),
    Wait(u64),
    Void,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (0..3_u64).prop_map(Operation::Order),
        4 => Just(Operation::Claim),
        1 => any::<usize>().prop_map(Operation::Renew),
        1 => any::<usize>().prop_map(Operation::GiveBack),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(at, retry)| Operation::Pause(at, retry)),
        2 => any::<usize>().prop_map(Operation::Settle),
        1 => (1..20_u64).prop_map(Operation::Cancel),
        1 => (0..3_u64).prop_map(Operation::SignIn),
        2 => (1..90_u64).prop_map(Operation::Wait),
        1 => Just(Operation::Void),
    ]
}

/// Takes one operation; `claims` are all that were ever made, lost ones too.
async fn take(
    store: &dyn JobStore,
    clock: &ManualClock,
    operation: &Operation,
    orders: &mut u64,
    claims: &mut Vec<Claim>,
) {
    let chosen = |at: usize| (!claims.is_empty()).then(|| claims[at % claims.len()].lease.clone());
    let owner = |number: u64| user(&format!("owner{number}"));
    match operation {
        Operation::Order(by) => {
            *orders += 1;
            let job = job(*orders, owner(*by).to_string().as_str());
            store.admit(job, &PLENTY).await.expect("it is admitted");
        }
        Operation::Claim => claims.extend(job_store::claim(store).await),
        Operation::Renew(at) => {
            let held: Vec<_> = chosen(*at).into_iter().collect();
            store.renew(&held, TERM).await.expect("an answer");
        }
        Operation::GiveBack(at) => {
            if let Some(lease) = chosen(*at) {
                only_lost(&store.give_back(&lease).await);
            }
        }
        Operation::Pause(at, retry) => {
            if let Some(lease) = chosen(*at) {
                let pause = domain::jobs::Pause {
                    waiting_for: domain::jobs::WaitingFor::SignIn,
                    retry_after: retry.then_some(TERM),
                    give_up_after: TERM * 3,
                };
                only_lost(&store.pause(&lease, pause, Vec::new()).await.map(drop));
            }
        }
        Operation::Settle(at) => {
            if let Some(lease) = chosen(*at) {
                let settled = store.settle(&lease, Ending::Cancelled, Vec::new()).await;
                only_lost(&settled.map(drop));
            }
        }
        Operation::Cancel(number) => {
            for by in 0..3 {
                let _ = store
                    .wish(&owner(by), &id(*number), Wish::Cancel, &owner(by))
                    .await;
            }
        }
        Operation::SignIn(by) => drop(
            store
                .signed_in(&Whose::Of(owner(*by)))
                .await
                .expect("a count"),
        ),
        Operation::Wait(seconds) => clock.advance(std::time::Duration::from_secs(*seconds)),
        Operation::Void => drop(store.void_leases().await.expect("a count")),
    }
}

fn only_lost(result: &Result<(), JobStoreError>) {
    assert!(matches!(result, Ok(()) | Err(JobStoreError::Lost { .. })));
}

async fn all(store: &dyn JobStore) -> Vec<domain::jobs::StoredJob> {
    let page = JobPage {
        after: None,
        limit: 1000,
    };
    store.list(&Whose::Everybodys, page).await.expect("a page")
}

/// At most one job of a person runs; of all claims of a job that were ever made, at most one is held.
async fn check(store: &dyn JobStore, claims: &[Claim]) {
    let mut running = BTreeMap::new();
    for stored in all(store).await {
        if stored.job.state == JobState::Running {
            *running.entry(stored.job.owner).or_insert(0) += 1;
        }
    }
    assert!(running.values().all(|count| *count == 1), "{running:?}");
    let leases: Vec<_> = claims.iter().map(|claim| claim.lease.clone()).collect();
    let mut holders = BTreeMap::new();
    for renewed in store.renew(&leases, TERM).await.expect("an answer") {
        *holders.entry(renewed.lease.job).or_insert(0) += 1;
    }
    assert!(holders.values().all(|count| *count == 1), "{holders:?}");
    assert_eq!(holders.len(), running.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order, the invariants hold, and SQLite and memory come to the same.
    #[test]
    fn any_order_of_operations_keeps_the_invariants(operations in prop::collection::vec(operation(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let clocks = [ManualClock::default(), ManualClock::default()];
            let memory = MemoryJobStore::new(Arc::new(clocks[0].clone()));
            let sqlite = SqliteJobStore::new(&open(folder.path(), &clocks[1]).await);
            let stores: [&dyn JobStore; 2] = [&memory, &sqlite];
            let mut known = [(0, Vec::new()), (0, Vec::new())];
            for operation in &operations {
                for ((store, clock), (orders, claims)) in stores.iter().zip(&clocks).zip(&mut known) {
                    take(*store, clock, operation, orders, claims).await;
                }
                assert_eq!(all(&memory).await, all(&sqlite).await, "{operation:?}");
            }
            for (store, (_, claims)) in stores.iter().zip(&known) {
                check(*store, claims).await;
            }
        });
    }
}
