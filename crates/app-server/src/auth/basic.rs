//! `Authorization: Basic` (RFC 7617), read with a known charset: UTF-8.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::UserId;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::backend::Credentials;

/// Longest `Authorization` that is looked at.
const LONGEST_BYTES: usize = 4096;

/// Reads a login and a password. An error repeats nothing of them.
pub(crate) fn read(header: &HeaderValue) -> Result<Credentials, &'static str> {
    const MALFORMED: &str = "the header `Authorization` is not understood";
    let text = header.to_str().map_err(|_| MALFORMED)?;
    if text.len() > LONGEST_BYTES {
        return Err(MALFORMED);
    }
    let (scheme, encoded) = text.split_once(' ').ok_or(MALFORMED)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err("only Basic authentication is understood here");
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| MALFORMED)?);
    let pair = std::str::from_utf8(&bytes).map_err(|_| "the credentials are not in UTF-8")?;
    let (login, password) = pair.split_once(':').ok_or(MALFORMED)?;
    // `SUPERVISOR\TARGET` authenticates somebody who is neither: such a caller would have no exports of their own.
    if login.contains('\\') {
        return Err("supervisor mode is not offered here: sign in as yourself");
    }
    Ok(Credentials {
        login: UserId::parse(login).map_err(|_| "this cannot be a login")?,
        password: SecretString::from(password),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn header(pair: &[u8]) -> HeaderValue {
        HeaderValue::from_str(&format!("basic {}", STANDARD.encode(pair))).unwrap()
    }

    #[test]
    fn a_password_may_hold_colons_and_any_letter() {
        let read = read(&header("jürgen:pass:wörd".as_bytes())).unwrap();
        assert_eq!(read.login.as_str(), "jürgen");
        assert_eq!(read.password.expose_secret(), "pass:wörd");
    }

    #[test]
    fn whatever_is_no_login_with_a_password_is_refused() {
        for pair in [
            b"john".as_slice(),
            b":secret",
            b"a\nb:secret",
            b"j\xfcrgen:secret",
            b"root\\john:secret",
        ] {
            assert!(read(&header(pair)).is_err());
        }
        for raw in ["", "Basic", "Basic !!!", "Bearer abc", "Basic am9objpz ="] {
            assert!(read(&HeaderValue::from_static(raw)).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_password_is_not_in_what_is_printed() {
        let printed = format!("{:?}", read(&header(b"john:hunter2")).unwrap());
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
