//! Who sends a request: Basic (RFC 7617, in UTF-8), or a signature with an API key pair.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, HeaderMap};
use sha1::Sha1;

use crate::platform::{Caller, Platform, Refusal};

use super::target::Target;

/// Who sends the request; `None` where it has no credentials at all.
pub(super) fn caller(
    platform: &Platform,
    target: &Target,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Refusal> {
    if let Some(public_key) = target.query.first("apiKey") {
        return signed_by(platform, target, public_key)
            .map(Some)
            .ok_or_else(Refusal::unauthorized);
    }
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let (login, password) = authorization
        .to_str()
        .ok()
        .and_then(basic)
        .ok_or_else(Refusal::unauthorized)?;
    platform.sign_in(&login, &password).map(Some)
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    let decoded = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| STANDARD.decode(encoded.trim()).ok())??;
    let (login, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}

/// The signature covers everything before it, as sent, relative to the base.
fn signed_by(platform: &Platform, target: &Target, public_key: &str) -> Option<Caller> {
    let (signed, _) = target.relative.rsplit_once("&signature=")?;
    let signature = STANDARD.decode(target.query.first("signature")?).ok()?;
    let (caller, secret_key) = platform.key_pair(public_key)?;
    let mut mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&signature).ok()?;
    Some(caller)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    fn status(relative: &str, authorization: Option<&str>) -> Result<Option<String>, u16> {
        let platform = Platform::new(Scenario::default());
        let target = Target::of(&format!("/api/{relative}").parse().unwrap(), "/api").unwrap();
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let caller = caller(&platform, &target, &headers).map_err(|refusal| refusal.status)?;
        Ok(caller.map(|caller| caller.login))
    }

    fn sign(relative: &str, secret_key: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()).unwrap();
        mac.update(relative.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        format!(
            "{relative}&signature={}",
            utf8_percent_encode(&signature, NON_ALPHANUMERIC)
        )
    }

    /// RFC 2202, test case 2, is what the signature is made with.
    #[test]
    fn the_signature_is_hmac_sha1() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            crate::hexadecimal::hexadecimal(&mac.finalize().into_bytes()),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }

    #[test]
    fn a_signature_holds_for_the_exact_url_and_key_only() {
        let user = Scenario::default().user;
        let url = format!(
            "users/jleaver/appliances?query=name%3D%3Da%2Bb&apiKey={}",
            user.public_key
        );
        assert_eq!(
            status(&sign(&url, &user.secret_key), None),
            Ok(Some("jleaver".to_owned()))
        );
        assert_eq!(status(&sign(&url, "another secret"), None), Err(401));
        assert_eq!(status(&url, None), Err(401));
        assert_eq!(
            status(&sign(&url, &user.secret_key).replace("%2B", "+"), None),
            Err(401)
        );
        let foreign = url.replace(&user.public_key, "unknown");
        assert_eq!(status(&sign(&foreign, &user.secret_key), None), Err(401));
    }

    #[test]
    fn basic_credentials_are_utf_8_and_the_password_may_hold_colons() {
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(
            status("users/x", Some(&encoded("jleaver:correct-horse-7"))),
            Ok(Some("jleaver".to_owned()))
        );
        assert_eq!(
            status("users/x", Some(&encoded("jleaver:wrong:é"))),
            Err(401)
        );
        assert_eq!(status("users/x", Some("Basic !!")), Err(401));
        assert_eq!(status("users/x", Some("Bearer abc")), Err(401));
        assert_eq!(status("users/x", None), Ok(None));
        assert_eq!(
            status(
                "users/x",
                Some(&encoded("admin\\jleaver:master-of-forges-3"))
            ),
            Ok(Some("jleaver".to_owned()))
        );
    }
}
