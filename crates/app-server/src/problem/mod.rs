//! Every error that a caller can see, as a problem document (RFC 9457). The only place that knows problem types and status codes.

mod detail;
mod kind;
mod response;
mod stores;

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use domain::jobs::{JobId, JobStateName};

use crate::backend::IdentifyError;

/// What is said of a record whose archive the store has lost.
pub(crate) const LOST: &str = "the archive is not in this service's store any more, perhaps because the service was restored from a \
    backup: delete this export and ask for a new one";

/// What went wrong, by meaning.
#[derive(Debug)]
pub(crate) enum Problem {
    /// No usable credentials came with the request.
    Unauthenticated { why: &'static str },
    /// The platform does not let this account be used.
    Forbidden,
    /// The platform does not let the caller read the person whose data they ask for, or there is no such person.
    ForbiddenPerson,
    /// What was given cannot be a login.
    InvalidLogin { why: &'static str },
    /// The form is not one of sign-in.
    InvalidForm,
    /// Another site's page sent the request, or it comes with a cookie and does not say from where.
    CrossOrigin,
    /// Too many event streams of the caller are open.
    TooManyStreams { limit: usize },
    /// Too many attempts with wrong credentials.
    TooManyAttempts { wait: Duration },
    /// The platform could not be asked; without a cause it took too long.
    PlatformUnavailable { cause: Option<IdentifyError> },
    /// No resource has this path.
    UnknownPath,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// No export of this caller has this id.
    UnknownExport,
    /// An export of a campaign that another administrator ordered.
    OthersExport,
    /// There is no campaign of this id.
    UnknownCampaign,
    /// The campaign is done, or was given up.
    CampaignOver,
    /// The campaign was ordered by another administrator.
    OthersCampaign,
    /// No failed export of the campaign can go on.
    NothingToRetry,
    /// A parameter of the query is not understood.
    InvalidQuery { detail: String },
    /// The body is not JSON.
    InvalidJson { detail: String },
    /// The body is JSON, but not an order.
    InvalidOrder { detail: String },
    /// The body is not declared as JSON.
    NotDeclaredJson,
    /// The body is larger than is accepted.
    BodyTooLarge { limit_bytes: usize },
    /// The request does not say once which host it is for.
    UnclearHost,
    /// The body did not arrive in time, or broke off.
    BodyIncomplete,
    /// The request's line and headers are too large.
    HeadersTooLarge { limit_bytes: usize },
    /// The bag is not there yet.
    NotReady { state: JobStateName },
    /// The bag is there no more, or never will be.
    Gone { state: JobStateName },
    /// The export has no receipt, or a receipt without a signature.
    NoReceipt,
    /// The bag is another one than the caller wants.
    OtherArchive,
    /// No byte of the bag is in the range asked for.
    RangeNotSatisfiable { size: u64 },
    /// The caller has too many exports under way.
    TooManyExports { limit: usize },
    /// The caller gave too many orders within a day.
    TooManyOrders { limit: usize, wait: Duration },
    /// Too many archives of the caller are kept; the first of them expires after `wait`.
    TooManyArchives {
        archives: Vec<JobId>,
        wait: Duration,
    },
    /// The header `Idempotency-Key` is not understood.
    InvalidKey { detail: String },
    /// The idempotency key stands for another order.
    KeyReused,
    /// The export cannot go on from where it stood.
    NotResumable { state: JobStateName },
    /// Only administrators of this service may do this.
    NotAdministrator,
    /// The service can take no more.
    Busy,
    /// The service has no space left for records.
    NoSpace,
    /// The service is being stopped.
    Stopping,
    /// A fault of the service itself; its log has the cause.
    Internal,
}

/// How long a caller should wait before asking for a bag again.
const POLL_AGAIN: Duration = Duration::from_secs(5);
/// How long an idempotency key stands for its order.
const KEYS_KEPT: Duration = Duration::from_hours(24);

/// The header that says when a caller should ask again for what is not done yet.
pub(crate) fn poll_again() -> (HeaderName, HeaderValue) {
    (RETRY_AFTER, HeaderValue::from(POLL_AGAIN.as_secs()))
}

impl Problem {
    /// Whether the platform or this service does not permit what was asked for.
    pub(crate) fn is_refusal(&self) -> bool {
        self.kind().status == StatusCode::FORBIDDEN
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { wait }
            | Self::TooManyOrders { wait, .. }
            | Self::TooManyArchives { wait, .. } => Some(*wait),
            Self::KeyReused => Some(KEYS_KEPT),
            Self::NotReady { .. }
            | Self::NotResumable { .. }
            | Self::PlatformUnavailable { .. }
            | Self::CampaignOver
            | Self::NothingToRetry
            | Self::Busy => Some(POLL_AGAIN),
            Self::TooManyExports { .. }
            | Self::TooManyStreams { .. }
            | Self::NoSpace
            | Self::Stopping => Some(Duration::from_secs(30)),
            Self::Unauthenticated { .. }
            | Self::Forbidden
            | Self::ForbiddenPerson
            | Self::InvalidLogin { .. }
            | Self::InvalidForm
            | Self::CrossOrigin
            | Self::UnknownPath
            | Self::MethodNotAllowed
            | Self::UnknownExport
            | Self::OthersExport
            | Self::OthersCampaign
            | Self::UnknownCampaign
            | Self::InvalidQuery { .. }
            | Self::InvalidJson { .. }
            | Self::InvalidOrder { .. }
            | Self::NotDeclaredJson
            | Self::BodyTooLarge { .. }
            | Self::UnclearHost
            | Self::HeadersTooLarge { .. }
            | Self::BodyIncomplete
            | Self::Gone { .. }
            | Self::NoReceipt
            | Self::OtherArchive
            | Self::RangeNotSatisfiable { .. }
            | Self::InvalidKey { .. }
            | Self::NotAdministrator
            | Self::Internal => None,
        }
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
