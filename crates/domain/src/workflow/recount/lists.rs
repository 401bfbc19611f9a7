//! The lists read once more at the end: what appeared, what vanished, what changed meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::bag::layout;
use crate::model::{ListResource, ObjectFacts, ObjectId, OutagePolicy, Page, Resource, Section};
use crate::workflow::Limits;
use crate::workflow::attempt::Problem;
use crate::workflow::context::RunError;
use crate::workflow::fetch::Fetch;
use crate::workflow::ledger::{Book, Ledger, Place};

/// Reads every list again and enters what differs. The places of objects that changed since they were listed.
///
/// What cannot be read again is noted, and ends nothing: all that was asked for is in the bag already. An outage ends the run
/// where the order says so.
pub(crate) async fn recount(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
) -> Result<Vec<(Place, ObjectId)>, RunError> {
    let unkept = fetch.without_sink();
    let own = fetch.ports.journal.checkpoint().own_exports();
    let mut again: BTreeMap<Section, Option<Vec<ObjectFacts>>> = BTreeMap::new();
    let read = |(section, list): (Section, Resource)| async move {
        let path = |page, form| layout::list_document(section, page, form);
        let answer = unkept.list(section, |page| with_page(list, page), path);
        (section, list, answer.await)
    };
    let mut answers = stream::iter(lists_of(ledger).into_iter().map(read))
        .buffer_unordered(Limits::DOCUMENTS_AT_ONCE);
    while let Some((section, list, answer)) = answers.next().await {
        let objects = again.entry(section).or_insert_with(|| Some(Vec::new()));
        match answer {
            Ok(found) => {
                let found = found.objects.into_iter();
                let found = found.filter(|object| !is_own(list, object, &own));
                if let Some(objects) = objects {
                    objects.extend(found);
                }
            }
            Err(problem) => {
                let reason = reason_of(problem, fetch.order.outage)?;
                ledger.notes.push(format!(
                    "the list of {section} could not be read a second time: {reason}"
                ));
                *objects = None;
            }
        }
    }
    for section in without_lists(ledger) {
        again.insert(section, Some(Vec::new()));
    }
    let mut changed = Vec::new();
    for (section, objects) in again {
        if let Some(objects) = objects {
            let none = BTreeSet::new();
            let own = if section == Section::Exports {
                &own
            } else {
                &none
            };
            changed.extend(compare(ledger.book(section), section, &objects, own));
        }
    }
    Ok(changed)
}

/// The lists that were read.
fn lists_of(ledger: &Ledger) -> Vec<(Section, Resource)> {
    let lists = Section::ALL.into_iter().filter_map(|section| {
        let book = ledger.read(section).filter(|book| book.listed)?;
        Some((section, book.lists.clone()))
    });
    lists
        .flat_map(|(section, lists)| lists.into_iter().map(move |list| (section, list)))
        .collect()
}

/// Why a list could not be read again. An outage is an error where the order lets it end the run.
fn reason_of(problem: Problem, outage: OutagePolicy) -> Result<String, RunError> {
    match problem {
        Problem::Fatal(away @ RunError::Platform(_)) if outage == OutagePolicy::EndRun => Err(away),
        Problem::Failure(failed) => Ok(failed.error.to_string()),
        Problem::Fatal(fatal) => Ok(fatal.to_string()),
    }
}

/// Sections that had no list to read, and so nothing to list: the comments of somebody without a workspace.
fn without_lists(ledger: &Ledger) -> Vec<Section> {
    let is_bare = |section: &Section| {
        ledger
            .read(*section)
            .is_some_and(|book| book.listed && book.lists.is_empty() && book.entries.is_empty())
    };
    Section::ALL.into_iter().filter(is_bare).collect()
}

/// A ticket of ours is no change of the person's data.
fn is_own(list: Resource, object: &ObjectFacts, own_exports: &BTreeSet<i64>) -> bool {
    matches!(list, Resource::List(ListResource::Exports, _))
        && object.id.is_some_and(|id| own_exports.contains(&id))
}

fn with_page(list: Resource, page: Page) -> Resource {
    match list {
        Resource::List(list, _) => Resource::List(list, page),
        Resource::WorkspaceComments { org, workspace, .. } => Resource::WorkspaceComments {
            org,
            workspace,
            page,
        },
        Resource::TemplateComments {
            org,
            workspace,
            template,
            ..
        } => Resource::TemplateComments {
            org,
            workspace,
            template,
            page,
        },
        single @ (Resource::User
        | Resource::Item(_)
        | Resource::CloudAccount(_)
        | Resource::WorkspaceTemplates { .. }
        | Resource::Part(..)) => single,
    }
}

/// Enters what differs. `own` are objects of ours: that they are gone is no news of the person's data.
fn compare(
    book: &mut Book,
    section: Section,
    again: &[ObjectFacts],
    own: &BTreeSet<i64>,
) -> Vec<(Place, ObjectId)> {
    book.recounted = Some(if section == Section::Profile {
        again.len().min(1)
    } else {
        again.len()
    } as u64);
    let mut now: BTreeMap<i64, &ObjectFacts> = BTreeMap::new();
    for object in again {
        if let Some(id) = object.id {
            now.entry(id).or_insert(object);
        }
    }
    let before: BTreeSet<i64> = book
        .entries
        .iter()
        .filter_map(|entry| entry.facts.id)
        .collect();
    book.appeared = now
        .iter()
        .filter(|(id, _)| !before.contains(id))
        .map(|(_, object)| in_words(object))
        .collect();
    let vanished = book
        .entries
        .iter()
        .map(|entry| &entry.facts)
        .filter(|facts| {
            let id = facts.id.filter(|id| !own.contains(id));
            id.is_some_and(|id| !now.contains_key(&id))
        });
    book.vanished = vanished.map(in_words).collect();
    let mut changed = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, entry) in book
        .entries
        .iter_mut()
        .enumerate()
        .filter(|(_, entry)| entry.wanted)
    {
        // Of several under one id the first was exported, and is compared with the first.
        let id = entry.facts.id.filter(|id| seen.insert(*id));
        let Some(object) = id.and_then(|id| now.get(&id)) else {
            continue;
        };
        if !differs(&entry.facts, object) {
            continue;
        }
        entry.changed = true;
        if let Some(id) = object.id.and_then(|id| ObjectId::try_from(id).ok()) {
            changed.push((Place { section, index }, id));
        }
    }
    changed
}

/// Only what the platform says both times can be compared.
fn differs(before: &ObjectFacts, now: &ObjectFacts) -> bool {
    let other = |before: &Option<String>, now: &Option<String>| {
        before.is_some() && now.is_some() && before != now
    };
    other(&before.digest, &now.digest) || other(&before.last_modified, &now.last_modified)
}

fn in_words(object: &ObjectFacts) -> String {
    match (&object.name, object.id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(name), None) => name.clone(),
        (None, id) => id.unwrap_or_default().to_string(),
    }
}
