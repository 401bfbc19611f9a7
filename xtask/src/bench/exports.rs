//! One export, measured; and one whose requests are counted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Options;
use super::report::{Report, Turns};
use super::timed::{Figures, run};
use crate::platform::{Folder, Platform};

/// How often the connections of a running export are looked at.
const LOOKED_AT: Duration = Duration::from_millis(5);

/// Exports of everything that a platform has, so many at a time.
pub(super) struct Exports<'a> {
    platform: &'a Platform,
    bag: PathBuf,
    log: PathBuf,
    jobs: u32,
}

/// What an export sent.
pub(super) struct Counts {
    /// Requests in all.
    pub(super) requests: u32,
    /// Requests for statuses.
    pub(super) polls: u32,
    /// Connections that it opened.
    pub(super) connections: u32,
}

impl<'a> Exports<'a> {
    pub(super) fn of(platform: &'a Platform, folder: &Folder, jobs: u32) -> Self {
        Self {
            platform,
            bag: folder.path("bag.zip"),
            log: folder.path("requests.log"),
            jobs,
        }
    }

    fn command(&self) -> Command {
        let mut command = self.platform.export(&self.bag, "none");
        command.args(["--jobs", &self.jobs.to_string()]);
        command
    }

    /// One export, measured.
    pub(super) fn measured(&self) -> Result<Figures, String> {
        let mut command = self.command();
        command.stderr(Stdio::null());
        let figures = run(command)?;
        fs::remove_file(&self.bag).map_err(|error| error.to_string())?;
        Ok(figures)
    }

    /// As many exports as there are turns. Their median time, in seconds, is reported beside what it is held against.
    pub(super) fn in_turns(
        &self,
        bench: &'static str,
        (bound, bound_name): (f64, &str),
        options: &Options,
        report: &mut Report,
    ) -> Result<f64, String> {
        let export = || self.measured();
        let turns = Turns::take(options.runs, vec![(bench.to_owned(), Box::new(export))])?;
        let wall = turns.median(bench, |f| f.wall);
        report.add(bench, "wall", wall, "s");
        report.add(bench, bound_name, bound, "s");
        let ratio = format!("wall ÷ {bound_name}");
        report.add(bench, ratio, wall / bound, "");
        report.add(bench, "processor", turns.median(bench, |f| f.cpu), "s");
        report.add(bench, "memory", turns.median(bench, |f| f.memory), "MiB");
        Ok(wall)
    }

    /// One export whose requests are counted, as its log names them. It is not measured.
    pub(super) fn counted(&self) -> Result<Counts, String> {
        let log = File::create(&self.log).map_err(|error| error.to_string())?;
        let mut command = self.command();
        command.args(["--log", "adapters_http=debug"]).stderr(log);
        let mut export = command.spawn().map_err(|error| error.to_string())?;
        let mut ports = BTreeSet::new();
        let ended = loop {
            ports.extend(ports_to(self.platform.port()?));
            match export.try_wait().map_err(|error| error.to_string())? {
                Some(ended) => break ended,
                None => std::thread::sleep(LOOKED_AT),
            }
        };
        if !ended.success() {
            return Err(format!("the export ended with {ended}"));
        }
        fs::remove_file(&self.bag).map_err(|error| error.to_string())?;
        let log = fs::read_to_string(&self.log).map_err(|error| error.to_string())?;
        let answers = || log.lines().filter(|line| line.contains("answered"));
        let polls = answers().filter(|line| line.contains("/status"));
        Ok(Counts {
            requests: number_of(answers()),
            polls: number_of(polls),
            connections: number_of(ports),
        })
    }
}

fn number_of<T>(things: impl IntoIterator<Item = T>) -> u32 {
    u32::try_from(things.into_iter().count()).unwrap_or(u32::MAX)
}

/// The local ports of the connections to a port of this machine (`/proc/net/tcp`: local address, remote address).
fn ports_to(port: u16) -> Vec<String> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let ending = format!(":{port:04X}");
    let connections = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (fields.next()?, fields.next()?);
        remote.ends_with(&ending).then(|| local.to_owned())
    });
    connections.collect()
}
