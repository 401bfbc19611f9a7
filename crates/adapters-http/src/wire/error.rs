//! What went wrong, by meaning: the one module that turns statuses and the HTTP library's errors into [`ApiError`].

use std::error::Error;
use std::time::Duration;

use domain::ports::{ApiError, Distrust};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use rustls::{AlertDescription, CertificateError};

use super::media::MediaType;
use super::xml;

/// Bytes of a refusal's body that are read.
pub(crate) const LONGEST_REFUSAL: u64 = 64 * 1024;
/// Characters of the server's words that are shown.
const LONGEST_MESSAGE: usize = 300;
/// A server that wants to be left alone for longer than a day is not to be waited for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The way that a request takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    /// Host and port of the platform.
    pub(crate) host: &'a str,
    /// Whether bytes to it are encrypted.
    pub(crate) is_tls: bool,
    /// Host and port of the proxy before it.
    pub(crate) proxy: Option<&'a str>,
    /// Whether a server has asked for a client certificate.
    pub(crate) asked_for_certificate: bool,
}

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
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
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

/// What the server said, from whatever form it said it in.
fn message(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let is_plain = MediaType::of(headers).is_some_and(|found| found.essence == "text/plain");
    let words = from_xml(&text)
        .or_else(|| from_json(&text))
        .or_else(|| title(&text))
        .or_else(|| is_plain.then(|| text.to_string()))?;
    let words = plain(&words);
    (!words.is_empty()).then_some(words)
}

fn from_xml(text: &str) -> Option<String> {
    let document = xml::parse(text.as_bytes()).ok()?;
    xml::error_message(xml::root(&document, &["uforgeError"]).ok()?)
}

fn from_json(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let error = value.get("uforgeError").unwrap_or(&value);
    Some(
        error
            .get("localizedErrorMsg")?
            .get("message")?
            .as_str()?
            .to_owned(),
    )
}

fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let length = lower.get(start..)?.find("</title")?;
    text.get(start..start + length).map(str::to_owned)
}

/// One line without control characters, credentials and end.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .take(LONGEST_MESSAGE)
        .collect();
    let line = words.join(" ");
    // Some front ends repeat the request's line in their error pages.
    let line = ["signature=", "apiKey="]
        .iter()
        .fold(line, |line, name| without_value(&line, name));
    line.chars().take(LONGEST_MESSAGE).collect()
}

fn without_value(line: &str, name: &str) -> String {
    let mut parts = line.split(name);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| c == '&' || c.is_whitespace())
            .unwrap_or(part.len());
        kept = format!("{kept}{name}…{}", part.get(end..).unwrap_or_default());
    }
    kept
}

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

/// A TLS handshake that failed, or a TLS connection that the server ended with its reason.
fn no_tls(error: &rustls::Error, request: String, way: &Way<'_>) -> ApiError {
    let host = way.host.to_owned();
    let wants_certificate = matches!(
        error,
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired)
    ) || (way.asked_for_certificate
        && matches!(error, rustls::Error::AlertReceived(_)));
    if wants_certificate {
        return ApiError::ClientCertificate {
            request,
            host,
            detail: plain(&error.to_string()),
        };
    }
    match error {
        rustls::Error::InvalidMessage(_) => ApiError::Unreachable {
            request,
            host,
            detail: "it does not speak TLS on this port; its URL may begin with `http://`".to_owned(),
        },
        rustls::Error::InvalidCertificate(certificate) => ApiError::Untrusted {
            request,
            host,
            distrust: distrust(certificate),
            detail: distrusted_certificate(certificate),
        },
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => ApiError::NoCommonTls {
            request,
            host,
            detail: "the server and this program have no TLS version or cipher in common (TLS 1.2 with ECDHE is the oldest supported)".to_owned(),
        },
        other => ApiError::NoCommonTls {
            request,
            host,
            detail: plain(&other.to_string()),
        },
    }
}

/// No connection: of whom to say that depends on who was to be reached.
fn no_connection(error: &reqwest::Error, request: String, way: &Way<'_>) -> ApiError {
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

/// Whether the bytes that came were no HTTP at all. The library has no public word for some of these.
fn is_another_protocol(error: &reqwest::Error) -> bool {
    causes_of(error).iter().any(|cause| {
        cause.starts_with("invalid HTTP version")
            || cause.starts_with("invalid HTTP status-code")
            || cause.starts_with("received unexpected message from connection")
    })
}

fn causes_of(error: &reqwest::Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| cause(*error))
        .map(ToString::to_string)
        .collect()
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

/// What an error was caused by. An I/O error's `source` skips the very error that it wraps, so that is asked for first.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    std::iter::successors(error.source(), |error| cause(*error))
        .find_map(|error| error.downcast_ref())
}

fn innermost(error: &reqwest::Error) -> String {
    std::iter::successors(error.source(), |error| cause(*error))
        .last()
        .map_or_else(
            || plain(&error.to_string()),
            |error| plain(&error.to_string()),
        )
}

fn distrust(error: &CertificateError) -> Distrust {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::NotValidYet
        }
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::WrongHost
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Distrust::UnknownIssuer
        }
        _ => Distrust::Other,
    }
}

fn distrusted_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::UnknownIssuer => {
            "it is signed by an authority that is not trusted here, or by itself".to_owned()
        }
        CertificateError::NotValidForName => "it is made out to another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => plain(&format!(
            "it is made out to another host: {}",
            presented.join(", ")
        )),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is signed by itself, and not one that was given as trusted".to_owned()
        }
        other => plain(&other.to_string()),
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
