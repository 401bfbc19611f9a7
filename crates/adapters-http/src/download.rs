//! What the head of an answer says of the file that follows it.

use domain::ports::{ApiError, ResumeAt};
use jiff::SignedDuration;
use reqwest::header::{ACCEPT_RANGES, CONTENT_RANGE, DATE, ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Response, StatusCode};

use crate::platform_request::PlatformRequest;
use crate::wire::error::http_date;
use crate::wire::{MediaType, Unread};

/// The head of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) media_type: String,
    pub(crate) length: Option<u64>,
    pub(crate) starts_at: u64,
    pub(crate) validator: Option<String>,
}

/// Reads the head of the answer to this request.
pub(crate) fn head(response: &Response, ask: &PlatformRequest<'_>) -> Result<Head, ApiError> {
    read(
        response.status(),
        response.headers(),
        response.content_length(),
        ask.from,
    )
    .map_err(|unread| unread.of(&ask.name(), "a file"))
}

fn read(
    status: StatusCode,
    headers: &HeaderMap,
    length: Option<u64>,
    from: Option<&ResumeAt>,
) -> Result<Head, Unread> {
    let media_type = MediaType::of(headers);
    let (starts_at, part) = match (status, from) {
        (StatusCode::OK, _) => (0, None),
        (StatusCode::PARTIAL_CONTENT, Some(point)) => (point.offset, Some(part(headers, point)?)),
        _ => {
            return Err(Unread::Detail(format!(
                "it has the status {} where a whole file was asked for",
                status.as_u16()
            )));
        }
    };
    Ok(Head {
        media_type: media_type.map_or_else(
            || "application/octet-stream".to_owned(),
            |found| found.essence,
        ),
        length: length.or(part),
        starts_at,
        validator: validator(headers, part.is_some()),
    })
}

/// The bytes in a part that begins where it was asked to, of the file that it was asked of (RFC 9110 §14.4).
fn part(headers: &HeaderMap, point: &ResumeAt) -> Result<u64, Unread> {
    let wrong = || {
        Unread::Detail(format!(
            "it does not go on at byte {} as it was asked to",
            point.offset
        ))
    };
    if point.validator.starts_with('"')
        && strong_tag(headers).is_some_and(|tag| tag != point.validator)
    {
        return Err(wrong());
    }
    let range = text(headers, CONTENT_RANGE).ok_or_else(wrong)?;
    let (first, rest) = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(wrong)?;
    let last = rest.split_once('/').ok_or_else(wrong)?.0;
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let last: u64 = last.trim().parse().map_err(|_| wrong())?;
    if first != point.offset {
        return Err(wrong());
    }
    let last_to_first = last.checked_sub(first).ok_or_else(wrong)?;
    last_to_first.checked_add(1).ok_or_else(wrong)
}

/// The validator that the rest can be asked for with. A server that says nothing of ranges is asked too: if it knows none, it sends
/// the whole.
fn validator(headers: &HeaderMap, is_part: bool) -> Option<String> {
    let refuses = text(headers, ACCEPT_RANGES).is_some_and(|unit| unit.trim() == "none");
    if refuses && !is_part {
        return None;
    }
    strong_tag(headers)
        .map(str::to_owned)
        .or_else(|| strong_date(headers))
}

/// A time of change that proves as much as a tag: the file was not being changed in the second in which it was sent (RFC 9110
/// §8.8.2.2).
fn strong_date(headers: &HeaderMap) -> Option<String> {
    let changed = http_date(headers.get(LAST_MODIFIED)?)?;
    let sent = http_date(headers.get(DATE)?)?;
    let date = text(headers, LAST_MODIFIED)?;
    (sent.duration_since(changed) >= SignedDuration::from_secs(1)).then(|| date.to_owned())
}

/// `"…"`, not `W/"…"` (RFC 9110 §8.8.3).
fn strong_tag(headers: &HeaderMap) -> Option<&str> {
    let tag = text(headers, ETAG)?.trim();
    (tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"')).then_some(tag)
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn point() -> ResumeAt {
        ResumeAt {
            offset: 100,
            validator: "\"a\"".to_owned(),
        }
    }

    #[test]
    fn what_proves_that_a_rest_belongs_to_its_beginning() {
        let (sent, changed) = (
            "Tue, 24 Nov 2026 10:00:01 GMT",
            "Tue, 24 Nov 2026 10:00:00 GMT",
        );
        for (pairs, validator) in [
            (
                &[(ETAG, "\"a\""), (ACCEPT_RANGES, "bytes")][..],
                Some("\"a\""),
            ),
            (&[(ETAG, "\"a\"")], Some("\"a\"")),
            (&[(ETAG, "W/\"a\""), (ACCEPT_RANGES, "bytes")], None),
            (&[(ETAG, "\"a\""), (ACCEPT_RANGES, "none")], None),
            (&[(ETAG, "a"), (ACCEPT_RANGES, "bytes")], None),
            (&[(LAST_MODIFIED, changed), (DATE, sent)], Some(changed)),
            (&[(LAST_MODIFIED, sent), (DATE, sent)], None),
            (&[(LAST_MODIFIED, changed)], None),
            (&[(LAST_MODIFIED, "yesterday"), (DATE, sent)], None),
            (
                &[(ETAG, "\"a\""), (LAST_MODIFIED, changed), (DATE, sent)],
                Some("\"a\""),
            ),
        ] {
            let found = read(StatusCode::OK, &headers(pairs), Some(7), None).unwrap();
            assert_eq!(
                (found.validator.as_deref(), found.length),
                (validator, Some(7)),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_server_that_begins_anew_says_so() {
        let point = point();
        let found = read(StatusCode::OK, &HeaderMap::new(), None, Some(&point)).unwrap();
        assert_eq!((found.starts_at, found.length), (0, None));
        assert_eq!(found.media_type, "application/octet-stream");
    }

    #[test]
    fn a_part_goes_on_exactly_where_it_should() {
        let point = point();
        let good = headers(&[(CONTENT_RANGE, "bytes 100-149/150"), (ETAG, "\"a\"")]);
        let found = read(StatusCode::PARTIAL_CONTENT, &good, None, Some(&point)).unwrap();
        assert_eq!(
            (found.starts_at, found.length, found.validator.as_deref()),
            (100, Some(50), Some("\"a\""))
        );
        for (range, tag) in [
            ("bytes 99-149/150", "\"a\""),
            ("bytes 100-149/150", "\"b\""),
            ("bytes 100-99/150", "\"a\""),
            ("bytes 100-18446744073709551616/*", "\"a\""),
            ("bytes */150", "\"a\""),
            ("", "\"a\""),
        ] {
            let headers = headers(&[(CONTENT_RANGE, range), (ETAG, tag)]);
            assert!(read(StatusCode::PARTIAL_CONTENT, &headers, None, Some(&point)).is_err());
        }
        assert!(read(StatusCode::PARTIAL_CONTENT, &good, None, None).is_err());
    }
}
