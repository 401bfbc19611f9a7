//! What went wrong, by meaning: the one room that turns statuses and the HTTP library's errors into [`ApiError`].

use std::error::Error;
use std::time::Duration;

use domain::ports::ApiError;
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

/// An answer outside 2xx and 3xx.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    request: &str,
) -> ApiError {
    let request = request.to_owned();
    let message = message(headers, body);
    match status.as_u16() {
        401 => ApiError::Unauthorized { request, message },
        403 => ApiError::Forbidden { request, message },
        status @ (404 | 410) => ApiError::NotFound {
            request,
            status,
            message,
        },
        status @ (429 | 502 | 503 | 504) => ApiError::Overloaded {
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
    host: &str,
    silence: Duration,
) -> ApiError {
    let error = error.without_url();
    let request = request.to_owned();
    let host = host.to_owned();
    if let Some(tls) = tls_error(&error) {
        return match tls {
            rustls::Error::InvalidMessage(_) => ApiError::Unreachable {
                request,
                host,
                detail: "it does not speak TLS on this port".to_owned(),
            },
            tls => ApiError::Untrusted {
                request,
                host,
                detail: distrust(tls),
            },
        };
    }
    if error.is_connect() && error.is_timeout() {
        let detail = "it did not answer in time".to_owned();
        return ApiError::Unreachable {
            request,
            host,
            detail,
        };
    }
    let detail = innermost(&error);
    if error.is_connect() {
        ApiError::Unreachable {
            request,
            host,
            detail,
        }
    } else if error.is_timeout() {
        ApiError::Stalled {
            request,
            after: silence,
        }
    } else {
        ApiError::NoAnswer {
            request,
            sent: !error.is_builder(),
            detail,
        }
    }
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

fn distrust(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(certificate) => distrusted_certificate(certificate),
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => "the server and this program have no TLS version or cipher in common (TLS 1.2 with ECDHE is the oldest supported)".to_owned(),
        other => plain(&other.to_string()),
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
