//! A machine for every item, each from where an interrupted run left it.

use super::drive::{Drive, ItemWork};
use super::fetch::Resumed;
use super::item::Item;
use super::ledger::{Ledger, Place};
use super::run::{machine_for, name_of};
use super::survey::folder_of;
use crate::bag::layout;
use crate::model::{BagPath, ItemKind, ItemRef, Ticket};
use crate::ports::{Event, ItemStage, JournalState, PartialEntry, Receipt};

/// The items that the order wants, and where each stands in the ledger.
pub(super) fn set_up_items(
    drive: Drive<'_>,
    ledger: &Ledger,
    resumed: &Resumed,
    checkpoint: &JournalState,
) -> (Vec<ItemWork>, Vec<Place>) {
    let items = [ItemKind::Appliance, ItemKind::MySoftware]
        .into_iter()
        .flat_map(|kind| ledger.items(kind));
    let wanted = items.filter(|(_, item)| drive.order.selection.wants_item(*item));
    let partial_entries = drive.sink.partial_entries();
    wanted
        .map(|(place, item)| {
            let path = layout::archive(&folder_of(ledger, place, item.id), 1);
            let name = name_of(ledger, place);
            let tickets = tickets_of(item, checkpoint);
            let partial_entry = partial_entry_of(&partial_entries, &path, &tickets);
            let receipt = resumed.receipts.get(&path);
            if let Some(receipt) = receipt {
                tell_recovered(drive, item, &name, receipt);
            }
            let machine = taken_up(drive, item, tickets, receipt, checkpoint);
            let work = ItemWork::new(machine, name, path).resuming(partial_entry);
            (work, place)
        })
        .unzip()
}

/// Oldest first.
fn tickets_of(item: ItemRef, checkpoint: &JournalState) -> Vec<Ticket> {
    let open = checkpoint.open.iter().copied();
    let mut tickets: Vec<Ticket> = open.filter(|ticket| ticket.item == item).collect();
    tickets.sort();
    tickets
}

/// What is left of an archive that one of these tickets can still bring.
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

fn tell_recovered(drive: Drive<'_>, item: ItemRef, name: &str, receipt: &Receipt) {
    drive.ports.progress.on(&Event::Item {
        item,
        name: name.to_owned(),
        stage: ItemStage::Resumed {
            bytes: receipt.bytes,
        },
    });
}

fn taken_up(
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
