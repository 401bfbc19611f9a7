//! What survives a kill, a stop and a new start.

use std::path::Path;
use std::time::{Duration, Instant};

use sandbox::Scenario;
use sandbox::scenario::ItemKind;
use serde_json::Value;

use crate::bench::{create, until};
use crate::caller::Caller;
use crate::process::{Process, Start};

/// Enough to do that a kill finds a run at many different places.
pub(crate) fn busy() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 6;
    scenario.data.software = 4;
    scenario.data.accounts = 2;
    scenario.data.archive_bytes = 300_000;
    scenario.timing.export_millis = 60;
    scenario
}

/// The same, with exports that take as long as the test lets them.
fn endless() -> Scenario {
    let mut scenario = busy();
    scenario.timing.export_millis = 3_600_000;
    scenario
}

/// All but the list of export tickets, which is another one at every moment.
pub(crate) const ORDER: &str = r#"{"exclude":["exports"]}"#;

pub(crate) struct Place {
    pub(crate) forge: sandbox::Running,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn place(scenario: Scenario) -> Place {
    let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), scenario)
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    Place { forge, folder }
}

impl Place {
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn start(&self) -> Start {
        Start::new(self.forge.url(), &self.data())
    }

    /// Another service, with data of its own.
    pub(crate) fn second(&self) -> Start {
        Start::new(self.forge.url(), &self.folder.path().join("second"))
    }

    /// Whether no job has anything left to do.
    pub(crate) fn has_no_work(&self) -> bool {
        let work = self.data().join("work");
        std::fs::read_dir(&work).unwrap().count() == 0
    }

    /// Every file of the service.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        files(&self.data())
    }

    pub(crate) fn user(&self, process: &Process) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(&process.url, &user.login, &user.password)
    }

    pub(crate) fn password(&self) -> String {
        self.forge.platform().scenario().user.password.clone()
    }

    pub(crate) fn no_tickets(&self) {
        assert_eq!(self.forge.platform().open_tickets(), []);
    }

    /// A ticket of software whose start a kill cut off is in no list of the platform: it can only be reported.
    pub(crate) fn no_unreported_tickets(&self, report: &str) {
        for ticket in self.forge.platform().open_tickets() {
            assert_eq!(ticket.kind, ItemKind::Software, "{ticket:?}");
            let doubt = format!("start of mysoftware {} was lost", ticket.item);
            assert!(report.contains(&doubt), "{ticket:?}");
        }
    }

    /// The password is in no file of the service.
    pub(crate) fn no_password_on_disk(&self) {
        let password = self.password();
        for (path, bytes) in files(&self.data()) {
            let found = bytes
                .windows(password.len())
                .any(|part| part == password.as_bytes());
            assert!(!found, "{path}");
        }
    }

    /// Waits until a run has tickets on the platform.
    pub(crate) async fn until_tickets(&self) {
        while self.forge.platform().open_tickets().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
    found
}

#[tokio::test]
async fn a_stop_and_a_new_start_cost_nothing_but_time() {
    let place = place(endless()).await;
    let mut process = place.start().run().await;
    let path = create(&place.user(&process), "{}").await;
    for _ in 0..5 {
        place.until_tickets().await;
        let began = Instant::now();
        let (status, log) = process.terminate().await;
        assert_eq!(status, Some(0), "{log}");
        assert!(began.elapsed() < Duration::from_secs(30));
        // They go on while nobody watches.
        assert!(!place.forge.platform().open_tickets().is_empty(), "{log}");
        place.no_password_on_disk();
        process = place.start().run().await;
    }
    place.forge.platform().let_end();
    let user = place.user(&process);
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    place.no_tickets();
    place.no_password_on_disk();
}

#[tokio::test]
async fn after_a_new_start_a_job_waits_for_its_owner_and_for_nobody_else() {
    let place = place(endless()).await;
    let process = place.start().run().await;
    let path = create(&place.user(&process), r#"{"include":["appliances"]}"#).await;
    place.until_tickets().await;
    process.kill().await;

    let process = place.start().run().await;
    let scenario = place.forge.platform().scenario().clone();
    let colleague = Caller::new(
        &process.url,
        &scenario.colleague.login,
        &scenario.colleague.password,
    );
    assert_eq!(colleague.get("/api/v1/exports").await.status, 200);
    let wrong = Caller::new(&process.url, &scenario.user.login, "wrong");
    assert_eq!(wrong.get(&path).await.status, 401);
    let user = place.user(&process);
    let first: Value = user.get(&path).await.json();
    assert!(matches!(
        first["state"].as_str(),
        Some("waiting" | "queued" | "running")
    ));
    place.forge.platform().let_end();
    until(&user, &path, "ready").await;
    place.no_tickets();
}

#[tokio::test]
async fn a_finished_archive_and_its_download_are_what_they_were() {
    let place = place(busy()).await;
    let process = place.start().run().await;
    let user = place.user(&process);
    let path = create(&user, r#"{"include":["profile","appliances"]}"#).await;
    let before = until(&user, &path, "ready").await;
    let archive = format!("{path}/archive");
    let whole = user.get(&archive).await;
    let etag = whole.headers["etag"].clone();
    let first = user
        .send("GET", &archive, &[("range", "bytes=0-99999")], "")
        .await;
    process.kill().await;

    let process = place.start().run().await;
    let user = place.user(&process);
    let headers = [("range", "bytes=100000-"), ("if-range", &*etag)];
    let second = user.send("GET", &archive, &headers, "").await;
    assert_eq!(second.status, 206);
    assert_eq!([first.body, second.body].concat(), whole.body);
    let after = user.get(&path).await.json();
    for field in [
        "id",
        "requested",
        "finished",
        "expires",
        "archive",
        "report",
    ] {
        assert_eq!(before[field], after[field], "{field}");
    }
}

#[tokio::test]
async fn a_job_that_is_cancelled_after_a_new_start_leaves_nothing() {
    let place = place(endless()).await;
    let process = place.start().run().await;
    let path = create(&place.user(&process), "{}").await;
    place.until_tickets().await;
    process.kill().await;
    assert!(!place.forge.platform().open_tickets().is_empty());

    let process = place.start().run().await;
    let user = place.user(&process);
    assert_eq!(user.delete(&path).await.status, 204);
    let record = user.get(&path).await.json();
    assert_eq!(record["state"], "cancelled");
    place.no_tickets();
    for name in ["bags", "work"] {
        let left = files(&place.data().join(name));
        let left: Vec<_> = left.into_iter().map(|(path, _)| path).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A key as `age-keygen` makes it.
pub(crate) const KEY: &str = "# created: 2026-01-01T00:00:00Z\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";
const OTHER_KEY: &str =
    "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";

pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Waits, without a request of anybody, until nothing is left to do for any job.
pub(crate) async fn until_nobody_has_work(place: &Place) {
    while !place.has_no_work() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn sealed_credentials_let_a_job_go_on_at_once_and_go_with_it() {
    let place = place(endless()).await;
    let key = place.folder.path().join("key");
    write_private(&key, KEY);
    let start = place
        .start()
        .with("--seal-credentials", key.to_str().unwrap());
    let process = start.run().await;
    let path = create(&place.user(&process), ORDER).await;
    place.until_tickets().await;
    process.kill().await;
    place.no_password_on_disk();

    place.forge.platform().let_end();
    let process = start.run().await;
    until_nobody_has_work(&place).await;
    let export = until(&place.user(&process), &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    place.no_password_on_disk();
    // A moment after the end, the log of the database is emptied.
    while is_sealed(&place) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether something sealed is in a file of the service.
fn is_sealed(place: &Place) -> bool {
    let seal = b"age-encryption.org";
    let mut files = place.files().into_iter();
    files.any(|(_, bytes)| bytes.windows(seal.len()).any(|part| part == seal))
}

#[tokio::test]
async fn another_key_costs_a_sign_in_and_nothing_else() {
    let place = place(endless()).await;
    let key = place.folder.path().join("key");
    write_private(&key, KEY);
    let start = place
        .start()
        .with("--seal-credentials", key.to_str().unwrap());
    let process = start.run().await;
    let path = create(&place.user(&process), r#"{"include":["appliances"]}"#).await;
    place.until_tickets().await;
    process.kill().await;
    write_private(&key, OTHER_KEY);

    place.forge.platform().let_end();
    let process = start.run().await;
    let export = until(&place.user(&process), &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    place.no_tickets();
}

#[tokio::test]
async fn a_key_file_that_cannot_be_meant_stops_the_start() {
    let place = place(busy()).await;
    let key = place.folder.path().join("key");
    let start = place
        .start()
        .with("--seal-credentials", key.to_str().unwrap());
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("hint: make one with `age-keygen -o"),
        "{said}"
    );
    std::fs::write(&key, KEY).unwrap();
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("chmod 600"), "{said}");
    std::fs::create_dir(place.data()).unwrap();
    let inside = place.data().join("key");
    write_private(&inside, KEY);
    let start = place
        .start()
        .with("--seal-credentials", inside.to_str().unwrap());
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("in the data folder"), "{said}");
}

#[tokio::test]
async fn a_service_account_runs_everybody_s_jobs() {
    let place = place(endless()).await;
    let account = place.forge.platform().scenario().administrator.clone();
    let file = place.folder.path().join("credentials.yml");
    let text = format!(
        "user: {}\npassword: {}\nurl: {}\n",
        account.login,
        account.password,
        place.forge.url()
    );
    write_private(&file, &text);
    let start = place
        .start()
        .with("--service-credentials", file.to_str().unwrap());
    let process = start.run().await;
    let path = create(&place.user(&process), ORDER).await;
    place.until_tickets().await;
    process.kill().await;

    place.forge.platform().let_end();
    let process = start.run().await;
    until_nobody_has_work(&place).await;
    let user = place.user(&process);
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    assert_eq!(
        export["user"],
        *place.forge.platform().scenario().user.login
    );
    place.no_password_on_disk();

    write_private(&file, &text.replace("/api", "/other"));
    let (status, said) = start.refused().await;
    assert_eq!(status, Some(2), "{said}");
    assert!(!said.contains(&account.password), "{said}");
}
