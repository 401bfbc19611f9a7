//! What it means that no connection was made: that depends on who was to be reached.

use domain::ports::ApiError;

use super::causes::{causes_of, innermost};
use super::way::Way;

/// No connection: of whom to say that depends on who was to be reached.
pub(super) fn no_connection(error: &reqwest::Error, request: String, way: &Way<'_>) -> ApiError {
    let host = way.host.to_owned();
    let detail = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        innermost(error)
    };
    let causes = causes_of(error);
    if let Some(proxy) = way.proxy.map(str::to_owned) {
        if causes.iter().any(|cause| wants_password(cause)) {
            return ApiError::ProxyUnauthorized { request, proxy };
        }
        return match causes.iter().find_map(|cause| proxy_refusal(cause)) {
            Some(words) => ApiError::ProxyRefused {
                request,
                proxy,
                detail: words.replace("HOST", &host),
            },
            None => ApiError::ProxyUnreachable {
                request,
                proxy,
                detail,
            },
        };
    }
    if causes.iter().any(|cause| cause.contains("dns error")) {
        return ApiError::UnknownHost {
            request,
            host,
            detail,
        };
    }
    if way.is_tls && detail.contains("handshake eof") {
        let detail = "it ended the connection during the TLS handshake".to_owned();
        return ApiError::Unreachable {
            request,
            host,
            detail,
        };
    }
    ApiError::Unreachable {
        request,
        host,
        detail,
    }
}

fn wants_password(cause: &str) -> bool {
    let cause = cause.to_ascii_lowercase();
    cause.contains("proxy authorization required") || cause.contains("credentials not accepted")
}

/// What a proxy did instead of opening a connection: the library keeps no more of its answer.
fn proxy_refusal(cause: &str) -> Option<String> {
    let cause = cause.to_ascii_lowercase();
    if cause.contains("tunnel error: unsuccessful") {
        Some("it does not open a connection to `HOST`".to_owned())
    } else if cause.contains("tunnel error: unexpected end of file")
        || cause.contains("tunnel error: proxy response headers too long")
    {
        Some("what it answered is no answer of a proxy".to_owned())
    } else {
        None
    }
}
