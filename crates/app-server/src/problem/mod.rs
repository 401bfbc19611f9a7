//! Every error that a caller can see, as a problem document (RFC 9457). The only place that knows problem types and status codes.

mod response;
mod stores;

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use domain::jobs::{JobId, JobStateName};

use crate::backend::IdentifyError;
use crate::causes::{Causes, for_operator};

/// What is said of a record whose archive the store has lost.
pub(crate) const LOST: &str = "the archive is not in this service's store any more, perhaps because the service was restored from a \
    backup: delete this export and ask for a new one";

const OTHERS_CAMPAIGN: &str =
    "only the administrator who ordered it may try its failed exports again";
const NOTHING_TO_RETRY: &str = "none of its exports has failed, or nothing is kept of their runs any more: order a new campaign for \
    these people";

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
    /// The bag is not there yet.
    NotReady { state: JobStateName },
    /// The bag is there no more, or never will be.
    Gone { state: JobStateName },
    /// The export has no receipt, or a receipt without a signature.
    NoReceipt,
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

/// The parts of a problem that are the same each time it occurs.
struct Kind {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
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

    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn kind(&self) -> Kind {
        use StatusCode as S;
        let (status, slug, title) = match self {
            Self::Unauthenticated { .. } => (
                S::UNAUTHORIZED,
                "unauthenticated",
                "UForge credentials are needed",
            ),
            Self::Forbidden => (
                S::FORBIDDEN,
                "forbidden",
                "The platform does not permit this",
            ),
            Self::ForbiddenPerson => (
                S::FORBIDDEN,
                "forbidden-person",
                "The platform does not permit this",
            ),
            Self::InvalidLogin { .. } => {
                (S::BAD_REQUEST, "invalid-login", "This cannot be a login")
            }
            Self::InvalidForm => (
                S::UNPROCESSABLE_ENTITY,
                "invalid-form",
                "The form is not understood",
            ),
            Self::CrossOrigin => (
                S::FORBIDDEN,
                "cross-origin",
                "The request does not come from this service's page",
            ),
            Self::TooManyStreams { .. } => (
                S::TOO_MANY_REQUESTS,
                "too-many-streams",
                "Too many event streams are open",
            ),
            Self::TooManyAttempts { .. } => (
                S::TOO_MANY_REQUESTS,
                "too-many-attempts",
                "Too many attempts with wrong credentials",
            ),
            Self::PlatformUnavailable { .. } => (
                S::BAD_GATEWAY,
                "platform-unavailable",
                "The UForge platform does not answer",
            ),
            Self::UnknownPath => (S::NOT_FOUND, "unknown-path", "There is nothing here"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This cannot be done here",
            ),
            Self::UnknownExport => (S::NOT_FOUND, "unknown-export", "There is no such export"),
            Self::OthersExport => (
                S::FORBIDDEN,
                "others-export",
                "This export was ordered by somebody else",
            ),
            Self::UnknownCampaign => (
                S::NOT_FOUND,
                "unknown-campaign",
                "There is no such campaign",
            ),
            Self::CampaignOver => (S::CONFLICT, "campaign-over", "The campaign is over"),
            Self::OthersCampaign => (
                S::FORBIDDEN,
                "others-campaign",
                "This campaign was ordered by somebody else",
            ),
            Self::NothingToRetry => (
                S::CONFLICT,
                "nothing-to-retry",
                "Nothing of the campaign can be tried again",
            ),
            Self::InvalidQuery { .. } => (
                S::BAD_REQUEST,
                "invalid-query",
                "The query is not understood",
            ),
            Self::InvalidJson { .. } => (S::BAD_REQUEST, "invalid-json", "The body is not JSON"),
            Self::InvalidOrder { .. } => (
                S::UNPROCESSABLE_ENTITY,
                "invalid-order",
                "The order is not understood",
            ),
            Self::NotDeclaredJson => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be JSON",
            ),
            Self::BodyTooLarge { .. } => (
                S::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            ),
            Self::UnclearHost => (
                S::BAD_REQUEST,
                "unclear-host",
                "It is not clear which host is asked",
            ),
            Self::BodyIncomplete => (
                S::REQUEST_TIMEOUT,
                "body-incomplete",
                "The body did not arrive",
            ),
            Self::NotReady { .. } => (S::CONFLICT, "not-ready", "The archive is not ready yet"),
            Self::Gone { .. } => (S::GONE, "gone", "There is no archive any more"),
            Self::NoReceipt => (S::NOT_FOUND, "no-receipt", "There is no such receipt"),
            Self::RangeNotSatisfiable { .. } => (
                S::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "The archive has no such bytes",
            ),
            Self::TooManyExports { .. } => (
                S::TOO_MANY_REQUESTS,
                "too-many-exports",
                "Too many exports are under way",
            ),
            Self::TooManyOrders { .. } => (
                S::TOO_MANY_REQUESTS,
                "too-many-orders",
                "Too many exports were asked for today",
            ),
            Self::TooManyArchives { .. } => (
                S::CONFLICT,
                "too-many-archives",
                "Too many archives are kept",
            ),
            Self::InvalidKey { .. } => (
                S::BAD_REQUEST,
                "invalid-idempotency-key",
                "The idempotency key is not understood",
            ),
            Self::KeyReused => (
                S::CONFLICT,
                "idempotency-key-reused",
                "The idempotency key stands for another order",
            ),
            Self::NotResumable { .. } => (
                S::CONFLICT,
                "not-resumable",
                "The export cannot be tried again",
            ),
            Self::NotAdministrator => (
                S::FORBIDDEN,
                "not-administrator",
                "Only administrators may do this",
            ),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "The service is busy"),
            Self::NoSpace => (
                S::SERVICE_UNAVAILABLE,
                "no-space",
                "The service has no space left",
            ),
            Self::Stopping => (
                S::SERVICE_UNAVAILABLE,
                "stopping",
                "The service is being stopped",
            ),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "The service failed"),
        };
        Kind {
            status,
            slug,
            title,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Unauthenticated { why } | Self::InvalidLogin { why } => (*why).to_owned(),
            Self::Forbidden => {
                "the platform knows the credentials but does not let this account read its own data"
                    .to_owned()
            }
            Self::ForbiddenPerson => {
                "the platform does not let you read this person's data, or knows no such person"
                    .to_owned()
            }
            Self::InvalidForm => {
                "send `login` and `password` as `application/x-www-form-urlencoded`".to_owned()
            }
            Self::CrossOrigin => {
                "requests that change something have to come from this service's own page: \
                 the header `Origin` says from where they come"
                    .to_owned()
            }
            Self::TooManyStreams { limit } => {
                format!("at most {limit} event streams of one person can be open at the same time")
            }
            Self::TooManyAttempts { wait } => {
                format!("try again in {} seconds", whole_seconds(*wait))
            }
            Self::PlatformUnavailable { cause } => unavailable(cause.as_ref()),
            Self::UnknownPath => "the API begins at /api/v1/exports".to_owned(),
            Self::MethodNotAllowed => "the header `Allow` names what can be done".to_owned(),
            Self::UnknownExport => "no export of yours has this id".to_owned(),
            Self::OthersExport => {
                "only the person whose data it holds and the administrator who ordered the campaign \
                 may fetch or delete it, or try it again"
                    .to_owned()
            }
            Self::UnknownCampaign => "no campaign has this id".to_owned(),
            Self::CampaignOver => {
                "all of its exports are over, or it was given up: order a new one".to_owned()
            }
            Self::OthersCampaign => OTHERS_CAMPAIGN.to_owned(),
            Self::NothingToRetry => NOTHING_TO_RETRY.to_owned(),
            Self::InvalidQuery { detail }
            | Self::InvalidKey { detail }
            | Self::InvalidJson { detail }
            | Self::InvalidOrder { detail } => detail.clone(),
            Self::KeyReused => {
                "within a day a key stands for one order: use another key for another order"
                    .to_owned()
            }
            Self::NotResumable { state } => match state {
                JobStateName::Failed => {
                    "nothing is kept of its run any more: ask for a new export".to_owned()
                }
                state => format!("only a failed export can be tried again: this one is {state}"),
            },
            Self::NotAdministrator => {
                "the operator of this service names its administrators".to_owned()
            }
            Self::NotDeclaredJson => {
                "send the order with `Content-Type: application/json`".to_owned()
            }
            Self::BodyTooLarge { limit_bytes } => {
                format!("at most {limit_bytes} bytes are accepted")
            }
            Self::UnclearHost => "a request has one header `Host`, with a host and a port".to_owned(),
            Self::BodyIncomplete => "the body broke off or took too long".to_owned(),
            Self::NotReady { state } => format!("the export is {state}"),
            Self::Gone { state } => match state {
                JobStateName::Failed => "the export failed: its record says why".to_owned(),
                JobStateName::Ready => LOST.to_owned(),
                _ => format!("the export is {state}; its record stays"),
            },
            Self::NoReceipt => {
                "the export was made before there were receipts, or this service signs none"
                    .to_owned()
            }
            Self::RangeNotSatisfiable { size } => format!("the archive has {size} bytes"),
            Self::TooManyExports { limit } => {
                format!("at most {limit} of your exports can be under way at the same time")
            }
            Self::TooManyOrders { limit, wait } => format!(
                "at most {limit} exports can be asked for within a day: try again in {} seconds",
                whole_seconds(*wait)
            ),
            Self::TooManyArchives { archives, .. } => {
                let paths = archives.iter().map(|id| format!("/api/v1/exports/{id}"));
                let paths = paths.collect::<Vec<_>>().join(", ");
                format!("delete one of your archives first: {paths}")
            }
            Self::Busy => "try again in a moment".to_owned(),
            Self::NoSpace => {
                "nothing is lost: try again later, or contact the operator of this service"
                    .to_owned()
            }
            Self::Stopping => "nothing new is taken on".to_owned(),
            Self::Internal => {
                "the log of the service has the cause under this request's id".to_owned()
            }
        }
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
            | Self::BodyIncomplete
            | Self::Gone { .. }
            | Self::NoReceipt
            | Self::RangeNotSatisfiable { .. }
            | Self::InvalidKey { .. }
            | Self::NotAdministrator
            | Self::Internal => None,
        }
    }
}

/// Why the credentials could not be checked, and what helps.
fn unavailable(cause: Option<&IdentifyError>) -> String {
    let why = cause.map_or_else(
        || "the platform did not answer in time".to_owned(),
        |error| Causes(error).to_string(),
    );
    let helps = cause.and_then(IdentifyError::remedy).map_or_else(
        || "try again in a moment".to_owned(),
        |remedy| for_operator(&remedy),
    );
    format!("the credentials could not be checked: {why}; {helps}")
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::{API_URL, ApiError, Distrust};

    #[test]
    fn a_platform_that_cannot_be_asked_has_its_cause_and_what_helps() {
        let request = "GET users/john".to_owned();
        let host = "uforge.example.com:443".to_owned();
        let detail = "it says so".to_owned();
        let proxy = host.clone();
        let of = |error| Problem::PlatformUnavailable { cause: Some(error) }.detail();
        let platform = |error: ApiError| {
            let (said, remedy) = (error.to_string(), error.remedy().unwrap());
            let detail_text = of(IdentifyError::Platform(error));
            assert!(
                detail_text.contains(&said) && detail_text.contains(&remedy),
                "{detail_text}"
            );
        };
        platform(ApiError::NotHttp {
            request: request.clone(),
            host: host.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::UnknownHost {
            request: request.clone(),
            host: host.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::Unreachable {
            request: request.clone(),
            host: host.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::ClientCertificate {
            request: request.clone(),
            host: host.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::NoCommonTls {
            request: request.clone(),
            host: host.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::ProxyUnreachable {
            request: request.clone(),
            proxy: proxy.clone(),
            detail: detail.clone(),
        });
        platform(ApiError::ProxyUnauthorized {
            request: request.clone(),
            proxy,
        });
        platform(ApiError::Untrusted {
            request: request.clone(),
            host,
            distrust: Distrust::Expired,
            detail,
        });
        let elsewhere = of(IdentifyError::WrongAddress(ApiError::NotFound {
            request: request.clone(),
            status: 404,
            message: None,
        }));
        assert!(elsewhere.ends_with(API_URL), "{elsewhere}");
        let silent = of(IdentifyError::Platform(ApiError::Stalled {
            request,
            after: Duration::from_secs(15),
        }));
        assert!(silent.ends_with("; try again in a moment"), "{silent}");
        let late = Problem::PlatformUnavailable { cause: None }.detail();
        assert!(late.contains("did not answer in time"), "{late}");
    }
}
