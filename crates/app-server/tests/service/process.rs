//! The program itself, as an operator starts and stops it.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

/// A program that was sent a signal ends within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running program. It is killed when this goes.
pub(crate) struct Process {
    child: Option<Child>,
    pub(crate) url: String,
    /// What it said on standard output when it was ready.
    pub(crate) announced: serde_json::Value,
    log: tokio::task::JoinHandle<String>,
}

/// How the program is started.
#[derive(Clone)]
pub(crate) struct Start {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Start {
    pub(crate) fn new(platform: &str, data: &Path) -> Self {
        let empty = Self {
            arguments: Vec::new(),
            environment: Vec::new(),
        };
        let server = empty.with("--url", platform).with("--data", data);
        server.with("--listen", "127.0.0.1:0")
    }

    /// With these arguments and no others.
    pub(crate) fn only(arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        // The usual address gives way to another one.
        let usual = self.arguments.iter().position(|known| known == name);
        if let Some(at) = usual.filter(|_| name == "--listen") {
            self.arguments.drain(at..at + 2);
        }
        self.arguments
            .extend([name.into(), value.as_ref().to_owned()]);
        self
    }

    pub(crate) fn with_environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_uforge-export-server"));
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("UFORGE") {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the program and waits until it takes requests.
    pub(crate) async fn run(&self) -> Process {
        let mut child = self.command().spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let log = spawn_blocking(move || {
            let mut log = String::new();
            let _ = stderr.read_to_string(&mut log);
            log
        });
        let line = spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line = line.await.unwrap().unwrap();
        assert!(!line.is_empty(), "it did not start: {:?}", log.await);
        let announced: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = announced["url"].as_str().unwrap().to_owned();
        Process {
            child: Some(child),
            url,
            announced,
            log,
        }
    }

    /// Starts the program, which is to refuse: its exit status and what it says.
    pub(crate) async fn refused(&self) -> (Option<i32>, String) {
        let mut command = self.command();
        let output = spawn_blocking(move || command.output()).await.unwrap();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }
}

/// Runs the program with these arguments until it ends: its exit status, standard output and standard error.
pub(crate) async fn finished(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Start::only(arguments).command();
    let output = spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    (output.status.code(), out, said)
}

impl Process {
    /// What `ps` shows of it.
    pub(crate) fn arguments_and_environment(&self) -> String {
        let id = self.child.as_ref().unwrap().id();
        let read = |what| std::fs::read(format!("/proc/{id}/{what}")).unwrap();
        let both = [read("cmdline"), read("environ")].concat();
        String::from_utf8_lossy(&both).into_owned()
    }

    /// `kill -9`. Gives the log.
    pub(crate) async fn kill(self) -> String {
        self.signal("KILL").await.1
    }

    /// SIGTERM, and the end. Gives the exit status and the log.
    pub(crate) async fn terminate(self) -> (Option<i32>, String) {
        self.signal("TERM").await
    }

    /// The most memory that the process has had, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kibibytes: u64 = line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        kibibytes * 1024
    }

    /// What everybody on the machine may see of the process, and what its user may.
    pub(crate) fn seen_by_ps(&self) -> Vec<u8> {
        let read = |name| std::fs::read(format!("/proc/{}/{name}", self.id())).unwrap();
        [read("cmdline"), read("environ")].concat()
    }

    fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// A signal, and the end. Gives the exit status and the log.
    pub(crate) async fn signal(mut self, name: &str) -> (Option<i32>, String) {
        let mut child = self.child.take().unwrap();
        let (name, id) = (format!("-{name}"), child.id().to_string());
        let ended = spawn_blocking(move || {
            let sent = Command::new("kill").args([&name, &id]).status();
            assert!(sent.unwrap().success());
            let from = Instant::now();
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status;
                }
                if from.elapsed() > PATIENCE {
                    let _ = child.kill();
                    panic!(
                        "it did not end after kill {name} (does this process ignore it, as under `nohup`?)"
                    );
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let status = ended.await.unwrap();
        let log = (&mut self.log).await.unwrap();
        (status.code(), log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
