//! JSON twins are kept, not read: it is enough that they are whole.

use serde::de::IgnoredAny;

use super::Unread;
use super::xml::utf_8;

/// Whether this is a well-formed JSON document in UTF-8.
pub(super) fn check(bytes: &[u8]) -> Result<(), Unread> {
    let text = utf_8(bytes)?;
    if text.trim_start().starts_with('<') {
        return Err(Unread::because(
            "it is XML or HTML where JSON was asked for",
        ));
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

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }
    }
}
