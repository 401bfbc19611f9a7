//! What a survey may not come to: nothing at all, or a selection of what does not exist.

use std::collections::BTreeSet;

use crate::model::{ItemKind, ObjectId, Order, Section};
use crate::ports::ApiError;
use crate::workflow::context::RunError;
use crate::workflow::greet::Greeting;
use crate::workflow::ledger::Ledger;

/// A profile and every other core section refused is no partial export: it is the wrong user or, where the platform did not
/// even give its status and knows none of them, the wrong address.
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

/// Ids that were asked for must exist: a typing error is not an empty export.
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
