//! PostgreSQL as Debian brings it, run by an ordinary user on a socket in a temporary folder.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian has the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Debian's `nobody`: the database refuses to be run by root.
const NOBODY: u32 = 65_534;

/// How long the database may take to come up on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// A database server of a test's own, which ends with it.
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a server without a database in it. What is missing is said.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        Self::start_with(&["fsync=off"])
    }

    /// The same, with these settings of the server, as in `fsync=on`.
    ///
    /// # Panics
    ///
    /// As [`Postgres::start`].
    pub fn start_with(settings: &[&str]) -> Self {
        let programs = programs().unwrap_or_else(|| {
            panic!(
                "this test needs PostgreSQL: install it with `apt-get install postgresql-15` (any version from 13 on)"
            )
        });
        let folder = tempfile::Builder::new()
            .prefix("uforge-pg-")
            .tempdir()
            .expect("a folder");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("the folder is nobody's");
        }
        let mut postgres = Self {
            folder,
            programs,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            server: None,
        };
        let made = postgres
            .command("initdb")
            .args([
                "--auth=trust",
                "--username=exports",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--no-sync", "--pgdata"])
            .arg(postgres.data())
            .stdout(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        postgres.start_again();
        postgres
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server, run by a user who may.
    fn command(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).env_clear();
        command
    }

    /// Starts the server once more after [`Postgres::crash`], and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_again(&mut self) {
        let server = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-c", "listen_addresses=", "-c"])
            .arg(format!(
                "unix_socket_directories={}",
                self.folder.path().display()
            ))
            .args(["-c", "max_connections=200"])
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres runs");
        self.server = Some(server);
        let until = Instant::now() + READY_WITHIN;
        while !self.answers() {
            assert!(Instant::now() < until, "the database does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        self.psql("postgres", "SELECT 1").is_ok()
    }

    /// Runs a statement in a database.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn psql(&self, database: &str, statement: &str) -> Result<String, String> {
        let answer = self
            .command("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args([
                "--username=exports",
                "--dbname",
                database,
                "--command",
                statement,
            ])
            .arg("--host")
            .arg(self.folder.path())
            .output()
            .expect("psql runs");
        if answer.status.success() {
            let text = String::from_utf8_lossy(&answer.stdout);
            Ok(text.trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&answer.stderr).into_owned())
        }
    }

    /// Makes a database of this name, and gives its URL.
    ///
    /// # Panics
    ///
    /// Where it is there already.
    pub fn database(&self, name: &str) -> String {
        let made = self.psql("postgres", &format!("CREATE DATABASE {name}"));
        made.expect("a new database");
        let folder = self.folder.path().display();
        format!("postgres:///{name}?host={folder}&user=exports")
    }

    /// Ends the server as a crash does: what was committed is there when it starts again, and every connection is cut.
    ///
    /// # Panics
    ///
    /// Where it was not running.
    pub fn crash(&mut self) {
        let mut server = self.server.take().expect("it runs");
        quit(&server);
        server.wait().expect("its end");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            quit(&server);
            let _ = server.wait();
        }
    }
}

/// Its immediate shutdown.
fn quit(server: &Child) {
    let sent = Command::new("kill")
        .args(["-QUIT", &server.id().to_string()])
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "it was not running"
    );
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    let mut folders: Vec<PathBuf> = folders.filter(|folder| has_server(folder)).collect();
    folders.sort();
    folders.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| has_server(folder))
    })
}

fn has_server(folder: &Path) -> bool {
    let is_program = |name: &str| {
        let found = folder.join(name).metadata();
        found.is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
    };
    is_program("postgres") && is_program("initdb") && is_program("psql")
}
