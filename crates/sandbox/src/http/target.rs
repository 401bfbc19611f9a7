//! What a request asks for: its path relative to the base, and the form it wants.

use hyper::Uri;
use hyper::header::{ACCEPT, HeaderMap};
use percent_encoding::percent_decode_str;

use domain::model::Representation;

use crate::platform::Query;

/// The target of a request.
pub(super) struct Target {
    /// Path and query relative to the base, without leading slash, exactly as sent: what a signature is made of.
    pub(super) relative: String,
    /// The path's segments, decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Query,
}

impl Target {
    /// `None` where the path is not below the base.
    pub(super) fn of(uri: &Uri, base: &str) -> Option<Self> {
        let path = uri.path().strip_prefix(base.trim_end_matches('/'))?;
        let path = path.strip_prefix('/').or(path.is_empty().then_some(""))?;
        let query = uri.query().unwrap_or_default();
        let relative = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments = path.trim_end_matches('/').split('/').map(decode).collect();
        Some(Self {
            relative,
            segments,
            query: Query::parse(query),
        })
    }

    /// The query as sent, without what identifies the caller.
    pub(super) fn public_query(&self) -> String {
        let query = self.relative.split_once('?').map_or("", |(_, query)| query);
        let public = |part: &&str| !part.starts_with("apiKey=") && !part.starts_with("signature=");
        query
            .split('&')
            .filter(public)
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// JSON where it is preferred (RFC 9110 §12.5.1), else XML.
pub(super) fn wanted(headers: &HeaderMap) -> Representation {
    let accepted: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let quality = |media_type: &str| {
        let ranges = accepted.iter().flat_map(|value| value.split(','));
        let weights = ranges.filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?.eq_ignore_ascii_case(media_type);
            named.then(|| {
                parts
                    .find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok())
                    .unwrap_or(1.0)
            })
        });
        weights.fold(0.0, f32::max)
    };
    if quality("application/json") > quality("application/xml") {
        Representation::Json
    } else {
        Representation::Xml
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_relative_to_the_base_and_kept_as_sent() {
        let uri: Uri = "/api/users/j%40o/appliances?query=a%3Db&apiKey=K&signature=s"
            .parse()
            .unwrap();
        let target = Target::of(&uri, "/api").unwrap();
        assert_eq!(
            target.relative,
            "users/j%40o/appliances?query=a%3Db&apiKey=K&signature=s"
        );
        assert_eq!(target.segments, ["users", "j@o", "appliances"]);
        assert_eq!(target.public_query(), "query=a%3Db");
        assert!(Target::of(&uri, "/ufws").is_none());
        assert!(Target::of(&"/apis/users".parse().unwrap(), "/api").is_none());
        assert!(Target::of(&uri, "").is_some());
    }

    #[test]
    fn json_comes_only_where_it_is_preferred() {
        let check = |accept: &str, expected: Representation| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(wanted(&headers), expected, "{accept}");
        };
        check("application/json", Representation::Json);
        check("application/xml", Representation::Xml);
        check("*/*", Representation::Xml);
        check(
            "application/xml;q=0.5, application/json",
            Representation::Json,
        );
        check(
            "application/json;q=0.4, application/xml;q=0.9",
            Representation::Xml,
        );
        assert_eq!(wanted(&HeaderMap::new()), Representation::Xml);
    }
}
