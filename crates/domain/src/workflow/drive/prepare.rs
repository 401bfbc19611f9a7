//! A machine for every item of the plan, each from where an interrupted run left it.

use super::notify::notify_resumed;
use super::work::{Drive, ItemWork, machine_for};
use crate::bag::layout;
use crate::model::{BagPath, ItemRef, Ticket};
use crate::ports::{JournalState, PartialEntry, Receipt};
use crate::workflow::item::Item;
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::plan::Plan;
use crate::workflow::resumed::Resumed;
use crate::workflow::tickets::to_resume;

/// The items of the plan, and where each stands in the ledger.
pub(crate) fn prepare_items(
    drive: Drive<'_>,
    plan: &Plan,
    ledger: &Ledger,
    resumed: &Resumed,
    checkpoint: &JournalState,
) -> (Vec<ItemWork>, Vec<Place>) {
    let partial_entries = drive.sink.partial_entries();
    let places = ledger.places();
    let planned = plan.items.iter();
    planned
        .filter_map(|planned| {
            let item = planned.item;
            let place = *places.get(&item)?;
            let path = layout::archive(&ledger.folder_of(place, item.id), 1);
            let name = ledger.name_of(place);
            let tickets = to_resume(item, checkpoint);
            let partial_entry = partial_entry_of(&partial_entries, &path, &tickets);
            let receipt = resumed.receipts.get(&path);
            if let Some(receipt) = receipt {
                notify_resumed(drive, item, &name, receipt);
            }
            let machine = resumed_machine(drive, item, tickets, receipt, checkpoint);
            let work = ItemWork::new(machine, name, path).of_size(planned.size);
            Some((work.resuming(partial_entry), place))
        })
        .unzip()
}

/// The partial download of an archive that one of these tickets can still complete.
fn partial_entry_of<'a>(
    partial_entries: &'a [PartialEntry],
    path: &BagPath,
    tickets: &[Ticket],
) -> Option<&'a PartialEntry> {
    partial_entries.iter().find(|partial_entry| {
        let ticket = partial_entry.entry.origin.ticket;
        partial_entry.entry.path == *path && ticket.is_some_and(|ticket| tickets.contains(&ticket))
    })
}

fn resumed_machine(
    drive: Drive<'_>,
    item: ItemRef,
    tickets: Vec<Ticket>,
    receipt: Option<&Receipt>,
    checkpoint: &JournalState,
) -> Item {
    let machine = machine_for(drive.order, item);
    let is_unanswered = checkpoint.intents.contains(&item);
    if is_unanswered && receipt.is_none() && tickets.is_empty() {
        return machine.with_lost_start();
    }
    let machine = if is_unanswered {
        machine.with_unanswered_start()
    } else {
        machine
    };
    match receipt {
        Some(receipt) => machine.with_receipt(receipt.clone(), tickets),
        None => machine.with_tickets(tickets, drive.ports.clock.elapsed()),
    }
}
