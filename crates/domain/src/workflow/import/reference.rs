//! Which object an import made: the one rule about the platform's `referenceUri`, and how the address of an object is written.

use std::fmt::Write as _;

use crate::model::{ItemKind, ObjectId, UserId};

/// The last part of the list's path.
fn list_of(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Appliance => "appliances",
        ItemKind::MySoftware => "mysoftware",
    }
}

/// One path segment: all but the unreserved characters of RFC 3986 §2.3 are percent-encoded.
fn segment(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// With the hexadecimal digits behind each `%` as [`segment`] writes them.
fn with_large_escapes(encoded: &str) -> String {
    let mut digits = 0;
    let letters = encoded.chars().map(|letter| {
        if letter == '%' {
            digits = 2;
            return letter;
        }
        let is_digit = digits > 0;
        digits -= i32::from(is_digit);
        if is_digit {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    letters.collect()
}

/// `users/{uid}/appliances/{id}`, made of what is known here.
pub(crate) fn address(user: &UserId, kind: ItemKind, id: ObjectId) -> String {
    format!("users/{}/{}/{id}", segment(user.as_str()), list_of(kind))
}

/// The object that a `referenceUri` names. Any text but `users/{uid}/appliances|mysoftware/N` of this user names none.
pub(crate) fn named_by(reference: &str, user: &UserId, kind: ItemKind) -> Option<ObjectId> {
    let (start, id) = reference.trim().rsplit_once('/')?;
    let start = start.strip_prefix("users/")?;
    let (uid, list) = start.rsplit_once('/')?;
    // The encoding of a platform may be another one in its letters' case, or none.
    let is_user = uid == user.as_str() || with_large_escapes(uid) == segment(user.as_str());
    let is_number = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
    (is_user && list == list_of(kind) && is_number).then(|| ObjectId::parse(id).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(login: &str) -> UserId {
        UserId::parse(login).unwrap()
    }

    #[test]
    fn only_an_address_of_the_user_s_own_objects_names_one() {
        let john = user("john");
        let named = |reference| named_by(reference, &john, ItemKind::Appliance).map(ObjectId::get);
        assert_eq!(named("users/john/appliances/201"), Some(201));
        for other in [
            "",
            "201",
            "users/john/appliances/",
            "users/john/appliances/0",
            "users/john/appliances/-1",
            "users/john/appliances/+1",
            "users/john/appliances/201/exports/1",
            "users/john/mysoftware/201",
            "users/jane/appliances/201",
            "users/John/appliances/201",
            "/users/john/appliances/201",
            "users/john/../jane/appliances/201",
            "https://evil.example/users/john/appliances/201",
            "//evil.example/users/john/appliances/201",
            "users/john/appliances/201?x=1",
            "users/john/appliances/99999999999999999999",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn a_login_is_known_in_each_way_to_encode_it() {
        let user = user("j@é.org");
        let named = |reference: &str| named_by(reference, &user, ItemKind::Appliance).is_some();
        for uid in ["j@é.org", "j%40%C3%A9.org", "j%40%c3%a9.org"] {
            assert!(named(&format!("users/{uid}/appliances/7")), "{uid}");
        }
        for uid in ["J@é.org", "j%40%C3%A9.Org", "j%40%C3%A8.org"] {
            assert!(!named(&format!("users/{uid}/appliances/7")), "{uid}");
        }
    }

    #[test]
    fn an_address_is_written_as_the_platform_writes_it() {
        let id = ObjectId::parse("7").unwrap();
        for (login, expected) in [
            ("john", "users/john/mysoftware/7"),
            ("j@x.org", "users/j%40x.org/mysoftware/7"),
            ("jürgen", "users/j%C3%BCrgen/mysoftware/7"),
            ("a/b", "users/a%2Fb/mysoftware/7"),
        ] {
            let user = user(login);
            let written = address(&user, ItemKind::MySoftware, id);
            assert_eq!(written, expected);
            assert_eq!(named_by(&written, &user, ItemKind::MySoftware), Some(id));
        }
    }
}
