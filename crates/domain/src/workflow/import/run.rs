//! One import from its first request to its outcome.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{ImportError, ImportPorts, Importing};
use super::drive::drive;
use super::item::Item;
use super::outcome::{ImportOutcome, ImportStage, SkippedObject};
use super::plan::{self, BagItem, Decision, KINDS, Lists};
use super::steps::Work;
use super::{lists, tickets};
use crate::bag::layout;
use crate::model::{ImportOrder, ItemKind, ItemRef, ObjectFacts, Section};
use crate::ports::{ApiError, ArchiveCheck, Event, ImportState, ListedArchive};
use crate::workflow::attempt::Failed;
use crate::workflow::context::RunError;
use crate::workflow::greet::greet;

/// An item that is to be imported.
struct Planned {
    item: BagItem,
    archive: ListedArchive,
    replaces: Option<String>,
}

/// Says what an import would create, leave out or refuse. Sends nothing but GET.
pub async fn plan_import(
    with: ImportPorts<'_>,
    order: &ImportOrder,
) -> Result<ImportOutcome, ImportError> {
    let (mut outcome, planned) = prepare(Importing { with, order }).await?;
    let user = &order.order.user;
    let created = planned
        .iter()
        .map(|planned| planned.item.object(user, None));
    outcome.imported.extend(created);
    Ok(outcome)
}

/// Imports what an order wants of a bag.
///
/// May be dropped at any await: the journal then holds what is needed to resume, or to [`super::abandon_import`] it.
pub async fn import(
    with: ImportPorts<'_>,
    order: &ImportOrder,
) -> Result<ImportOutcome, ImportError> {
    let importing = Importing { with, order };
    let (mut outcome, planned) = prepare(importing).await?;
    let is_appliance = |planned: &Planned| planned.item.item.kind == ItemKind::Appliance;
    if planned.iter().any(is_appliance) {
        tickets::before_first(importing).await?;
    }
    with.ports.progress.on(&Event::ImportPlanned {
        items: planned.len() as u64,
    });
    let checkpoint = with.journal.checkpoint();
    let (items, mut work): (Vec<BagItem>, Vec<Work>) = planned
        .into_iter()
        .map(|planned| begin(importing, planned, &checkpoint))
        .unzip();
    drive(importing, &mut work).await?;
    enter(importing, &mut outcome, &items, &work);
    let in_use: BTreeSet<ItemRef> = work.iter().map(|work| work.machine.item()).collect();
    let lost: Vec<_> = work
        .iter()
        .map(|work| (work.machine.item(), work.machine.lost()))
        .collect();
    tickets::sweep(importing, &in_use, &lost).await?;
    conclude(&mut outcome, &with.journal.checkpoint());
    Ok(outcome)
}

/// Reads the bag and the platform's lists, decides what is to be done, and checks the archives that are to be sent.
async fn prepare(importing: Importing<'_>) -> Result<(ImportOutcome, Vec<Planned>), ImportError> {
    let Importing { with, order } = importing;
    let selection = &order.order.selection;
    let recorded = with.bag.description().await?.recorded;
    plan::check_ids(&recorded, selection)?;
    let (items, unusable) = plan::items_of(&recorded, selection);
    let mut outcome = ImportOutcome {
        failed: unusable,
        manual: plan::manual_of(&recorded),
        ..ImportOutcome::default()
    };
    let lists = read_lists(importing, &items).await?;
    let checkpoint = with.journal.checkpoint();
    let decisions = plan::decide(&items, &lists, &checkpoint, order.on_conflict);
    let mut to_send = Vec::new();
    for (item, decision) in items.into_iter().zip(decisions) {
        let user = &order.order.user;
        match decision {
            Decision::Import { replaces } => to_send.push((item, replaces)),
            Decision::Done(object) => outcome.imported.push(item.object(user, object.id)),
            Decision::Skip(there, reason) => outcome.skipped.push(SkippedObject {
                object: item.object(user, there),
                reason,
            }),
            Decision::Fail(stage, message) => outcome.failed.push(item.failed(stage, message)),
        }
    }
    let planned = check(importing, &mut outcome, to_send).await?;
    Ok((outcome, planned))
}

/// The platform's lists of the kinds that are to be imported.
async fn read_lists(importing: Importing<'_>, items: &[BagItem]) -> Result<Lists, ImportError> {
    let order = &importing.order.order;
    let ports = importing.with.ports;
    let greeting = greet(ports, order).await?;
    ports.progress.on(&Event::Connected {
        platform_version: greeting.platform.version.clone(),
    });
    let mut lists = Lists::new();
    let mut refusals: Vec<Failed> = Vec::new();
    for kind in KINDS {
        if !items.iter().any(|item| item.item.kind == kind) {
            continue;
        }
        let list = lists::objects(importing, kind).await?.map_err(|failed| {
            let reason = failed.error.to_string();
            refusals.push(failed);
            reason
        });
        report_list(importing, Section::of_items(kind), &list);
        lists.insert(kind, list);
    }
    if !greeting.is_uforge
        && !refusals.is_empty()
        && refusals.len() == lists.len()
        && refusals.iter().all(is_elsewhere)
    {
        return Err(ImportError::Run(RunError::WrongAddress {
            url: order.source.clone(),
            source: refusals.swap_remove(0).error,
        }));
    }
    Ok(lists)
}

fn report_list(
    importing: Importing<'_>,
    section: Section,
    list: &Result<Vec<ObjectFacts>, String>,
) {
    importing.with.ports.progress.on(&match list {
        Ok(objects) => Event::SectionListed {
            section,
            items: objects.len() as u64,
        },
        Err(reason) => Event::SectionUnavailable {
            section,
            reason: reason.clone(),
        },
    });
}

/// Whether an answer says that there is no UForge at the address.
fn is_elsewhere(failed: &Failed) -> bool {
    matches!(
        failed.error,
        ApiError::NotFound { .. } | ApiError::NotUForge { .. } | ApiError::Unreadable { .. }
    )
}

/// Compares the archives with the manifest; what differs is never sent. In the order in which they lie in the bag, my software first.
async fn check(
    importing: Importing<'_>,
    outcome: &mut ImportOutcome,
    items: Vec<(BagItem, Option<String>)>,
) -> Result<Vec<Planned>, ImportError> {
    let checks = check_archives(importing, &items).await?;
    let mut planned = Vec::new();
    for (item, replaces) in items {
        let path = item.archive.clone().unwrap_or_default();
        let check = match checks.get(&path) {
            // Two items may name one file.
            Some(check) => check.clone(),
            None => Err(format!("`{path}` lies outside of what can be imported")),
        };
        match check {
            Ok(archive) => planned.push(Planned {
                item,
                archive,
                replaces,
            }),
            Err(what) => {
                let mut failed = item.failed(ImportStage::Bag, what);
                failed.is_damaged = true;
                outcome.failed.push(failed);
            }
        }
    }
    let order = |kind| KINDS.iter().position(|other| *other == kind);
    planned.sort_by_key(|planned| (order(planned.item.item.kind), planned.archive.place));
    Ok(planned)
}

/// What a check of the archives comes to; those that lie outside of the folders of items are not looked at.
async fn check_archives(
    importing: Importing<'_>,
    items: &[(BagItem, Option<String>)],
) -> Result<BTreeMap<String, ArchiveCheck>, ImportError> {
    let paths: BTreeSet<String> = items
        .iter()
        .filter_map(|(item, _)| item.archive.clone())
        .filter(|path| layout::is_archive(path))
        .collect();
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let message = format!("comparing the archives with the manifest: {}", paths.len());
    importing.with.ports.progress.on(&Event::Note { message });
    Ok(importing.with.bag.check(&paths).await?)
}

/// The machine of an item, from where an interrupted import left it.
fn begin(importing: Importing<'_>, planned: Planned, checkpoint: &ImportState) -> (BagItem, Work) {
    let order = &importing.order.order;
    let item = planned.item.item;
    let machine = Item::new(item, order.seed, order.max_wait);
    let machine = match checkpoint.items.get(&item) {
        Some(record) => machine.resumed(record, importing.with.ports.clock.elapsed()),
        None => machine,
    };
    let work = Work {
        machine,
        identity: planned.item.identity.clone(),
        archive: planned.archive,
        replaces: planned.replaces,
    };
    (planned.item, work)
}

/// Enters what became of the items.
fn enter(importing: Importing<'_>, outcome: &mut ImportOutcome, items: &[BagItem], work: &[Work]) {
    let user = &importing.order.order.user;
    for (item, work) in items.iter().zip(work) {
        if let Some((ticket, error)) = work.machine.undeleted() {
            outcome.notes.push(format!(
                "{ticket} of {} could not be deleted and is left on the platform: {error}",
                item.item
            ));
        }
        match (work.machine.imported(), work.machine.failure()) {
            (Some(object), _) => outcome.imported.push(item.object(user, object.id)),
            (None, Some(failure)) => {
                let mut failed = item.failed(failure.stage, failure.message.clone());
                failed.is_damaged = failure.is_damaged;
                outcome.failed.push(failed);
            }
            (None, None) => {}
        }
    }
}

/// What is left on the platform, and whether the same order has something to do.
fn conclude(outcome: &mut ImportOutcome, checkpoint: &ImportState) {
    let given_up = checkpoint.given_up.iter().map(|ticket| {
        format!(
            "import ticket {} of my software is of no more use; the platform cannot delete it, so it is left there",
            ticket.id
        )
    });
    outcome.notes.extend(given_up);
    outcome.notes.extend(checkpoint.notes.iter().cloned());
    let mut failed = outcome.failed.iter();
    outcome.is_unfinished = tickets::appliance_tickets(checkpoint) > 0
        || failed.any(|failed| failed.stage != ImportStage::Bag);
}
