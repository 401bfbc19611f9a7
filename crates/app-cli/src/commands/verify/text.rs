//! What a check found, for people.

use std::fmt::Write;
use std::path::Path;

use domain::bag::verify::{
    Differences, Drift, ImportVerdict, Importable, LiveObject, SectionDrift, Standing, Unread,
};
use domain::model::Section;

use crate::compose::{Depth, VerifyReport};
use crate::render::{count, number, printable, size};

/// Lines under one heading; a person reads no more of them, a program reads JSON.
const MOST_LINES: usize = 1000;

pub(super) fn sound(bag: &Path, report: &VerifyReport, depth: Depth) -> String {
    let findings = &report.findings;
    let how = match depth {
        Depth::Bytes => "every checksum matches",
        Depth::Inner => "every checksum matches, every inner archive opens and is complete",
    };
    format!(
        "{} is whole: {}, {}, {} of the platform; {how}.",
        printable(&bag.display().to_string()),
        count(findings.payload_files, "file", "files"),
        size(findings.payload_bytes),
        count(report.archives, "archive", "archives"),
    )
}

pub(super) fn damaged(bag: &Path, report: &VerifyReport) -> String {
    let findings = &report.findings;
    let listed = number(findings.list.len());
    let all = listed.saturating_add(findings.unlisted);
    let mut text = format!(
        "{} is damaged, {}:\n",
        printable(&bag.display().to_string()),
        count(all, "finding", "findings"),
    );
    for finding in &findings.list {
        let _ = writeln!(text, "  {}", printable(&finding.to_string()));
    }
    if findings.unlisted > 0 {
        let _ = writeln!(text, "  and {} more", findings.unlisted);
    }
    text
}

/// What a UForge will do with the archives: a line for the whole, then each that will or may be refused, with the reason.
pub(super) fn import(importable: &[Importable]) -> String {
    let of = |verdict| {
        let found = importable.iter().filter(|found| found.verdict == verdict);
        found.collect::<Vec<_>>()
    };
    let [expected, doubtful, refused] = [
        ImportVerdict::Expected,
        ImportVerdict::Doubtful,
        ImportVerdict::Refused,
    ]
    .map(of);
    let mut text = format!(
        "Of {} that a UForge can import, nothing speaks against {}",
        count(
            number(importable.len()),
            "appliance or software bundle",
            "appliances and software bundles"
        ),
        expected.len()
    );
    for (found, words) in [(&doubtful, "may be"), (&refused, "will be")] {
        if !found.is_empty() {
            let _ = write!(text, "; {} {words} refused", found.len());
        }
    }
    text.push_str(".\n");
    block(&mut text, "Will be refused", obstacles(&refused));
    block(&mut text, "May be refused", obstacles(&doubtful));
    text
}

fn obstacles(found: &[&Importable]) -> Vec<String> {
    let line = |one: &&Importable| {
        let version = one.version.as_deref().unwrap_or_default();
        let id = one.id.map_or_else(String::new, |id| format!(" ({id})"));
        let why = one.obstacles.iter().map(ToString::to_string);
        let said = format!(
            "{} {}{id}: {}",
            one.name.as_deref().unwrap_or("(no name)"),
            version,
            why.collect::<Vec<_>>().join("; ")
        );
        format!("{}: {}", one.section.info().title, printable(&said))
    };
    found.iter().map(line).collect()
}

/// A line for the whole, then what differs, grouped by what has become of it.
pub(super) fn drift(bag: &str, url: &str, drift: &Drift) -> String {
    let mut text = if drift.is_up_to_date() {
        up_to_date(bag, url, drift)
    } else {
        behind(bag, url, drift)
    };
    block(
        &mut text,
        "Added since",
        objects(drift, |found| &found.added),
    );
    block(&mut text, "Changed since", changed(drift));
    block(&mut text, "Not complete in the bag", incomplete(drift));
    block(&mut text, "Cannot be read now", unread(drift));
    block(
        &mut text,
        "Neither in the bag nor to be had now",
        unavailable(drift),
    );
    let gone = objects(drift, |found| &found.vanished);
    block(&mut text, "No longer on the platform, but in the bag", gone);
    text
}

fn up_to_date(bag: &str, url: &str, drift: &Drift) -> String {
    let sum =
        |of: fn(&Differences) -> u64| -> u64 { drift.compared().map(|(_, found)| of(found)).sum() };
    let (unchanged, indistinct) = (sum(|found| found.unchanged), sum(|found| found.indistinct));
    let mut text = format!(
        "{bag} is up to date with {url}: {} in {}",
        count(unchanged, "object is as it was", "objects are as they were"),
        count(number(drift.compared().count()), "list", "lists"),
    );
    if indistinct > 0 {
        let _ = write!(
            text,
            ", {} still there (the platform does not say whether they changed)",
            count(indistinct, "other is", "others are")
        );
    }
    let unselected = sum(|found| found.unselected);
    if unselected > 0 {
        let _ = write!(text, ", {} not selected", count(unselected, "was", "were"));
    }
    text.push_str(".\n");
    text
}

fn behind(bag: &str, url: &str, drift: &Drift) -> String {
    let sum =
        |of: fn(&Differences) -> usize| number(drift.compared().map(|(_, found)| of(found)).sum());
    let mut parts = Vec::new();
    let mut part = |number: u64, words: &str| {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    };
    part(sum(|found| found.added.len()), "added");
    part(sum(|found| found.changed.len()), "changed");
    part(
        sum(|found| found.incomplete.len()),
        "not complete in the bag",
    );
    part(number(unread(drift).len()), "not readable now");
    part(number(unavailable(drift).len()), "not to be had");
    format!(
        "{bag} is not up to date with {url}: {}.\n",
        parts.join(", ")
    )
}

fn objects(drift: &Drift, of: fn(&Differences) -> &Vec<LiveObject>) -> Vec<String> {
    let sections = drift.compared();
    sections
        .flat_map(|(section, found)| of(found).iter().map(move |object| line(section, object)))
        .collect()
}

fn changed(drift: &Drift) -> Vec<String> {
    let sections = drift.compared();
    sections
        .flat_map(|(section, found)| {
            found.changed.iter().map(move |object| {
                let line = line(section, &object.now);
                match &object.now.last_modified {
                    Some(time) => format!("{line}, last changed {}", printable(time)),
                    None => line,
                }
            })
        })
        .collect()
}

fn incomplete(drift: &Drift) -> Vec<String> {
    let sections = drift.compared();
    sections
        .flat_map(|(section, found)| {
            found.incomplete.iter().map(move |object| {
                let reason = object
                    .reason
                    .as_deref()
                    .unwrap_or("the bag does not say why");
                format!("{}: {}", line(section, &object.now), printable(reason))
            })
        })
        .collect()
}

fn unread(drift: &Drift) -> Vec<String> {
    let sections = drift.sections.iter();
    let known = sections.filter_map(|SectionDrift { section, standing }| match standing {
        Standing::Unread(unread) => Some(refusal(*section, unread)),
        Standing::Compared(found) => Some(refusal(*section, found.cut.as_ref()?)),
        Standing::Unavailable(_) => None,
    });
    let unknown = drift
        .unknown
        .iter()
        .map(|name| format!("{}: this version does not know it", printable(name)));
    known.chain(unknown).collect()
}

fn unavailable(drift: &Drift) -> Vec<String> {
    let sections = drift.sections.iter();
    sections
        .filter_map(|SectionDrift { section, standing }| match standing {
            Standing::Unavailable(unread) => Some(refusal(*section, unread)),
            Standing::Unread(_) | Standing::Compared(_) => None,
        })
        .collect()
}

fn refusal(section: Section, unread: &Unread) -> String {
    format!("{}: {}", section.info().title, printable(&unread.reason))
}

fn line(section: Section, object: &LiveObject) -> String {
    format!(
        "{}: {}",
        section.info().title,
        printable(&object.to_string())
    )
}

fn block(text: &mut String, heading: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let rest = lines.len().saturating_sub(MOST_LINES);
    let _ = writeln!(text, "\n{heading}");
    for line in lines.into_iter().take(MOST_LINES) {
        let _ = writeln!(text, "  {line}");
    }
    if rest > 0 {
        let _ = writeln!(text, "  and {rest} more: `--json` names them all");
    }
}

#[cfg(test)]
mod tests {
    use domain::bag::verify::{ChangedObject, IncompleteObject};

    use super::*;

    fn object(id: i64, name: &str) -> LiveObject {
        LiveObject {
            id: Some(id),
            name: Some(name.to_owned()),
            version: Some("1.0".to_owned()),
            last_modified: Some("2026-11-25T10:00:00Z".to_owned()),
            ..LiveObject::default()
        }
    }

    fn unread(refused: bool) -> Unread {
        Unread {
            reason: "the platform refuses it (403)".to_owned(),
            refused,
        }
    }

    fn of(sections: Vec<(Section, Standing)>) -> Drift {
        let sections = sections.into_iter();
        Drift {
            sections: sections
                .map(|(section, standing)| SectionDrift { section, standing })
                .collect(),
            unknown: Vec::new(),
        }
    }

    const URL: &str = "https://uforge.example.com/api";

    #[test]
    fn what_a_uforge_will_do_with_the_archives_reads_like_this() {
        use domain::bag::verify::ImportObstacle;
        let one = |id, verdict, obstacles| Importable {
            section: Section::Appliances,
            id: Some(id),
            name: Some("web\u{1b}[2J shop".to_owned()),
            version: Some("1.0".to_owned()),
            archive: None,
            verdict,
            obstacles,
        };
        let no_archive = ImportObstacle::NoArchive(Some("no OS profile".to_owned()));
        let found = [
            one(201, ImportVerdict::Expected, vec![]),
            one(
                202,
                ImportVerdict::Doubtful,
                vec![ImportObstacle::UnknownForm],
            ),
            one(203, ImportVerdict::Refused, vec![no_archive]),
        ];
        insta::assert_snapshot!(import(&found));
        insta::assert_snapshot!(import(&found[..1]));
    }

    #[test]
    fn a_bag_that_is_up_to_date_reads_like_this() {
        let found = Differences {
            unchanged: 1200,
            indistinct: 3,
            unselected: 1,
            vanished: vec![object(204, "old shop")],
            ..Differences::default()
        };
        let drift_now = of(vec![
            (Section::Appliances, Standing::Compared(found)),
            (Section::Scans, Standing::Unread(unread(true))),
        ]);
        insta::assert_snapshot!(drift("john.zip", URL, &drift_now));
    }

    #[test]
    fn a_bag_that_the_platform_has_left_behind_reads_like_this() {
        let found = Differences {
            unchanged: 2,
            added: vec![object(205, "new shop"), LiveObject::default()],
            changed: vec![ChangedObject {
                now: object(201, "shop"),
                digest_in_bag: None,
                last_modified_in_bag: None,
            }],
            incomplete: vec![IncompleteObject {
                now: object(202, "legacy"),
                reason: Some("no OS profile".to_owned()),
            }],
            ..Differences::default()
        };
        let cut = Differences {
            cut: Some(unread(false)),
            ..Differences::default()
        };
        let mut drift_now = of(vec![
            (Section::Appliances, Standing::Compared(found)),
            (Section::Usage, Standing::Compared(cut)),
            (Section::CloudAccounts, Standing::Unread(unread(true))),
            (Section::Scans, Standing::Unavailable(unread(true))),
        ]);
        drift_now.unknown.push("moods".to_owned());
        insta::assert_snapshot!(drift("john.zip", URL, &drift_now));
    }

    #[test]
    fn foreign_names_cannot_act_on_the_terminal_and_do_not_flood_it() {
        let added = (0..5000).map(|id| object(id, "a\u{1b}[2J\u{202e}\nb"));
        let found = Differences {
            added: added.collect(),
            ..Differences::default()
        };
        let text = drift(
            "b",
            URL,
            &of(vec![(Section::Images, Standing::Compared(found))]),
        );
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
        assert!(text.lines().count() < 1010, "{}", text.lines().count());
        assert!(text.contains("and 4000 more: `--json` names them all"));
    }
}
