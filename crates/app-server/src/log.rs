//! The log: one line an event on standard error, for people or programs. It names nobody, and no letter in it acts on a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::ValueEnum;
use domain::jobs::JobId;
use domain::text::changes_direction;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::compose::LossyStderr;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object of JSON a line, for programs.
    Json,
}

/// In more detail these would log whole requests, and with them what signs them.
const CAPPED: [&str; 5] = [
    "hyper=info",
    "hyper_util=info",
    "reqwest=info",
    "rustls=info",
    "tokio_rustls=info",
];

/// Begins to log.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let mut filter = EnvFilter::builder().parse(filter)?;
    for capped in CAPPED {
        filter = filter.add_directive(capped.parse()?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would complain on standard error of what standard error did not take, and panic.
        .log_internal_errors(false)
        .with_ansi(false)
        .with_writer(|| CleanLines(LossyStderr));
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    // The usual message is no line of the log.
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(%panic, "a fault of this program"),
    ));
    Ok(())
}

/// Writes lines, cleaned. What is written at once is one line: so does `tracing-subscriber`.
struct CleanLines<W>(W);

impl<W: Write> Write for CleanLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        let clean = without_names(&shown(line)) + end;
        self.0.write_all(clean.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// With escapes instead of letters that act on a terminal or turn text around. In JSON they mean the same.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || changes_direction(letter) {
            // Writing to a text cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Errors quote requests and paths, and these hold logins (`users/john`, the names of bags) and what people call their appliances
/// (`data/appliances/201-web-server`).
fn without_names(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let (mut before, mut last) = ("", "");
    for piece in line.split_inclusive(ends_a_part) {
        let part = piece.trim_end_matches(ends_a_part);
        let end = &piece[part.len()..];
        match part {
            part if last.ends_with("users/") && !part.is_empty() => clean.push('…'),
            part if before == "data/" && last.ends_with('/') => clean.push_str(&number_of(part)),
            part => clean.push_str(&without_login(part)),
        }
        clean.push_str(end);
        (before, last) = (last, piece);
    }
    clean
}

fn ends_a_part(letter: char) -> bool {
    letter.is_whitespace() || "/\"`=?&".contains(letter)
}

/// The number in `201-web-server`.
fn number_of(part: &str) -> String {
    match part.split_once('-') {
        // Below `data/` of a bag. The id of a job can begin with digits too.
        Some((number, _))
            if number.bytes().all(|byte| byte.is_ascii_digit()) && JobId::parse(part).is_err() =>
        {
            format!("{number}-…")
        }
        _ => part.to_owned(),
    }
}

/// `uforge-<login>-<YYYYMMDDThhmmssZ>…`, the name of a bag, without the login.
fn without_login(part: &str) -> String {
    const STAMP: &str = "00000000T000000Z";
    let Some(begin) = part.find("uforge-") else {
        return part.to_owned();
    };
    let name = &part[begin..];
    let is_stamp = |text: &str| {
        let digits = |byte: u8, model: u8| match model {
            b'0' => byte.is_ascii_digit(),
            model => byte == model,
        };
        text.bytes()
            .zip(STAMP.bytes())
            .all(|(byte, model)| digits(byte, model))
    };
    let stamp = name
        .match_indices('-')
        .map(|(at, _)| at + 1)
        .find(|at| name.get(*at..*at + STAMP.len()).is_some_and(is_stamp));
    match stamp {
        Some(at) => format!("{}uforge-…-{}", &part[..begin], &name[at..]),
        None => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = CleanLines(Vec::new());
        out.write_all(text.as_bytes()).unwrap();
        String::from_utf8(out.0).unwrap()
    }

    #[test]
    fn a_line_stays_one_line_and_nothing_in_it_acts() {
        let hostile = "path=\u{1b}[2Ja\u{9b}31m\r\nINFO forged \u{202e}gpj\u{2066}\u{2028}\u{0}\n";
        let line = written(hostile);
        let body = line.strip_suffix('\n').unwrap();
        assert!(
            !body
                .chars()
                .any(|letter| letter.is_control() || changes_direction(letter))
        );
        assert!(line.contains("\\u001b[2Ja\\u009b31m\\u000d\\u000aINFO forged \\u202egpj"));
        assert_eq!(written("日本 été\n"), "日本 été\n");
        assert_eq!(written("no end"), "no end");
    }

    #[test]
    fn escapes_in_json_mean_what_stood_there() {
        let line = serde_json::json!({"detail": "a\u{202e}b\u{1b}c"}).to_string();
        let read: serde_json::Value = serde_json::from_str(&written(&line)).unwrap();
        assert_eq!(read["detail"], "a\u{202e}b\u{1b}c");
    }

    #[test]
    fn logins_and_names_are_left_out() {
        for (text, clean) in [
            (
                "GET users/john/appliances/201: 500",
                "GET users/…/appliances/201: 500",
            ),
            ("(users/john,doe: gone)", "(users/… gone)"),
            (
                "request=\"GET users/john\" status=403",
                "request=\"GET users/…\" status=403",
            ),
            ("GET users/jo%20hn%40example.com?x", "GET users/…?x"),
            (
                "could not write `/srv/d/work/018f3c5e-7b1a/uforge-john-20261126T051636Z.zip`",
                "could not write `/srv/d/work/018f3c5e-7b1a/uforge-…-20261126T051636Z.zip`",
            ),
            (
                "`.uforge-a-b-20261126T051636Z-2.zip.uforge-export/x`",
                "`.uforge-…-20261126T051636Z-2.zip.uforge-export/x`",
            ),
            (
                "path=data/appliances/201-web-server/archive.tar.gz",
                "path=data/appliances/201-…/archive.tar.gz",
            ),
            (
                "data=/srv/uforge-export listens",
                "data=/srv/uforge-export listens",
            ),
            (
                "`/srv/data/work/01234567-7b1a-7c3e-9d55-0a1b2c3d4e5f`",
                "`/srv/data/work/01234567-7b1a-7c3e-9d55-0a1b2c3d4e5f`",
            ),
            ("/var/lib/uforge/2026-11/x", "/var/lib/uforge/2026-11/x"),
        ] {
            assert_eq!(without_names(text), clean);
        }
    }
}
