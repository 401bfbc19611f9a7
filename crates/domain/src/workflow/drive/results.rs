//! What became of the items, entered into the ledger.

use super::work::ItemWork;
use crate::model::Ticket;
use crate::report::Failure;
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::tickets::undeleted;

/// Enters what became of the items, and takes their receipts. The tickets whose bytes are not safe before the bag is finished.
pub(crate) fn enter_items(
    ledger: &mut Ledger,
    work: &mut [ItemWork],
    places: &[Place],
) -> Vec<Ticket> {
    let mut delete_after_finish = Vec::new();
    for (item, place) in work.iter_mut().zip(places) {
        if let Some(receipt) = item.machine.take_receipt() {
            ledger.file(&[*place], receipt);
        }
        delete_after_finish.extend(item.machine.take_delete_after_finish());
        let machine = &item.machine;
        if let Some(lost) = machine.failure() {
            let failure = ledger.failure_of(
                *place,
                lost.stage,
                lost.http_status,
                lost.message.clone(),
                machine.attempts(),
            );
            ledger.fail(*place, failure, lost.status);
            if let Some(entry) = ledger.entry(*place) {
                entry.gone = lost.says_gone();
            }
        }
        ledger.failures.extend(undeleted_of(item));
    }
    delete_after_finish
}

/// The tickets of an item that should have been deleted and are still on the platform.
pub(crate) fn undeleted_of(item: &ItemWork) -> impl Iterator<Item = Failure> {
    let left = item.machine.undeleted().iter();
    left.map(|(ticket, error)| Failure {
        name: Some(item.name.clone()),
        ..undeleted(*ticket, error)
    })
}
