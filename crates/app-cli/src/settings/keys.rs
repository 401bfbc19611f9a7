//! The keys of a layer, each with its name and its field: a setting is a row here, a field of [`Layer`] and a flag.

use std::path::PathBuf;
use std::time::Duration;

use domain::model::{BagFormat, ObjectId, OutputFormat, Representation, Section};

use super::{Layer, ProgressMode};

/// A key whose values are of this type.
pub(crate) type Key<T> = settings_layers::Key<Layer, T>;

pub(crate) const URL: Key<String> = Key::new("url", |layer| &layer.url);
pub(crate) const USER: Key<String> = Key::new("user", |layer| &layer.user);
pub(crate) const AS: Key<String> = Key::new("as", |layer| &layer.as_user);
pub(crate) const SUPERVISOR: Key<bool> = Key::new("supervisor", |layer| &layer.supervisor);
pub(crate) const PASSWORD_FILE: Key<PathBuf> =
    Key::new("password-file", |layer| &layer.password_file);
pub(crate) const PUBLICKEY: Key<String> = Key::new("publickey", |layer| &layer.publickey);
pub(crate) const SECRETKEY_FILE: Key<PathBuf> =
    Key::new("secretkey-file", |layer| &layer.secretkey_file);
pub(crate) const CREDENTIALS: Key<PathBuf> = Key::new("credentials", |layer| &layer.credentials);
pub(crate) const CACERT: Key<PathBuf> = Key::new("cacert", |layer| &layer.cacert);
pub(crate) const INSECURE: Key<bool> = Key::new("insecure", |layer| &layer.insecure);
pub(crate) const TIMEOUT: Key<u64> = Key::new("timeout", |layer| &layer.timeout);
pub(crate) const INCLUDE: Key<Vec<Section>> = Key::new("include", |layer| &layer.include);
pub(crate) const EXCLUDE: Key<Vec<Section>> = Key::new("exclude", |layer| &layer.exclude);
pub(crate) const APPLIANCE: Key<Vec<ObjectId>> = Key::new("appliance", |layer| &layer.appliance);
pub(crate) const MYSOFTWARE: Key<Vec<ObjectId>> = Key::new("mysoftware", |layer| &layer.mysoftware);
pub(crate) const OUTPUT_FORMAT: Key<OutputFormat> =
    Key::new("output-format", |layer| &layer.output_format);
pub(crate) const DOCUMENTS: Key<Vec<Representation>> =
    Key::new("documents", |layer| &layer.documents);
pub(crate) const REDACT_SECRETS: Key<bool> =
    Key::new("redact-secrets", |layer| &layer.redact_secrets);
pub(crate) const STRICT: Key<bool> = Key::new("strict", |layer| &layer.strict);
pub(crate) const NOTICE: Key<PathBuf> = Key::new("notice", |layer| &layer.notice);
pub(crate) const OUTPUT: Key<PathBuf> = Key::new("output", |layer| &layer.output);
pub(crate) const FORMAT: Key<BagFormat> = Key::new("format", |layer| &layer.format);
pub(crate) const ENCRYPT_TO: Key<Vec<String>> = Key::new("encrypt-to", |layer| &layer.encrypt_to);
pub(crate) const PASSPHRASE_FILE: Key<PathBuf> =
    Key::new("passphrase-file", |layer| &layer.passphrase_file);
pub(crate) const JOBS: Key<u64> = Key::new("jobs", |layer| &layer.jobs);
pub(crate) const DOWNLOADS: Key<u64> = Key::new("downloads", |layer| &layer.downloads);
pub(crate) const KEEP_TICKETS: Key<bool> = Key::new("keep-tickets", |layer| &layer.keep_tickets);
pub(crate) const MAX_WAIT: Key<Duration> = Key::new("max-wait", |layer| &layer.max_wait);
pub(crate) const SIGN_KEY: Key<PathBuf> = Key::new("sign-key", |layer| &layer.sign_key);
pub(crate) const SIGN_PASSPHRASE_FILE: Key<PathBuf> =
    Key::new("sign-passphrase-file", |layer| &layer.sign_passphrase_file);
pub(crate) const PROGRESS: Key<ProgressMode> = Key::new("progress", |layer| &layer.progress);
pub(crate) const LOG: Key<String> = Key::new("log", |layer| &layer.log);
