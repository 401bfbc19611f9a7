//! `backup`, and what is restored from one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::Sha256;
use sandbox::Scenario;

use crate::bench::{create, endless, quick, until};
use crate::caller::Caller;
use crate::process::{Process, Start, finished};

const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";

struct Place {
    forge: sandbox::Running,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new(scenario: Scenario) -> Self {
        let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), scenario).await;
        let place = Self {
            forge: forge.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        let key = place.path("key");
        std::fs::write(&key, KEY).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn start(&self, data: &str) -> Process {
        let start = Start::new(self.forge.url(), &self.path(data));
        start
            .with("--seal-credentials", self.path("key"))
            .run()
            .await
    }

    fn user(&self, process: &Process) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(&process.url, &user.login, &user.password)
    }

    /// Exit status, standard output and standard error.
    async fn back_up(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let (data, copy) = (self.path("data"), self.path("copy"));
        let mut arguments = vec!["backup", "--data", data.to_str().unwrap()];
        arguments.push(copy.to_str().unwrap());
        arguments.extend(more);
        finished(&arguments).await
    }

    /// As the documentation says.
    fn restore(&self, data: &str) {
        let data = self.path(data);
        std::fs::create_dir(&data).unwrap();
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::copy(self.path("copy"), data.join("jobs.sqlite")).unwrap();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_backup_under_load_restores_to_a_server_that_goes_on() {
    let place = Place::new(endless()).await;
    let process = place.start("data").await;
    let user = place.user(&process);
    let ready = create(&user, r#"{"include":["profile"]}"#).await;
    let sha256 = until(&user, &ready, "ready").await["archive"]["sha256"].clone();
    let running = create(&user, "").await;
    while place.forge.platform().open_tickets().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let queued = create(&user, r#"{"include":["profile","appliances"]}"#).await;
    let (status, out, said) = place.back_up(&[]).await;
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(out.trim(), place.path("copy").to_str().unwrap());
    copy_folder(&place.path("data/bags"), &place.path("bags"));
    process.kill().await;

    let copy = std::fs::read(place.path("copy")).unwrap();
    let password = &place.forge.platform().scenario().user.password;
    let holds = |secret: &str| {
        let secret = secret.as_bytes();
        copy.windows(secret.len()).any(|part| part == secret)
    };
    assert!(!holds(password) && !holds(KEY.trim()));
    let mode = std::fs::metadata(place.path("copy")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    place.restore("restored");
    copy_folder(&place.path("bags"), &place.path("restored/bags"));
    place.forge.platform().let_end();
    let process = place.start("restored").await;
    let user = place.user(&process);
    for path in [&running, &queued] {
        let export = until(&user, path, "ready").await;
        assert_eq!(export["outcome"], "complete", "{export:#}");
    }
    let archive = user.get(&format!("{ready}/archive")).await;
    assert_eq!(archive.status, 200);
    assert_eq!(sha256, Sha256::of(&archive.body).to_string());
    assert_eq!(process.terminate().await.0, Some(0));
}

#[tokio::test]
async fn a_record_whose_archive_was_not_restored_says_so() {
    let place = Place::new(quick()).await;
    let process = place.start("data").await;
    let user = place.user(&process);
    let path = create(&user, "").await;
    until(&user, &path, "ready").await;
    assert_eq!(place.back_up(&[]).await.0, Some(0));
    process.kill().await;
    place.restore("restored");
    let process = place.start("restored").await;
    let user = place.user(&process);
    let export = user.get(&path).await.json();
    assert_eq!(export["state"], "ready");
    assert_eq!(export["archive"]["available"], false);
    assert!(export["notes"].to_string().contains("backup"), "{export:#}");
    let listed = user.get("/api/v1/exports").await.json();
    assert_eq!(listed["exports"][0]["archive"]["available"], false);
    for method in ["GET", "HEAD"] {
        let archive = format!("{path}/archive");
        let answer = user.send(method, &archive, &[], "").await;
        assert_eq!(answer.status, 410, "{method}");
    }
    assert_eq!(user.get("/readyz").await.status, 200);
    assert_eq!(user.delete(&path).await.status, 204);
    let again = create(&user, "").await;
    until(&user, &again, "ready").await;
    assert_eq!(process.terminate().await.0, Some(0));
}

#[tokio::test]
async fn a_backup_overwrites_only_what_it_may_and_is_nowhere_in_the_data_folder() {
    let place = Place::new(quick()).await;
    let (status, _, said) = place.back_up(&[]).await;
    assert!(status == Some(1) || status == Some(2), "{said}");
    assert!(!place.path("data").exists() && !place.path("copy").exists());
    let process = place.start("data").await;
    std::fs::write(place.path("copy"), "dear to somebody").unwrap();
    let (status, _, said) = place.back_up(&[]).await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("--force"), "{said}");
    let kept = std::fs::read(place.path("copy")).unwrap();
    assert_eq!(kept, b"dear to somebody");
    assert_eq!(place.back_up(&["--force"]).await.0, Some(0));
    let copied = std::fs::read(place.path("copy")).unwrap();
    assert!(copied.starts_with(b"SQLite format 3\0"));
    let data = place.path("data");
    let data = data.to_str().unwrap();
    let inside = place.path("data/jobs.sqlite");
    let inside = inside.to_str().unwrap();
    let (status, _, said) = finished(&["backup", "--data", data, inside, "--force"]).await;
    assert_eq!(status, Some(2), "{said}");
    let elsewhere = place.path("none/copy");
    let elsewhere = elsewhere.to_str().unwrap();
    let (status, _, said) = finished(&["backup", "--data", data, elsewhere]).await;
    assert_eq!(status, Some(1), "{said}");
    let other = place.folder.path().to_str().unwrap();
    let (status, _, said) = finished(&["backup", "--data", other, elsewhere]).await;
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(place.user(&process).get("/readyz").await.status, 200);
    let left = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(left, 3, "the data, the key, and the copy");
    assert_eq!(process.terminate().await.0, Some(0));
}
