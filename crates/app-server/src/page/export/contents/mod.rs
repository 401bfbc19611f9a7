//! What is in the file of an export, and what could not be had: its report, in words.

use std::collections::{BTreeMap, BTreeSet};

use domain::jobs::Delivery;
use domain::model::Section;
use domain::ports::RedactionRule;
use domain::report::{ItemStatus, SectionStatus, Stage};
use serde::Deserialize;

use crate::page::text::shown;
use crate::page::words::{About, Words};

/// Missing things that are shown one by one.
const SHOWN: usize = 200;
/// Parts of the picture, the last of which is all others.
const PARTS: usize = 6;
/// Width of the picture, in its own units.
const WIDE: u64 = 1000;

/// The parts of `export.json` that the page shows. A report of another version may lack some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    sections: Vec<SectionEntry>,
    items: Vec<ItemEntry>,
    files: Vec<FileEntry>,
    failures: Vec<FailureEntry>,
    redactions: Vec<RedactionEntry>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct SectionEntry {
    name: Section,
    status: SectionStatus,
    #[serde(default)]
    items: u64,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct ItemEntry {
    section: Section,
    id: Option<i64>,
    name: Option<String>,
    status: ItemStatus,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct FileEntry {
    bytes: u64,
    section: Section,
}

#[derive(Deserialize)]
struct FailureEntry {
    section: Section,
    id: Option<i64>,
    name: Option<String>,
    stage: Stage,
    message: String,
    #[serde(default)]
    attempts: u64,
}

#[derive(Deserialize)]
struct RedactionEntry {
    rule: RedactionRule,
    count: u64,
}

/// What is in the file.
pub(super) struct Contents {
    pub(super) verdict: &'static str,
    pub(super) verdict_text: String,
    pub(super) rows: Vec<Row>,
    pub(super) empty: Vec<&'static str>,
    pub(super) left_out: Vec<&'static str>,
    pub(super) picture: Vec<Part>,
    pub(super) missing: Vec<Missing>,
    /// How many more things are missing than are shown; empty for none.
    pub(super) more: String,
    /// What was blanked, a sentence for each reason.
    pub(super) blanked: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// A kind of data that is in it, or should be.
pub(super) struct Row {
    pub(super) about: About,
    pub(super) number: String,
    pub(super) size: String,
    pub(super) status: &'static str,
    pub(super) warns: bool,
}

/// A part of the picture: where it begins, and how wide it is.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) size: String,
    pub(super) percent: String,
    pub(super) from: u64,
    pub(super) width: u64,
}

/// Something that could not be had.
pub(super) struct Missing {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) number: String,
    /// What was lost, in the reader's language; empty where that is not known.
    pub(super) what: String,
    /// What the program and the platform said, in English.
    pub(super) why: String,
}

impl Contents {
    pub(super) fn of(words: &Words, delivery: &Delivery) -> Self {
        let report: Report = serde_json::from_slice(&delivery.report).unwrap_or_default();
        let mut missing = missing(words, &report);
        let hidden = missing.len().saturating_sub(SHOWN);
        let count = missing.len() as u64;
        missing.truncate(SHOWN);
        let sizes = sizes(&report);
        let titles = |wanted: &dyn Fn(&SectionEntry) -> bool| -> Vec<&'static str> {
            let sections = report.sections.iter().filter(|section| wanted(section));
            sections
                .map(|section| (words.section)(section.name).title)
                .collect()
        };
        Self {
            verdict: (words.verdict)(delivery.completeness),
            verdict_text: (words.verdict_text)(delivery.completeness, count),
            rows: report
                .sections
                .iter()
                .filter(|section| !is_empty(section) && !is_left_out(section))
                .map(|section| Row::of(words, section, &sizes))
                .collect(),
            empty: titles(&is_empty),
            left_out: titles(&is_left_out),
            picture: picture(words, &sizes),
            missing,
            more: match hidden {
                0 => String::new(),
                hidden => (words.and_more)(hidden),
            },
            blanked: blanked(words, &report),
            notes: notes(words, &report),
        }
    }
}

fn blanked(words: &Words, report: &Report) -> Vec<String> {
    let of_rule = |rule: RedactionRule| {
        let redactions = report.redactions.iter().filter(|of| of.rule == rule);
        let count: u64 = redactions.map(|of| of.count).sum();
        (count > 0).then(|| (words.blanked)(rule, count))
    };
    [RedactionRule::Secret, RedactionRule::OtherPerson]
        .into_iter()
        .filter_map(of_rule)
        .collect()
}

fn is_empty(section: &SectionEntry) -> bool {
    section.status == SectionStatus::Complete && section.items == 0
}

fn is_left_out(section: &SectionEntry) -> bool {
    section.status == SectionStatus::Excluded
}

impl Row {
    fn of(words: &Words, section: &SectionEntry, sizes: &BTreeMap<Section, u64>) -> Self {
        let size = sizes.get(&section.name);
        Self {
            about: (words.section)(section.name),
            number: (words.number)(section.items),
            size: size.map(|size| (words.size)(*size)).unwrap_or_default(),
            status: (words.section_status)(section.status),
            warns: section.status != SectionStatus::Complete,
        }
    }
}

fn sizes(report: &Report) -> BTreeMap<Section, u64> {
    let mut sizes: BTreeMap<Section, u64> = BTreeMap::new();
    for file in &report.files {
        let size = sizes.entry(file.section).or_default();
        *size = size.saturating_add(file.bytes);
    }
    sizes
}

/// The largest kinds of data side by side, and all others as one.
fn picture(words: &Words, sizes: &BTreeMap<Section, u64>) -> Vec<Part> {
    let mut sizes: Vec<(&'static str, u64)> = sizes
        .iter()
        .map(|(section, bytes)| ((words.section)(*section).title, *bytes))
        .filter(|(_, bytes)| *bytes > 0)
        .collect();
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    if sizes.len() > PARTS {
        let rest: u64 = sizes.drain(PARTS - 1..).map(|(_, bytes)| bytes).sum();
        sizes.push((words.others, rest));
    }
    let total: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let mut before = 0;
    let parts = sizes.into_iter().map(|(title, bytes)| {
        let at = |bytes: u64| scaled(bytes, total, WIDE);
        let (from, until) = (at(before), at(before + bytes));
        before += bytes;
        Part {
            title,
            size: (words.size)(bytes),
            percent: match scaled(bytes, total, 100) {
                0 => format!("<\u{a0}{}", (words.percent)(1)),
                percent => (words.percent)(percent),
            },
            from,
            // What is there can be seen, however small it is.
            width: until.saturating_sub(from).max(2),
        }
    });
    parts.collect()
}

fn scaled(part: u64, total: u64, wide: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(wide) / u128::from(total.max(1));
    u64::try_from(scaled).unwrap_or(wide)
}

/// Failures, then items and whole sections that say of themselves that they are not there.
fn missing(words: &Words, report: &Report) -> Vec<Missing> {
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
fn notes(words: &Words, report: &Report) -> Vec<String> {
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
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests;
