//! Why settings cannot be used. Nothing was sent to anybody: exit status 2.

use std::path::PathBuf;

use settings_layers::{FileError, MergeError, VariableError};
use thiserror::Error;

use super::Origin;
use crate::compose::TextFileError;
use crate::credentials::CredentialsError;

/// What is wrong with what was asked for.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    /// A configuration file that cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// An environment variable that is no text.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// What the sources say cannot be put together.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A value outside what is allowed.
    #[error("`{key}` cannot be {value} (from: {origin}): it has to be {allowed}")]
    NotAllowed {
        key: &'static str,
        value: String,
        origin: Origin,
        allowed: String,
    },
    /// No platform.
    #[error("the URL of the platform is missing")]
    NoUrl,
    /// A text that is no URL.
    #[error("`{key}` (from: {origin}) is wrong", key = "url")]
    Url {
        origin: Origin,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody.
    #[error("the login is missing")]
    NoUser,
    /// A login that no platform has.
    #[error("`{key}` (from: {origin}) is wrong")]
    Login {
        key: &'static str,
        origin: Origin,
        #[source]
        source: domain::model::IdError,
    },
    /// Supervisor of whom?
    #[error("`--supervisor` needs `--as UID`: whose data is to be exported")]
    SupervisorOfNobody,
    /// Supervisor mode is a form of Basic authentication.
    #[error("supervisor mode needs a password: it does not work with an API key pair")]
    SupervisorWithKey,
    /// How to sign in.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A file named by a setting cannot be read.
    #[error("could not read `{}` (`{key}`, from: {origin})", path.display())]
    FileUnreadable {
        key: &'static str,
        origin: Origin,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A file named by a setting holds something else.
    #[error("`{}` (`{key}`, from: {origin}) {problem}", path.display())]
    FileWrong {
        key: &'static str,
        origin: Origin,
        path: PathBuf,
        problem: String,
    },
    /// Nothing would be exported.
    #[error("the selection leaves no section to export")]
    NothingSelected,
    /// Ids of a section that is not selected.
    #[error("`--{key}` names ids, but the section `{section}` is not selected")]
    IdsOfExcluded {
        key: &'static str,
        section: domain::model::Section,
    },
    /// The file's ending says another format than `--format`.
    #[error("`{}` ends like {ending}, but the format is to be {format}", path.display())]
    FormatContradiction {
        path: PathBuf,
        ending: &'static str,
        format: &'static str,
    },
    /// An ending that promises what is not asked for.
    #[error("`{}` ends in `.age`, but nothing says for whom it is to be encrypted", path.display())]
    NotEncrypted { path: PathBuf },
    /// A path that names no file.
    #[error("`{}` does not name a file", path.display())]
    NoFileName { path: PathBuf },
    /// The folder for the bag is missing, or is none.
    #[error("`{}` {problem}", path.display())]
    NoFolder {
        path: PathBuf,
        problem: &'static str,
    },
    /// What is written to standard output would be nowhere.
    #[error("standard output is closed, or cannot be written to: the bag would be nowhere")]
    StdoutClosed,
    /// The final name is taken.
    #[error("`{}` exists already", path.display())]
    Exists { path: PathBuf },
    /// One file cannot be both.
    #[error("`{}` is to be the bag as well as the receipt, or its signature", path.display())]
    ReceiptIsBag { path: PathBuf },
    /// A bag is no text.
    #[error("standard output is a terminal, and the bag is no text")]
    StdoutIsTerminal,
    /// A log filter that cannot be read.
    #[error("`{filter}` is no log filter")]
    LogFilter {
        filter: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
}

impl SettingsError {
    /// A file named by a setting that cannot be used.
    pub(super) fn of_file(
        key: &'static str,
        origin: Origin,
        path: PathBuf,
        source: TextFileError,
    ) -> Self {
        match source {
            TextFileError::Io(source) => Self::FileUnreadable {
                key,
                origin,
                path,
                source,
            },
            TextFileError::NoCertificate => Self::FileWrong {
                key,
                origin,
                path,
                problem: "holds no certificate in PEM form".to_owned(),
            },
            TextFileError::TooLarge { .. } | TextFileError::NotText(_) | TextFileError::Empty => {
                Self::FileWrong {
                    key,
                    origin,
                    path,
                    problem: format!("is {source}"),
                }
            }
        }
    }
}
