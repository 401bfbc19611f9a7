//! Text that people wrote into a file, by whatever editor: the one rule for all files that are read as text.

use std::borrow::Cow;

use thiserror::Error;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_LE_MARK: &[u8] = b"\xff\xfe";
const UTF16_BE_MARK: &[u8] = b"\xfe\xff";

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotText {
    /// Neither UTF-8 nor UTF-16 with its mark.
    #[error("not text in UTF-8")]
    Encoding,
    /// It holds NUL: binary data, or UTF-16 or UTF-32 without its mark.
    #[error("not text in UTF-8: it holds NUL bytes")]
    Nul,
}

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// Low byte first, as Windows PowerShell's `>` writes.
    Utf16Le,
    /// High byte first.
    Utf16Be,
}

impl Encoding {
    /// Which one the beginning of a file says.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(UTF16_LE_MARK) {
            Self::Utf16Le
        } else if bytes.starts_with(UTF16_BE_MARK) {
            Self::Utf16Be
        } else {
            Self::Utf8
        }
    }

    /// Whether these bytes, from the beginning of a file, end with a line end, or with the first half of one.
    pub fn ends_a_line(self, bytes: &[u8]) -> bool {
        let whole = bytes.len().is_multiple_of(2);
        let ends = |ends: [&[u8]; 2]| ends.into_iter().any(|end| bytes.ends_with(end));
        match self {
            Self::Utf8 => ends([b"\n", b"\r"]),
            Self::Utf16Le => whole && ends([b"\n\0", b"\r\0"]),
            Self::Utf16Be => whole && ends([b"\0\n", b"\0\r"]),
        }
    }
}

/// Whether a character makes the text around it look like another one (Unicode's `Bidi_Control`), or breaks its line.
pub fn changes_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// The text of a file: UTF-8, or UTF-16 where a byte order mark says so. The mark is no part of the text, and each line end is
/// one `\n`, whether the file has LF, CRLF or CR.
///
/// ```
/// # use domain::text::decode;
/// assert_eq!(decode(b"\xef\xbb\xbfsecret\r\n").unwrap(), "secret\n");
/// assert_eq!(decode(b"\xff\xfes\0").unwrap(), "s");
/// assert!(decode(b"\xff").is_err());
/// ```
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    let text = match Encoding::of(bytes) {
        Encoding::Utf8 => {
            let plain = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
            let text = std::str::from_utf8(plain).map_err(|_| NotText::Encoding)?;
            if text.contains('\r') {
                Cow::Owned(lines(text.chars().map(Ok), text.len())?)
            } else {
                Cow::Borrowed(text)
            }
        }
        Encoding::Utf16Le => Cow::Owned(utf16(bytes, u16::from_le_bytes)?),
        Encoding::Utf16Be => Cow::Owned(utf16(bytes, u16::from_be_bytes)?),
    };
    if text.contains('\0') {
        return Err(NotText::Nul);
    }
    Ok(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NotText::Encoding);
    }
    // The first is the mark.
    let units = units.iter().skip(1).map(|pair| unit(*pair));
    let characters = char::decode_utf16(units).map(|one| one.map_err(|_| NotText::Encoding));
    lines(characters, bytes.len() * 2)
}

/// The text of these characters, each line end one `\n`. Capacity for all of it at once: what grows leaves copies of a secret behind.
fn lines(
    characters: impl Iterator<Item = Result<char, NotText>>,
    capacity: usize,
) -> Result<String, NotText> {
    let mut text = String::with_capacity(capacity);
    let mut after_return = false;
    for character in characters {
        let character = character?;
        match character {
            '\r' => text.push('\n'),
            // The line has ended already.
            '\n' if after_return => {}
            other => text.push(other),
        }
        after_return = character == '\r';
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_file(text: &str, mark: u16, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(mark)
            .chain(text.encode_utf16())
            .flat_map(bytes)
            .collect()
    }

    #[test]
    fn a_mark_is_no_part_of_the_text() {
        let text = "sécret 山 🗝\n";
        let marked = [UTF8_MARK, text.as_bytes()].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked,
            utf16_file(text, 0xfeff, u16::to_le_bytes),
            utf16_file(text, 0xfeff, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
            assert!(Encoding::of(&bytes).ends_a_line(&bytes));
        }
        for empty in [&b""[..], UTF8_MARK, UTF16_LE_MARK, UTF16_BE_MARK] {
            assert_eq!(decode(empty).as_deref(), Ok(""));
        }
    }

    #[test]
    fn a_line_ends_with_a_line_feed_a_carriage_return_or_both() {
        let meant = "a\n\nb\n";
        for text in ["a\n\nb\n", "a\r\n\r\nb\r\n", "a\r\rb\r", "a\n\rb\r\n"] {
            for bytes in [
                text.as_bytes().to_vec(),
                utf16_file(text, 0xfeff, u16::to_le_bytes),
                utf16_file(text, 0xfeff, u16::to_be_bytes),
            ] {
                assert_eq!(decode(&bytes).as_deref(), Ok(meant), "{bytes:?}");
                assert!(Encoding::of(&bytes).ends_a_line(&bytes), "{bytes:?}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [
            &b"\xff"[..],
            b"\xff\xfea",
            b"\xff\xfe\x00\xd8",
            b"\xef\xbb\xbf\xff",
        ] {
            assert_eq!(decode(bytes), Err(NotText::Encoding), "{bytes:?}");
        }
        for bytes in [&b"s\0e\0"[..], b"\0", b"\xff\xfe\0\0s\0\0\0"] {
            assert_eq!(decode(bytes), Err(NotText::Nul), "{bytes:?}");
        }
    }

    #[test]
    fn a_line_of_utf16_ends_with_two_bytes() {
        let line = utf16_file("a\u{0a00}\n", 0xfeff, u16::to_le_bytes);
        assert!(Encoding::Utf16Le.ends_a_line(&line));
        assert!(!Encoding::Utf16Le.ends_a_line(&line[..line.len() - 1]));
        assert!(!Encoding::Utf16Be.ends_a_line(b"\xfe\xff\x0a\x00"));
    }
}
