//! What changed while the run was fetching is fetched once more.

use std::collections::BTreeMap;

use super::lists::recount;
use crate::bag::layout;
use crate::model::{BagPath, ItemRef, Resource, Ticket};
use crate::ports::Event;
use crate::workflow::attempt::settle;
use crate::workflow::context::RunError;
use crate::workflow::drive::{Drive, ItemWork, drive, enter_items, machine_for, undeleted_of};
use crate::workflow::fetch::Fetch;
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::since::dependents_of;
use crate::workflow::survey::resource_of;

/// The second time that something is fetched: `archive-2.tar.gz`, `appliance-2.xml`.
const SECOND: usize = 2;

/// What fetching again left to be done.
#[derive(Default)]
pub(crate) struct Refetched {
    /// Tickets whose bytes are not safe before the bag is finished.
    pub(crate) delete_after_finish: Vec<Ticket>,
    /// Items with starts whose answers were lost and whose tickets were not found, and how many.
    pub(crate) lost_starts: BTreeMap<ItemRef, u32>,
}

/// Reads the lists again and fetches what changed.
pub(crate) async fn recount_and_refetch(
    drive_with: Drive<'_>,
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
) -> Result<Refetched, RunError> {
    drive_with.ports.progress.on(&Event::Recounting);
    let mut changed = recount(fetch, ledger).await?;
    changed.extend(dependents_of(ledger, &changed));
    let mut work = Vec::new();
    let mut places = Vec::new();
    for (place, id) in changed {
        let folder = ledger.folder_of(place, id);
        let Some(resource) = resource_of(place.section, id) else {
            continue;
        };
        let (documented, newer) = document_again(fetch, ledger, place, resource, &folder).await?;
        if let Resource::Item(item) = resource {
            let path = layout::archive(&folder, SECOND);
            let machine = machine_for(drive_with.order, item);
            // An interrupted run came this far already.
            let machine = match fetch.resumed.receipts.get(&path) {
                Some(receipt) => machine.with_receipt(receipt.clone(), Vec::new()),
                None => machine,
            };
            work.push(ItemWork::new(machine, ledger.name_of(place), path));
            places.push((place, newer));
        } else {
            mark(ledger, place, !documented);
            rename(ledger, place, newer);
        }
    }
    drive(drive_with, &mut work).await?;
    let lost = work.iter().map(|item| &item.machine);
    let lost = lost.filter(|machine| machine.lost_starts() > 0);
    let lost_starts = lost
        .map(|machine| (machine.item(), machine.lost_starts()))
        .collect();
    Ok(Refetched {
        delete_after_finish: enter_again(ledger, work, places),
        lost_starts,
    })
}

/// What an object is called.
#[derive(Default)]
struct Called {
    name: Option<String>,
    version: Option<String>,
}

/// The object's own document, as it is now. Whether it could be had, and what the object is called in it.
async fn document_again(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    place: Place,
    resource: Resource,
    folder: &BagPath,
) -> Result<(bool, Called), RunError> {
    let path = |form| layout::object_document_again(folder, place.section, SECOND, form);
    match settle(fetch.document(place.section, resource, path).await)? {
        Ok(fetched) => {
            for receipt in fetched.receipts {
                ledger.file(&[place], receipt);
            }
            let mut newer = Called::default();
            if let (Some(entry), Some(now)) = (
                ledger.entry(place),
                fetched.facts.objects.into_iter().next(),
            ) {
                entry.facts.digest = now.digest.or(entry.facts.digest.take());
                entry.facts.last_modified = now.last_modified.or(entry.facts.last_modified.take());
                (newer.name, newer.version) = (now.name, now.version);
            }
            Ok((fetched.json_failed.is_none(), newer))
        }
        Err(_) => Ok((false, Called::default())),
    }
}

/// The report calls an object what its newer state is called. Its folder in the bag keeps the name that it had when it was listed.
fn rename(ledger: &mut Ledger, place: Place, newer: Called) {
    if let Some(entry) = ledger.entry(place) {
        entry.facts.name = newer.name.or(entry.facts.name.take());
        entry.facts.version = newer.version.or(entry.facts.version.take());
    }
}

fn mark(ledger: &mut Ledger, place: Place, changed: bool) {
    if let Some(entry) = ledger.entry(place) {
        entry.changed = changed;
    }
}

/// A second export that failed leaves nothing missing: the first is in the bag, and the item is marked as changed.
fn enter_again(
    ledger: &mut Ledger,
    work: Vec<ItemWork>,
    places: Vec<(Place, Called)>,
) -> Vec<Ticket> {
    let mut stored = Vec::new();
    let mut stored_places = Vec::new();
    for (item, (place, newer)) in work.into_iter().zip(places) {
        let is_stored = item.machine.receipt().is_some();
        mark(ledger, place, !is_stored);
        if is_stored {
            ledger.notes.push(format!(
                "{} `{}` changed while it was exported and was exported once more: `{}` is its newer state",
                item.machine.item(),
                item.name,
                item.path
            ));
            stored.push(item);
            stored_places.push(place);
            rename(ledger, place, newer);
        } else if let Some(failure) = item.machine.failure() {
            // It may have left a ticket on the platform, which is named here.
            ledger.notes.push(format!(
                "{} `{}` changed while it was exported, and could not be exported once more: {}",
                item.machine.item(),
                item.name,
                failure.message
            ));
            ledger.failures.extend(undeleted_of(&item));
        }
    }
    enter_items(ledger, &mut stored, &stored_places)
}
