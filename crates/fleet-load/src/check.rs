//! What came of it: everybody's bag, fetched and judged.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fleet_load::S3;
use futures_util::{StreamExt as _, stream};

use crate::fleet::Fleet;
use crate::people::{People, login};

/// Bags that other people's programs judge, too.
const JUDGED: u32 = 20;

/// What is wrong, and what the bags hold.
#[derive(Default)]
pub(crate) struct Bags {
    /// The manifest of the payload, for each person.
    pub(crate) payload: BTreeMap<u32, String>,
    pub(crate) bytes: u64,
    pub(crate) faults: Vec<String>,
    /// Bags that other people's programs judged.
    pub(crate) judged: u32,
}

/// Fetches every bag and has it verified.
pub(crate) async fn bags(fleet: &Arc<Fleet>, people: &People, paths: &[String]) -> Bags {
    let each = paths
        .iter()
        .zip(1..)
        .map(|(path, number)| async move { (number, bag_of(fleet, people, number, path).await) });
    let mut results = stream::iter(each).buffer_unordered(4);
    let mut bags = Bags::default();
    while let Some((number, result)) = results.next().await {
        match result {
            Ok((payload, bytes, is_judged)) => {
                bags.bytes += bytes;
                bags.judged += u32::from(is_judged);
                bags.payload.insert(number, payload);
            }
            Err(fault) => bags.faults.push(format!("{}: {fault}", login(number))),
        }
    }
    bags
}

async fn bag_of(
    fleet: &Arc<Fleet>,
    people: &People,
    number: u32,
    path: &str,
) -> Result<(String, u64, bool), String> {
    let record = people.get(number, path).await?;
    let record = String::from_utf8_lossy(&record).into_owned();
    if !record.contains(r#""outcome":"complete""#) {
        return Err(record);
    }
    let bytes = people.get(number, &format!("{path}/archive")).await?;
    let fleet = Arc::clone(fleet);
    let judged = tokio::task::spawn_blocking(move || {
        let file = fleet.path(&format!("{}.zip", login(number)));
        fs::write(&file, &bytes).map_err(|error| error.to_string())?;
        let verified = run(Command::new(&fleet.options.verifier)
            .arg("verify")
            .arg(&file));
        let payload = verified.and_then(|()| payload(&file, fleet.options.items));
        let judged = payload.and_then(|payload| {
            let is_judged = number <= JUDGED && judge(&fleet, number, &file)?;
            Ok((payload, bytes.len() as u64, is_judged))
        });
        let _ = fs::remove_file(&file);
        judged
    });
    judged.await.map_err(|error| error.to_string())?
}

/// What the bag's manifest says of the payload. There is one archive an item.
fn payload(file: &Path, items: u32) -> Result<String, String> {
    let open = fs::File::open(file).map_err(|error| error.to_string())?;
    let mut zip = zip::ZipArchive::new(open).map_err(|error| error.to_string())?;
    let mut text = String::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| error.to_string())?;
        let name = entry
            .name()
            .map_err(|error| error.to_string())?
            .into_owned();
        if name.ends_with("/manifest-sha256.txt") {
            let read = entry.read_to_string(&mut text);
            read.map_err(|error| error.to_string())?;
        }
    }
    let archives = text
        .lines()
        .filter(|line| line.ends_with("/archive.tar.gz"));
    let archives = archives.count();
    if u32::try_from(archives) != Ok(items) {
        return Err(format!("{archives} archives instead of {items}:\n{text}"));
    }
    Ok(text)
}

/// Has other people's programs read it, where they are installed; whether they are.
fn judge(fleet: &Fleet, number: u32, file: &Path) -> Result<bool, String> {
    let Some(bagit) = S3::program().map(|program| program.with_file_name("bagit.py")) else {
        return Ok(false);
    };
    if !bagit.is_file() {
        return Ok(false);
    }
    let folder: PathBuf = fleet.path(&format!("unpacked-{number}"));
    run(Command::new("unzip").arg("-tqq").arg(file))?;
    let unpack = ["-qq", "-o"];
    run(Command::new("unzip")
        .args(unpack)
        .arg(file)
        .arg("-d")
        .arg(&folder))?;
    let tops = fs::read_dir(&folder).map_err(|error| error.to_string())?;
    for top in tops.flatten() {
        run(Command::new(&bagit)
            .args(["--validate", "--quiet"])
            .arg(top.path()))?;
    }
    fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(true)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&said)))
}
