//! What the service needs of the world beyond its own records: who a caller is, and a run that can be stopped.
//!
//! `compose` answers with UForge over HTTP and the real workflow; tests answer with doubles.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::bag::receipt::Delivered;
use domain::bag::verify::RecordedExport;
use domain::jobs::{
    BagStore, JobFailure, JobId, Lease, RunReport, RunStore, RunStoreError, RunWriter,
};
use domain::model::{ObjectId, Order, SafeName, UserId};
use domain::ports::{API_URL, ApiError, Platform, Progress};
use domain::report::Completeness;
use secrecy::SecretString;
use thiserror::Error;

use crate::causes::Causes;
use crate::deadline::Deadline;
use crate::rate::RequestRate;
use crate::slots::RunSlots;

/// A login and its password. Held in memory only, and only while they are needed.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) login: UserId,
    pub(crate) password: SecretString,
}

/// How a run signs in.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
    /// As a person who asked for the export.
    Person(Credentials),
    /// As the service itself, in the way that the operator set up. It acts for the person, as administrators do.
    Service,
}

impl SignIn {
    /// Whose credentials these are, in words.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Person(credentials) => format!("the credentials of `{}`", credentials.login),
            Self::Service => "this service's own credentials".to_owned(),
        }
    }
}

/// Why it is not known who a caller is.
#[derive(Debug, Error)]
pub(crate) enum IdentifyError {
    /// The platform does not accept the credentials, or they cannot be sent to it.
    #[error("the platform refused the credentials")]
    Refused,
    /// The platform knows nobody of this login.
    #[error("the platform knows nobody of this login")]
    Unknown,
    /// The platform accepts them but does not let this account be used.
    #[error("the platform does not let this account be used")]
    Forbidden,
    /// A server answers, and it is no UForge.
    #[error("there is no UForge at the address of this service's platform")]
    WrongAddress(#[source] ApiError),
    /// The platform answers without saying who the user is.
    #[error("the platform's answer does not say who the user is (it has no usable `loginName`)")]
    Nameless,
    /// The platform did not answer the question.
    #[error("the platform could not be asked")]
    Platform(#[source] ApiError),
}

impl IdentifyError {
    /// Whether the platform does not answer at all, or only that it cannot now.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Platform(error) => {
                error.is_out_of_reach()
                    || matches!(
                        error,
                        ApiError::Overloaded { .. }
                            | ApiError::ServerFault { .. }
                            | ApiError::NoAnswer { .. }
                            | ApiError::Interrupted { .. }
                            | ApiError::Stalled { .. }
                    )
            }
            Self::Refused
            | Self::Unknown
            | Self::Forbidden
            | Self::WrongAddress(_)
            | Self::Nameless => false,
        }
    }

    /// What the operator of the service can change.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Refused | Self::Unknown | Self::Forbidden => None,
            Self::Nameless | Self::WrongAddress(_) => Some(API_URL.to_owned()),
            Self::Platform(error) => error.remedy(),
        }
    }
}

/// Which people of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum People {
    /// Everybody, whether active or not.
    Everyone,
    /// The members of an organization.
    Members(ObjectId),
}

/// What a run is made from.
pub(crate) struct Assignment {
    pub(crate) order: Order,
    pub(crate) sign_in: SignIn,
    /// Proof of being the one who runs the job.
    pub(crate) lease: Lease,
    /// Where its runs are: what an unfinished one left is resumed.
    pub(crate) runs: Arc<dyn RunStore>,
    /// The bag's file name.
    pub(crate) file: SafeName,
    /// What is shared with the runs of other workers, where there are some.
    pub(crate) shared: Option<SharedUse>,
    /// A bag of the same person that archives which have not changed may be taken from.
    pub(crate) earlier: Option<EarlierExport>,
}

/// A bag in the store that archives which have not changed may be taken from.
#[derive(Clone)]
pub(crate) struct EarlierExport {
    pub(crate) id: JobId,
    /// The name of its file.
    pub(crate) name: SafeName,
    pub(crate) bytes: u64,
    pub(crate) bags: Arc<dyn BagStore>,
}

/// How one run uses a platform that it shares with the runs of other workers.
#[derive(Clone)]
pub(crate) struct SharedUse {
    /// What may run on the platform at the same time.
    pub(crate) slots: Arc<RunSlots>,
    /// Requests a second.
    pub(crate) rate: Option<Arc<RequestRate>>,
    /// Until when its lease is held.
    pub(crate) until: Deadline,
}

/// What is to be given up of a job.
pub(crate) struct Unfinished<'a> {
    /// Whose data.
    pub(crate) user: &'a UserId,
    /// Who gives it up.
    pub(crate) writer: &'a RunWriter,
    /// Where its runs are.
    pub(crate) runs: &'a dyn RunStore,
}

/// What a run exported.
#[derive(Clone, Debug)]
pub(crate) struct Exported {
    /// The name of the bag's file.
    pub(crate) name: SafeName,
    pub(crate) completeness: Completeness,
    /// `export.json` as it stands in the bag.
    pub(crate) report: Bytes,
    /// What a receipt says of the bag; `None` where nothing is known of it.
    pub(crate) delivered: Option<Delivered>,
    /// Sentences for the job's record.
    pub(crate) notes: Vec<String>,
}

impl Exported {
    /// What a finished bag says of itself; one that says nothing counts as partial.
    pub(crate) fn of_report(name: SafeName, report: Option<RunReport>) -> Self {
        let (report, delivered) = report.map_or_else(Default::default, |report| {
            (report.export_json, report.delivered)
        });
        let recorded = RecordedExport::read(&*report).unwrap_or_default();
        let completeness = match recorded.outcome.as_deref() {
            Some("complete") => Completeness::Complete,
            _ => Completeness::Partial,
        };
        Self {
            name,
            completeness,
            report,
            delivered: delivered.map(|delivered| *delivered),
            notes: Vec::new(),
        }
    }
}

/// What follows from a run that ended without a bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetbackKind {
    /// The platform refuses the credentials: others are needed.
    SignInRefused,
    /// The platform is away or overloaded: it is asked again later.
    PlatformAway,
    /// There is no space left: later there may be.
    NoSpace,
    /// The store of archives does not answer, or another process still holds the run: it is asked again soon.
    StoreAway,
    /// Something else, after which a new attempt can resume what was done.
    Resumable,
    /// Whatever is tried, this order has no bag.
    Final,
    /// The job is somebody else's by now: nothing of it may be written, asked or said.
    Lost,
}

/// Why a run ended without a bag.
#[derive(Clone, Debug)]
pub(crate) struct Setback {
    pub(crate) kind: SetbackKind,
    /// In words that name no secret.
    pub(crate) failure: JobFailure,
}

/// A failure of the service's own disk. Its paths are for the operator, who finds them in the log; the caller's record has none.
pub(crate) fn storage_failure() -> JobFailure {
    JobFailure {
        message: "the service could not store the archive".to_owned(),
        hint: Some("contact the operator of this service".to_owned()),
    }
}

/// The service's disk is full.
pub(crate) fn no_space() -> Setback {
    Setback {
        kind: SetbackKind::NoSpace,
        failure: JobFailure {
            message: "the service has no space left for the archive".to_owned(),
            hint: Some("contact the operator of this service".to_owned()),
        },
    }
}

/// A store of the service does not answer: later it may.
pub(crate) fn store_away(error: &(dyn std::error::Error + 'static)) -> Setback {
    tracing::error!(error = %Causes(error), "a store of the service does not answer");
    Setback {
        kind: SetbackKind::StoreAway,
        failure: storage_failure(),
    }
}

/// The job is somebody else's by now.
pub(crate) fn lost() -> Setback {
    Setback {
        kind: SetbackKind::Lost,
        failure: storage_failure(),
    }
}

/// What follows from a run that could not be opened, or whose bag could not be kept.
pub(crate) fn setback_of_runs(error: &RunStoreError) -> Setback {
    match error {
        RunStoreError::Lost { .. } => lost(),
        RunStoreError::NoSpace { .. } => no_space(),
        error @ RunStoreError::Unavailable(_) => store_away(error),
        error @ (RunStoreError::Unresumable { .. }
        | RunStoreError::Missing { .. }
        | RunStoreError::Failed { .. }) => of_storage(error),
    }
}

/// The service's storage failed, for reasons that its operator finds in the log.
pub(crate) fn of_storage(error: &(dyn std::error::Error + 'static)) -> Setback {
    tracing::error!(error = %Causes(error), "a run could not write its archive");
    Setback {
        kind: SetbackKind::Resumable,
        failure: storage_failure(),
    }
}

/// An export that the service could not store if it stored nothing else.
pub(crate) fn too_large() -> Setback {
    Setback {
        kind: SetbackKind::Final,
        failure: JobFailure {
            message: "the archive is larger than all that the service may store".to_owned(),
            hint: Some(
                "ask for fewer sections, or contact the operator of this service".to_owned(),
            ),
        },
    }
}

/// What a run that was given up leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOver {
    /// A sentence for each ticket that may still be on the platform.
    pub(crate) notes: Vec<String>,
    /// Whether the platform should be asked again later to delete some.
    pub(crate) is_open: bool,
}

/// One run. It may be dropped at any await: what it did until then is in its store.
#[async_trait]
pub(crate) trait Run: Send + Sync {
    /// Exports the data into a bag that the run store can keep.
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, Setback>;

    /// Ends the run so that another one can resume it: its tickets stay on the platform, and all of them are in its journal.
    async fn suspend(&mut self);

    /// Takes this run's tickets off the platform. Gives a sentence for each that had to be left.
    async fn abandon(&mut self) -> Vec<String>;
}

/// The UForge behind the service.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// The platform's base URL, without credentials.
    fn source(&self) -> &str;

    /// Whether runs can sign in as the service itself.
    fn has_service_account(&self) -> bool;

    /// Whether the platform accepts the service's own credentials.
    async fn check_service(&self) -> Result<(), IdentifyError>;

    /// Whether the platform answers. Needs no credentials.
    async fn platform(&self) -> Result<Platform, ApiError>;

    /// The login that the platform knows the caller by.
    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError>;

    /// The login that the platform knows this user by, where it lets the caller read them. Asked with the caller's own credentials,
    /// never with the service's.
    async fn look_up(
        &self,
        credentials: &Credentials,
        user: &UserId,
    ) -> Result<UserId, IdentifyError>;

    /// Who these people are, in the platform's own word. Asked with the caller's own credentials.
    async fn people(
        &self,
        credentials: &Credentials,
        which: &People,
    ) -> Result<Vec<UserId>, IdentifyError>;

    /// Prepares a run, or the resumption of an unfinished one. Nothing is sent yet, but to give up an unfinished run that cannot be
    /// resumed.
    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, Setback>;

    /// Takes the tickets of a job's unfinished run off the platform. Without a way to sign in, says only whether there are some.
    async fn abandon_unfinished(
        &self,
        unfinished: Unfinished<'_>,
        sign_in: Option<SignIn>,
    ) -> LeftOver;
}
