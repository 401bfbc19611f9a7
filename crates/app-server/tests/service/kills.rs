//! Kills at random moments: they cost time, and nothing else.
//!
//! `KILLS=20 cargo test -p app-server --test service kills` is the long form; usually there are few.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bag::unpack;
use crate::bench::{create, until};
use crate::caller::{Answer, Caller};
use crate::process::{Process, Start};
use crate::resume::{KEY, ORDER, Place, busy, place, write_private};

/// What an export is resumed by after a kill.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ResumedBy {
    Owner,
    Seal,
    ServiceAccount,
}

/// The payload of a ready export.
async fn payload(caller: &Caller, path: &str) -> BTreeMap<String, Vec<u8>> {
    let archive = caller.get(&format!("{path}/archive")).await;
    assert_eq!(archive.status, 200);
    let mut files = unpack(&archive.body);
    files.retain(|name, _| name.starts_with("data/"));
    files
}

/// Numbers that are the same in every run of the test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

fn assert_same(found: &BTreeMap<String, Vec<u8>>, wanted: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(wanted));
    for (name, bytes) in found {
        assert!(wanted[name] == *bytes, "{name}");
    }
}

impl ResumedBy {
    fn start(self, place: &Place) -> Start {
        let administrator = place.forge.platform().scenario().administrator.clone();
        let start = place.start().with("--admin", &administrator.login);
        let file = |name: &str, text: &str| -> PathBuf {
            let path = place.folder.path().join(name);
            write_private(&path, text);
            path
        };
        match self {
            Self::Owner => start,
            Self::Seal => {
                let key = file("key", KEY);
                start.with("--seal-credentials", key.to_str().unwrap())
            }
            Self::ServiceAccount => {
                let (login, password) = (&administrator.login, &administrator.password);
                let text = format!("user: {login}\npassword: {password}\n");
                let account = file("account.yml", &text);
                start.with("--service-credentials", account.to_str().unwrap())
            }
        }
    }

    /// Waits for the end of the export after a new start.
    async fn end(self, place: &Place, process: &Process, path: &str) -> Value {
        let administrator = administrator(place, process);
        while self != Self::Owner && !is_over(&administrator, path).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let user = place.user(process);
        // Three kills without any progress in between fail it, and its owner lets it go on.
        while user.get(path).await.json()["state"] != "ready" {
            let export = user.get(path).await.json();
            if export["state"] == "failed" {
                let failure = export["failure"]["message"].to_string();
                assert!(failure.contains("times in a row"), "{export:#}");
                let again = user.send("POST", &format!("{path}/retry"), &[], "").await;
                assert_eq!(again.status, 202);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        user.get(path).await.json()
    }
}

/// An administrator's requests let nobody's export go on.
fn administrator(place: &Place, process: &Process) -> Caller {
    let administrator = &place.forge.platform().scenario().administrator;
    Caller::new(&process.url, &administrator.login, &administrator.password)
}

async fn is_over(administrator: &Caller, path: &str) -> bool {
    let export = administrator.get(path).await.json();
    matches!(export["state"].as_str(), Some("ready" | "failed"))
}

/// What was there before the kills, and has to be there after each.
struct Kept {
    path: String,
    archive: Answer,
    record: Value,
    payload: BTreeMap<String, Vec<u8>>,
    entries: usize,
}

impl Kept {
    async fn is_there(&mut self, place: &Place, process: &Process) {
        let user = place.user(process);
        let archive = format!("{}/archive", self.path);
        // A download that was under way goes on.
        let half = self.archive.body.len() / 2;
        let etag = &self.archive.headers["etag"];
        let range = format!("bytes={half}-");
        let headers = [("range", &*range), ("if-range", etag)];
        let rest = user.send("GET", &archive, &headers, "").await;
        assert_eq!(rest.status, 206);
        assert!(rest.body == self.archive.body[half..]);
        let record = user.get(&self.path).await.json();
        for field in ["state", "requested_by", "expires", "archive", "report"] {
            assert_eq!(record[field], self.record[field], "{field}");
        }
        let administrator = administrator(place, process);
        let trail = administrator.get("/api/v1/audit?limit=1000").await.json();
        let entries = trail["entries"].as_array().unwrap().len();
        assert!(entries >= self.entries, "{entries}");
        self.entries = entries;
    }
}

/// The password of nobody is anywhere: not on disk, not in what the process says of itself.
fn no_password_in(place: &Place, what: &[u8]) {
    let scenario = place.forge.platform().scenario();
    for password in [&scenario.user.password, &scenario.administrator.password] {
        let found = what
            .windows(password.len())
            .any(|part| part == password.as_bytes());
        assert!(!found, "{}", String::from_utf8_lossy(what));
    }
}

async fn kills_cost_nothing_but_time(resumed: ResumedBy) {
    let wanted = std::env::var("KILLS").map_or(4, |number| number.parse().unwrap());
    let place = place(busy()).await;
    let start = resumed.start(&place);
    let mut process = start.run().await;
    let user = place.user(&process);
    let path = create(&user, ORDER).await;
    let began = Instant::now();
    let record = until(&user, &path, "ready").await;
    let length = u64::try_from(began.elapsed().as_millis()).unwrap();
    assert_eq!(record["outcome"], "complete", "{record:#}");
    let mut kept = Kept {
        archive: user.get(&format!("{path}/archive")).await,
        payload: payload(&user, &path).await,
        entries: 0,
        record,
        path,
    };
    place.no_tickets();
    let (mut numbers, mut kills, mut reports) = (Numbers(7), 0, String::new());
    while kills < wanted {
        let path = create(&place.user(&process), ORDER).await;
        while kills < wanted {
            let moment = Duration::from_millis(150 + numbers.below(length / 2));
            tokio::time::sleep(moment).await;
            no_password_in(&place, &process.seen_by_ps());
            let log = process.kill().await;
            no_password_in(&place, log.as_bytes());
            kills += 1;
            place.no_password_on_disk();
            process = start.run().await;
            if resumed == ResumedBy::Owner {
                kept.is_there(&place, &process).await;
            }
            if is_over(&administrator(&place, &process), &path).await {
                break;
            }
        }
        let user = place.user(&process);
        let export = resumed.end(&place, &process, &path).await;
        kept.is_there(&place, &process).await;
        assert_eq!(export["outcome"], "complete", "{export:#}");
        assert_same(&payload(&user, &path).await, &kept.payload);
        reports.push_str(&export["report"].to_string());
        place.no_unreported_tickets(&reports);
        assert_eq!(user.delete(&path).await.status, 204);
    }
}

#[tokio::test]
async fn kills_cost_nothing_but_time_where_the_owner_asks_again() {
    kills_cost_nothing_but_time(ResumedBy::Owner).await;
}

#[tokio::test]
async fn kills_cost_nothing_but_time_with_sealed_credentials() {
    kills_cost_nothing_but_time(ResumedBy::Seal).await;
}

#[tokio::test]
async fn kills_cost_nothing_but_time_with_a_service_account() {
    kills_cost_nothing_but_time(ResumedBy::ServiceAccount).await;
}
