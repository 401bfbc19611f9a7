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
        return another_protocol(request, way, &detail);
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

/// What came is no HTTP: of whom to say that depends on who answers. A start may have worked all the same, so what asks for one
/// keeps the error that says so.
pub(super) fn another_protocol(request: String, way: &Way<'_>, detail: &str) -> ApiError {
    if let (false, Some(proxy), true) = (way.is_tls, way.proxy, request.starts_with("GET ")) {
        return ApiError::ProxyRefused {
            request,
            proxy: proxy.to_owned(),
            detail: format!("what it answered is no HTTP ({detail})"),
        };
    }
    let detail = if way.is_tls {
        format!("what it answered is no HTTP ({detail})")
    } else {
        format!(
            "what it answered is no HTTP ({detail}): another service, or one that wants `https://`"
        )
    };
    ApiError::NotHttp {
        request,
        host: way.host.to_owned(),
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
