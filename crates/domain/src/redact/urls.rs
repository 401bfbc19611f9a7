//! Secrets inside URLs: `scheme://user:password@host`, and parameters such as `?downloadToken=…`.

use std::ops::Range;

use super::edits::BLANK;
use super::fields::is_secret_parameter;

/// Ranges of secrets in a text, in their order. What is blanked already is none.
pub(super) fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = passwords(text).chain(parameters(text)).collect();
    found.retain(|range| !range.is_empty() && text.get(range.clone()) != Some(BLANK));
    found.sort_by_key(|range| range.start);
    found
}

/// RFC 3986 §3.2.1. The user name stays.
fn passwords(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(move |(index, mark)| {
        let start = index + mark.len();
        let authority = text.get(start..)?;
        let end = authority
            .find(|c: char| {
                matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace()
            })
            .unwrap_or(authority.len());
        let user_info = authority.get(..authority.get(..end)?.rfind('@')?)?;
        let colon = user_info.find(':')?;
        Some(start + colon + 1..start + user_info.len())
    })
}

/// `?name=value` and `&name=value`, in XML also `&amp;name=value`.
fn parameters(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(['?', '&', ';'])
        .filter_map(move |(index, mark)| {
            let start = index + mark.len();
            let rest = text.get(start..)?;
            let end = rest
                .find(|c: char| {
                    matches!(c, '&' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace()
                })
                .unwrap_or(rest.len());
            let (name, value) = rest.get(..end)?.split_once('=')?;
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            let value_start = start + name.len() + 1;
            (is_name && is_secret_parameter(name)).then_some(value_start..value_start + value.len())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = secrets_in(text);
        let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn credentials_in_a_url_are_found_and_the_rest_is_not() {
        check("https://john:s3cret@example.com/x", &["s3cret"]);
        check("see ftp://a:b:c@d@host and http://e:f@g", &["b:c@d", "f"]);
        check("https://example.com:8443/a@b:c", &[]);
        check("https://john@example.com", &[]);
        check("https://john:@example.com", &[]);
        check("https://john:REDACTED@example.com", &[]);
    }

    #[test]
    fn parameters_that_grant_something_are_found() {
        check("u/x?downloadToken=abc&page=2", &["abc"]);
        check("u/x?a=1&amp;apiKey=abc&amp;signature=def", &["abc", "def"]);
        check("u/x?page=2#token=x", &[]);
        check("is it so? token = yes", &[]);
        check("?token=REDACTED", &[]);
    }
}
