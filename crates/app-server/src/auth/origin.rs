//! Origins: where this service is for browsers, and whether a request comes from there.

use std::fmt;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, Version};
use thiserror::Error;

/// Scheme, host and port, in the form that browsers send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    is_https: bool,
}

/// Why a text is no address of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// It is no URL with a host.
    #[error("it should look like `https://exports.example.com`")]
    NotAUrl,
    /// Its scheme is another one.
    #[error("its scheme has to be `https` or `http`")]
    Scheme,
    /// It has more than a host and a port.
    #[error("it has to end after the host and the port: no login, path or query")]
    TooMuch,
}

impl Origin {
    /// Reads the address under which people reach the service, as in `https://exports.example.com`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let uri: Uri = text.parse().map_err(|_| OriginError::NotAUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(OriginError::NotAUrl);
        };
        if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
            return Err(OriginError::Scheme);
        }
        if authority.as_str().contains('@')
            || !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
            || text.contains('#')
        {
            return Err(OriginError::TooMuch);
        }
        let has_port = authority.as_str().len() > authority.host().len();
        if authority.host().is_empty() || (has_port && authority.port_u16().is_none()) {
            return Err(OriginError::NotAUrl);
        }
        Ok(Self::of(*scheme == Scheme::HTTPS, authority.as_str()))
    }

    /// Browsers leave the usual port out and write hosts in lower case.
    fn of(is_https: bool, authority: &str) -> Self {
        let (scheme, usual) = if is_https {
            ("https", ":443")
        } else {
            ("http", ":80")
        };
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(usual).unwrap_or(&authority);
        Self {
            text: format!("{scheme}://{authority}"),
            is_https,
        }
    }

    /// Whether browsers reach it encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A request that does not say, once and in the form of a host, which host it is for (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnclearHost;

impl UnclearHost {
    /// Looks at what a request says. Only the versions before HTTP/1.1 may say nothing.
    pub(crate) fn of(version: Version, headers: &HeaderMap) -> Option<Self> {
        let mut hosts = headers.get_all(HOST).iter();
        let is_clear = match (hosts.next(), hosts.next()) {
            (None, _) => version < Version::HTTP_11,
            (Some(host), None) => is_host(host),
            (Some(_), Some(_)) => false,
        };
        (!is_clear).then_some(Self)
    }
}

fn is_host(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else {
        return false;
    };
    text.is_empty() || (text.parse::<Authority>().is_ok() && !text.contains('@'))
}

/// What a request says of the page that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// This service's own page, or the person directly.
    Own,
    /// Another site's page.
    Foreign,
    /// It says nothing: a program.
    Silent,
}

/// Reads what a request says of the page that sent it. `own` is where this service is, where the operator said so; otherwise it is
/// where the request was sent to, encrypted or not.
pub(crate) fn sender(headers: &HeaderMap, own: Option<&Origin>, is_https: bool) -> Sender {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_foreign_site = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (None, _) => None,
        (Some(origin), None) => Some(
            origin
                .to_str()
                .is_ok_and(|text| is_own(text, headers, own, is_https)),
        ),
        (Some(_), Some(_)) => Some(false),
    };
    match (is_foreign_site, origin) {
        (true, _) | (_, Some(false)) => Sender::Foreign,
        (false, Some(true)) => Sender::Own,
        (false, None) if site == Some(b"same-origin") => Sender::Own,
        (false, None) => Sender::Silent,
    }
}

fn is_own(origin: &str, headers: &HeaderMap, own: Option<&Origin>, is_https: bool) -> bool {
    let Ok(origin) = Origin::parse(origin) else {
        return false;
    };
    match own {
        Some(own) => origin == *own,
        None => headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .is_some_and(|host| origin == Origin::of(is_https, host)),
    }
}

/// Whether a request of this method may change something.
pub(crate) fn is_unsafe(method: &Method) -> bool {
    !method.is_safe()
}

/// Whether a browser sends this: it would show a dialog of its own where it is asked for Basic credentials.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let fetches = headers
        .keys()
        .any(|name| name.as_str().starts_with("sec-fetch-"));
    let accepts = headers.get_all("accept").iter();
    fetches
        || accepts
            .filter_map(|accept| accept.to_str().ok())
            .any(|accept| accept.to_ascii_lowercase().contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn an_address_of_the_service_ends_after_its_port() {
        for (text, origin) in [
            ("https://Exports.Example.com", "https://exports.example.com"),
            (
                "https://exports.example.com:443/",
                "https://exports.example.com",
            ),
            ("http://localhost:8081", "http://localhost:8081"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin);
        }
        for nonsense in [
            "",
            "exports.example.com",
            "/",
            "https://",
            "ftp://example.com",
            "https://john@example.com",
            "https://example.com/exports",
            "https://example.com/?a",
            "https://example.com/#a",
            "https://example.com:x",
            "https://example.com:",
            "https://exa mple.com",
        ] {
            assert!(Origin::parse(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn only_this_service_s_own_pages_are_its_own() {
        let public = Origin::parse("https://exports.example.com").unwrap();
        let host = ("host", "10.0.0.1:8081");
        for (own, said, sender_is) in [
            (None, vec![], Sender::Silent),
            (None, vec![("sec-fetch-site", "none")], Sender::Silent),
            (None, vec![("sec-fetch-site", "same-origin")], Sender::Own),
            (None, vec![("sec-fetch-site", "same-site")], Sender::Foreign),
            (
                None,
                vec![("sec-fetch-site", "cross-site")],
                Sender::Foreign,
            ),
            (None, vec![("sec-fetch-site", "")], Sender::Foreign),
            (None, vec![("origin", "null")], Sender::Foreign),
            (None, vec![("origin", "http://10.0.0.1:8081")], Sender::Own),
            (None, vec![("origin", "http://10.0.0.1")], Sender::Foreign),
            (
                None,
                vec![("origin", "https://10.0.0.1:8081")],
                Sender::Foreign,
            ),
            (
                Some(&public),
                vec![("origin", "https://exports.example.com")],
                Sender::Own,
            ),
            (
                Some(&public),
                vec![("origin", "http://exports.example.com")],
                Sender::Foreign,
            ),
            (
                Some(&public),
                vec![("origin", "http://10.0.0.1:8081")],
                Sender::Foreign,
            ),
            (
                Some(&public),
                vec![("origin", "https://exports.example.com.evil.example")],
                Sender::Foreign,
            ),
            (
                Some(&public),
                vec![
                    ("origin", "https://exports.example.com"),
                    ("sec-fetch-site", "cross-site"),
                ],
                Sender::Foreign,
            ),
        ] {
            let mut pairs = vec![host];
            pairs.extend(said);
            assert_eq!(sender(&headers(&pairs), own, false), sender_is, "{pairs:?}");
        }
    }

    #[test]
    fn where_the_service_speaks_tls_itself_its_pages_are_https() {
        for (origin, sender_is) in [
            ("https://10.0.0.1:8081", Sender::Own),
            ("http://10.0.0.1:8081", Sender::Foreign),
        ] {
            let said = headers(&[("host", "10.0.0.1:8081"), ("origin", origin)]);
            assert_eq!(sender(&said, None, true), sender_is, "{origin}");
        }
    }
}
