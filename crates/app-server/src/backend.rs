//! What the service needs of the world beyond its own records: who a caller is, and a run that can be stopped.
//!
//! `compose` answers with UForge over HTTP and the real workflow; tests answer with doubles.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::JobFailure;
use domain::model::{Order, UserId};
use domain::ports::{API_URL, ApiError, FinishedBag, Platform, Progress};
use domain::report::Completeness;
use secrecy::SecretString;
use thiserror::Error;

/// A login and its password. Held in memory only, and only while they are needed.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) login: UserId,
    pub(crate) password: SecretString,
}

/// Why it is not known who a caller is.
#[derive(Debug, Error)]
pub(crate) enum IdentifyError {
    /// The platform does not accept the credentials, or they cannot be sent to it.
    #[error("the platform refused the credentials")]
    Refused,
    /// The platform accepts them but does not let this account be used.
    #[error("the platform does not let this account be used")]
    Forbidden,
    /// A server answers, and it is no UForge.
    #[error("there is no UForge at the address of this service's platform")]
    WrongAddress(#[source] ApiError),
    /// The platform did not answer the question.
    #[error("the platform could not be asked")]
    Platform(#[source] ApiError),
}

impl IdentifyError {
    /// What the operator of the service can change.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Refused | Self::Forbidden => None,
            Self::WrongAddress(_) => Some(API_URL.to_owned()),
            Self::Platform(error) => error.remedy(),
        }
    }
}

/// What a run is made from.
pub(crate) struct Assignment {
    pub(crate) order: Order,
    pub(crate) credentials: Credentials,
    /// An empty folder that is this run's alone.
    pub(crate) workplace: PathBuf,
}

/// What a run exported.
pub(crate) struct Exported {
    pub(crate) bag: FinishedBag,
    pub(crate) completeness: Completeness,
    /// `export.json` as it stands in the bag.
    pub(crate) report: Bytes,
}

/// A failure of the service's own disk. Its paths are for the operator, who finds them in the log; the caller's record has none.
pub(crate) fn storage_failure() -> JobFailure {
    JobFailure {
        message: "the service could not store the archive".to_owned(),
        hint: Some("contact the operator of this service".to_owned()),
    }
}

/// One run. It may be dropped at any await; [`Run::abandon`] then takes its tickets back.
#[async_trait]
pub(crate) trait Run: Send + Sync {
    /// Exports the data into the workplace.
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, JobFailure>;

    /// Takes this run's tickets off the platform. Gives a sentence for each that had to be left.
    async fn abandon(&mut self) -> Vec<String>;
}

/// The UForge behind the service.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// The platform's base URL, without credentials.
    fn source(&self) -> &str;

    /// Whether the platform answers. Needs no credentials.
    async fn platform(&self) -> Result<Platform, ApiError>;

    /// The login that the platform knows the caller by.
    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError>;

    /// Prepares a run. Nothing is sent yet.
    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, JobFailure>;
}
