//! `index.html`: the page for the person whose data it is. It opens offline, holds no script and refers to nothing outside the bag.
//!
//! What it says is put together here and in [`sections`]; how it looks is `templates/index.html` and `templates/index.css`.

mod graph;
mod sections;
mod visible;

use std::collections::BTreeMap;
use std::io;

use askama::Template;
use jiff::Timestamp;

use self::graph::{Bytes, Created};
use self::sections::{Kind, kinds};
pub use self::visible::visible;
use super::coverage::{Coverage, coverage};
use super::views::Views;
use super::words::{
    after, blanked, contents, counted, grouped, human_bytes, in_words, incomplete, left_behind,
    losses, lost_at, missing, one, plural, reason, unavailable, upper_first,
};
use super::{Completeness, Failure, Report, SectionReport, SectionStatus};
use crate::ports::RedactionRule;

/// Writes the page of a run, UTF-8.
///
/// `views` are the pages beside it, which it links to. Real names are escaped, isolated in their direction, and shown with a replacement character for each control character.
pub fn write(report: &Report, views: &Views, to: &mut dyn io::Write) -> io::Result<()> {
    Page::of(report, views).write_into(to)
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    report: &'a Report,
    user: String,
    tool_version: &'a str,
    complete: bool,
    verdict: String,
    source: String,
    platform_version: Option<String>,
    started: Time,
    finished: Time,
    holds: String,
    missing: Vec<Loss>,
    unavailable: Vec<Loss>,
    excluded: String,
    changed: Vec<String>,
    notes: Vec<String>,
    recount: String,
    notice: Option<&'a str>,
    bytes: Option<Bytes>,
    created: Option<Created>,
    sections: Vec<Kind<'a>>,
    any_empty: bool,
    secrets: String,
    resources: usize,
    left_out: Vec<LeftOut>,
    caution: &'static str,
}

/// An instant, for people and for machines.
struct Time {
    people: String,
    machine: String,
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self {
            people: in_words(time),
            machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}

/// Something that is not in the bag.
struct Loss {
    /// What it is: its kind, or the section.
    what: String,
    /// Its real name; empty where it has none.
    name: String,
    /// Its `dbId` in brackets; empty where it has none.
    number: String,
    why: String,
}

/// What one rule blanked in one file.
struct Blanked<'a> {
    path: &'a str,
    rule: &'static str,
    count: String,
}

/// A reason, and the platform's resources that are left out for it.
struct LeftOut {
    reason: &'static str,
    resources: Vec<&'static str>,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, views: &Views) -> Self {
        let sections = kinds(report, views);
        Self {
            report,
            user: visible(report.user.as_str()),
            tool_version: &report.tool_version,
            complete: report.completeness == Completeness::Complete,
            verdict: verdict(report),
            source: visible(&report.source),
            platform_version: report.platform_version.as_deref().map(visible),
            started: report.started.into(),
            finished: report.finished.into(),
            holds: holds(report),
            missing: missing(report)
                .map(loss_of)
                .chain(incomplete(report).map(section_loss))
                .collect(),
            unavailable: unavailable(report).map(section_loss).collect(),
            excluded: excluded(report),
            changed: changed(report),
            notes: notes(report),
            recount: recount(report),
            notice: report.notice.as_deref(),
            bytes: graph::bytes(report),
            created: graph::created(&views.created),
            any_empty: sections.iter().any(Kind::is_empty),
            sections,
            secrets: secrets(report),
            resources: coverage().count(),
            left_out: left_out(),
            caution: caution(report),
        }
    }

    /// What was blanked, file by file: it may be in very many, so each is made when it is written.
    fn blanked(&self) -> impl Iterator<Item = Blanked<'a>> {
        let files = self.report.files.iter();
        files.flat_map(|file| {
            let redactions = file.origin.redactions.iter();
            redactions.map(|redaction| Blanked {
                path: file.path.as_str(),
                rule: match redaction.rule {
                    RedactionRule::Secret => "passwords, keys, tokens",
                    RedactionRule::OtherPerson => "words of other people",
                },
                count: grouped(redaction.count),
            })
        })
    }

    fn is_any_blanked(&self) -> bool {
        self.blanked().next().is_some()
    }
}

fn verdict(report: &Report) -> String {
    let losses = losses(report);
    match report.completeness {
        Completeness::Complete => format!(
            "Everything that was selected is in this archive: {}.",
            contents(report)
        ),
        Completeness::Partial if losses.is_empty() => {
            "Not everything that was selected could be had.".to_owned()
        }
        Completeness::Partial => format!("{}; what could be had is here.", upper_first(&losses)),
    }
}

fn holds(report: &Report) -> String {
    let bytes = report.files.iter().map(|file| file.bytes).sum();
    let files = report.files.len() as u64;
    format!(
        "{} {}, {} unpacked",
        grouped(files),
        plural(files, "file"),
        human_bytes(bytes)
    )
}

fn loss_of(failure: &Failure) -> Loss {
    let is_object = failure.id.is_some() || failure.name.is_some();
    let after = after(failure.attempts);
    let space = if after.is_empty() { "" } else { " " };
    Loss {
        what: if is_object {
            one(failure.section)
        } else {
            failure.section.info().title.to_owned()
        },
        name: failure.name.as_deref().map(visible).unwrap_or_default(),
        number: failure.id.map(|id| format!("({id})")).unwrap_or_default(),
        why: format!(
            "{}{space}{after}. {}",
            upper_first(lost_at(failure.stage)),
            upper_first(&visible(&failure.message))
        ),
    }
}

fn section_loss(section: &SectionReport) -> Loss {
    Loss {
        what: section.section.info().title.to_owned(),
        name: String::new(),
        number: String::new(),
        why: upper_first(&visible(&reason(section))),
    }
}

fn excluded(report: &Report) -> String {
    let whole = report
        .sections
        .iter()
        .filter(|section| section.status == SectionStatus::Excluded)
        .map(|section| section.section.info().title.to_owned());
    let parts = report
        .sections
        .iter()
        .filter(|section| section.status != SectionStatus::Excluded && section.excluded > 0)
        .map(|section| counted(section.section, section.excluded));
    whole.chain(parts).collect::<Vec<_>>().join(", ")
}

fn changed(report: &Report) -> Vec<String> {
    report
        .items
        .iter()
        .filter(|item| item.changed_during_export)
        .map(|item| {
            let name = item.name.as_deref().map(visible).unwrap_or_default();
            format!("{} {name}", one(item.section))
        })
        .collect()
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = report
        .notes
        .iter()
        .map(|note| upper_first(&visible(note)))
        .collect();
    notes.extend(left_behind(report).map(|failure| {
        let loss = loss_of(failure);
        let parts = [loss.what, loss.name, loss.number];
        format!("{}: {}", parts.join(" ").trim_end(), loss.why)
    }));
    for section in &report.sections {
        for (names, words) in [
            (
                &section.appeared,
                "is not in the bag: it was listed only at the end (it is new, or was missed while the list changed)",
            ),
            (
                &section.vanished,
                "vanished from the platform during the export",
            ),
        ] {
            notes.extend(names.iter().map(|name| {
                let title = section.section.info().title;
                format!("{title}: {} {words}", visible(name))
            }));
        }
    }
    notes
}

fn recount(report: &Report) -> String {
    let read = report.sections.iter().filter(|of| of.listed.is_some());
    let agree = read
        .clone()
        .filter(|section| section.listed == section.recounted)
        .count();
    let read = read.count();
    match read {
        0 => "No list was read.".to_owned(),
        1 if agree == 1 => {
            "The one list was read at the beginning and again at the end, and had as many entries."
                .to_owned()
        }
        _ if agree == read => format!(
            "All {read} lists were read at the beginning and again at the end, and had as many entries."
        ),
        _ => format!(
            "Of {read} {}, {agree} had as many entries at the end of the export as at its beginning; the {} changed meanwhile or could not be read again.",
            plural(read as u64, "list"),
            plural((read - agree) as u64, "other")
        ),
    }
}

fn secrets(report: &Report) -> String {
    if !report.redacted {
        return "No password, key or token was blanked: secrets stand in the documents as the platform sent them.".to_owned();
    }
    let count = blanked(report, RedactionRule::Secret);
    format!(
        "Passwords, keys and tokens were blanked in the documents ({} {}), and certificate files were left out. The archives of appliances and software are as the platform made them and may still hold secrets.",
        grouped(count),
        plural(count, "value")
    )
}

fn left_out() -> Vec<LeftOut> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in coverage() {
        if let Coverage::LeftOut { resource, left_out } = row {
            reasons.entry(left_out).or_default().push(resource);
        }
    }
    let reasons = reasons.into_iter();
    reasons
        .map(|(reason, resources)| LeftOut { reason, resources })
        .collect()
}

fn caution(report: &Report) -> &'static str {
    if report.redacted {
        "It may hold secrets: they were blanked in the documents, but the archives of appliances and software can hold passwords, licence keys and private files."
    } else {
        "It may hold secrets: passwords and keys of cloud accounts, API keys, private keys, and whatever the archives of appliances and software contain."
    }
}

#[cfg(test)]
mod tests;
