//! How much memory an export of 2 GiB takes: measured from outside, as the kernel counts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::platform::{Folder, Platform};
use crate::process::say;

const LIMIT_KIB: u64 = 64 * 1024;

/// 8 archives of 256 MiB.
const SCENARIO: &str = r"
[data]
appliances = 6
software = 2
archive-bytes = 268435456

[timing]
slots = 4
export-millis = 10
";

/// Exports 2 GiB into zip and into tar, and prints the highest resident memory of each run.
pub(crate) fn measure() -> Result<(), String> {
    let folder = Folder::new("memory")?;
    let platform = Platform::start(&folder, SCENARIO)?;
    for format in ["zip", "tar"] {
        let bag = folder.path(&format!("bag.{format}"));
        let highest = run(&platform, &bag)?;
        let size = fs::metadata(&bag).map_err(|error| error.to_string())?.len();
        say(&format!(
            "{format}: {} MiB exported, {:.1} MiB resident at the highest\n",
            size >> 20,
            to_mib(highest)
        ));
        if highest > LIMIT_KIB {
            return Err(format!("{format} took more than {} MiB", LIMIT_KIB / 1024));
        }
        fs::remove_file(&bag).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn to_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn run(platform: &Platform, bag: &Path) -> Result<u64, String> {
    let mut export = platform
        .export(bag, "none")
        .spawn()
        .map_err(|error| error.to_string())?;
    let status = PathBuf::from(format!("/proc/{}/status", export.id()));
    let mut highest = 0;
    loop {
        // The kernel keeps the highest value itself (`VmHWM`): only the last reading before the end counts.
        highest = fs::read_to_string(&status)
            .ok()
            .and_then(|text| high_water(&text))
            .unwrap_or(highest);
        match export.try_wait().map_err(|error| error.to_string())? {
            Some(ended) if ended.success() => return Ok(highest),
            Some(ended) => return Err(format!("the export ended with {ended}")),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
