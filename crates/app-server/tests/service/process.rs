//! The program itself, as an operator starts and stops it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::task::spawn_blocking;

/// A running program. It is killed when this goes.
pub(crate) struct Process {
    child: Option<Child>,
    pub(crate) url: String,
    log: tokio::task::JoinHandle<String>,
}

/// How the program is started.
#[derive(Clone)]
pub(crate) struct Start {
    platform: String,
    data: PathBuf,
    more: Vec<String>,
}

impl Start {
    pub(crate) fn new(platform: &str, data: &Path) -> Self {
        Self {
            platform: platform.to_owned(),
            data: data.to_owned(),
            more: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.more.extend([name.to_owned(), value.to_owned()]);
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_uforge-export-server"));
        command
            .args(["--url", &self.platform, "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(&self.data)
            .args(&self.more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("UFORGE") {
                command.env_remove(name);
            }
        }
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

impl Process {
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
            child.wait().unwrap()
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
