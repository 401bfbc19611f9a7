//! What a survey may not come to: nothing at all, or a selection of what does not exist.

use std::collections::BTreeSet;

use crate::model::{ItemKind, ObjectId, Order, Section};
use crate::ports::ApiError;
use crate::workflow::context::RunError;
use crate::workflow::greet::Greeting;
use crate::workflow::ledger::Ledger;

/// Where the profile and every other core section are refused, there is nothing to export: the user is wrong or, where the
/// platform gave no status and knows none of the sections, the address.
pub(crate) fn nothing_at_all(
    order: &Order,
    ledger: &Ledger,
    greeting: &Greeting,
) -> Result<(), RunError> {
    let refusal = |section| ledger.read(section).and_then(|book| book.refusal.as_ref());
    let mut core = Section::ALL
        .into_iter()
        .filter(|section| section.is_core() && order.selection.wants(*section));
    match refusal(Section::Profile) {
        Some(first) if core.all(|section| refusal(section).is_some()) => {
            Err(nothing_available(order, greeting, first.error.clone()))
        }
        _ => Ok(()),
    }
}

fn nothing_available(order: &Order, greeting: &Greeting, source: ApiError) -> RunError {
    let is_elsewhere = matches!(
        source,
        ApiError::NotFound { .. }
            | ApiError::Refused { .. }
            | ApiError::NotUForge { .. }
            | ApiError::Unreadable { .. }
            | ApiError::Empty { .. }
    );
    if is_elsewhere && !greeting.is_uforge {
        return RunError::WrongAddress {
            url: order.source.clone(),
            source,
        };
    }
    RunError::NothingAvailable {
        user: order.user.to_string(),
        source,
    }
}

/// Refuses ids that the platform does not list: a typing error must not end in an empty bag.
pub(crate) fn check_selection(order: &Order, ledger: &Ledger) -> Result<(), RunError> {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let section = Section::of_items(kind);
        let (Some(only), Some(book)) = (
            order.selection.only(kind),
            ledger.read(section).filter(|book| book.listed),
        ) else {
            continue;
        };
        let ids = book
            .entries
            .iter()
            .filter_map(|entry| ObjectId::try_from(entry.facts.id?).ok());
        let possible: BTreeSet<ObjectId> = ids.collect();
        let unknown: Vec<ObjectId> = only.difference(&possible).copied().collect();
        if !unknown.is_empty() {
            let possible = possible.into_iter().collect();
            return Err(RunError::UnknownIds {
                user: order.user.to_string(),
                kind,
                unknown,
                possible,
            });
        }
    }
    Ok(())
}
