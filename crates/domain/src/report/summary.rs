//! The summary for people at a terminal: the one line that matters first, then more and more detail, last where the bag is.

use std::fmt::Write as _;

use super::plain::plain;
use super::words::{
    after, blanked, contents, counted, grouped, human_bytes, incomplete, is_there, left_behind,
    losses, lost_at, missing, one, plural, reason, size_of, unavailable, upper_first, wanted,
};
use super::{Completeness, Failure, Outcome, Report, SectionReport, SectionStatus};
use crate::ports::{FinishedBag, RedactionRule};

/// Narrower than this nothing can be set in columns.
const NARROWEST: usize = 40;

/// The outcome in plain text of at most `width` columns (but never less than 40), without colours, lines ended by `\n`.
///
/// Reasons are shown whole, wrapped where they are long. Text from outside is stripped of what could act on a terminal. A word
/// longer than a line, such as a path, is not broken.
pub fn summary(outcome: &Outcome, width: usize) -> String {
    let width = width.max(NARROWEST);
    let report = &outcome.report;
    let mut text = String::new();
    paragraph(&mut text, width, "", &headline(outcome));
    text.push('\n');
    table(&mut text, width, report);
    let empty = titles(report, |section| is_there(section) && is_empty(section));
    if !empty.is_empty() {
        text.push('\n');
        paragraph(&mut text, width, "  ", &format!("Nothing there: {empty}"));
    }
    block(&mut text, width, "Missing", missing_lines(report));
    block(
        &mut text,
        width,
        "Not available on this platform or to this account",
        unavailable(report).map(line_of).collect(),
    );
    block(
        &mut text,
        width,
        "Left behind on the platform",
        left_behind(report).map(described).collect(),
    );
    block(&mut text, width, "Good to know", notes(report));
    text.push('\n');
    paragraph(&mut text, width, "", &place(&outcome.bag));
    text
}

fn headline(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let (name, size) = (name_of(&outcome.bag), human_bytes(outcome.bag.bytes));
    let losses = losses(report);
    match report.completeness {
        Completeness::Complete => format!("Complete: {} in {name} ({size}).", contents(report)),
        Completeness::Partial if losses.is_empty() => {
            format!("Partial: not everything could be had; what could is in {name} ({size}).")
        }
        Completeness::Partial => {
            format!("Partial: {losses}; what could be had is in {name} ({size}).")
        }
    }
}

fn name_of(bag: &FinishedBag) -> String {
    bag.path
        .as_deref()
        .and_then(|path| path.file_name())
        .map_or_else(
            || "the archive".to_owned(),
            |name| plain(&name.to_string_lossy()),
        )
}

fn place(bag: &FinishedBag) -> String {
    match &bag.path {
        Some(path) => format!("The archive is {}", plain(&path.display().to_string())),
        None => "The archive went to standard output.".to_owned(),
    }
}

fn table(text: &mut String, width: usize, report: &Report) {
    let rows: Vec<[String; 3]> = report
        .sections
        .iter()
        .filter(|section| is_there(section) && !is_empty(section))
        .map(|section| {
            let size = size_of(report, section.section);
            [
                section.section.info().title.to_owned(),
                items_of(section),
                human_bytes(size),
            ]
        })
        .collect();
    let widest = |column: usize, least: usize| {
        let lengths = rows.iter().filter_map(|row| row.get(column));
        lengths
            .map(String::len)
            .max()
            .unwrap_or_default()
            .max(least)
    };
    let (titles, items, sizes) = (widest(0, 7), widest(1, 5), widest(2, 4));
    let indent = if titles + items + sizes + 8 > width {
        ""
    } else {
        "  "
    };
    let mut row = |title: &str, count: &str, size: &str| {
        let _ = writeln!(
            text,
            "{indent}{title:titles$}  {count:>items$}  {size:>sizes$}"
        );
    };
    row("Section", "Items", "Size");
    for [title, count, size] in &rows {
        row(title, count, size);
    }
}

/// Empty on the platform as well, which is no loss and needs no row.
fn is_empty(section: &SectionReport) -> bool {
    section.status == SectionStatus::Complete && wanted(section) == 0
}

fn titles(report: &Report, which: impl Fn(&SectionReport) -> bool) -> String {
    let sections = report.sections.iter().filter(|section| which(section));
    let titles: Vec<&str> = sections
        .map(|section| section.section.info().title)
        .collect();
    titles.join(", ")
}

fn items_of(section: &SectionReport) -> String {
    let wanted = wanted(section);
    if wanted == section.items {
        grouped(section.items)
    } else {
        format!("{} of {}", grouped(section.items), grouped(wanted))
    }
}

fn missing_lines(report: &Report) -> Vec<String> {
    missing(report)
        .map(described)
        .chain(incomplete(report).map(line_of))
        .collect()
}

fn line_of(section: &SectionReport) -> String {
    format!("{}: {}", section.section.info().title, reason(section))
}

/// `Appliance 204 "Legacy": the platform did not start its export after 5 attempts: …`.
fn described(failure: &Failure) -> String {
    let mut line = match (failure.id, failure.name.as_deref()) {
        (None, None) => failure.section.info().title.to_owned(),
        _ => one(failure.section),
    };
    if let Some(id) = failure.id {
        let _ = write!(line, " {id}");
    }
    if let Some(name) = &failure.name {
        let _ = write!(line, " \"{}\"", plain(name));
    }
    let _ = write!(line, ": {}", lost_at(failure.stage));
    let after = after(failure.attempts);
    if !after.is_empty() {
        let _ = write!(line, " {after}");
    }
    let message = plain(&failure.message);
    if !message.is_empty() {
        let _ = write!(line, ": {message}");
    }
    line
}

/// Archives that were not exported, because they had not changed since an earlier bag.
fn reused(report: &Report) -> Option<String> {
    let items = report.items.iter();
    let mut bags = items.filter_map(|item| item.reused_from.as_ref());
    let bag = plain(&bags.next()?.name);
    let archives = 1 + bags.count() as u64;
    Some(format!(
        "{} {} had not changed and {} taken from {bag}.",
        grouped(archives),
        plural(archives, "archive"),
        if archives == 1 { "was" } else { "were" }
    ))
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = report
        .notes
        .iter()
        .map(|note| upper_first(&plain(note)))
        .collect();
    let changed = report
        .items
        .iter()
        .filter(|item| item.changed_during_export)
        .count() as u64;
    if changed > 0 {
        notes.push(format!(
            "{} {} changed during the export; what is in the archive may be the older state.",
            grouped(changed),
            plural(changed, "object")
        ));
    }
    notes.extend(reused(report));
    notes.extend(report.sections.iter().filter_map(moved));
    let others = blanked(report, RedactionRule::OtherPerson);
    if others > 0 {
        notes.push(format!(
            "{} of other people {} blanked.",
            counted(crate::model::Section::WorkspaceComments, others),
            if others == 1 { "was" } else { "were" }
        ));
    }
    if report.redacted {
        notes.push(format!(
            "{} secret {} blanked in documents. The archives of appliances and software are kept as they came and may still hold some.",
            grouped(blanked(report, RedactionRule::Secret)),
            plural(blanked(report, RedactionRule::Secret), "value")
        ));
    }
    let excluded = titles(report, |section| section.status == SectionStatus::Excluded);
    if !excluded.is_empty() {
        notes.push(format!("Not asked for: {excluded}"));
    }
    notes
}

fn moved(section: &SectionReport) -> Option<String> {
    let names = |names: &[String]| {
        names
            .iter()
            .map(|name| plain(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut parts = Vec::new();
    if !section.appeared.is_empty() {
        parts.push(format!(
            "not in the bag, since listed only at the end (new, or missed while the list changed): {}",
            names(&section.appeared)
        ));
    }
    if !section.vanished.is_empty() {
        parts.push(format!(
            "gone from the platform since: {}",
            names(&section.vanished)
        ));
    }
    (!parts.is_empty()).then(|| format!("{}: {}", section.section.info().title, parts.join("; ")))
}

fn block(text: &mut String, width: usize, heading: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    text.push('\n');
    paragraph(text, width, "", heading);
    for line in lines {
        paragraph(text, width, "  ", &line);
    }
}

/// Words of a line, wrapped at `width`; what is carried over stands two columns further in.
fn paragraph(text: &mut String, width: usize, indent: &str, line: &str) {
    text.push_str(indent);
    let mut column = indent.len();
    let mut first = true;
    for word in line.split(' ') {
        let length = word.chars().count();
        if !first && column + 1 + length > width {
            text.push('\n');
            text.push_str(indent);
            text.push_str("  ");
            column = indent.len() + 2;
        } else if !first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        first = false;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::sample;
    use super::*;

    fn outcome(report: Report) -> Outcome {
        Outcome {
            report,
            bag: FinishedBag {
                path: Some(PathBuf::from("/home/john/uforge-john-20261124T101500Z.zip")),
                bytes: 2_345_678_901,
                sha256: None,
            },
        }
    }

    fn lines_of(text: &str, width: usize) -> Vec<&str> {
        text.lines()
            .inspect(|line| {
                assert!(
                    line.chars().count() <= width || !line.trim().contains(' '),
                    "{line}"
                );
            })
            .collect()
    }

    #[test]
    fn a_complete_run_reads_as_one() {
        insta::assert_snapshot!(summary(&outcome(sample::complete()), 80));
    }

    #[test]
    fn a_partial_run_names_everything_that_is_missing() {
        insta::assert_snapshot!(summary(&outcome(sample::partial()), 80));
    }

    #[test]
    fn the_first_line_is_the_one_that_matters_and_the_last_says_where() {
        let text = summary(&outcome(sample::partial()), 80);
        let lines = lines_of(&text, 80);
        assert!(
            lines[0].starts_with("Partial: 2 of 3 appliances are complete"),
            "{text}"
        );
        assert!(lines[lines.len() - 1].ends_with("/home/john/uforge-john-20261124T101500Z.zip"));
        let text = summary(&outcome(sample::complete()), 80);
        assert!(
            text.starts_with("Complete: the profile, 2 appliances"),
            "{text}"
        );
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        for width in [40, 60, 80, 200] {
            lines_of(&summary(&outcome(sample::partial()), width), width);
        }
    }

    #[test]
    fn a_long_reason_is_shown_to_its_end() {
        let mut report = sample::partial();
        report.failures[0].message = "word ".repeat(400) + "END";
        assert!(summary(&outcome(report), 80).contains("END"));
    }

    #[test]
    fn the_server_s_words_cannot_act_on_the_terminal() {
        let mut report = sample::partial();
        report.failures[0].message = "bad\u{1b}]0;x\u{7} \u{1b}[2Jnews\u{202e}".to_owned();
        report.failures[0].name = Some("na\u{1b}[31mme\r\n".to_owned());
        report.notes.push("note\u{9b}31m".to_owned());
        report.sections[1].appeared.push("new\u{7}".to_owned());
        let text = summary(&outcome(report), 80);
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n'),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains("bad news"));
    }

    #[test]
    fn a_bag_on_standard_output_has_no_place() {
        let mut outcome = outcome(sample::empty());
        outcome.bag.path = None;
        let text = summary(&outcome, 80);
        assert!(
            text.ends_with("The archive went to standard output.\n"),
            "{text}"
        );
    }
}
