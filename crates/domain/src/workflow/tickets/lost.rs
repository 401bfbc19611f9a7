//! Starts whose answers were lost: their tickets are looked for, adopted or deleted, and what stays unknown is recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::delete::{delete_all, undeleted};
use super::ownership::{Ownership, of_lost_starts, of_others, of_somebody_else};
use crate::model::{ItemKind, ItemRef, Order, Section, Ticket};
use crate::ports::{ApiError, Fact, Journal, JournalError, JournalState, OpenTicket};
use crate::report::Failure;
use crate::workflow::attempt::{Problem, ask, settle};
use crate::workflow::context::{Ports, RunError};
use crate::workflow::item::Ambiguity;
use crate::workflow::outage::end_in_outage;

async fn open_tickets(ports: Ports<'_>, order: &Order) -> Result<Vec<OpenTicket>, Problem> {
    let open = ask(ports, order, "list the export tickets", || {
        ports.api.open_tickets()
    });
    match open.await {
        Err(Problem::Failure(failed)) if failed.is_without_content() => Ok(Vec::new()),
        answer => answer,
    }
}

/// Somebody else's tickets: those that were open before the first start and are not ours. Without this list, tickets that appear later
/// cannot be distinguished from our own.
#[derive(Clone, Debug)]
pub(crate) enum Foreign {
    Known(BTreeSet<Ticket>),
    Unknown(Ambiguity),
}

impl Foreign {
    fn known(&self) -> Option<&BTreeSet<Ticket>> {
        match self {
            Self::Known(tickets) => Some(tickets),
            Self::Unknown(_) => None,
        }
    }
}

/// The tickets that were open on the platform before the first start and are not ours.
pub(crate) async fn before_first_start(
    ports: Ports<'_>,
    order: &Order,
    checkpoint: &JournalState,
) -> Result<Foreign, RunError> {
    if let Some(foreign) = &checkpoint.foreign {
        return Ok(Foreign::Known(foreign.clone()));
    }
    if !order.selection.wants(Section::Appliances) {
        return Ok(Foreign::Unknown(Ambiguity::NoList));
    }
    let open = match open_tickets(ports, order).await {
        Ok(open) => open,
        Err(Problem::Failure(failed)) => {
            return Ok(Foreign::Unknown(match failed.error {
                ApiError::NotFound { .. } => Ambiguity::NoList,
                error => Ambiguity::UnknownBefore(error),
            }));
        }
        Err(Problem::Fatal(fatal)) => return Err(fatal),
    };
    let others = of_others(&open, checkpoint);
    let tickets = others.iter().copied().collect();
    ports.journal.record(Fact::Foreign { tickets }).await?;
    Ok(Foreign::Known(others))
}

/// Looks for the tickets of an item's lost starts and records those that are surely ours.
pub(crate) async fn find(
    ports: Ports<'_>,
    order: &Order,
    foreign: &Foreign,
    item: ItemRef,
    lost: u32,
) -> Result<Ownership, RunError> {
    let open = match (item.kind, foreign) {
        (ItemKind::MySoftware, _) => return nowhere(ports, order, Ambiguity::NoList).await,
        (ItemKind::Appliance, Foreign::Unknown(why)) => {
            return nowhere(ports, order, why.clone()).await;
        }
        (ItemKind::Appliance, Foreign::Known(_)) => open_tickets(ports, order).await,
    };
    let open = match open {
        Ok(open) => open,
        Err(Problem::Failure(failed)) => {
            return Ok(Ownership::Unknown(Ambiguity::Unreadable(failed.error)));
        }
        Err(Problem::Fatal(fatal)) => return Err(fatal),
    };
    let checkpoint = ports.journal.checkpoint();
    let now = ports.clock.now();
    let found = of_lost_starts(item, lost, &open, foreign.known(), &checkpoint, now);
    // Of a start that is sent later, what shows it now would be no evidence.
    let tickets = of_somebody_else(item, &open, &checkpoint, now);
    if !tickets.is_empty() {
        ports.journal.record(Fact::Foreign { tickets }).await?;
    }
    match &found {
        Ownership::Ours(ours) => {
            for ticket in ours {
                ports
                    .journal
                    .record(Fact::Started { ticket: *ticket })
                    .await?;
            }
        }
        Ownership::Nothing => {
            let lost = Fact::NotStarted { item, lost: true };
            ports.journal.record(lost).await?;
        }
        Ownership::Unknown(_) => {}
    }
    Ok(found)
}

/// There is nothing to look it up in. Waits until the platform answers at all: each start that is sent during an outage may create
/// a ticket that nobody can find.
async fn nowhere(ports: Ports<'_>, order: &Order, why: Ambiguity) -> Result<Ownership, RunError> {
    let answer = ask(ports, order, "the platform's status", || {
        ports.api.platform()
    });
    match answer.await {
        Ok(_) | Err(Problem::Failure(_)) => Ok(Ownership::Unknown(why)),
        Err(Problem::Fatal(fatal)) => Err(fatal),
    }
}

/// Records that nobody knows what became of a start. The report of the run that finishes the bag says so.
pub(crate) async fn record_unresolved(
    journal: &dyn Journal,
    item: ItemRef,
    why: &Ambiguity,
) -> Result<(), JournalError> {
    let note = unresolved_note(item, why);
    journal.record(Fact::Unresolved { item, note }).await
}

/// What is said of a start whose ticket cannot be found, by whoever says it.
pub(super) fn unresolved_note(item: ItemRef, why: &Ambiguity) -> String {
    let why = why.in_words();
    format!(
        "the answer to a start of {item} was lost, and {why}: one export ticket may be left on the platform"
    )
}

/// Records unanswered starts of my software that this run does not look into, because `has_more` says that it has another ticket
/// or the archive of the same item: their tickets cannot be found.
pub(crate) async fn record_superfluous(
    journal: &dyn Journal,
    has_more: impl Fn(ItemRef) -> bool,
) -> Result<(), JournalError> {
    let unanswered = journal.checkpoint().intents.into_iter();
    for item in unanswered.filter(|item| item.kind == ItemKind::MySoftware && has_more(*item)) {
        record_unresolved(journal, item, &Ambiguity::NoList).await?;
    }
    Ok(())
}

/// Deletes tickets that no item of this run uses: those of items that vanished, and those of lost starts that are listed only
/// now. `items` are the items of this run, each with the number of its lost starts. Returns a failure for each ticket that is left.
pub(crate) async fn sweep(
    ports: Ports<'_>,
    order: &Order,
    foreign: &Foreign,
    items: &BTreeMap<ItemRef, u32>,
) -> Result<Vec<Failure>, RunError> {
    let open = ports.journal.checkpoint().open.into_iter();
    let mut superfluous: Vec<Ticket> = open
        .filter(|ticket| !items.contains_key(&ticket.item))
        .collect();
    superfluous.extend(found_late(ports, order, foreign, items).await?);
    let left = delete_all(ports, Some(ports.journal), superfluous).await?;
    for (_, error) in &left {
        end_in_outage(ports, order, error).await?;
    }
    Ok(left
        .into_iter()
        .map(|(ticket, error)| undeleted(ticket, &error))
        .collect())
}

/// The tickets of lost starts that the platform lists by now. They are recorded before they are deleted: a run that is killed in
/// between knows them as its own.
async fn found_late(
    ports: Ports<'_>,
    order: &Order,
    foreign: &Foreign,
    items: &BTreeMap<ItemRef, u32>,
) -> Result<Vec<Ticket>, RunError> {
    let before = foreign.known();
    let lost = items
        .iter()
        .filter(|(item, lost)| **lost > 0 && item.kind == ItemKind::Appliance && before.is_some());
    let lost: Vec<(ItemRef, u32)> = lost.map(|(item, lost)| (*item, *lost)).collect();
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(open) = settle(open_tickets(ports, order).await)? else {
        return Ok(Vec::new());
    };
    let (checkpoint, now) = (ports.journal.checkpoint(), ports.clock.now());
    let mut found = Vec::new();
    for (item, lost) in lost {
        let ownership = of_lost_starts(item, lost, &open, before, &checkpoint, now);
        if let Ownership::Ours(ours) = ownership {
            found.extend(ours);
        }
    }
    for ticket in &found {
        ports
            .journal
            .record(Fact::Started { ticket: *ticket })
            .await?;
    }
    Ok(found)
}
