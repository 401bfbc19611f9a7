//! Credentials on a request. The only module of this crate that looks inside a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::model::UserId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret as _;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::config::{Credentials, SetUpError};
use crate::paths::percent_encode;

/// A request target that carries its credentials: never to be shown.
pub(crate) struct Authorized {
    /// Path and query relative to the base, signed where a key pair signs.
    pub(crate) target: String,
    /// `Authorization`, where it is Basic.
    pub(crate) header: Option<HeaderValue>,
}

/// Puts the credentials on a request for `target`, a path with query relative to the base.
pub(crate) fn authorize(credentials: &Credentials, user: &UserId, target: &str) -> Authorized {
    let (target, header) = match credentials {
        Credentials::Password { login, password } => (
            target.to_owned(),
            Some(basic(login, password.expose_secret())),
        ),
        Credentials::Supervisor { login, password } => {
            let name = format!("{login}\\{user}");
            (
                target.to_owned(),
                Some(basic(&name, password.expose_secret())),
            )
        }
        Credentials::ApiKey { public, secret } => {
            (signed(target, public, secret.expose_secret()), None)
        }
    };
    Authorized { target, header }
}

/// Whether these credentials can be sent at all.
pub(crate) fn check(credentials: &Credentials) -> Result<(), SetUpError> {
    match credentials {
        Credentials::Password { login, .. } | Credentials::Supervisor { login, .. }
            if login.contains(':') =>
        {
            Err(SetUpError::ColonInLogin {
                login: login.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// RFC 7617, with the name and the password in UTF-8.
fn basic(name: &str, password: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{name}:{password}"));
    let text = Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())));
    #[expect(clippy::expect_used, reason = "Base64 is ASCII, whatever it encodes")]
    let mut header = HeaderValue::from_str(&text).expect("Base64 can be a header");
    header.set_sensitive(true);
    header
}

/// The target with `apiKey` and `signature`: an HMAC-SHA1 over the target with the key as it is sent (docs/platform.md#authentication).
fn signed(target: &str, public: &str, secret: &str) -> String {
    let joint = if target.contains('?') { '&' } else { '?' };
    let target = format!("{target}{joint}apiKey={}", percent_encode(public));
    let signature = percent_encode(&hmac_sha1(secret, &target));
    format!("{target}&signature={signature}")
}

/// HMAC-SHA1 in Base64 (RFC 2104, RFC 4648 §4).
fn hmac_sha1(secret: &str, text: &str) -> String {
    #[expect(clippy::expect_used, reason = "RFC 2104 §2: keys of any length")]
    let mut sum = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key will do");
    sum.update(text.as_bytes());
    BASE64.encode(sum.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn john() -> UserId {
        UserId::parse("john").unwrap()
    }

    #[test]
    fn the_sum_is_that_of_rfc_2202() {
        let expected = BASE64.encode([
            0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
            0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79,
        ]);
        assert_eq!(hmac_sha1("Jefe", "what do ya want for nothing?"), expected);
    }

    #[test]
    fn a_key_pair_signs_the_path_and_the_query_with_the_key_in_it() {
        assert_eq!(
            signed("users/john/appliances", "PUB", "SEC"),
            format!(
                "users/john/appliances?apiKey=PUB&signature={}",
                percent_encode(&hmac_sha1("SEC", "users/john/appliances?apiKey=PUB"))
            )
        );
        let text = signed("users/j%40x/exports?count=2", "a+b", "SEC");
        let (start, signature) = text.split_once("&signature=").unwrap();
        assert_eq!(start, "users/j%40x/exports?count=2&apiKey=a%2Bb");
        assert_eq!(signature, percent_encode(&hmac_sha1("SEC", start)));
    }

    #[test]
    fn basic_is_utf_8_and_a_supervisor_names_whom_it_acts_for() {
        let password = Credentials::Password {
            login: "jürgen".to_owned(),
            password: "pä:ss".into(),
        };
        let header = authorize(&password, &john(), "status").header.unwrap();
        assert!(header.is_sensitive());
        assert_eq!(
            header.to_str().unwrap(),
            format!("Basic {}", BASE64.encode("jürgen:pä:ss"))
        );
        let supervisor = Credentials::Supervisor {
            login: "root".to_owned(),
            password: "p".into(),
        };
        let header = authorize(&supervisor, &john(), "status").header.unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            format!("Basic {}", BASE64.encode("root\\john:p"))
        );
    }

    #[test]
    fn a_login_with_a_colon_would_be_another_login() {
        let colon = Credentials::Password {
            login: "a:b".to_owned(),
            password: "p".into(),
        };
        assert!(check(&colon).is_err());
    }

    proptest! {
        #[test]
        fn a_signed_target_is_plain_ascii_and_never_holds_the_secret(public in ".{1,20}", secret in "[!-~]{12,40}", login in ".{1,30}") {
            let target = format!("users/{}", percent_encode(&login));
            let text = signed(&target, &public, &secret);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(text.starts_with(&target));
            prop_assert!(!text.contains(&secret));
        }
    }
}
