//! Tickets beyond one item's own: somebody else's, those left by interrupted runs, those of starts that were never answered.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};

use super::drive::{Drive, ItemWork};
use super::ledger::Ledger;
use super::patience::attempt;
use super::run::{Ports, RunError};
use crate::model::{ItemKind, ItemRef, Order, Section, Ticket};
use crate::ports::{ApiError, Event, Fact, Journal, JournalError, JournalState};
use crate::report::{Failure, Stage};

const AT_ONCE: usize = 8;

/// The tickets that lay on the server before the first start: somebody else's. `None` where the platform does not tell.
pub(crate) async fn foreign(
    ports: Ports<'_>,
    order: &Order,
    checkpoint: &JournalState,
) -> Result<Option<BTreeSet<Ticket>>, RunError> {
    if let Some(foreign) = &checkpoint.foreign {
        return Ok(Some(foreign.clone()));
    }
    if !order.selection.wants(Section::Appliances) {
        return Ok(None);
    }
    match attempt(ports, order.seed, "list the export tickets", || {
        ports.api.open_tickets()
    })
    .await
    {
        Ok(lying) => {
            let ours = &checkpoint.open;
            let tickets: Vec<Ticket> = lying
                .into_iter()
                .map(|open| open.ticket)
                .filter(|t| !ours.contains(t))
                .collect();
            ports
                .journal
                .record(Fact::Foreign {
                    tickets: tickets.clone(),
                })
                .await?;
            Ok(Some(tickets.into_iter().collect()))
        }
        Err(failed) => {
            failed.into_fatal(&order.user)?;
            Ok(None)
        }
    }
}

/// Why a ticket of my software cannot be found.
pub(crate) const NO_LIST: &str = "the platform has no list in which its ticket could be found";

/// Remembers, for the report of whichever run comes to an end, that nobody knows what became of a start.
pub(crate) async fn doubt(
    journal: &dyn Journal,
    item: ItemRef,
    why: &str,
) -> Result<(), JournalError> {
    let doubt = format!(
        "the answer to a start of {item} was lost, and {why}: one export ticket may be left on the platform"
    );
    journal.record(Fact::Doubted { item, doubt }).await
}

/// Starts that a killed run sent for items of which it had something else: nobody will look for their tickets, and those of my
/// software cannot be looked for.
pub(crate) async fn doubt_superfluous(
    journal: &dyn Journal,
    has_more: impl Fn(ItemRef) -> bool,
) -> Result<(), JournalError> {
    let unanswered = journal.checkpoint().intents.into_iter();
    for item in unanswered.filter(|item| item.kind == ItemKind::MySoftware && has_more(*item)) {
        doubt(journal, item, NO_LIST).await?;
    }
    Ok(())
}

/// Takes off the server what no item of this run holds any more: tickets of items that vanished, and tickets of starts whose
/// answers were lost and which were not found at once.
pub(crate) async fn sweep(
    drive: Drive<'_>,
    ledger: &mut Ledger,
    work: &[ItemWork],
) -> Result<(), RunError> {
    let items: BTreeSet<ItemRef> = work.iter().map(|item| item.machine.item()).collect();
    let open = drive.ports.journal.checkpoint().open;
    let mut doomed: Vec<Ticket> = open
        .into_iter()
        .filter(|ticket| !items.contains(&ticket.item))
        .collect();
    let lost: BTreeMap<ItemRef, u32> = work
        .iter()
        .map(|item| (item.machine.item(), item.machine.lost_starts()))
        .filter(|(item, lost)| *lost > 0 && item.kind == ItemKind::Appliance)
        .collect();
    doomed.extend(unanswered(drive.ports, drive.order, drive.foreign, &lost).await?);
    for (ticket, error) in delete_all(drive.ports, doomed).await? {
        ledger.failures.push(undeleted(ticket, &error));
    }
    Ok(())
}

/// The tickets on the server that only our own lost starts can have made.
async fn unanswered(
    ports: Ports<'_>,
    order: &Order,
    foreign: Option<&BTreeSet<Ticket>>,
    lost: &BTreeMap<ItemRef, u32>,
) -> Result<Vec<Ticket>, RunError> {
    let (Some(foreign), false) = (foreign, lost.is_empty()) else {
        return Ok(Vec::new());
    };
    let lying = match attempt(ports, order.seed, "list the export tickets", || {
        ports.api.open_tickets()
    })
    .await
    {
        Ok(lying) => lying,
        Err(failed) => {
            failed.into_fatal(&order.user)?;
            return Ok(Vec::new());
        }
    };
    let known = ports.journal.checkpoint().open;
    let unknown = lying
        .into_iter()
        .map(|open| open.ticket)
        .filter(|t| !foreign.contains(t) && !known.contains(t));
    let mut by_item: BTreeMap<ItemRef, Vec<Ticket>> = BTreeMap::new();
    unknown.for_each(|ticket| by_item.entry(ticket.item).or_default().push(ticket));
    // More tickets than lost starts: some are somebody else's, and nobody can say which.
    by_item.retain(|item, tickets| {
        lost.get(item)
            .is_some_and(|lost| tickets.len() <= *lost as usize)
    });
    let ours: Vec<Ticket> = by_item.into_values().flatten().collect();
    for ticket in &ours {
        ports
            .journal
            .record(Fact::Started { ticket: *ticket })
            .await?;
    }
    Ok(ours)
}

async fn delete_all(
    ports: Ports<'_>,
    tickets: Vec<Ticket>,
) -> Result<Vec<(Ticket, ApiError)>, JournalError> {
    let mut left = Vec::new();
    let mut answers = stream::iter(tickets.into_iter().map(|ticket| async move {
        let what = format!("delete {ticket}");
        let answer = attempt(ports, 0, &what, || ports.api.delete_export(ticket)).await;
        (ticket, answer)
    }))
    .buffer_unordered(AT_ONCE);
    while let Some((ticket, answer)) = answers.next().await {
        match answer {
            Ok(()) => {
                ports.journal.record(Fact::Gone { ticket }).await?;
                ports.progress.on(&Event::TicketDeleted { ticket });
            }
            Err(failed) => left.push((ticket, failed.error)),
        }
    }
    Ok(left)
}

/// Deletes tickets whose bytes became safe with the finished bag. The journal is gone by now, so nothing is recorded.
pub(crate) async fn delete_after_finish(
    ports: Ports<'_>,
    tickets: Vec<Ticket>,
) -> Vec<(Ticket, ApiError)> {
    let mut left = Vec::new();
    let mut answers = stream::iter(tickets.into_iter().map(|ticket| async move {
        let what = format!("delete {ticket}");
        (
            ticket,
            attempt(ports, 0, &what, || ports.api.delete_export(ticket)).await,
        )
    }))
    .buffer_unordered(AT_ONCE);
    while let Some((ticket, answer)) = answers.next().await {
        match answer {
            Ok(()) => ports.progress.on(&Event::TicketDeleted { ticket }),
            Err(failed) => left.push((ticket, failed.error)),
        }
    }
    left
}

/// A ticket that stays behind although the data is safe.
pub(crate) fn undeleted(ticket: Ticket, error: &ApiError) -> Failure {
    Failure {
        section: Section::of_items(ticket.item.kind),
        id: Some(ticket.item.id.get()),
        name: None,
        stage: Stage::Delete,
        http_status: error.http_status(),
        message: format!(
            "export ticket {} could not be deleted and is left on the platform: {error}",
            ticket.id
        ),
        attempts: 1,
    }
}

/// What giving tickets back came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abandoned {
    /// Tickets that are gone from the server.
    pub deleted: Vec<Ticket>,
    /// Tickets that are still there, each with the reason.
    pub left: Vec<(Ticket, ApiError)>,
    /// Items of which a start was sent whose ticket could not be looked up: one may be left of each.
    pub doubtful: Vec<ItemRef>,
}

/// Takes this run's tickets off the server: stops and deletes every one that the journal still holds, and looks for those
/// whose start was never answered. Somebody else's are left alone. One attempt each, all at once: it is called by people in a
/// hurry to leave.
pub async fn abandon(ports: Ports<'_>) -> Result<Abandoned, JournalError> {
    let checkpoint = ports.journal.checkpoint();
    let (found, doubtful) = look_up_lost(ports, &checkpoint).await;
    let mut abandoned = Abandoned {
        doubtful,
        ..Abandoned::default()
    };
    let tickets: BTreeSet<Ticket> = checkpoint.open.iter().copied().chain(found).collect();
    let mut answers: FuturesUnordered<_> = tickets
        .into_iter()
        .map(|ticket| async move {
            // A platform that would refuse to delete a running export is told to stop first; one that is done does not mind.
            let _ = ports.api.cancel_export(ticket).await;
            (ticket, ports.api.delete_export(ticket).await)
        })
        .collect();
    while let Some((ticket, answer)) = answers.next().await {
        match answer {
            Ok(()) => {
                ports.journal.record(Fact::Gone { ticket }).await?;
                abandoned.deleted.push(ticket);
            }
            Err(error) => abandoned.left.push((ticket, error)),
        }
    }
    Ok(abandoned)
}

async fn look_up_lost(ports: Ports<'_>, checkpoint: &JournalState) -> (Vec<Ticket>, Vec<ItemRef>) {
    if checkpoint.intents.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let lying = match (&checkpoint.foreign, ports.api.open_tickets().await) {
        (Some(foreign), Ok(lying)) => {
            let unknown = lying.into_iter().map(|open| open.ticket);
            unknown
                .filter(|t| !foreign.contains(t) && !checkpoint.open.contains(t))
                .collect()
        }
        _ => Vec::new(),
    };
    let (mut found, mut doubtful) = (Vec::new(), Vec::new());
    for item in &checkpoint.intents {
        let mut ours = lying.iter().filter(|ticket: &&Ticket| ticket.item == *item);
        match (ours.next(), ours.next()) {
            (Some(ticket), None) => found.push(*ticket),
            _ => doubtful.push(*item),
        }
    }
    (found, doubtful)
}
