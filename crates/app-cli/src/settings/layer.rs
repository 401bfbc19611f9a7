//! One layer of settings: what one configuration file, the environment or the command line says.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use domain::model::{BagFormat, ObjectId, OutputFormat, Representation, Section};
use domain::workflow::Limits;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use settings_layers::{Anchor, path};

use crate::render::number;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProgressMode {
    /// A bar at a terminal, plain lines elsewhere
    #[default]
    Auto,
    /// A bar
    Bar,
    /// One line for each change
    Plain,
    /// One JSON object a line
    Json,
    /// Nothing
    None,
}

/// What one source says. A key is the long name of its flag.
///
/// Secrets are no part of it: only the files that hold them are named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Layer {
    pub(crate) url: Option<String>,
    pub(crate) user: Option<String>,
    #[serde(rename = "as")]
    pub(crate) as_user: Option<String>,
    pub(crate) supervisor: Option<bool>,
    #[serde(with = "path")]
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) publickey: Option<String>,
    #[serde(with = "path")]
    pub(crate) secretkey_file: Option<PathBuf>,
    #[serde(with = "path")]
    pub(crate) credentials: Option<PathBuf>,
    #[serde(with = "path")]
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) insecure: Option<bool>,
    pub(crate) timeout: Option<u64>,

    pub(crate) include: Option<Vec<Section>>,
    pub(crate) exclude: Option<Vec<Section>>,
    pub(crate) appliance: Option<Vec<ObjectId>>,
    pub(crate) mysoftware: Option<Vec<ObjectId>>,
    #[serde(deserialize_with = "word")]
    pub(crate) output_format: Option<OutputFormat>,
    #[serde(deserialize_with = "words")]
    pub(crate) documents: Option<Vec<Representation>>,
    pub(crate) redact_secrets: Option<bool>,
    pub(crate) strict: Option<bool>,
    #[serde(with = "path")]
    pub(crate) notice: Option<PathBuf>,

    #[serde(with = "path")]
    pub(crate) output: Option<PathBuf>,
    #[serde(deserialize_with = "word")]
    pub(crate) format: Option<BagFormat>,
    pub(crate) encrypt_to: Option<Vec<String>>,
    #[serde(with = "path")]
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) jobs: Option<u64>,
    pub(crate) downloads: Option<u64>,
    pub(crate) keep_tickets: Option<bool>,
    #[serde(serialize_with = "as_text", deserialize_with = "duration")]
    pub(crate) max_wait: Option<Duration>,
    #[serde(with = "path")]
    pub(crate) sign_key: Option<PathBuf>,
    #[serde(with = "path")]
    pub(crate) sign_passphrase_file: Option<PathBuf>,
    #[serde(deserialize_with = "word")]
    pub(crate) progress: Option<ProgressMode>,
    pub(crate) log: Option<String>,

    /// For one run only: a file that always overwrites would be a trap.
    #[serde(skip)]
    pub(crate) force: Option<bool>,
    /// For one run only, as `force`.
    #[serde(skip)]
    pub(crate) restart: Option<bool>,
    /// For one run only: the next one would find it there.
    #[serde(skip)]
    pub(crate) receipt: Option<PathBuf>,
}

impl Layer {
    /// What `--jobs` may be. A platform runs a handful at once; more would only queue there.
    pub(crate) const JOBS: RangeInclusive<u64> = 1..=64;
    /// What `--downloads` may be.
    pub(crate) const DOWNLOADS: RangeInclusive<u64> = 1..=16;
    /// What `--timeout` may be, in seconds.
    pub(crate) const TIMEOUT: RangeInclusive<u64> = 1..=86_400;

    /// What is in effect where nobody says anything else. Where a key is not here, that depends on other things.
    pub(crate) fn built_in() -> Self {
        Self {
            supervisor: Some(false),
            insecure: Some(false),
            timeout: Some(Limits::SILENCE.as_secs()),
            include: Some(Section::ALL.to_vec()),
            exclude: Some(Vec::new()),
            output_format: Some(OutputFormat::default()),
            documents: Some(vec![Representation::Xml, Representation::Json]),
            redact_secrets: Some(false),
            strict: Some(false),
            output: Some(PathBuf::from(".")),
            jobs: Some(number(Limits::JOBS)),
            downloads: Some(number(Limits::DOWNLOADS)),
            keep_tickets: Some(false),
            max_wait: Some(Limits::MAX_WAIT),
            progress: Some(ProgressMode::default()),
            log: Some("warn".to_owned()),
            ..Self::default()
        }
    }

    /// Reads the paths of a configuration file as its author means them; `-` is no path.
    pub(crate) fn anchor(&mut self, anchor: Anchor<'_>) {
        for path in [
            &mut self.password_file,
            &mut self.secretkey_file,
            &mut self.credentials,
            &mut self.cacert,
            &mut self.notice,
            &mut self.output,
            &mut self.passphrase_file,
            &mut self.sign_key,
            &mut self.sign_passphrase_file,
        ] {
            if let Some(path) = path.as_mut().filter(|path| path.as_os_str() != "-") {
                *path = anchor.resolve(path);
            }
        }
    }
}

/// One of a few words. `config` by itself would not say which there are.
fn word<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    one_word(&String::deserialize(deserializer)?).map(Some)
}

fn words<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let words = Vec::<String>::deserialize(deserializer)?;
    words
        .iter()
        .map(|word| one_word(word))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn one_word<T: DeserializeOwned, E: serde::de::Error>(word: &str) -> Result<T, E> {
    let word: StrDeserializer<'_, serde::de::value::Error> = word.into_deserializer();
    T::deserialize(word).map_err(E::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(|error| {
        serde::de::Error::custom(format!("`{text}` is no duration such as `30m`: {error}"))
    })
}

#[expect(clippy::ref_option, reason = "what serde passes")]
fn as_text<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        None => serializer.serialize_none(),
        Some(time) => serializer.collect_str(&humantime::format_duration(*time)),
    }
}
