//! The cookie that holds a session's token.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::sessions::SessionKey;

/// 256 random bits, known to one browser only.
pub(crate) struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// Draws a new one.
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut bits = Zeroizing::new([0; 32]);
        getrandom::fill(bits.as_mut())?;
        Ok(Self(bits))
    }

    /// What it is looked up by: whoever reads the sessions cannot make a cookie of it.
    pub(crate) fn key(&self) -> SessionKey {
        SessionKey::of(&self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }
}

/// A browser keeps a cookie with this prefix for this host alone, and sends it over TLS only.
fn name(is_https: bool) -> &'static str {
    if is_https {
        "__Host-uforge-export"
    } else {
        "uforge-export"
    }
}

/// Whether a request has the cookie at all, whatever is in it.
pub(crate) fn is_sent(headers: &HeaderMap, is_https: bool) -> bool {
    values(headers, is_https).next().is_some()
}

/// The token of a request. Of two cookies of the name nobody knows which one is this service's, so neither counts.
pub(crate) fn read(headers: &HeaderMap, is_https: bool) -> Option<Token> {
    let mut values = values(headers, is_https);
    match (values.next(), values.next()) {
        (Some(value), None) => Token::parse(value),
        _ => None,
    }
}

fn values(headers: &HeaderMap, is_https: bool) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name(is_https))
        .map(|(_, value)| value)
}

/// `Set-Cookie` for a new session. It ends with the browser at the latest.
pub(crate) fn set(token: &Token, is_https: bool) -> Option<HeaderValue> {
    let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(token.0.as_slice()));
    written(&value, "", is_https)
}

/// `Set-Cookie` that makes a browser forget it.
pub(crate) fn forget(is_https: bool) -> Option<HeaderValue> {
    written("", "; Max-Age=0", is_https)
}

fn written(value: &str, more: &str, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let name = name(is_https);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())])
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_set() {
        for is_https in [false, true] {
            let token = Token::draw().unwrap();
            let header = set(&token, is_https).unwrap();
            let (pair, attributes) = header.to_str().unwrap().split_once("; ").unwrap();
            assert_eq!(attributes.ends_with("; Secure"), is_https);
            assert_eq!(pair.starts_with("__Host-"), is_https);
            assert!(attributes.starts_with("Path=/; HttpOnly; SameSite=Strict"));
            assert!(!attributes.contains("Domain"));
            let headers = sent(&format!("other=1; {pair}"));
            assert_eq!(read(&headers, is_https).unwrap().key(), token.key());
            assert!(read(&headers, !is_https).is_none());
            assert!(read(&sent(&format!("{pair}; {pair}")), is_https).is_none());
        }
    }

    #[test]
    fn whatever_is_no_token_is_no_session() {
        for value in [
            "",
            "x",
            "uforge-export=",
            "uforge-export=AAAA",
            "uforge-export=a b",
        ] {
            assert!(read(&sent(value), false).is_none(), "{value}");
        }
    }
}
