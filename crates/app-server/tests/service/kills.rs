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
use crate::resume::{KEY, ORDER, Place, busy, place, until_nobody_has_work, write_private};

/// Who lets an export go on after a kill.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    WithItsOwner,
    Sealed,
    WithServiceAccount,
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

impl GoesOn {
    fn start(self, place: &Place) -> Start {
        let administrator = place.forge.platform().scenario().administrator.clone();
        let start = place.start().with("--admin", &administrator.login);
        let file = |name: &str, text: &str| -> PathBuf {
            let path = place.folder.path().join(name);
            write_private(&path, text);
            path
        };
        match self {
            Self::WithItsOwner => start,
            Self::Sealed => {
                let key = file("key", KEY);
                start.with("--seal-credentials", key.to_str().unwrap())
            }
            Self::WithServiceAccount => {
                let (login, password) = (&administrator.login, &administrator.password);
                let text = format!("user: {login}\npassword: {password}\n");
                let account = file("account.yml", &text);
                start.with("--service-credentials", account.to_str().unwrap())
            }
        }
    }

    /// Waits for the end of the export after a new start.
    async fn end(self, place: &Place, user: &Caller, path: &str) -> Value {
        if self != Self::WithItsOwner {
            until_nobody_has_work(place).await;
        }
        until(user, path, "ready").await
    }
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
        let administrator = place.forge.platform().scenario().administrator.clone();
        let administrator =
            Caller::new(&process.url, &administrator.login, &administrator.password);
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

async fn kills_cost_nothing_but_time(goes_on: GoesOn) {
    let wanted = std::env::var("KILLS").map_or(4, |number| number.parse().unwrap());
    let place = place(busy()).await;
    let start = goes_on.start(&place);
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
            if goes_on != GoesOn::WithItsOwner {
                // Nobody asks.
                if place.has_no_work() {
                    break;
                }
                continue;
            }
            kept.is_there(&place, &process).await;
            let export = place.user(&process).get(&path).await.json();
            if export["state"] == "ready" {
                break;
            }
        }
        let user = place.user(&process);
        let export = goes_on.end(&place, &user, &path).await;
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
    kills_cost_nothing_but_time(GoesOn::WithItsOwner).await;
}

#[tokio::test]
async fn kills_cost_nothing_but_time_with_sealed_credentials() {
    kills_cost_nothing_but_time(GoesOn::Sealed).await;
}

#[tokio::test]
async fn kills_cost_nothing_but_time_with_a_service_account() {
    kills_cost_nothing_but_time(GoesOn::WithServiceAccount).await;
}
