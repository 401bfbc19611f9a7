//! What was found is entered into the ledger; the tasks that follow from it.

use super::comments::{enter_workspaces, threads};
use super::files::file_tasks;
use super::task::{Found, Task, resource_of};
use crate::bag::layout;
use crate::model::{BagPath, ObjectFacts, ObjectId, Resource, Section, SectionKind};
use crate::ports::{ApiError, Event};
use crate::report::{ItemStatus, Stage};
use crate::workflow::attempt::Failed;
use crate::workflow::fetch::{Fetch, Fetched};
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::pages::{FetchedList, KeptPage};

/// Enters what was found; the tasks that follow from it.
pub(super) fn enter(fetch: Fetch<'_>, ledger: &mut Ledger, found: Found) -> Vec<Task> {
    match found {
        Found::List(section, resource, Ok(list)) => {
            enter_list(fetch, ledger, section, resource, list)
        }
        Found::List(section, _, Err(failed)) => refuse(fetch, ledger, section, failed),
        Found::Profile(Ok(fetched)) => enter_profile(fetch, ledger, fetched),
        Found::Profile(Err(failed)) => refuse(fetch, ledger, Section::Profile, failed),
        Found::Object(place, folder, Ok(fetched)) => {
            enter_object(fetch, ledger, place, &folder, fetched)
        }
        Found::Object(place, _, Err(failed)) => {
            fail_document(ledger, place, &failed);
            Vec::new()
        }
        Found::File(place, _, Ok(receipt)) => {
            ledger.file(&[place], receipt);
            Vec::new()
        }
        Found::File(place, what, Err(failure)) => {
            let message = format!("{what}: {}", failure.message);
            let failure = ledger.failure_of(
                place,
                Stage::Download,
                failure.http_status,
                message,
                failure.attempts,
            );
            ledger.fail(place, failure, ItemStatus::Failed);
            Vec::new()
        }
        Found::Workspaces(Ok(facts)) => enter_workspaces(ledger, facts),
        Found::Workspaces(Err(failed)) => refuse(fetch, ledger, Section::WorkspaceComments, failed),
        Found::Templates {
            org,
            workspace,
            folder,
            found: Ok(facts),
        } => threads(ledger, org, workspace, &folder, facts),
        Found::Templates {
            found: Err(failed), ..
        }
        | Found::Comments(_, Err(failed)) => refuse_part(ledger, failed),
        Found::Comments(resource, Ok(list)) => {
            enter_list(fetch, ledger, Section::WorkspaceComments, resource, list)
        }
    }
}

fn refuse(fetch: Fetch<'_>, ledger: &mut Ledger, section: Section, failed: Failed) -> Vec<Task> {
    ledger.refuse(section, failed.error, failed.attempts);
    if let Some(refusal) = ledger.book(section).refusal.as_ref() {
        let reason = refusal.reason.clone();
        fetch
            .ports
            .progress
            .on(&Event::SectionUnavailable { section, reason });
    }
    Vec::new()
}

/// One workspace that refuses its comments does not speak for the others.
fn refuse_part(ledger: &mut Ledger, failed: Failed) -> Vec<Task> {
    ledger.refuse(Section::WorkspaceComments, failed.error, failed.attempts);
    Vec::new()
}

fn enter_list(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    section: Section,
    resource: Resource,
    mut list: FetchedList,
) -> Vec<Task> {
    if section == Section::WorkspaceComments {
        // Who wrote them is not reported: they may be other people.
        list.objects
            .iter_mut()
            .for_each(|object| object.name = None);
    }
    let first = ledger.book(section).entries.len();
    ledger.enter(section, resource, list.objects, fetch.order);
    file_pages(ledger, section, first, list.pages);
    ledger.notes.extend(list.note);
    if let Some(failed) = list.failed {
        ledger.cut(section, failed.error, failed.attempts);
    }
    if let Some(message) = list.shortfall {
        ledger.refuse(
            section,
            ApiError::Unreadable {
                request: format!("the list of {section}"),
                detail: message,
            },
            1,
        );
    }
    let items = ledger.book(section).entries.len() as u64;
    fetch
        .ports
        .progress
        .on(&Event::SectionListed { section, items });
    object_tasks(ledger, section)
}

/// Each page's files are those of the objects on it, counted from the first of this list.
fn file_pages(ledger: &mut Ledger, section: Section, first: usize, pages: Vec<KeptPage>) {
    for page in pages {
        let on_it = page.objects.filter(|_| list_is_all_there_is(section));
        let owners: Vec<Place> = on_it
            .map(|index| Place {
                section,
                index: first + index,
            })
            .collect();
        for receipt in page.receipts {
            ledger.file(&owners, receipt);
        }
    }
}

/// Whether an object's place in the list is its only document.
fn list_is_all_there_is(section: Section) -> bool {
    matches!(
        section.info().kind,
        SectionKind::List(_) | SectionKind::WorkspaceComments
    )
}

fn object_tasks(ledger: &Ledger, section: Section) -> Vec<Task> {
    let fetchable = ledger.fetchable(section).into_iter();
    fetchable
        .filter_map(|(place, id)| {
            Some(Task::Object(
                place,
                resource_of(section, id)?,
                ledger.folder_of(place, id),
            ))
        })
        .collect()
}

fn enter_profile(fetch: Fetch<'_>, ledger: &mut Ledger, fetched: Fetched) -> Vec<Task> {
    let place = Place {
        section: Section::Profile,
        index: 0,
    };
    let mut objects = fetched.facts.objects;
    objects.truncate(1);
    if objects.is_empty() {
        objects.push(ObjectFacts::default());
    }
    let uploads = objects
        .first()
        .map(|user| user.uploads.clone())
        .unwrap_or_default();
    ledger.enter(Section::Profile, Resource::User, objects, fetch.order);
    fetched
        .receipts
        .into_iter()
        .for_each(|receipt| ledger.file(&[place], receipt));
    if let Some(failed) = fetched.json_failed {
        fail_document(ledger, place, &failed);
    }
    fetch.ports.progress.on(&Event::SectionListed {
        section: Section::Profile,
        items: 1,
    });
    let folder = layout::section_folder(Section::Profile);
    file_tasks(fetch, ledger, place, None, &folder, &uploads)
}

fn enter_object(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    place: Place,
    folder: &BagPath,
    fetched: Fetched,
) -> Vec<Task> {
    fetched
        .receipts
        .into_iter()
        .for_each(|receipt| ledger.file(&[place], receipt));
    if let Some(failed) = fetched.json_failed {
        fail_document(ledger, place, &failed);
    }
    let Some(read) = fetched.facts.objects.into_iter().next() else {
        return Vec::new();
    };
    let listed = ledger
        .entry(place)
        .map(|entry| {
            if !read.inner.is_empty() {
                entry.facts.inner.clone_from(&read.inner);
            }
            entry.facts.clone()
        })
        .unwrap_or_default();
    if read.secrets_missing || listed.secrets_missing {
        let message =
            "the platform does not hold or give out its secrets (`secretsMissing`)".to_owned();
        let failure = ledger.failure_of(place, Stage::Download, None, message, 1);
        ledger.fail(place, failure, ItemStatus::Failed);
    }
    if let Some(entry) = ledger.entry(place) {
        let facts = &mut entry.facts;
        facts.bundles = read.bundles;
        // A list may say less than the document.
        facts.digest = facts.digest.take().or(read.digest);
        facts.last_modified = facts.last_modified.take().or(read.last_modified);
    }
    let uploads = if read.uploads.is_empty() {
        listed.uploads
    } else {
        read.uploads
    };
    let owner = listed.id.and_then(|id| ObjectId::try_from(id).ok());
    file_tasks(fetch, ledger, place, owner, folder, &uploads)
}

fn fail_document(ledger: &mut Ledger, place: Place, failed: &Failed) {
    let (status, message) = (failed.error.http_status(), failed.error.to_string());
    let failure = ledger.failure_of(place, Stage::Download, status, message, failed.attempts);
    let gone = matches!(
        failed.error,
        ApiError::NotFound { .. } | ApiError::Forbidden { .. }
    );
    ledger.fail(
        place,
        failure,
        if gone {
            ItemStatus::Unavailable
        } else {
            ItemStatus::Failed
        },
    );
}
