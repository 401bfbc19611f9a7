//! Manifests as text and as entries (RFC 8493 §2.1.3): `<sum>  <path>`, one file a line.
//!
//! Writing is strict; reading takes what other programs write.

use std::io;

use thiserror::Error;

use crate::model::Sha256;

/// A line longer than this is no manifest line: no system has paths of this length.
const LONGEST_LINE_BYTES: usize = 64 * 1024;

/// One line of a manifest. The path may be a foreign bag's: any text, not to be opened as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// The file's sum.
    pub sha256: Sha256,
    /// The file, relative to the bag's top folder.
    pub path: String,
}

/// Why a line of a manifest cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} {problem}")]
pub struct ManifestError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LineProblem {
    /// Longer than any path can be.
    #[error("is longer than {LONGEST_LINE_BYTES} bytes")]
    TooLong,
    /// Not text.
    #[error("is not UTF-8")]
    NotText,
    /// Does not begin with 64 hexadecimal digits.
    #[error("does not begin with a SHA-256 sum")]
    NoSum,
    /// Nothing after the sum.
    #[error("names no file")]
    NoPath,
}

/// Writes the manifest of these files, in this order.
pub fn write<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a Sha256)>,
    to: &mut dyn io::Write,
) -> io::Result<()> {
    for (path, sha256) in files {
        writeln!(to, "{sha256}  {}", encode_path(path))?;
    }
    Ok(())
}

/// The entries of a manifest, line by line. Empty lines are passed over; a bad one does not end the reading.
///
/// Lines end in LF, CR or both; sum and path are parted by one space or tab or more, and by the `*` that checksum programs
/// put before binary files; a path may begin with `./`.
pub fn entries(manifest: &[u8]) -> impl Iterator<Item = Result<ManifestEntry, ManifestError>> {
    let manifest = manifest
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(manifest);
    // With CRLF every second piece is empty: lines are counted by LF where there is one.
    let separator = if manifest.contains(&b'\n') {
        b'\n'
    } else {
        b'\r'
    };
    manifest
        .split(move |&byte| byte == separator)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace))
        .map(|(index, line)| {
            entry(line).map_err(|problem| ManifestError {
                line: index + 1,
                problem,
            })
        })
}

fn entry(line: &[u8]) -> Result<ManifestEntry, LineProblem> {
    if line.len() > LONGEST_LINE_BYTES {
        return Err(LineProblem::TooLong);
    }
    let line = std::str::from_utf8(line).map_err(|_| LineProblem::NotText)?;
    let (sum, path) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let sha256 = Sha256::parse(sum).ok_or(LineProblem::NoSum)?;
    let path = path.trim_start_matches([' ', '\t']);
    let path = path.strip_prefix('*').unwrap_or(path);
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.is_empty() {
        return Err(LineProblem::NoPath);
    }
    Ok(ManifestEntry {
        sha256,
        path: decode_path(path),
    })
}

/// RFC 8493 §2.1.3: CR, LF and `%` are percent-encoded, nothing else.
fn encode_path(path: &str) -> String {
    path.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn decode_path(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let (plain, length) = match after.get(..2) {
            Some("25") => ('%', 2),
            Some("0D" | "0d") => ('\r', 2),
            Some("0A" | "0a") => ('\n', 2),
            _ => ('%', 0),
        };
        decoded.push(plain);
        rest = after.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn paths(manifest: &[u8]) -> Vec<Result<String, (usize, LineProblem)>> {
        entries(manifest)
            .map(|entry| match entry {
                Ok(entry) => {
                    assert_eq!(entry.sha256.to_string(), SUM);
                    Ok(entry.path)
                }
                Err(error) => Err((error.line, error.problem)),
            })
            .collect()
    }

    fn text<'a>(files: impl IntoIterator<Item = (&'a str, &'a Sha256)>) -> String {
        let mut text = Vec::new();
        write(files, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_manifest_is_what_sha256sum_reads() {
        let sum = Sha256::of(b"abc");
        assert_eq!(
            text([("data/a.xml", &sum), ("data/100%.xml", &sum)]),
            format!("{SUM}  data/a.xml\n{SUM}  data/100%25.xml\n")
        );
    }

    #[test]
    fn lines_of_other_programs_are_read() {
        for line in [
            format!("{SUM} data/a b"),
            format!("{SUM}\tdata/a b"),
            format!("{SUM}   \t data/a b\r\n"),
            format!("{SUM} *data/a b\r"),
            format!("{}  ./data/a b\n\n", SUM.to_uppercase()),
            format!("\u{feff}{SUM}  data/a b"),
        ] {
            assert_eq!(
                paths(line.as_bytes()),
                [Ok("data/a b".to_owned())],
                "{line:?}"
            );
        }
        assert_eq!(
            paths(format!("{SUM}  a%0Ab%0d%25%41%\n").as_bytes()),
            [Ok("a\nb\r%%41%".to_owned())]
        );
    }

    #[test]
    fn a_bad_line_is_named_and_the_next_is_read() {
        let manifest = format!("{SUM}  a\r\nnonsense\r\n\r\n{SUM}\r\n{SUM}  b\r\n");
        assert_eq!(
            paths(manifest.as_bytes()),
            [
                Ok("a".to_owned()),
                Err((2, LineProblem::NoSum)),
                Err((4, LineProblem::NoPath)),
                Ok("b".to_owned()),
            ]
        );
        assert_eq!(paths(b"\xff\xfe"), [Err((1, LineProblem::NotText))]);
        assert_eq!(paths(&vec![b'a'; 70_000]), [Err((1, LineProblem::TooLong))]);
        assert_eq!(paths(b""), []);
    }

    proptest! {
        #[test]
        fn any_path_comes_back(path in "[^ \t*.\u{feff}][^\u{0}]{0,60}", other in "[a-z%\r\n/]{1,40}") {
            let sum = Sha256::of(b"abc");
            let manifest = text([(path.as_str(), &sum), (other.as_str(), &sum)]);
            prop_assert_eq!(paths(manifest.as_bytes()), vec![Ok(path), Ok(other)]);
        }

        #[test]
        fn any_bytes_are_read_without_end_or_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(entries(&bytes).count() <= bytes.len());
        }
    }
}
