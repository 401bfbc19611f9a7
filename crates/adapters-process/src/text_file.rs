//! Text files that people hand to the program: bounded, and read by the one rule of [`domain::text`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use domain::text::{Encoding, NotText, decode};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest first line, without its mark: no password is as long, and a file of gigabytes given by mistake is not read.
const LONGEST_LINE_BYTES: usize = 4096;
/// The same in UTF-16, with its mark and its line end.
const LONGEST_LINE_BYTES_ON_DISK: usize = 2 * LONGEST_LINE_BYTES + 8;

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Why a file is not read as text.
#[derive(Debug, Error)]
pub enum TextFileError {
    /// The system refuses it.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// More than is read.
    #[error("larger than {limit}")]
    TooLarge {
        /// How much is read, in words.
        limit: String,
    },
    /// Something else than text.
    #[error(transparent)]
    NotText(#[from] NotText),
    /// Nothing in it.
    #[error("empty")]
    Empty,
    /// No certificate in PEM form.
    #[error("no certificate in PEM form")]
    NoCertificate,
}

/// The whole text of a file of at most so many bytes.
pub fn read_text(path: &Path, limit_bytes: usize) -> Result<String, TextFileError> {
    let bytes = read_bytes(path, limit_bytes)?;
    Ok(decode(&bytes)?.into_owned())
}

/// The first line of a file without its line end; `-` is standard input.
pub fn first_line(path: &Path) -> Result<Zeroizing<String>, TextFileError> {
    let line = if path.as_os_str() == "-" {
        line_of(io::stdin().lock())?
    } else {
        line_of(BufReader::new(File::open(path)?))?
    };
    line_text(&line)
}

/// Certificates in PEM form. Text around them may be in any encoding; a mark before one of them hides none.
pub fn read_pem(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, TextFileError> {
    let bytes = read_bytes(path, limit_bytes)?;
    let text = match decode(&bytes) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(&bytes),
    };
    if !text.contains(PEM_BEGIN) {
        return Err(TextFileError::NoCertificate);
    }
    // Files that were joined to one have a mark each.
    Ok(text.replace('\u{feff}', "").into_bytes())
}

fn read_bytes(path: &Path, limit_bytes: usize) -> Result<Zeroizing<Vec<u8>>, TextFileError> {
    let file = File::open(path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    let most = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > limit_bytes {
        let limit = format!("{} KiB", limit_bytes / 1024);
        return Err(TextFileError::TooLarge { limit });
    }
    Ok(bytes)
}

/// No further than the line's end: whoever writes into a pipe may keep it open.
fn line_of(mut reader: impl BufRead) -> Result<Zeroizing<Vec<u8>>, TextFileError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE_BYTES_ON_DISK));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while line.len() < LONGEST_LINE_BYTES_ON_DISK {
        match reader.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) => line.extend_from_slice(&*byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
        if Encoding::of(&line).ends_a_line(&line) {
            break;
        }
    }
    Ok(line)
}

fn line_text(line: &[u8]) -> Result<Zeroizing<String>, TextFileError> {
    // A cut line may end within a character: what is too long is not looked at.
    if line.len() >= LONGEST_LINE_BYTES_ON_DISK {
        return Err(too_long());
    }
    let text = Zeroizing::new(decode(line)?.into_owned());
    let plain = text.strip_suffix('\n').unwrap_or(&text);
    if plain.len() > LONGEST_LINE_BYTES {
        return Err(too_long());
    }
    if plain.is_empty() {
        return Err(TextFileError::Empty);
    }
    Ok(Zeroizing::new(plain.to_owned()))
}

fn too_long() -> TextFileError {
    TextFileError::TooLarge {
        limit: format!("{LONGEST_LINE_BYTES} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mark_and_line_end_are_no_part_of_a_secret() {
        for (written, meant) in [
            (&b"secret\n"[..], "secret"),
            (b"secret\r\n", "secret"),
            (b"secret\rmore\r", "secret"),
            (b"secret", "secret"),
            (b" with spaces \n", " with spaces "),
            (b"\xef\xbb\xbfsecret\r\nmore", "secret"),
            (b"\xff\xfes\0\x0a\x0a\r\0\n\0m\0", "s\u{a0a}"),
            (b"\xfe\xff\0s\0\r\0\n\0m", "s"),
            ("ü\n".as_bytes(), "ü"),
        ] {
            let line = line_of(written).unwrap();
            assert_eq!(*line_text(&line).unwrap(), meant, "{written:?}");
        }
        for wrong in [
            &b"\n"[..],
            b"",
            b"\xef\xbb\xbf\r\n",
            b"\xff\xfe",
            b"\xff\n",
            b"a\0b\n",
            &[b'x'; 5000],
            &[b'x'; 9000],
        ] {
            assert!(line_text(&line_of(wrong).unwrap()).is_err());
        }
    }

    #[test]
    fn a_mark_in_the_middle_hides_no_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let one = "\u{feff}-----BEGIN CERTIFICATE-----\r\nAA==\r\n-----END CERTIFICATE-----\r\n";
        std::fs::write(&path, one.repeat(2)).unwrap();
        let pem = String::from_utf8(read_pem(&path, 4096).unwrap()).unwrap();
        assert!(!pem.contains('\u{feff}'));
        assert_eq!(pem.matches(PEM_BEGIN).count(), 2);
        assert!(matches!(
            read_pem(&path, 10),
            Err(TextFileError::TooLarge { .. })
        ));
        assert!(read_pem(folder.path(), 10).is_err());
    }
}
