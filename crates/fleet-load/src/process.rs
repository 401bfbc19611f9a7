//! One process of the service: its start, signals, memory and processor time.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Its resident memory at the highest, in KiB.
    pub(crate) memory: u64,
    /// Its processor time in seconds.
    pub(crate) processor: f64,
}

/// A process that runs. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    /// What it says of itself: its URL, or its name.
    pub(crate) name: String,
}

impl Process {
    /// Starts it and waits until it is ready. What it says for people is added to the log.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let log = fs::File::options().append(true).create(true).open(log);
        let log = log.map_err(|error| error.to_string())?;
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.stderr(log).spawn();
        let mut child = child.map_err(|error| format!("{command:?}: {error}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let read = BufReader::new(output).read_line(&mut line);
            read.map_err(|error| error.to_string())?;
        }
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let name = ["url", "worker"].iter().find_map(|key| said[key].as_str());
        let Some(name) = name.map(str::to_owned) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err("a process of the service did not start: see its log".to_owned());
        };
        Ok(Self { child, name })
    }

    /// Has the kernel send it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("{} could not be sent SIG{name}", self.name)),
        }
    }

    /// What it has used so far; nothing where it is gone.
    pub(crate) fn used(&self) -> Used {
        let read = |file: &str| {
            let path = format!("/proc/{}/{file}", self.child.id());
            fs::read_to_string(path).unwrap_or_default()
        };
        let status = read("status");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let memory = memory.and_then(|line| line.split_whitespace().next()?.parse().ok());
        let stat = read("stat");
        // Behind the name, which may hold anything: user and system time are the 12th and 13th.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        Used {
            memory: memory.unwrap_or(0),
            processor: ticks / 100.0,
        }
    }

    /// Ends it.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
