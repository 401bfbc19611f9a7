//! How much memory an export of 2 GiB takes: measured from outside, as the kernel counts it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bag_check::release_binary;
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
    let binary = release_binary()?;
    let folder = std::env::temp_dir().join(format!("uforge-export-memory-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let outcome = measure_in(&binary, &folder);
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn measure_in(binary: &Path, folder: &Path) -> Result<(), String> {
    let scenario = folder.join("scenario.toml");
    fs::write(&scenario, SCENARIO).map_err(|error| error.to_string())?;
    let mut sandbox = Killed(
        Command::new(binary)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--scenario"])
            .arg(&scenario)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?,
    );
    let told = first_line(&mut sandbox.0)?;
    let password = folder.join("password");
    fs::write(&password, field(&told, "password")?).map_err(|error| error.to_string())?;
    for format in ["zip", "tar"] {
        let bag = folder.join(format!("bag.{format}"));
        let highest = run(binary, &told, &password, &bag)?;
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

fn run(binary: &Path, told: &str, password: &PathBuf, bag: &PathBuf) -> Result<u64, String> {
    let mut export = Command::new(binary)
        .args([
            "export",
            "--url",
            &field(told, "url")?,
            "--user",
            &field(told, "user")?,
            "--password-file",
        ])
        .arg(password)
        .arg("--output")
        .arg(bag)
        .args(["--progress", "none"])
        .stdout(Stdio::null())
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

fn first_line(child: &mut Child) -> Result<String, String> {
    let output = child.stdout.take().ok_or("the sandbox has no output")?;
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    Ok(line)
}

/// A string of the sandbox's one line of JSON, which holds no escapes.
fn field(told: &str, name: &str) -> Result<String, String> {
    let (_, rest) = told
        .split_once(&format!("\"{name}\":"))
        .ok_or_else(|| format!("no `{name}` in {told}"))?;
    rest.split('"')
        .nth(1)
        .map(str::to_owned)
        .ok_or_else(|| format!("no `{name}` in {told}"))
}

/// A process that ends with us.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
