//! `Authorization: Basic` (RFC 7617), read with a known charset: UTF-8.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::UserId;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::backend::Credentials;
use crate::problem::Problem;

/// Longest `Authorization` that is looked at.
const LONGEST_BYTES: usize = 4096;

/// Why a text cannot be somebody's login here. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginError(pub(crate) &'static str);

/// Why the header `Authorization` has no credentials. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BasicError {
    /// It is no login with a password.
    Malformed(&'static str),
    /// The login cannot be one.
    Login(LoginError),
}

impl From<BasicError> for Problem {
    fn from(error: BasicError) -> Self {
        match error {
            BasicError::Malformed(why) => Self::Unauthenticated { why },
            BasicError::Login(LoginError(why)) => Self::InvalidLogin { why },
        }
    }
}

/// Reads the login of somebody who signs in.
pub(crate) fn read_login(login: &str) -> Result<UserId, LoginError> {
    // `SUPERVISOR\TARGET` authenticates somebody who is neither: such a caller would have no exports of their own.
    if login.contains('\\') {
        return Err(LoginError(
            "supervisor mode is not offered here: sign in as yourself",
        ));
    }
    UserId::parse(login).map_err(|_| {
        LoginError("a login has 1 to 256 bytes, and no control or direction characters")
    })
}

/// Reads a login and a password.
pub(crate) fn read(header: &HeaderValue) -> Result<Credentials, BasicError> {
    const MALFORMED: BasicError =
        BasicError::Malformed("the header `Authorization` is not understood");
    let text = header.to_str().map_err(|_| MALFORMED)?;
    if text.len() > LONGEST_BYTES {
        return Err(MALFORMED);
    }
    let (scheme, encoded) = text.split_once(' ').ok_or(MALFORMED)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(BasicError::Malformed(
            "only Basic authentication is understood here",
        ));
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| MALFORMED)?);
    let pair = std::str::from_utf8(&bytes)
        .map_err(|_| BasicError::Malformed("the credentials are not in UTF-8"))?;
    let (login, password) = pair.split_once(':').ok_or(MALFORMED)?;
    Ok(Credentials {
        login: read_login(login).map_err(BasicError::Login)?,
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
    fn a_login_that_nobody_can_have_is_a_request_of_its_own_fault() {
        for login in [
            "",
            "a\nb",
            "root\\john",
            "\u{202e}nhoj",
            "john\u{2066}",
            "a\u{2028}b",
        ] {
            let refused = read(&header(format!("{login}:secret").as_bytes()));
            assert!(matches!(refused, Err(BasicError::Login(_))), "{login:?}");
        }
    }

    #[test]
    fn a_password_is_not_in_what_is_printed() {
        let printed = format!("{:?}", read(&header(b"john:hunter2")).unwrap());
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
