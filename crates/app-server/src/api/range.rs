//! Which bytes are asked for: conditions (RFC 9110 §13), and one range (§14); several at once are answered with the whole, as the RFC permits.

use std::ops::Range;

use axum::http::header::{IF_MATCH, IF_RANGE, RANGE};
use axum::http::{HeaderMap, Method};

use super::tagged::{has, tags};

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// This part of it.
    Part(Range<u64>),
    /// The caller has it already.
    NotModified,
    /// The caller wants another file.
    OtherFile,
    /// Not one byte of it.
    Unsatisfiable,
}

/// Reads what is wanted of a file of `size` bytes whose strong validator is `etag`, quotes included.
pub(super) fn wanted(method: &Method, headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    // In the order of RFC 9110 §13.2.2. Tags of this one are compared exactly (§13.1.1): a weak one never matches.
    if headers.contains_key(IF_MATCH)
        && !tags(headers, IF_MATCH).any(|known| known == "*" || known == etag)
    {
        return Wanted::OtherFile;
    }
    if has(headers, etag) {
        return Wanted::NotModified;
    }
    // RFC 9110 §14.2: a range means something with GET only.
    if method != Method::GET {
        return Wanted::Whole;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // RFC 9110 §13.1.5: where the validator is not exactly ours, the range is of another file.
    if headers.contains_key(IF_RANGE) && text(IF_RANGE) != Some(etag) {
        return Wanted::Whole;
    }
    text(RANGE).map_or(Wanted::Whole, |range| parse(range, size))
}

/// A range that is not understood is as if it were not there (RFC 9110 §14.2).
fn parse(range: &str, size: u64) -> Wanted {
    let Some((unit, spec)) = range.split_once('=') else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Wanted::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    match (number(first), number(last)) {
        (Number::Absent, Number::Is(0)) => Wanted::Unsatisfiable,
        (Number::Absent, Number::Is(length)) if size > 0 => {
            Wanted::Part(size.saturating_sub(length)..size)
        }
        (Number::Absent, Number::Is(_)) => Wanted::Unsatisfiable,
        (Number::Is(first), Number::Absent) => part(first, size, size),
        (Number::Is(first), Number::Is(last)) if first <= last => {
            part(first, last.saturating_add(1), size)
        }
        _ => Wanted::Whole,
    }
}

fn part(first: u64, end: u64, size: u64) -> Wanted {
    if first >= size {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part(first..end.min(size))
}

#[derive(Clone, Copy)]
enum Number {
    Absent,
    Is(u64),
    Nonsense,
}

fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        Number::Absent
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a file can have bytes: beyond its end, whatever it is.
        Number::Is(text.parse().unwrap_or(u64::MAX))
    } else {
        Number::Nonsense
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::IF_NONE_MATCH;
    use axum::http::{HeaderName, HeaderValue};

    const ETAG: &str = "\"abc\"";

    fn ask(headers: &[(HeaderName, &str)]) -> Wanted {
        ask_by(&Method::GET, headers)
    }

    fn ask_by(method: &Method, headers: &[(HeaderName, &str)]) -> Wanted {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        wanted(method, &map, 10, ETAG)
    }

    #[test]
    fn one_range_is_read_in_all_its_forms() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-4", 2..5),
            ("bytes=7-", 7..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=5-99999999999999999999", 5..10),
            ("Bytes = 1-1", 1..2),
        ] {
            assert_eq!(ask(&[(RANGE, range)]), Wanted::Part(part), "{range}");
        }
    }

    #[test]
    fn what_lies_beyond_the_end_cannot_be_had() {
        for range in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(ask(&[(RANGE, range)]), Wanted::Unsatisfiable, "{range}");
        }
    }

    #[test]
    fn what_is_not_understood_is_answered_with_the_whole() {
        for range in [
            "bytes=4-2",
            "bytes=1-2,4-5",
            "bytes=a-b",
            "lines=1-2",
            "bytes",
            "bytes=-",
            "bytes=+1-2",
        ] {
            assert_eq!(ask(&[(RANGE, range)]), Wanted::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_file_is_answered_with_the_whole() {
        let range = (RANGE, "bytes=2-4");
        assert_eq!(ask(&[range.clone(), (IF_RANGE, ETAG)]), Wanted::Part(2..5));
        for other in ["\"xyz\"", "W/\"abc\"", "Tue, 24 Nov 2026 02:00:00 GMT"] {
            assert_eq!(ask(&[range.clone(), (IF_RANGE, other)]), Wanted::Whole);
        }
    }

    #[test]
    fn a_file_that_is_there_already_is_not_sent_again() {
        for method in [Method::GET, Method::HEAD] {
            for known in ["\"abc\"", "\"x\", W/\"abc\"", "*"] {
                let asked = [(IF_NONE_MATCH, "\"y\""), (IF_NONE_MATCH, known)];
                assert_eq!(ask_by(&method, &asked), Wanted::NotModified);
            }
            let other = ask_by(&method, &[(IF_NONE_MATCH, "\"x\"")]);
            assert_eq!(other, Wanted::Whole);
        }
    }

    #[test]
    fn a_file_other_than_the_one_that_is_meant_is_not_sent() {
        for method in [Method::GET, Method::HEAD] {
            for meant in ["\"x\"", "W/\"abc\"", "\"x\", \"y\"", "", "abc"] {
                let asked = [
                    (IF_MATCH, meant),
                    (IF_NONE_MATCH, ETAG),
                    (RANGE, "bytes=2-4"),
                ];
                assert_eq!(ask_by(&method, &asked), Wanted::OtherFile, "{meant}");
            }
            for meant in ["\"abc\"", "\"x\" , \"abc\"", "*"] {
                assert_eq!(ask_by(&method, &[(IF_MATCH, meant)]), Wanted::Whole);
            }
        }
        let range = (RANGE, "bytes=2-4");
        assert_eq!(ask(&[(IF_MATCH, ETAG), range.clone()]), Wanted::Part(2..5));
        assert_eq!(ask_by(&Method::HEAD, &[range]), Wanted::Whole);
    }
}
