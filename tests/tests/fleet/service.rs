//! The processes of one service, their database, their store and their platform.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sandbox::Scenario;
use serde_json::Value;
use tests::kit::{Postgres, S3, Signal};
use tokio::runtime::Runtime;

use crate::caller::Caller;

/// Of the leases, unless a test says otherwise.
pub(crate) const TERM: Duration = Duration::from_secs(3);

/// How much longer than it should a busy machine may take: an idle one can be asked for 1. What a test would find wrong takes for ever,
/// or a lease of minutes.
pub(crate) fn slowness() -> u32 {
    let slowness = std::env::var("UFORGE_EXPORT_TEST_SLOWNESS");
    slowness
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(15)
}

/// A platform that answers fast and has a little of everything.
pub(crate) fn quick() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 2;
    scenario.data.software = 1;
    scenario.data.accounts = 1;
    scenario.data.archive_bytes = 20_000;
    scenario.data.foreign_tickets = 0;
    scenario.timing.export_millis = 50;
    scenario
}

/// One whose exports take longer than any test.
pub(crate) fn slow() -> Scenario {
    let mut scenario = quick();
    scenario.timing.export_millis = 3_600_000;
    scenario
}

/// One service of many processes.
pub(crate) struct Fleet {
    pub(crate) forge: sandbox::Running,
    pub(crate) postgres: Postgres,
    pub(crate) url: String,
    folder: tempfile::TempDir,
    slots: usize,
    lease: String,
    // Dropped last: the platform lives on it.
    runtime: Runtime,
}

/// One process. Dropped, it is killed.
pub(crate) struct Process {
    child: Mutex<Option<Child>>,
    announced: Value,
}

impl Fleet {
    pub(crate) fn new(scenario: Scenario, slots: usize) -> Self {
        let lease = format!("{}s", TERM.as_secs());
        Self::with_lease(scenario, slots, &lease)
    }

    pub(crate) fn with_lease(scenario: Scenario, slots: usize, lease: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let forge = runtime.block_on(sandbox::serve(([127, 0, 0, 1], 0).into(), scenario));
        let postgres = Postgres::start();
        let url = postgres.database("exports");
        let fleet = Self {
            forge: forge.expect("a platform"),
            postgres,
            url,
            folder: tempfile::tempdir().expect("a folder"),
            slots,
            lease: lease.to_owned(),
            runtime,
        };
        let administrator = &fleet.forge.platform().scenario().administrator;
        let text = format!(
            "user: {}\npassword: {}\n",
            administrator.login, administrator.password
        );
        std::fs::write(fleet.account(), text).expect("a file");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(fleet.account(), private).expect("its mode");
        fleet
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn account(&self) -> PathBuf {
        self.folder.path().join("account.yml")
    }

    fn command(&self, role: &str, changed: &[(&str, &str)], without: &[&str]) -> Command {
        let store = format!("file://{}", self.folder.path().join("store").display());
        std::fs::create_dir_all(self.folder.path().join("store")).expect("a folder");
        let private = std::fs::Permissions::from_mode(0o700);
        let _ = std::fs::set_permissions(self.folder.path().join("store"), private);
        let mut arguments: BTreeMap<&str, String> = [
            ("--url", self.forge.url().to_owned()),
            ("--database", self.url.clone()),
            ("--store", store),
            ("--role", role.to_owned()),
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--platform-slots", self.slots.to_string()),
            ("--lease", self.lease.clone()),
            (
                "--admin",
                self.forge.platform().scenario().administrator.login.clone(),
            ),
            (
                "--service-credentials",
                self.account().display().to_string(),
            ),
        ]
        .into();
        for name in without {
            arguments.remove(name);
        }
        for (name, value) in changed {
            arguments.insert(name, (*value).to_owned());
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_uforge-export-server-under-test"));
        for (name, value) in arguments {
            command.arg(name).arg(value);
        }
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("UFORGE") || name.starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
            .envs(S3::KEYS)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a process and waits until it is ready.
    pub(crate) fn start(&self, role: &str, changed: &[(&str, &str)]) -> Process {
        let key = if role == "worker" { "worker" } else { "url" };
        run(self.command(role, changed, &[]), key)
    }

    /// Starts a server that has a folder for itself. Gives the folder too.
    pub(crate) fn start_alone(&self) -> (Process, PathBuf) {
        let data = self.folder.path().join("data");
        let shared = [
            "--database",
            "--store",
            "--role",
            "--platform-slots",
            "--lease",
        ];
        let mut command = self.command("all", &[], &shared);
        command.arg("--data").arg(&data);
        (run(command, "url"), data)
    }

    /// Copies such a folder. Gives the exit status, and what is said.
    pub(crate) fn migrate(&self, data: &Path, changed: &[(&str, &str)]) -> (Option<i32>, String) {
        let store = format!("file://{}", self.folder.path().join("store").display());
        let mut place = BTreeMap::from([("--store", &*store)]);
        place.extend(changed.iter().copied());
        let output = Command::new(env!("CARGO_BIN_EXE_uforge-export-server-under-test"))
            .arg("migrate-store")
            .arg("--from")
            .arg(data)
            .args(["--database", &self.url])
            .args(place.iter().flat_map(|(name, value)| [name, value]))
            .envs(S3::KEYS)
            .output()
            .expect("a process");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// Starts a process that is to refuse. Gives its exit status and what it says.
    pub(crate) fn refused(
        &self,
        role: &str,
        changed: &[(&str, &str)],
        without: &[&str],
    ) -> (Option<i32>, String) {
        let output = self.command(role, changed, without).output();
        let output = output.expect("a process");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }

    pub(crate) fn user(&self) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(&user.login, &user.password)
    }

    pub(crate) fn administrator(&self) -> Caller {
        let administrator = &self.forge.platform().scenario().administrator;
        Caller::new(&administrator.login, &administrator.password)
    }

    pub(crate) fn neighbour(&self, number: usize) -> Caller {
        let password = &self.forge.platform().scenario().colleague.password;
        Caller::new(&format!("neighbour-{number}"), password)
    }

    /// Exports that the platform works on.
    pub(crate) fn running_exports(&self) -> usize {
        let tickets = self.forge.platform().open_tickets().into_iter();
        tickets.filter(|ticket| !ticket.complete).count()
    }

    pub(crate) fn until_tickets(&self, count: usize) {
        let until = Instant::now() + Duration::from_mins(2);
        while self.forge.platform().open_tickets().len() < count {
            assert!(Instant::now() < until, "no tickets");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn database_says(&self, query: &str) -> String {
        self.postgres.psql("exports", query).expect("an answer")
    }

    /// Each item's export was asked for once.
    pub(crate) fn assert_every_item_started_once(&self) {
        let mut starts: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.forge.platform().requests() {
            if request.method == "POST" {
                *starts.entry(request.path.join("/")).or_default() += 1;
            }
        }
        let twice: Vec<_> = starts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(!starts.is_empty());
    }
}

/// Starts a process and waits until it says this on standard output.
fn run(mut command: Command, key: &str) -> Process {
    let mut child = command.spawn().expect("a process");
    let stdout = child.stdout.take().expect("its output");
    let mut stderr = child.stderr.take().expect("its log");
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        let _ = stderr.read_to_string(&mut log);
        // `UFORGE_EXPORT_TEST_LOG=/tmp/log cargo test …` adds what the processes say to a file.
        if let Some(path) = std::env::var_os("UFORGE_EXPORT_TEST_LOG") {
            let file = std::fs::File::options()
                .append(true)
                .create(true)
                .open(path);
            file.and_then(|mut file| file.write_all(log.as_bytes()))
                .expect("a file");
        }
        log
    });
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    assert!(!line.is_empty(), "it did not start: {:?}", log.join());
    let announced: Value = serde_json::from_str(&line).expect("JSON");
    assert!(announced[key].is_string(), "{announced}");
    Process {
        child: Mutex::new(Some(child)),
        announced,
    }
}

impl Process {
    pub(crate) fn url(&self) -> &str {
        self.announced["url"].as_str().expect("it listens")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.lock().expect("no panic");
        let id = child.as_ref().expect("it runs").id().to_string();
        let name = match signal {
            Signal::Interrupt => "-INT",
            Signal::Terminate => "-TERM",
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// A signal, and the end. Gives the exit status.
    pub(crate) fn end(&self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        let child = self.child.lock().expect("no panic").take();
        child.expect("it runs").wait().expect("its end").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.lock().map(|mut child| child.take());
        if let Ok(Some(mut child)) = child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
