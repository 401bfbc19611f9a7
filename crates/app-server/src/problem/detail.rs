//! What is said of one occurrence of a problem.

use domain::jobs::JobStateName;

use super::{LOST, Problem, whole_seconds};
use crate::backend::IdentifyError;
use crate::causes::{Causes, for_operator};

const OTHERS_CAMPAIGN: &str =
    "only the administrator who ordered it may try its failed exports again";
const NOTHING_TO_RETRY: &str = "none of its exports has failed, or nothing is kept of their runs any more: order a new campaign for \
    these people";

impl Problem {
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    pub(super) fn detail(&self) -> String {
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
            Self::HeadersTooLarge { limit_bytes } => {
                format!("its line and headers may have {limit_bytes} bytes together")
            }
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
            Self::OtherArchive => {
                "its `ETag` is none of those in the header `If-Match`".to_owned()
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
