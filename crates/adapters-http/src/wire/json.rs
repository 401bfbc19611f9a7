//! JSON twins are kept, not read: it is enough that they are whole.

use serde::de::IgnoredAny;

use super::Unread;
use super::xml::{self, utf_8};

/// Whether this is a well-formed JSON document in UTF-8.
pub(super) fn check(bytes: &[u8]) -> Result<(), Unread> {
    let text = utf_8(bytes)?;
    if text.trim_start().starts_with('<') {
        xml::root(&xml::parse(bytes)?, &[])?;
        return Err(Unread::OtherForm);
    }
    serde_json::from_str::<IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| Unread::Detail(format!("it is not well-formed JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_twin_is_whole_or_refused() {
        assert_eq!(
            check(b"\xef\xbb\xbf{\"user\": {\"name\": \"\\u00e9\"}}"),
            Ok(())
        );
        for wrong in [
            "",
            "{",
            "{} x",
            "<user/>",
            "{\"a\": nul}",
            &"[".repeat(100_000),
        ] {
            assert!(check(wrong.as_bytes()).is_err());
        }
        assert!(check(b"{\"a\": \"\xff\"}").is_err());
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<Option<bool>>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_is_taken_and_no_part_of_one(value in value(), cut in any::<prop::sample::Index>()) {
            let text = serde_json::json!({ "document": value }).to_string();
            prop_assert_eq!(check(text.as_bytes()), Ok(()));
            prop_assert!(check(&text.as_bytes()[..cut.index(text.len())]).is_err());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }
    }
}
