//! What the tag files say that `BagIt` asks for (RFC 8493 §2.1.1, §2.1.3, §2.2).

use std::io::{self, Write};

use super::outcome::{Completeness, Report};
use super::words::human_bytes;
use crate::bag::manifest;

/// RFC 8493 §2.2.2 recommends lines of no more.
const LINE_CHARACTERS: usize = 79;
/// A value longer than this is cut: nothing that names a bag is.
const LONGEST_VALUE_CHARACTERS: usize = 1000;

/// `bagit.txt`.
pub(super) const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The manifest of the payload.
pub(super) fn write_payload_manifest(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    let files = report.files.iter();
    let mut files: Vec<_> = files
        .map(|receipt| (receipt.path.as_str(), &receipt.sha256))
        .collect();
    files.sort_unstable();
    manifest::write(files, to)
}

/// `bag-info.txt`.
pub(super) fn info(report: &Report) -> String {
    let bytes: u64 = report.files.iter().map(|file| file.bytes).sum();
    let user = report.user.as_str();
    let base = report.source.trim_end_matches('/');
    [
        line("Source-Organization", host_of(base)),
        line("External-Identifier", user),
        line("External-Description", &description(report)),
        line("Bag-Group-Identifier", &format!("{base}/users/{user}")),
        line(
            "Bagging-Date",
            &report.finished.strftime("%Y-%m-%d").to_string(),
        ),
        line("Bag-Size", &human_bytes(bytes)),
        line("Payload-Oxum", &format!("{bytes}.{}", report.files.len())),
        line(
            "Bag-Software-Agent",
            &format!("uforge-export {}", report.tool_version),
        ),
    ]
    .concat()
}

fn description(report: &Report) -> String {
    let completeness = match report.completeness {
        Completeness::Complete => "everything that was selected is in this bag",
        Completeness::Partial => "some of what was selected is missing, export.json names it",
    };
    let version = report
        .platform_version
        .as_deref()
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    format!(
        "The data of {} on the UForge{version} platform at {}; {completeness}",
        report.user, report.source
    )
}

/// The host of a base URL, without user, port and path.
fn host_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or(after_scheme);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// One element of `bag-info.txt`: its value on one line, or folded at spaces (RFC 8493 §2.2.2).
///
/// What could end a line, also for readers that take Unicode's separators for line ends, becomes a space: a name from
/// outside adds no element.
fn line(label: &str, value: &str) -> String {
    let plain: String = value
        .chars()
        .take(LONGEST_VALUE_CHARACTERS)
        .map(|c| {
            if c.is_control() || is_separator(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    let mut text = format!("{label}:");
    let mut column = text.chars().count();
    for word in plain.split_whitespace() {
        let width = word.chars().count() + 1;
        if column + width > LINE_CHARACTERS && column > label.len() + 1 {
            text.push('\n');
            column = 0;
        }
        text.push(' ');
        text.push_str(word);
        column += width;
    }
    text.push('\n');
    text
}

fn is_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{BagPath, OutputFormat, Section, Sha256, UserId};
    use crate::ports::{Origin, Receipt, TagFile};
    use crate::report::{Views, write_tag_files};

    fn report(user: &str, files: &[(&str, &[u8])]) -> Report {
        let now: Timestamp = "2026-11-24T01:02:03Z".parse().unwrap();
        let files = files.iter().map(|(path, content)| Receipt {
            path: BagPath::parse(path).unwrap(),
            bytes: content.len() as u64,
            sha256: Sha256::of(content),
            media_type: "application/xml".to_owned(),
            origin: Origin {
                section: Section::Profile,
                source: "GET users/john".to_owned(),
                fetched: now,
                item: None,
                ticket: None,
                redactions: Vec::new(),
            },
            durable: true,
        });
        Report {
            tool_version: "0.1.0".to_owned(),
            source: "https://uforge.example.com:8443/api".to_owned(),
            platform_version: Some("3.8.13".to_owned()),
            user: UserId::parse(user).unwrap(),
            output_format: OutputFormat::Yaml,
            started: now,
            finished: now,
            completeness: Completeness::Complete,
            sections: Vec::new(),
            items: Vec::new(),
            files: files.collect(),
            failures: Vec::new(),
            notes: Vec::new(),
            notice: None,
            redacted: false,
        }
    }

    fn text(tags: &[TagFile], name: &str) -> String {
        let tag = tags.iter().find(|tag| tag.path.as_str() == name).unwrap();
        String::from_utf8(tag.bytes.to_vec()).unwrap()
    }

    #[test]
    fn tag_files_say_what_the_bag_is_and_the_last_covers_the_rest() {
        let report = report(
            "john",
            &[("data/profile/user.xml", b"<user/>"), ("data/a", b"abc")],
        );
        let page = (
            BagPath::parse("view/roles.html").unwrap(),
            Sha256::of(b"page"),
        );
        let mut tags = Vec::new();
        let written = (&Views::default(), vec![page.clone()]);
        write_tag_files(&report, written, &mut tags).unwrap();
        let names: Vec<_> = tags.iter().map(|tag| tag.path.as_str()).collect();
        assert_eq!(
            names,
            [
                "export.json",
                "bagit.txt",
                "bag-info.txt",
                "manifest-sha256.txt",
                "index.html",
                "tagmanifest-sha256.txt"
            ]
        );
        assert_eq!(
            text(&tags, "bag-info.txt"),
            "Source-Organization: uforge.example.com\n\
             External-Identifier: john\n\
             External-Description: The data of john on the UForge 3.8.13 platform at\n https://uforge.example.com:8443/api; everything that was selected is in this\n bag\n\
             Bag-Group-Identifier: https://uforge.example.com:8443/api/users/john\n\
             Bagging-Date: 2026-11-24\n\
             Bag-Size: 10 B\n\
             Payload-Oxum: 10.2\n\
             Bag-Software-Agent: uforge-export 0.1.0\n"
        );
        let listed = text(&tags, "manifest-sha256.txt");
        let paths: Vec<_> = manifest::entries(listed.as_bytes())
            .map(|entry| entry.unwrap().path)
            .collect();
        assert_eq!(paths, ["data/a", "data/profile/user.xml"]);
        for entry in manifest::entries(text(&tags, "tagmanifest-sha256.txt").as_bytes()) {
            let entry = entry.unwrap();
            let expected = if entry.path == page.0.as_str() {
                page.1
            } else {
                Sha256::of(text(&tags, &entry.path).as_bytes())
            };
            assert_eq!(entry.sha256, expected);
        }
        assert_eq!(text(&tags, "tagmanifest-sha256.txt").lines().count(), 6);
    }

    #[test]
    fn a_hostile_value_adds_no_line_and_no_element() {
        for hostile in [
            "a\nPayload-Oxum: 1.1",
            "a\r\n\tb",
            "a\u{2028}X: y\u{85}Z: z",
        ] {
            let written = line("External-Identifier", hostile);
            assert_eq!(written.lines().count(), 1, "{written:?}");
            assert!(!written.contains(['\u{2028}', '\u{85}', '\t']));
        }
        assert!(line("A", &"x".repeat(100_000)).len() < 1100);
    }

    #[test]
    fn long_values_are_folded_at_spaces() {
        let written = line("External-Description", &"word ".repeat(60));
        assert!(written.lines().count() > 3);
        for (index, folded) in written.lines().enumerate() {
            assert!(folded.len() <= LINE_CHARACTERS);
            assert_eq!(folded.starts_with(' '), index > 0);
        }
    }

    #[test]
    fn a_host_stands_without_user_port_and_path() {
        for (url, host) in [
            ("https://uforge.example.com/api", "uforge.example.com"),
            ("http://u:p@host:9090/ufws?x", "host"),
            ("http://[::1]:80", "[::1]"),
            ("http://[::1]", "[::1]"),
            ("host", "host"),
            ("", ""),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}
