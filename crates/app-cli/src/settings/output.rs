//! OUTPUT as it is meant: where the bag goes and what it is called.

use std::io::IsTerminal;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::{BagFormat, SafeName, TicketPolicy, UserId, slug};
use domain::workflow::Limits;
use jiff::Timestamp;
use secrecy::SecretString;

use super::keys::{self, Key};
use super::layers::{number_within, switch};
use super::{Layer, Layers, ProgressMode, SettingsError};
use crate::credentials::{self, PASSPHRASE};

const AGE: &str = ".age";

/// Where the bag goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file of this name.
    File(PathBuf),
    /// A name made up in this folder.
    Folder(PathBuf),
    /// Standard output.
    Stdout,
}

/// What happens to a file that stands under the final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Replace,
}

/// What happens to what an interrupted run left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnfinishedPolicy {
    Resume,
    Discard,
}

/// Who can read the bag.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    None,
    /// Recipients, or files of them, as they were given.
    Recipients(Vec<String>),
    Passphrase(SecretString),
}

impl Encryption {
    /// Whether there is any.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Where the bag goes, how it is made, what is shown meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct OutputSettings {
    pub(crate) target: Target,
    pub(crate) existing: Existing,
    pub(crate) unfinished: UnfinishedPolicy,
    pub(crate) format: BagFormat,
    pub(crate) encryption: Encryption,
    pub(crate) jobs: usize,
    pub(crate) downloads: usize,
    pub(crate) tickets: TicketPolicy,
    pub(crate) max_wait: Duration,
    pub(crate) progress: ProgressMode,
    /// The record of what was delivered, where one is wanted.
    pub(crate) receipt: Option<ReceiptSettings>,
}

/// Where the receipt goes, and what it is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptSettings {
    pub(crate) path: PathBuf,
    /// The secret key.
    pub(crate) key: Option<PathBuf>,
    /// What opens it, where it is encrypted and nobody is to be asked.
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl OutputSettings {
    /// Reads them from the layers.
    pub(crate) fn of(layers: &Layers) -> Result<Self, SettingsError> {
        let target = target(layers);
        let existing = if for_this_run(layers, |layer| layer.force) {
            Existing::Replace
        } else {
            Existing::Refuse
        };
        let unfinished = if for_this_run(layers, |layer| layer.restart) {
            UnfinishedPolicy::Discard
        } else {
            UnfinishedPolicy::Resume
        };
        let encryption = encryption(layers)?;
        let format = format(layers, &target, &encryption)?;
        if target == Target::Stdout && std::io::stdout().is_terminal() {
            return Err(SettingsError::StdoutIsTerminal);
        }
        Ok(Self {
            target,
            existing,
            unfinished,
            format,
            encryption,
            jobs: jobs(layers)?,
            downloads: downloads(layers)?,
            tickets: switch(
                layers,
                keys::KEEP_TICKETS,
                TicketPolicy::Keep,
                TicketPolicy::Delete,
            ),
            max_wait: max_wait(layers)?,
            progress: layers.get(keys::PROGRESS).value,
            receipt: receipt(layers),
        })
    }

    /// The file with a name that is made up now. `number` is 1 for the first name, 2 for the next one where that is taken.
    pub(crate) fn made_up_file(&self, user: &UserId, now: Timestamp, number: u32) -> PathBuf {
        let age = if self.encryption.is_on() { AGE } else { "" };
        let number = if number > 1 {
            format!("-{number}")
        } else {
            String::new()
        };
        let name = format!(
            "{}{number}.{}{age}",
            made_up_name(user, now),
            self.format.ending()
        );
        match &self.target {
            Target::Folder(folder) if folder != Path::new(".") => folder.join(name),
            Target::Folder(_) | Target::File(_) | Target::Stdout => PathBuf::from(name),
        }
    }
}

/// `uforge-<uid>-<YYYYMMDDThhmmssZ>` (docs/export.md).
fn made_up_name(user: &UserId, now: Timestamp) -> String {
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    format!("uforge-{}-{time}", slug(user.as_str()))
}

/// The bag's top folder: named like the file without its ending.
pub(crate) fn bag_name(file: &Path, format: BagFormat) -> Result<SafeName, SettingsError> {
    let nameless = || SettingsError::NoFileName {
        path: file.to_owned(),
    };
    let name = file.file_name().ok_or_else(nameless)?.to_string_lossy();
    let name = strip(&name, AGE);
    let stem = match format {
        BagFormat::Zip => strip(name, ".zip"),
        BagFormat::Tar => strip(name, ".tar"),
        BagFormat::TarGz => strip(strip(name, ".tgz"), ".tar.gz"),
    };
    let plain = slug(stem);
    [stem, plain.as_str(), &format!("bag-{plain}")]
        .into_iter()
        .find_map(|name| SafeName::parse(name).ok())
        .ok_or_else(nameless)
}

fn strip<'a>(name: &'a str, ending: &str) -> &'a str {
    let Some(at) = name.len().checked_sub(ending.len()) else {
        return name;
    };
    match (name.get(..at), name.get(at..)) {
        (Some(stem), Some(last)) if !stem.is_empty() && last.eq_ignore_ascii_case(ending) => stem,
        _ => name,
    }
}

/// What is typed for one run is no key, and in no layer but the command line's.
fn for_this_run(layers: &Layers, flag: impl Fn(&Layer) -> Option<bool>) -> bool {
    layers
        .sources()
        .any(|(_, layer)| flag(layer).unwrap_or(false))
}

fn receipt(layers: &Layers) -> Option<ReceiptSettings> {
    let typed = layers
        .sources()
        .find_map(|(_, layer)| layer.receipt.clone());
    typed.map(|path| ReceiptSettings {
        path,
        key: layers.pick(keys::SIGN_KEY).map(|key| key.value),
        passphrase_file: layers
            .pick(keys::SIGN_PASSPHRASE_FILE)
            .map(|file| file.value),
    })
}

fn target(layers: &Layers) -> Target {
    let path = layers.get(keys::OUTPUT).value;
    if path.as_os_str() == "-" {
        Target::Stdout
    } else if path.is_dir() || names_a_folder(&path) {
        Target::Folder(path)
    } else {
        Target::File(path)
    }
}

/// Whether it can be no file: `.`, `..`, or a name that ends with a separator.
fn names_a_folder(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    path.file_name().is_none()
        || last.is_some_and(|last| std::path::is_separator(char::from(*last)))
}

fn format(
    layers: &Layers,
    target: &Target,
    encryption: &Encryption,
) -> Result<BagFormat, SettingsError> {
    let wanted = layers.pick(keys::FORMAT).map(|format| format.value);
    let Target::File(path) = target else {
        return Ok(wanted.unwrap_or_default());
    };
    let name = path.to_string_lossy();
    let without_age = strip(&name, AGE);
    if without_age != name && !encryption.is_on() {
        return Err(SettingsError::NotEncrypted { path: path.clone() });
    }
    let ending = [
        (".tar.gz", BagFormat::TarGz),
        (".tgz", BagFormat::TarGz),
        (".tar", BagFormat::Tar),
        (".zip", BagFormat::Zip),
    ]
    .into_iter()
    .find(|(ending, _)| strip(without_age, ending) != without_age);
    match (wanted, ending) {
        (Some(format), Some((ending, said))) if format != said => {
            Err(SettingsError::FormatContradiction {
                path: path.clone(),
                ending,
                format: format.ending(),
            })
        }
        (Some(format), _) | (None, Some((_, format))) => Ok(format),
        (None, None) => Ok(BagFormat::default()),
    }
}

pub(super) fn jobs(layers: &Layers) -> Result<usize, SettingsError> {
    at_once(layers, keys::JOBS, &Layer::JOBS, Limits::JOBS)
}

pub(super) fn downloads(layers: &Layers) -> Result<usize, SettingsError> {
    at_once(
        layers,
        keys::DOWNLOADS,
        &Layer::DOWNLOADS,
        Limits::DOWNLOADS,
    )
}

fn at_once(
    layers: &Layers,
    key: Key<u64>,
    allowed: &RangeInclusive<u64>,
    usual: usize,
) -> Result<usize, SettingsError> {
    let number = number_within(layers, key, allowed)?;
    Ok(usize::try_from(number).unwrap_or(usual))
}

pub(super) fn max_wait(layers: &Layers) -> Result<Duration, SettingsError> {
    let wait = layers.get(keys::MAX_WAIT);
    if wait.value < Duration::from_secs(1) {
        return Err(SettingsError::NotAllowed {
            key: keys::MAX_WAIT.name(),
            value: humantime::format_duration(wait.value).to_string(),
            origin: wait.origin,
            allowed: "at least `1s`".to_owned(),
        });
    }
    Ok(wait.value)
}

/// The highest source that says anything decides between the two; clap refuses both on one command line.
fn encryption(layers: &Layers) -> Result<Encryption, SettingsError> {
    let decides = layers
        .sources()
        .rev()
        .find(|(_, layer)| layer.encrypt_to.is_some() || layer.passphrase_file.is_some());
    let Some((_, layer)) = decides else {
        return Ok(Encryption::None);
    };
    Ok(match (&layer.encrypt_to, &layer.passphrase_file) {
        (None, None) => Encryption::None,
        (Some(recipients), _) => Encryption::Recipients(recipients.clone()),
        (None, Some(file)) => Encryption::Passphrase(credentials::first_line(file, PASSPHRASE)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(login: &str) -> UserId {
        UserId::parse(login).unwrap()
    }

    #[test]
    fn a_made_up_name_says_whose_and_when() {
        let now: Timestamp = "2026-11-24T10:15:00.9Z".parse().unwrap();
        for (login, expected) in [
            ("john", "uforge-john-20261124T101500Z"),
            (
                "Jürgen@Example.com",
                "uforge-jurgen-example-com-20261124T101500Z",
            ),
            ("../x", "uforge-x-20261124T101500Z"),
        ] {
            assert_eq!(made_up_name(&user(login), now), expected);
            assert!(SafeName::parse(&made_up_name(&user(login), now)).is_ok());
        }
    }

    #[test]
    fn the_top_folder_is_named_like_the_file_without_its_ending() {
        for (file, format, expected) in [
            ("a/john.zip", BagFormat::Zip, "john"),
            ("john.tar.gz", BagFormat::TarGz, "john"),
            ("john.TGZ", BagFormat::TarGz, "john"),
            ("john.tar.age", BagFormat::Tar, "john"),
            ("john", BagFormat::Zip, "john"),
            ("v1.2", BagFormat::Zip, "v1.2"),
            ("Meine Daten (1).zip", BagFormat::Zip, "meine-daten-1"),
            (".zip", BagFormat::Zip, ".zip"),
            ("con.zip", BagFormat::Zip, "bag-con"),
        ] {
            let name = bag_name(Path::new(file), format).unwrap();
            assert_eq!(name.as_str(), expected, "{file}");
        }
        assert!(bag_name(Path::new(".."), BagFormat::Zip).is_err());
    }
}
