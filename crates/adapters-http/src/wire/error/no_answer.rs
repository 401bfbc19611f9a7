//! What it means that no answer came, or not all of one.

use std::time::Duration;

use domain::ports::ApiError;

use super::causes::{causes_of, innermost, tls_error};
use super::connection::no_connection;
use super::tls::no_tls;
use super::way::Way;

/// A request that got no answer.
pub(crate) fn no_answer(
    error: reqwest::Error,
    request: &str,
    way: &Way<'_>,
    silence: Duration,
) -> ApiError {
    let error = error.without_url();
    let (request, host) = (request.to_owned(), way.host.to_owned());
    if let Some(tls) = tls_error(&error) {
        return no_tls(tls, request, way);
    }
    if error.is_connect() {
        return no_connection(&error, request, way);
    }
    if error.is_timeout() {
        return ApiError::Stalled {
            request,
            after: silence,
        };
    }
    let detail = innermost(&error);
    if is_another_protocol(&error) {
        let detail = if way.is_tls {
            format!("what it answered is no HTTP ({detail})")
        } else {
            format!(
                "what it answered is no HTTP ({detail}): another service, or one that wants `https://`"
            )
        };
        return ApiError::NotHttp {
            request,
            host,
            detail,
        };
    }
    if way.is_tls && way.asked_for_certificate {
        return ApiError::ClientCertificate {
            request,
            host,
            detail: format!("it ended the connection when none came ({detail})"),
        };
    }
    ApiError::NoAnswer {
        request,
        sent: !error.is_builder(),
        detail,
    }
}

/// Whether the bytes that came were no HTTP at all. The library has no public word for some of these.
fn is_another_protocol(error: &reqwest::Error) -> bool {
    causes_of(error).iter().any(|cause| {
        cause.starts_with("invalid HTTP version")
            || cause.starts_with("invalid HTTP status-code")
            || cause.starts_with("received unexpected message from connection")
    })
}

/// A body that broke off after this many bytes.
pub(crate) fn broken_body(
    error: &reqwest::Error,
    request: &str,
    received: u64,
    silence: Duration,
) -> ApiError {
    let request = request.to_owned();
    if error.is_timeout() {
        ApiError::Stalled {
            request,
            after: silence,
        }
    } else {
        ApiError::Interrupted { request, received }
    }
}
