//! The text of a document, whatever it is encoded in. The bytes decide; a declaration is asked only where they do not.

use std::borrow::Cow;

use thiserror::Error;

/// Why bytes are no text that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotText {
    /// Not UTF-8, and not declared as anything that is known here.
    #[error("it is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that is wrong.
        at: usize,
    },
    /// Half a character of UTF-16, or one that does not exist.
    #[error("it is not UTF-16 as its first bytes say")]
    NotUtf16,
    /// Declared as an encoding that is not known here.
    #[error("it is encoded in `{name}`, not in UTF-8")]
    UnknownEncoding {
        /// What the XML declaration names.
        name: String,
    },
}

/// The text of an XML or JSON document: UTF-8 as it is, a byte order mark included; UTF-16 where the first bytes say so; and
/// ISO-8859-1 where the XML declaration says so and the bytes are no UTF-8. What was converted has no byte order mark, and
/// declares UTF-8.
///
/// ```
/// use domain::model::document_text;
/// assert_eq!(document_text(b"<a/>").unwrap(), "<a/>");
/// assert_eq!(document_text(b"\xff\xfe<\0a\0/\0>\0").unwrap(), "<a/>");
/// ```
pub fn document_text(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    if let Some((content, unit)) = utf_16(bytes) {
        return from_utf_16(content, unit).map(|text| Cow::Owned(declared_as_utf_8(&text)));
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    match declared(&ascii_start(bytes)) {
        Some(name) if is_latin_1(&name) => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            Ok(Cow::Owned(declared_as_utf_8(&text)))
        }
        Some(name) if !is_utf_8(&name) => Err(NotText::UnknownEncoding { name }),
        _ => Err(NotText::NotUtf8 {
            at: error.valid_up_to(),
        }),
    }
}

/// Whether the first bytes of a document say that it is in UTF-8, as far as they say anything.
pub fn begins_as_utf_8(bytes: &[u8]) -> bool {
    utf_16(bytes).is_none() && declared(&ascii_start(bytes)).is_none_or(|name| is_utf_8(&name))
}

type Unit = fn([u8; 2]) -> u16;

/// The content of a document in UTF-16, and how its units are read (XML 1.0, appendix F).
fn utf_16(bytes: &[u8]) -> Option<(&[u8], Unit)> {
    let (little, big): (Unit, Unit) = (u16::from_le_bytes, u16::from_be_bytes);
    match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, little)),
        [0xfe, 0xff, rest @ ..] => Some((rest, big)),
        [b'<', 0, _, 0, ..] => Some((bytes, little)),
        [0, b'<', 0, _, ..] => Some((bytes, big)),
        _ => None,
    }
}

fn from_utf_16(content: &[u8], unit: Unit) -> Result<String, NotText> {
    let (pairs, rest) = content.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NotText::NotUtf16);
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| NotText::NotUtf16)
}

/// As much of the beginning as an XML declaration may need.
fn ascii_start(bytes: &[u8]) -> String {
    let start = bytes.iter().take(200).take_while(|byte| byte.is_ascii());
    start.copied().map(char::from).collect()
}

/// The place of the encoding's name in an XML declaration.
fn place_of_encoding(text: &str) -> Option<std::ops::Range<usize>> {
    let declaration = text.starts_with("<?xml").then(|| text.find("?>"))??;
    let value = text.get(..declaration)?.find("encoding")? + "encoding".len();
    let quote = value + text.get(value..declaration)?.find(['"', '\''])?;
    let first = quote + 1;
    let length = text.get(first..declaration)?.find(['"', '\''])?;
    Some(first..first + length)
}

fn declared(text: &str) -> Option<String> {
    let name = text.get(place_of_encoding(text)?)?;
    Some(name.chars().filter(|c| !c.is_control()).take(40).collect())
}

fn declared_as_utf_8(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(place) = place_of_encoding(&text) {
        text.replace_range(place, "UTF-8");
    }
    text
}

fn is_utf_8(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn is_latin_1(name: &str) -> bool {
    [
        "iso-8859-1",
        "iso8859-1",
        "iso_8859-1",
        "latin1",
        "latin-1",
        "windows-1252",
        "cp1252",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16_of(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_encoding_that_a_server_may_use_comes_to_the_same_text() {
        let sent = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>Jürg 🦀</a>";
        let text = sent.replace("UTF-16", "UTF-8");
        for (mark, unit) in [
            (&b"\xff\xfe"[..], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            (b"\xfe\xff", u16::to_be_bytes),
            (b"", u16::to_le_bytes),
            (b"", u16::to_be_bytes),
        ] {
            let bytes = [mark, &utf_16_of(sent, unit)].concat();
            assert_eq!(document_text(&bytes).unwrap(), text);
        }
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>J\xfcrg</a>";
        assert_eq!(
            document_text(latin).unwrap(),
            "<?xml version='1.0' encoding='UTF-8'?><a>Jürg</a>"
        );
    }

    #[test]
    fn text_in_utf_8_stays_as_it_is_whatever_it_declares() {
        let sent = "\u{feff}<?xml version='1.0' encoding='ISO-8859-1'?><a>Jürg</a>";
        assert_eq!(document_text(sent.as_bytes()), Ok(Cow::Borrowed(sent)));
    }

    #[test]
    fn what_is_no_text_says_so() {
        assert_eq!(document_text(b"<a>\xff"), Err(NotText::NotUtf8 { at: 3 }));
        assert_eq!(document_text(b"\xff\xfe<\0a"), Err(NotText::NotUtf16));
        let name = "EBCDIC-FR".to_owned();
        assert_eq!(
            document_text(b"<?xml version='1.0' encoding='EBCDIC-FR'?>\xff"),
            Err(NotText::UnknownEncoding { name })
        );
    }
}
