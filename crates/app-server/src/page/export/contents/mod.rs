//! What is in the file of an export, and what could not be had: its report, in words.

mod missing;
mod picture;
mod report;

use std::collections::BTreeMap;

use domain::jobs::Delivery;
use domain::model::Section;
use domain::ports::RedactionRule;
use domain::report::{ItemStatus, SectionStatus};

use self::missing::{Missing, missing, notes};
use self::picture::{Part, picture};
use self::report::{ItemEntry, Report, SectionEntry};
use crate::page::text::shown;
use crate::page::words::{About, Words};

/// Missing things that are shown one by one.
const SHOWN: usize = 200;
/// Names of one kind of data that are shown.
const NAMES: usize = 200;

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
    pub(super) names: Vec<Named>,
    /// How many more names there are than are shown; empty for none.
    pub(super) more: String,
}

/// An object by its name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) version: String,
    /// What is wrong with it; empty for nothing.
    pub(super) status: &'static str,
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
                .map(|section| Row::of(words, section, &report, &sizes))
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
    fn of(
        words: &Words,
        section: &SectionEntry,
        report: &Report,
        sizes: &BTreeMap<Section, u64>,
    ) -> Self {
        let size = sizes.get(&section.name);
        let is_one = |item: &&ItemEntry| {
            let name = item.name.as_deref().unwrap_or_default();
            item.section == section.name && !name.trim().is_empty()
        };
        let mut items = report.items.iter().filter(is_one);
        let names: Vec<Named> = items
            .by_ref()
            .take(NAMES)
            .map(|item| Named::of(words, item))
            .collect();
        let hidden = items.count();
        Self {
            names,
            more: match hidden {
                0 => String::new(),
                hidden => (words.and_more)(hidden),
            },
            about: (words.section)(section.name),
            number: (words.number)(section.items),
            size: size.map(|size| (words.size)(*size)).unwrap_or_default(),
            status: (words.section_status)(section.status),
            warns: section.status != SectionStatus::Complete,
        }
    }
}

impl Named {
    fn of(words: &Words, item: &ItemEntry) -> Self {
        let text = |text: Option<&str>| text.map(shown).unwrap_or_default();
        Self {
            name: text(item.name.as_deref()),
            version: text(item.version.as_deref()),
            status: match item.status {
                ItemStatus::Complete => "",
                ItemStatus::Partial => (words.section_status)(SectionStatus::Partial),
                ItemStatus::Failed | ItemStatus::Unavailable => {
                    (words.section_status)(SectionStatus::Unavailable)
                }
            },
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

#[cfg(test)]
mod tests;
