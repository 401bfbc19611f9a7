//! The types of problems: one row each.

use axum::http::StatusCode;

use super::Problem;

/// The parts of a problem that are the same each time it occurs.
pub(super) struct Kind {
    pub(super) status: StatusCode,
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
}

impl Problem {
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    pub(super) fn kind(&self) -> Kind {
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
            Self::HeadersTooLarge { .. } => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers-too-large",
                "The headers are too large",
            ),
            Self::BodyIncomplete => (
                S::REQUEST_TIMEOUT,
                "body-incomplete",
                "The body did not arrive",
            ),
            Self::NotReady { .. } => (S::CONFLICT, "not-ready", "The archive is not ready yet"),
            Self::Gone { .. } => (S::GONE, "gone", "There is no archive any more"),
            Self::NoReceipt => (S::NOT_FOUND, "no-receipt", "There is no such receipt"),
            Self::OtherArchive => (
                S::PRECONDITION_FAILED,
                "other-archive",
                "The archive is another one",
            ),
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
}
