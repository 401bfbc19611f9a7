//! What a kill costs: an export of 2 GiB killed when 90 % of it has arrived, and what the same command then fetches again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::platform::{Folder, Platform, field};
use crate::process::say;

/// 16 archives of 128 MiB, on a platform that cannot send the rest of one.
const SCENARIO: &str = r"
[data]
appliances = 12
software = 4
archive-bytes = 134217728

[timing]
slots = 4
export-millis = 10
";
/// `--downloads` by default: so many archives are in flight at most.
const IN_FLIGHT: usize = 2;

/// Kills an export into each container at 90 % and runs the same command again.
pub(crate) fn measure() -> Result<(), String> {
    let folder = Folder::new("resume")?;
    let platform = Platform::start(&folder, SCENARIO)?;
    let whole = Watched::run(&platform, &folder.path("whole.zip"), None)?;
    let total = whole.arrived();
    for format in ["zip", "tar", "tar.gz"] {
        let bag = folder.path(&format!("bag.{format}"));
        let killed = Watched::run(&platform, &bag, Some(total / 10 * 9))?;
        let again = Watched::run(&platform, &bag, None)?;
        let stored: BTreeSet<_> = killed.stored.keys().collect();
        let twice = again.begun.iter().filter(|item| stored.contains(item));
        let twice = twice.count();
        let in_flight = killed.begun.len() - killed.stored.len();
        say(&format!(
            "{format}: {} of {} MiB had arrived at the kill; {in_flight} archives were in flight, {twice} of those in the bag were fetched again\n",
            killed.arrived() >> 20,
            total >> 20,
        ));
        if twice > 0 || in_flight > IN_FLIGHT || !bag.exists() {
            return Err(format!(
                "{format}: a kill costs more than what is in flight"
            ));
        }
        std::fs::remove_file(&bag).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What a run reported of its archives.
#[derive(Default)]
struct Watched {
    begun: BTreeSet<String>,
    received: BTreeMap<String, u64>,
    stored: BTreeMap<String, u64>,
}

impl Watched {
    /// Runs an export to its end, or kills it when this much has arrived.
    fn run(platform: &Platform, bag: &Path, kill_at: Option<u64>) -> Result<Self, String> {
        let mut export = platform
            .export(bag, "json")
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let lines = export.stderr.take().ok_or("the export has no output")?;
        let mut watched = Self::default();
        for line in BufReader::new(lines).lines() {
            watched.take(&line.map_err(|error| error.to_string())?);
            if kill_at.is_some_and(|bytes| watched.arrived() >= bytes) {
                export.kill().map_err(|error| error.to_string())?;
                break;
            }
        }
        watched.judge(export, kill_at)
    }

    fn judge(self, mut export: Child, kill_at: Option<u64>) -> Result<Self, String> {
        let ended = export.wait().map_err(|error| error.to_string())?;
        match kill_at {
            None if !ended.success() => Err(format!("the export ended with {ended}")),
            Some(_) if ended.code().is_some() => Err("the export was not killed".to_owned()),
            _ => Ok(self),
        }
    }

    fn take(&mut self, line: &str) {
        let Some(item) = item_of(line) else { return };
        if line.contains("\"stage\":\"downloading\"") {
            self.begun.insert(item);
        } else if line.contains("\"stage\":\"stored\"") {
            self.stored.insert(item, number(line, "bytes"));
        } else if line.contains("\"event\":\"bytes\"") {
            self.received.insert(item, number(line, "received"));
        }
    }

    fn arrived(&self) -> u64 {
        let in_flight = self.received.iter();
        let in_flight = in_flight.filter(|(item, _)| !self.stored.contains_key(*item));
        self.stored.values().sum::<u64>() + in_flight.map(|(_, bytes)| bytes).sum::<u64>()
    }
}

/// Which appliance or bundle a line is about.
fn item_of(line: &str) -> Option<String> {
    let (_, item) = line.split_once("\"item\":{")?;
    let kind = field(item, "kind").ok()?;
    Some(format!("{kind} {}", number(item, "id")))
}

/// A number in a line of JSON; 0 where there is none.
fn number(line: &str, name: &str) -> u64 {
    let after = line.split_once(&format!("\"{name}\":"));
    let digits = after.map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit));
    digits
        .and_then(|digits| digits.collect::<String>().parse().ok())
        .unwrap_or(0)
}
