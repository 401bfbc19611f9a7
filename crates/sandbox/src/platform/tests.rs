use super::*;
use crate::scenario::{
    Access, Change, Ending, ItemFault, ItemKind, ItemScenario, Mutation, Scenario, Times,
};
use domain::model::OutputFormat;
use domain::ports::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Time that passes when a test says so.
struct Hand(Arc<AtomicU64>);

#[async_trait::async_trait]
impl Clock for Hand {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
    async fn sleep(&self, _: Duration) {}
}

struct Bench {
    platform: Platform,
    millis: Arc<AtomicU64>,
}

impl Bench {
    fn new(scenario: Scenario) -> Self {
        let millis = Arc::new(AtomicU64::new(0));
        Self {
            platform: Platform::with_clock(scenario, Arc::new(Hand(Arc::clone(&millis)))),
            millis,
        }
    }

    fn call(&self, method: &str, path: &str) -> Result<Answer, Refusal> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        let caller = self
            .platform
            .sign_in("jleaver", &self.platform.scenario().user.password)
            .unwrap();
        let query = Query::parse(query);
        self.platform.answer(&Call {
            method,
            path: &segments,
            query: &query,
            caller: Some(&caller),
            body: None,
        })
    }

    fn get(&self, path: &str) -> crate::document::Element {
        match self.call("GET", path) {
            Ok(Answer::Document { root, .. }) => root,
            Ok(_) => panic!("{path}: no document"),
            Err(refusal) => panic!("{path}: {refusal:?}"),
        }
    }

    fn refused(&self, method: &str, path: &str) -> u16 {
        match self.call(method, path) {
            Ok(_) => panic!("{method} {path} worked"),
            Err(refusal) => refusal.status,
        }
    }

    fn start(&self, path: &str) -> String {
        let Ok(Answer::Document { status: 201, root }) =
            self.call("POST", &format!("{path}/exports?outputFormat=yaml"))
        else {
            panic!("{path}: not started");
        };
        format!("{path}/exports/{}", root.child_number("dbId").unwrap())
    }

    fn leaf(&self, path: &str, name: &str) -> Option<String> {
        self.get(path)
            .child(name)?
            .value()
            .map(std::borrow::Cow::into_owned)
    }

    fn pass(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }
}

#[test]
fn an_export_is_started_polled_downloaded_and_deleted() {
    let bench = Bench::new(Scenario::default());
    let ticket = bench.start("users/jleaver/appliances/201");
    assert_eq!(
        bench
            .leaf(&format!("{ticket}/status"), "complete")
            .as_deref(),
        Some("false")
    );
    assert_eq!(bench.refused("GET", &format!("{ticket}/downloads")), 400);
    bench.pass(1200);
    assert_eq!(
        bench
            .leaf(&format!("{ticket}/status"), "complete")
            .as_deref(),
        Some("true")
    );
    let Ok(Answer::Archive(answer)) = bench.call("GET", &format!("{ticket}/downloads")) else {
        panic!("no archive")
    };
    let expected = bench
        .platform
        .archive(ItemKind::Appliance, 201, OutputFormat::Yaml)
        .unwrap();
    assert_eq!(answer.archive.sha256(), expected.sha256);
    assert!(matches!(bench.call("DELETE", &ticket), Ok(Answer::Nothing)));
    assert!(bench.platform.open_tickets().is_empty());
    assert_eq!(
        bench.platform.tickets().len(),
        1,
        "the other client's ticket stays"
    );
    assert_eq!(bench.refused("GET", &format!("{ticket}/status")), 404);
    assert_eq!(bench.refused("DELETE", &ticket), 404);
}

#[test]
fn only_a_running_appliance_export_can_be_cancelled() {
    let bench = Bench::new(Scenario::default());
    let ticket = bench.start("users/jleaver/appliances/201");
    assert!(bench.call("DELETE", &format!("{ticket}/status")).is_ok());
    assert_eq!(
        bench
            .leaf(&format!("{ticket}/status"), "cancelled")
            .as_deref(),
        Some("true")
    );
    assert_eq!(bench.refused("DELETE", &format!("{ticket}/status")), 409);
    let software = bench.start("users/jleaver/mysoftware/301");
    assert_eq!(bench.refused("DELETE", &format!("{software}/status")), 404);
    assert_eq!(bench.refused("GET", &software), 404);
}

#[test]
fn statuses_of_several_exports_come_in_one_answer() {
    let bench = Bench::new(Scenario::default());
    let (first, second) = (
        bench.start("users/jleaver/appliances/201"),
        bench.start("users/jleaver/appliances/202"),
    );
    bench.start("users/jleaver/appliances/203");
    let statuses = bench.get(&format!(
        "users/jleaver/exports/statuses?ae={first}&ae={second}&ae=users/x"
    ));
    let entries = statuses.child("statuses").unwrap().children();
    let parents: Vec<_> = entries
        .iter()
        .map(|status| status.child("parentUri").unwrap().value().unwrap())
        .collect();
    assert_eq!(parents, [first, second]);
    assert_eq!(
        bench.get("users/jleaver/exports").child_number("total"),
        Some(4)
    );
}

#[test]
fn a_start_is_refused_as_often_as_the_scenario_says() {
    let fault = ItemFault::StartRefused {
        status: 500,
        times: Times::First(2),
    };
    let bench = Bench::new(
        Scenario::default()
            .with_item(ItemScenario::new(ItemKind::Appliance, 202).with_fault(fault)),
    );
    let start = "users/jleaver/appliances/202/exports";
    assert_eq!(
        (bench.refused("POST", start), bench.refused("POST", start)),
        (500, 500)
    );
    assert!(bench.call("POST", start).is_ok());
}

#[test]
fn an_export_that_fails_says_so_and_has_no_archive() {
    let fault = ItemFault::Ends {
        how: Ending::ErrorAndComplete,
        times: Times::First(1),
    };
    let bench = Bench::new(
        Scenario::default()
            .with_item(ItemScenario::new(ItemKind::Appliance, 202).with_fault(fault)),
    );
    let failing = bench.start("users/jleaver/appliances/202");
    let working = bench.start("users/jleaver/appliances/202");
    bench.pass(5000);
    let status = format!("{failing}/status");
    assert_eq!(bench.leaf(&status, "error").as_deref(), Some("true"));
    assert_eq!(bench.leaf(&status, "complete").as_deref(), Some("true"));
    assert_eq!(bench.refused("GET", &format!("{failing}/downloads")), 400);
    assert!(bench.call("GET", &format!("{working}/downloads")).is_ok());
}

#[test]
fn a_single_download_archive_is_gone_the_second_time() {
    let item = ItemScenario::new(ItemKind::Software, 301).with_fault(ItemFault::SingleDownload);
    let bench = Bench::new(Scenario::default().with_item(item));
    let ticket = bench.start("users/jleaver/mysoftware/301");
    bench.pass(5000);
    assert!(bench.call("GET", &format!("{ticket}/downloads")).is_ok());
    assert_eq!(bench.refused("GET", &format!("{ticket}/downloads")), 404);
}

#[test]
fn data_changes_after_the_request_that_the_scenario_names() {
    let mut scenario = Scenario::default();
    let mutation = |change| Mutation {
        after: "GET users/*/appliances".parse().unwrap(),
        nth: 2,
        change,
    };
    scenario.mutations = vec![
        mutation(Change::Add {
            kind: ItemKind::Appliance,
        }),
        mutation(Change::Remove {
            kind: ItemKind::Appliance,
            id: 201,
        }),
        mutation(Change::Edit {
            kind: ItemKind::Appliance,
            id: 202,
        }),
    ];
    let bench = Bench::new(scenario);
    let digest = bench.leaf("users/jleaver/appliances/202", "digest");
    for _ in 0..2 {
        assert_eq!(
            bench.get("users/jleaver/appliances").child_number("total"),
            Some(6)
        );
        assert_eq!(
            bench.platform.items(ItemKind::Appliance).contains(&201),
            bench.platform.items(ItemKind::Appliance).len() == 6
                && !bench.platform.items(ItemKind::Appliance).contains(&207)
        );
    }
    assert_eq!(
        bench.platform.items(ItemKind::Appliance),
        [202, 203, 204, 205, 206, 207]
    );
    assert_ne!(bench.leaf("users/jleaver/appliances/202", "digest"), digest);
}

#[test]
fn others_are_seen_by_administrators_only() {
    let bench = Bench::new(Scenario::default());
    assert_eq!(bench.refused("GET", "users/mkowalski"), 403);
    assert_eq!(bench.refused("GET", "users/nobody"), 403);
    let caller = bench
        .platform
        .sign_in("admin", &bench.platform.scenario().administrator.password)
        .unwrap();
    let get = |path: [&str; 2]| {
        let path = path.map(str::to_owned);
        bench.platform.answer(&Call {
            method: "GET",
            path: &path,
            query: &Query::default(),
            caller: Some(&caller),
            body: None,
        })
    };
    assert!(get(["users", "jleaver"]).is_ok());
    assert_eq!(
        get(["users", "nobody"]).err().map(|refusal| refusal.status),
        Some(404)
    );
}

#[test]
fn every_collection_is_filled_and_each_entry_can_be_had_alone() {
    let bench = Bench::new(Scenario::default());
    for collection in collections::COLLECTIONS
        .iter()
        .filter(|collection| !["exports", "stats"].contains(&collection.path))
    {
        let path = format!("users/jleaver/{}", collection.path);
        let list = bench.get(&path);
        let entries = list.child(collection.wrapper).unwrap().children();
        assert!(!entries.is_empty(), "{path} is empty");
        for entry in entries {
            assert_eq!(entry.name(), collection.item);
            let id = entry
                .child("dbId")
                .or_else(|| entry.child("applicationId"))
                .unwrap()
                .value()
                .unwrap();
            assert_eq!(&bench.get(&format!("{path}/{id}")), entry);
        }
    }
}

#[test]
fn missing_sections_and_entitlements_are_refused() {
    let access = Access {
        unknown: vec!["blueprints".to_owned()],
        forbidden: vec!["scans".to_owned()],
        missing_entitlements: vec!["image_generate".to_owned()],
    };
    let bench = Bench::new(Scenario {
        access,
        ..Scenario::default()
    });
    assert_eq!(bench.refused("GET", "users/jleaver/blueprints"), 404);
    assert_eq!(bench.refused("GET", "users/jleaver/scans"), 403);
    assert_eq!(bench.refused("GET", "users/jleaver/images"), 403);
}

#[test]
fn every_secret_is_long_enough_to_be_searched_for() {
    let secrets = Bench::new(Scenario::default()).platform.secrets();
    assert!(secrets.len() > 30, "only {}", secrets.len());
    assert!(secrets.iter().all(|secret| secret.len() > 12));
}

#[test]
fn comments_hold_the_words_of_several_people_at_several_depths() {
    let bench = Bench::new(Scenario::default());
    let comments = bench.get("orgs/2/workspaces/601/comments");
    let first = &comments.child("comments").unwrap().children()[0];
    let replies = first.child("replies").unwrap().children();
    assert_eq!(
        first.child("loginName").unwrap().value().unwrap(),
        "jleaver"
    );
    assert_eq!(
        replies[0].child("loginName").unwrap().value().unwrap(),
        "mkowalski"
    );
    assert!(replies[0].child("replies").is_some());
    assert_eq!(
        bench.refused("GET", "orgs/2/workspaces/100601/comments"),
        403
    );
}
