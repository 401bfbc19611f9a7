//! Which objects a section has, and where each is described.

use std::collections::HashMap;

use super::lists;
use super::object::{Object, number, read};
use super::page::{Entry, FileLink, Notice};
use super::pages::{Output, SectionPages};
use super::picture::{ENOUGH_BYTES, is_picture};
use super::sources::{Document, Files, lists as list_documents, own_document, picture};
use crate::model::SectionKind;
use crate::ports::{Receipt, SinkError};
use crate::redact::show;
use crate::report::{ItemReport, ItemStatus, Report, SectionReport, visible};

/// Writes the pages of one section, if it has objects.
pub(super) fn write_section(
    report: &Report,
    section: &SectionReport,
    files: &Files<'_>,
    output: &mut Output<'_>,
) -> Result<(), SinkError> {
    let mut pages = SectionPages::new(section.section);
    match section.section.info().kind {
        SectionKind::Profile | SectionKind::Items(_) | SectionKind::CloudAccounts => {
            write_items(report, files, &mut pages, output)?;
        }
        SectionKind::List(_) | SectionKind::WorkspaceComments => {
            for document in list_documents(report, pages.section) {
                write_list(document, &mut pages, output)?;
            }
        }
    }
    pages.finish(output)
}

/// Objects that have documents of their own; those that lost theirs are described by the list.
fn write_items(
    report: &Report,
    files: &Files<'_>,
    pages: &mut SectionPages,
    output: &mut Output<'_>,
) -> Result<(), SinkError> {
    let section = pages.section;
    let mut listed: HashMap<String, &ItemReport> = HashMap::new();
    let mut nameless = Vec::new();
    for item in report.items.iter().filter(|item| item.section == section) {
        let own = files.of_item(item);
        match (own_document(&own, section), item.id) {
            (Some(document), _) => write_own(item, &own, document, pages, output)?,
            (None, Some(id)) => {
                listed.insert(id.to_string(), item);
            }
            (None, None) => nameless.push(item),
        }
    }
    if !listed.is_empty() {
        for document in list_documents(report, section) {
            write_listed(document, files, &mut listed, pages, output)?;
        }
    }
    let mut left: Vec<&ItemReport> = listed.into_values().collect();
    left.sort_by_key(|item| item.id);
    for item in left.into_iter().chain(nameless) {
        let own = files.of_item(item);
        let entry = entry_of(item, Object::default(), &own, None, output);
        pages.add(&entry, output)?;
    }
    Ok(())
}

fn write_own(
    item: &ItemReport,
    own: &[&Receipt],
    document: Document<'_>,
    pages: &mut SectionPages,
    output: &mut Output<'_>,
) -> Result<(), SinkError> {
    let budget = pages.budget();
    let object = output.show(document, |shown| {
        read(shown, document.secrets(), lists::object(shown), budget)
    });
    let (object, notice) = match object {
        Ok(object) => (object, None),
        Err(notice) => (Object::default(), Some(notice)),
    };
    let mut entry = entry_of(item, object, own, Some(document.file), output);
    entry.notice = notice;
    pages.add(&entry, output)
}

/// Objects of a list that nothing else in the bag describes.
fn write_listed(
    document: Document<'_>,
    files: &Files<'_>,
    wanted: &mut HashMap<String, &ItemReport>,
    pages: &mut SectionPages,
    output: &mut Output<'_>,
) -> Result<(), SinkError> {
    let budget = pages.budget();
    let section = pages.section;
    // Those that are wanted failed, so that they are few.
    let found = output.show(document, |shown| {
        let mut found = Vec::new();
        for node in lists::objects(shown, section) {
            let item = number(shown, node).and_then(|number| wanted.remove(&number));
            if let Some(item) = item {
                found.push((item, read(shown, document.secrets(), node, budget)));
            }
        }
        found
    });
    for (item, object) in found.unwrap_or_default() {
        let own = files.of_item(item);
        let entry = entry_of(item, object, &own, Some(document.file), output);
        pages.add(&entry, output)?;
    }
    Ok(())
}

/// All objects of a list's document.
fn write_list(
    document: Document<'_>,
    pages: &mut SectionPages,
    output: &mut Output<'_>,
) -> Result<(), SinkError> {
    pages.add_document(document.file);
    let Some(bytes) = output.bytes_of(document.file) else {
        pages.add_notice(Notice::unreadable(document.file, None));
        return Ok(());
    };
    let written = show(document.form, &bytes, |shown| {
        for node in lists::objects(shown, pages.section) {
            let object = read(shown, document.secrets(), node, pages.budget());
            let entry = Entry::of_list(object, document.file, pages.section);
            pages.add(&entry, output)?;
        }
        Ok(())
    });
    match written {
        Ok(result) => result,
        Err(error) => {
            pages.add_notice(Notice::unreadable(document.file, Some(error.to_string())));
            Ok(())
        }
    }
}

fn entry_of(
    item: &ItemReport,
    object: Object,
    own: &[&Receipt],
    described_by: Option<&Receipt>,
    output: &mut Output<'_>,
) -> Entry {
    let shown = picture(own).filter(|file| {
        let first = output.first_bytes(file, ENOUGH_BYTES);
        first.is_some_and(|bytes| is_picture(&bytes))
    });
    Entry {
        name: item.name.as_deref().map(visible).or(object.name.clone()),
        version: item
            .version
            .as_deref()
            .map(visible)
            .or(object.version.clone()),
        number: item.id.map(|id| id.to_string()).or(object.number.clone()),
        warning: warning(item),
        picture: shown.map(FileLink::of),
        files: own
            .iter()
            .map(|file| FileLink::within_object(file))
            .collect(),
        described_by: described_by.map(FileLink::of),
        notice: None,
        object,
    }
}

fn warning(item: &ItemReport) -> String {
    let reason = item.reason.as_deref().map(visible).unwrap_or_default();
    let what = match (item.status, item.changed_during_export) {
        (ItemStatus::Partial, _) => "Incomplete",
        (ItemStatus::Failed, _) => "Missing: only the platform’s list names it",
        (ItemStatus::Unavailable, _) => "Not available",
        (ItemStatus::Complete, true) => return "It changed during the export.".to_owned(),
        (ItemStatus::Complete, false) => return String::new(),
    };
    if reason.is_empty() {
        format!("{what}.")
    } else {
        format!("{what}. {reason}")
    }
}
