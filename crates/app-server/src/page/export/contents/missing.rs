//! What could not be had, and what a person should know beside.

use std::collections::BTreeSet;

use domain::report::{ItemStatus, SectionStatus, Stage};

use super::report::{FailureEntry, Report};
use crate::page::text::shown;
use crate::page::words::Words;

/// Notes that are shown.
const NOTES: usize = 200;

/// Something that could not be had.
pub(crate) struct Missing {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) number: String,
    /// What was lost, in the reader's language; empty where that is not known.
    pub(crate) what: String,
    /// What the program and the platform said, in English.
    pub(crate) why: String,
}

/// Failures, then items and whole sections that say of themselves that they are not there.
pub(super) fn missing(words: &Words, report: &Report) -> Vec<Missing> {
    let lost = |failure: &&FailureEntry| failure.stage != Stage::Delete;
    let failures = report.failures.iter().filter(lost);
    let named: BTreeSet<_> = report
        .failures
        .iter()
        .filter(lost)
        .map(|failure| (failure.section, failure.id))
        .collect();
    let items = report
        .items
        .iter()
        .filter(|item| item.status != ItemStatus::Complete && item.reason.is_some())
        .filter(|item| !named.contains(&(item.section, item.id)));
    let sections = report
        .sections
        .iter()
        .filter(|section| section.status == SectionStatus::Unavailable);
    failures
        .map(|failure| Missing::of_failure(words, failure))
        .chain(items.map(|item| Missing {
            kind: (words.section)(item.section).title,
            name: name(item.name.as_deref()),
            number: number(item.id),
            what: String::new(),
            why: name(item.reason.as_deref()),
        }))
        .chain(sections.map(|section| Missing {
            kind: (words.section)(section.name).title,
            name: String::new(),
            number: String::new(),
            what: String::new(),
            why: name(section.reason.as_deref()),
        }))
        .collect()
}

impl Missing {
    fn of_failure(words: &Words, failure: &FailureEntry) -> Self {
        let lost = (words.lost_at)(failure.stage);
        let what = if failure.attempts > 1 {
            let after = (words.after_attempts)(failure.attempts);
            format!("{lost} ({after})")
        } else {
            lost.to_owned()
        };
        Self {
            kind: (words.section)(failure.section).title,
            name: name(failure.name.as_deref()),
            number: number(failure.id),
            what,
            why: shown(&failure.message),
        }
    }
}

fn name(text: Option<&str>) -> String {
    text.map(shown).unwrap_or_default()
}

fn number(id: Option<i64>) -> String {
    id.map(|id| format!("({id})")).unwrap_or_default()
}

/// What a person should know beside: tickets that were left, and the program's own notes.
pub(super) fn notes(words: &Words, report: &Report) -> Vec<String> {
    let left = report
        .failures
        .iter()
        .filter(|failure| failure.stage == Stage::Delete)
        .map(|failure| {
            let said = Missing::of_failure(words, failure);
            let parts = [said.kind.to_owned(), said.name, said.number];
            format!("{}: {}", parts.join(" ").trim_end(), said.what)
        });
    left.chain(report.notes.iter().map(|note| shown(note)))
        .take(NOTES)
        .collect()
}
