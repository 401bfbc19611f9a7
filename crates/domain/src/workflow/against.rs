//! A finished bag against the live platform: the lists read once more, and compared. Nothing is exported or downloaded.

use std::collections::BTreeMap;

use super::context::{Ports, RunError};
use super::ledger::{Book, Refusal};
use super::plan::read_lists;

use crate::bag::verify::{Drift, ListNow, RecordedExport, Unread, drift};
use crate::model::{Order, Section, Selection};
use crate::ports::ApiError;

/// How a bag stands to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Against {
    /// The platform's version, where it says one.
    pub platform_version: Option<String>,
    /// What has become of the bag's data since.
    pub drift: Drift,
}

/// Reads the lists of the sections that the bag was to hold, and compares. Sends nothing but GET.
///
/// The order says whose data and from where. Its selection does not count: the sections are those of the bag.
pub async fn against(
    ports: Ports<'_>,
    order: &Order,
    recorded: &RecordedExport,
) -> Result<Against, RunError> {
    let order = Order {
        selection: Selection {
            sections: recorded.selected(),
            appliances: None,
            mysoftware: None,
        },
        ..order.clone()
    };
    let (platform_version, ledger) = read_lists(ports, &order).await?;
    let sections = order.selection.sections.iter();
    let lists: BTreeMap<Section, ListNow> = sections
        .filter_map(|section| Some((*section, list_now(ledger.read(*section)?)?)))
        .collect();
    Ok(Against {
        platform_version,
        drift: drift(recorded, &lists),
    })
}

fn list_now(book: &Book) -> Option<ListNow> {
    let refusal = book.refusal.as_ref().map(unread);
    if !book.listed {
        return refusal.map(ListNow::Unread);
    }
    let entries = book.entries.iter();
    Some(ListNow::Read {
        objects: entries.map(|entry| entry.facts.clone()).collect(),
        cut: refusal,
    })
}

fn unread(refusal: &Refusal) -> Unread {
    Unread {
        reason: refusal.reason.clone(),
        refused: matches!(
            refusal.error,
            ApiError::Forbidden { .. } | ApiError::NotFound { .. }
        ),
    }
}

#[cfg(test)]
#[path = "against_tests.rs"]
mod tests;
