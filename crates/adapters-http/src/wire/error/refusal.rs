//! What a refusal means: its status, and the words of those that answer in the platform's place.

use std::time::Duration;

use domain::ports::ApiError;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::message::message;
use super::way::Way;

/// Bytes of a refusal's body that are read.
pub(crate) const LONGEST_REFUSAL: u64 = 64 * 1024;
/// A server that wants to be left alone for longer than a day is not to be waited for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// An answer outside 2xx and 3xx.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    request: &str,
    way: &Way<'_>,
) -> ApiError {
    let request = request.to_owned();
    let message = message(headers, body);
    if let Some(error) =
        refusal_on_the_way(status.as_u16(), &request, message.as_deref(), body, way)
    {
        return error;
    }
    match status.as_u16() {
        401 => ApiError::Unauthorized { request, message },
        403 => ApiError::Forbidden { request, message },
        status @ (404 | 410) => ApiError::NotFound {
            request,
            status,
            message,
        },
        status if means_later(status, headers) => ApiError::Overloaded {
            request,
            status,
            retry_after: retry_after(headers, Timestamp::now()),
            proxy: gateway(status, way),
            message,
        },
        status @ 500.. => ApiError::ServerFault {
            request,
            status,
            message,
        },
        status => ApiError::Refused {
            request,
            status,
            message,
        },
    }
}

/// Statuses of servers, gateways and content networks that say: not now, and perhaps later. Any other refusal that says after
/// which time to try again says the same.
fn means_later(status: u16, headers: &HeaderMap) -> bool {
    // RFC 9110: request timeout, misdirected request; RFC 8470: too early; RFC 6585: too many requests. Older words for 429 and 503
    // (420, 449), and nginx's for a client that it lost (499).
    let from_servers = matches!(status, 408 | 420 | 421 | 425 | 429 | 449 | 499 | 502..=504);
    // Bandwidth used up; Cloudflare's words for a platform that it does not reach; overloaded; timeouts of gateways.
    let from_networks = matches!(status, 509 | 520..=524 | 527 | 529 | 530 | 598 | 599);
    from_servers || from_networks || headers.contains_key(RETRY_AFTER)
}

/// The proxy that may speak of its own trouble: what a platform says over TLS, no proxy can say.
fn gateway(status: u16, way: &Way<'_>) -> Option<Box<str>> {
    let is_gateway = matches!(status, 502..=504) && !way.is_tls;
    way.proxy.filter(|_| is_gateway).map(Box::from)
}

/// What a proxy or a TLS front end says in the platform's place.
fn refusal_on_the_way(
    status: u16,
    request: &str,
    message: Option<&str>,
    body: &[u8],
    way: &Way<'_>,
) -> Option<ApiError> {
    let (request, host) = (request.to_owned(), way.host.to_owned());
    let detail = |words: &str| {
        message.map_or_else(
            || words.to_owned(),
            |message| format!("\"{message}\" ({status})"),
        )
    };
    match status {
        407 => Some(ApiError::ProxyUnauthorized {
            request,
            proxy: way.proxy.unwrap_or(way.host).to_owned(),
        }),
        // No UForge refuses its status to anybody.
        403 if !way.is_tls && request == "GET status" => {
            way.proxy.map(|proxy| ApiError::ProxyRefused {
                request,
                proxy: proxy.to_owned(),
                detail: detail("it does not permit this (403)"),
            })
        }
        // nginx's words for certificates of clients.
        495 | 496 => Some(ApiError::ClientCertificate {
            request,
            host,
            detail: detail("it refuses whoever has none"),
        }),
        400 | 401 | 403 if way.is_tls && says(body, "ssl certificate") => {
            Some(ApiError::ClientCertificate {
                request,
                host,
                detail: detail("it refuses whoever has none"),
            })
        }
        400 | 497 if !way.is_tls && speaks_tls(status, body) => Some(ApiError::NotHttp {
            request,
            host,
            detail: "it speaks TLS, so the URL has to begin with `https://`".to_owned(),
        }),
        _ => None,
    }
}

/// What web servers say to plain HTTP on a port of theirs that speaks TLS.
fn speaks_tls(status: u16, body: &[u8]) -> bool {
    status == 497
        || [
            "https port",
            "https server",
            "ssl-enabled server",
            "requires tls",
        ]
        .iter()
        .any(|words| says(body, words))
}

fn says(body: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(body)
        .to_ascii_lowercase()
        .contains(words)
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3); the server's own clock is asked before ours.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let now = headers.get(DATE).and_then(http_date).unwrap_or(now);
        let until = http_date(headers.get(RETRY_AFTER)?)?;
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// The time in a header (RFC 9110 §5.6.7).
pub(crate) fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new();
    date.parse_timestamp(value.to_str().ok()?).ok()
}
