//! The words that both the summary and the page use: sizes, counts, and what is missing.

use std::collections::BTreeMap;

use super::plain::plain;
use super::{Failure, Report, SectionReport, SectionStatus, Stage};
use crate::model::{Section, SectionKind};
use crate::ports::RedactionRule;

/// A size for people: `812 B`, `12.3 KB`, `2.3 GB`. Decimal units, one digit after the point, cut and never rounded up.
///
/// ```
/// use domain::report::human_bytes;
/// assert_eq!(human_bytes(999), "999 B");
/// assert_eq!(human_bytes(2_345_678_901), "2.3 GB");
/// ```
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = larger;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// An instant for people.
pub(crate) fn in_words(time: jiff::Timestamp) -> String {
    time.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// A number for people: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What objects of a section are called when they are counted.
pub(super) fn counted(section: Section, number: u64) -> String {
    let info = section.info();
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { info.one } else { info.many }
    )
}

/// What one object of a section is called before its name: `Appliance`, `Software bundle`.
pub(super) fn one(section: Section) -> String {
    upper_first(section.info().one)
}

/// The text with its first letter as a capital: a sentence.
pub(super) fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What was lost at a stage, said of a thing.
pub(super) fn lost_at(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "the platform did not start its export",
        Stage::Wait => "its export on the platform did not come to an end",
        Stage::Download => "it could not be fetched",
        Stage::Delete => "its export is still on the platform",
    }
}

/// `after 5 attempts`; nothing after a single one.
pub(super) fn after(attempts: u32) -> String {
    if attempts > 1 {
        format!("after {attempts} attempts")
    } else {
        String::new()
    }
}

/// The failures that mean missing data.
pub(super) fn missing(report: &Report) -> impl Iterator<Item = &Failure> {
    report
        .failures
        .iter()
        .filter(|failure| failure.stage != Stage::Delete)
}

/// Export tickets that are still on the platform: nothing is missing, but something was left behind.
pub(super) fn left_behind(report: &Report) -> impl Iterator<Item = &Failure> {
    report
        .failures
        .iter()
        .filter(|failure| failure.stage == Stage::Delete)
}

/// Sections that are incomplete for a reason that no failure names.
pub(super) fn incomplete(report: &Report) -> impl Iterator<Item = &SectionReport> {
    report.sections.iter().filter(|section| {
        section.status == SectionStatus::Partial
            && !missing(report).any(|failure| failure.section == section.section)
    })
}

/// Sections that the platform does not give. One that went wrong is [`missing`] instead: it may be there the next time.
pub(super) fn unavailable(report: &Report) -> impl Iterator<Item = &SectionReport> {
    report.sections.iter().filter(|section| {
        section.status == SectionStatus::Unavailable
            && !missing(report).any(|failure| is_about(section, failure))
    })
}

fn is_about(section: &SectionReport, failure: &Failure) -> bool {
    failure.section == section.section
        && failure.id.is_none()
        && failure.name.is_none()
        && section.reason.as_deref() == Some(failure.message.as_str())
}

/// Whether something of a section can be in the bag: its lists, or, where the platform refuses some of them, the others.
pub(super) fn is_there(section: &SectionReport) -> bool {
    match section.status {
        SectionStatus::Complete | SectionStatus::Partial => true,
        SectionStatus::Unavailable => section.items > 0,
        SectionStatus::Excluded => false,
    }
}

/// The reason, or that there is none: never silence.
pub(super) fn reason(section: &SectionReport) -> String {
    section
        .reason
        .as_deref()
        .map(plain)
        .filter(|reason| !reason.is_empty())
        .unwrap_or_else(|| "no reason was given".to_owned())
}

/// Objects of a section that were wanted: those in the bag and those that are missing.
pub(super) fn wanted(section: &SectionReport) -> u64 {
    section
        .listed
        .map_or(section.items, |listed| {
            listed.saturating_sub(section.excluded)
        })
        .max(section.items)
}

/// Size of all files of a section.
pub(super) fn size_of(report: &Report, section: Section) -> u64 {
    report
        .files
        .iter()
        .filter(|file| file.origin.section == section)
        .map(|file| file.bytes)
        .sum()
}

/// Values blanked by `rule`. Of a document kept in two forms, each value counts once.
pub(super) fn blanked(report: &Report, rule: RedactionRule) -> u64 {
    let mut documents: BTreeMap<&str, u64> = BTreeMap::new();
    for file in &report.files {
        let path = file.path.as_str();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let redactions = file.origin.redactions.iter();
        let count: u64 = redactions
            .filter(|redaction| redaction.rule == rule)
            .map(|redaction| redaction.count)
            .sum();
        let known = documents.entry(stem).or_default();
        *known = count.max(*known);
    }
    documents.into_values().sum()
}

/// What is in the bag, in one breath: `12 appliances, 5 software bundles and 340 records of 20 other kinds`.
pub(super) fn contents(report: &Report) -> String {
    let mut parts = Vec::new();
    let (mut records, mut kinds) = (0, 0);
    for section in report.sections.iter().filter(|section| section.items > 0) {
        match section.section.info().kind {
            SectionKind::Items(_) | SectionKind::CloudAccounts => {
                parts.push(counted(section.section, section.items));
            }
            SectionKind::Profile => parts.push("the profile".to_owned()),
            SectionKind::List(_) | SectionKind::WorkspaceComments => {
                records += section.items;
                kinds += 1;
            }
        }
    }
    if kinds > 0 {
        let records = format!("{} {}", grouped(records), plural(records, "record"));
        parts.push(match (kinds, parts.is_empty()) {
            (kinds, true) => format!("{records} of {kinds} {}", plural(kinds, "kind")),
            (1, false) => format!("{records} of another kind"),
            (kinds, false) => format!("{records} of {kinds} other kinds"),
        });
    }
    enumerated(&parts)
}

/// Losses that one breath names.
const NAMED: usize = 3;

/// What is missing, in one breath, with the same numbers as the table: `12 of 14 appliances are complete, part of the roles is
/// missing`. Empty where nothing is.
pub(super) fn losses(report: &Report) -> String {
    let (mut complete, mut parts) = (Vec::new(), Vec::new());
    for section in &report.sections {
        let (wanted, title) = (wanted(section), section.section.info().title.to_lowercase());
        let failed = missing(report).any(|failure| failure.section == section.section);
        match section.status {
            SectionStatus::Partial if section.items < wanted && wanted > 1 => {
                complete.push(format!(
                    "{} of {}",
                    grouped(section.items),
                    counted(section.section, wanted)
                ));
            }
            SectionStatus::Partial => parts.push(format!("part of the {title}")),
            SectionStatus::Unavailable if section.section.is_core() || failed => {
                parts.push(format!("the {title}"));
            }
            SectionStatus::Unavailable | SectionStatus::Complete | SectionStatus::Excluded => {}
        }
    }
    let named = complete.len();
    if named + parts.len() > NAMED + 1 {
        let others = named + parts.len() - NAMED;
        complete.truncate(NAMED);
        parts.truncate(NAMED - complete.len());
        parts.push(format!("something of {others} other sections"));
    }
    let mut sentences = Vec::new();
    if !complete.is_empty() {
        sentences.push(format!("{} are complete", enumerated(&complete)));
    }
    if !parts.is_empty() {
        let are_several = |part: &String| part.starts_with("the ") && part.ends_with('s');
        let verb = if parts.len() > 1 || parts.iter().any(are_several) {
            "are"
        } else {
            "is"
        };
        sentences.push(format!("{} {verb} missing", enumerated(&parts)));
    }
    sentences.join(", ")
}

pub(super) fn plural(number: u64, noun: &str) -> String {
    if number == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

fn enumerated(parts: &[String]) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (999_999, "999.9 KB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(human_bytes(bytes), expected);
        }
    }

    #[test]
    fn one_list_that_is_missing_is_spoken_of_in_the_plural() {
        let mut report = super::super::sample::partial();
        for section in &mut report.sections {
            section.status = match section.section {
                Section::Appliances => SectionStatus::Unavailable,
                _ => SectionStatus::Complete,
            };
        }
        assert_eq!(losses(&report), "the appliances are missing");
    }

    #[test]
    fn a_value_in_both_forms_of_a_document_is_one_value() {
        let mut report = super::super::sample::partial();
        assert_eq!(blanked(&report, RedactionRule::Secret), 2);
        let xml = report
            .files
            .iter()
            .find(|file| !file.origin.redactions.is_empty());
        let redactions = xml.map(|file| file.origin.redactions.clone()).unwrap();
        for file in &mut report.files {
            if file.path.as_str() == "data/cloud-accounts/accounts.json" {
                file.origin.redactions.clone_from(&redactions);
            }
        }
        assert_eq!(blanked(&report, RedactionRule::Secret), 2);
        assert_eq!(blanked(&report, RedactionRule::OtherPerson), 0);
    }

    #[test]
    fn a_section_that_went_wrong_is_missing_and_one_that_the_platform_does_not_give_is_not() {
        let mut report = super::super::sample::partial();
        let mut failure = report.failures[0].clone();
        (failure.id, failure.name) = (None, None);
        failure.section = Section::Activities;
        for section in &mut report.sections {
            if section.section == Section::Activities {
                section.reason = Some(failure.message.clone());
            }
        }
        report.failures = vec![failure];
        let not_given: Vec<Section> = unavailable(&report).map(|of| of.section).collect();
        assert_eq!(not_given, [Section::Blueprints]);
        assert_eq!(missing(&report).count(), 1);
        let losses = losses(&report);
        assert!(losses.contains("the activities"), "{losses}");
        assert!(!losses.contains("blueprints"), "{losses}");
    }

    #[test]
    fn long_numbers_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
