//! What a caller wants to read: the header `Accept`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// How much a media type is accepted (RFC 9110 §12.5.1), in thousandths. The most specific range counts.
pub(crate) fn quality(headers: &HeaderMap, kind: &str, subkind: &str) -> u32 {
    let values = headers.get_all(ACCEPT).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut best = (0, 0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.split_once('/') {
            Some((k, s)) if k == kind && s == subkind => 3,
            Some((k, "*")) if k == kind => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        best = best.max((specific, weight(parts)));
    }
    best.1
}

/// The weight among the parameters of a range, in thousandths. One that cannot be read is none at all.
pub(crate) fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u32 {
    let weight = parameters.find_map(|part| part.strip_prefix("q="));
    weight.map_or(Some(1000), thousandths).unwrap_or_default()
}

fn thousandths(weight: &str) -> Option<u32> {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let rest = format!("{rest:0<3}");
    let whole = whole.parse::<u32>().ok()?.checked_mul(1000)?;
    let value = whole.checked_add(rest.get(..3)?.parse().ok()?)?;
    (value <= 1000).then_some(value)
}
