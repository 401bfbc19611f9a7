//! Whose import tickets are on the platform: those of lost answers are found, those of no use are deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::context::{ImportError, ImportPorts, Importing};
use super::item::Seen;
use crate::model::{ImportTicket, ItemKind, ItemRef, Order};
use crate::ports::{ImportFact, ImportRecord, ImportState, OpenImport};
use crate::workflow::attempt::{Problem, ask, attempt, settle};
use crate::workflow::context::{Ports, RunError};
use crate::workflow::tickets::{Listed, Lost, TooMany, of_lost_requests};

/// How often an import that ends looks for a ticket that the platform may still be making, and how long after each other.
const LATE_LOOKS: u32 = 4;
const LATE_LOOK_AFTER: Duration = Duration::from_millis(300);

/// What the answers to lost requests for a ticket left, where the list is as it is. Tickets to which nothing was sent are all alike, so
/// it does not matter which of them is whose. Where there are more than were lost, somebody else made some of them meanwhile, and nobody
/// can say which: then none is named.
fn of_lost_answers(
    lost: Lost,
    open: &[OpenImport],
    checkpoint: &ImportState,
) -> Result<BTreeSet<ImportTicket>, &'static str> {
    let Some(foreign) = &checkpoint.foreign else {
        return Err("the platform gave no list of its tickets");
    };
    let is_known = |ticket: &ImportTicket| foreign.contains(ticket) || checkpoint.is_ours(*ticket);
    of_lost_requests(lost, listed(open), is_known)
        .map_err(|TooMany| "there are several that may be somebody else's")
}

/// To the ticket of a lost answer nobody sends anything.
fn listed(open: &[OpenImport]) -> impl Iterator<Item = Listed<ImportTicket>> {
    open.iter().map(|open| Listed {
        ticket: open.ticket,
        created: open.created,
        is_used: open.uploaded || open.status.complete,
    })
}

/// So many requests of an item.
fn lost_of(with: ImportPorts<'_>, item: ItemRef, count: u32) -> Lost {
    let checkpoint = with.journal.checkpoint();
    let record = checkpoint.items.get(&item);
    Lost {
        count,
        asked: record.and_then(ImportRecord::asked),
        now: with.ports.clock.now(),
    }
}

async fn open_imports(
    ports: Ports<'_>,
    order: &Order,
    with: ImportPorts<'_>,
) -> Result<Vec<OpenImport>, Problem> {
    let open = ask(ports, order, "list the import tickets", || {
        with.imports.open_imports()
    });
    match open.await {
        Err(Problem::Failure(failed)) if failed.is_without_content() => Ok(Vec::new()),
        answer => answer,
    }
}

/// Records which tickets are on the platform before the first is asked for: somebody else's.
pub(super) async fn before_first(importing: Importing<'_>) -> Result<(), ImportError> {
    let Importing { with, order } = importing;
    let checkpoint = with.journal.checkpoint();
    if checkpoint.foreign.is_some() {
        return Ok(());
    }
    let open = open_imports(with.ports, &order.order, with).await;
    if let Ok(open) = settle(open)? {
        let tickets = open.into_iter().map(|open| open.ticket);
        let tickets = tickets
            .filter(|ticket| !checkpoint.is_ours(*ticket))
            .collect();
        with.journal.record(ImportFact::Foreign { tickets }).await?;
    }
    Ok(())
}

/// Looks for the ticket of a request whose answer was lost. Of several, the newest is used and the others are deleted.
pub(super) async fn find(
    importing: Importing<'_>,
    item: ItemRef,
    lost: u32,
) -> Result<Seen, ImportError> {
    let Importing { with, order } = importing;
    let found = if item.kind == ItemKind::Appliance {
        match settle(open_imports(with.ports, &order.order, with).await)? {
            Ok(open) => {
                let lost = lost_of(with, item, lost);
                let checkpoint = with.journal.checkpoint();
                let found = of_lost_answers(lost, &open, &checkpoint);
                // Of a request that is sent later, what shows it now would be no evidence.
                let others =
                    listed(&open).filter(|listed| listed.is_somebody_else_s(lost.asked, lost.now));
                let others = others.map(|listed| listed.ticket);
                let tickets: Vec<_> = others
                    .filter(|ticket| !checkpoint.is_ours(*ticket))
                    .collect();
                if checkpoint.foreign.is_some() && !tickets.is_empty() {
                    with.journal.record(ImportFact::Foreign { tickets }).await?;
                }
                found
            }
            Err(_) => Err("the list of tickets could not be read"),
        }
    } else {
        wait_for_an_answer(importing).await?;
        Err("the platform has no list of these tickets")
    };
    let mut found = match found {
        Ok(found) => found,
        Err(why) => {
            let note = format!(
                "the answer to a request for an import ticket of {item} was lost, and {why}: an empty ticket may be left on the platform"
            );
            let note = Some(note);
            let lost = true;
            with.journal
                .record(ImportFact::NotOpened { item, note, lost })
                .await?;
            return Ok(Seen::CannotFind);
        }
    };
    let Some(ticket) = found.pop_last() else {
        let fact = ImportFact::NotOpened {
            item,
            note: None,
            lost: true,
        };
        with.journal.record(fact).await?;
        return Ok(Seen::NothingFound);
    };
    for superfluous in found {
        delete(with, &order.order, item, superfluous).await?;
    }
    let fact = ImportFact::Opened { item, ticket };
    with.journal.record(fact).await?;
    Ok(Seen::Opened(ticket))
}

/// Waits until the platform answers at all: each request that is sent during an outage may make a ticket that nobody finds.
async fn wait_for_an_answer(importing: Importing<'_>) -> Result<(), RunError> {
    let ports = importing.with.ports;
    let answer = ask(
        ports,
        &importing.order.order,
        "the platform's status",
        || ports.api.platform(),
    );
    settle(answer.await).map(drop)
}

/// Records a ticket as ours, deletes it, and records that. `false` where it stays.
async fn delete(
    with: ImportPorts<'_>,
    order: &Order,
    item: ItemRef,
    ticket: ImportTicket,
) -> Result<bool, ImportError> {
    if !with.journal.checkpoint().is_ours(ticket) {
        let fact = ImportFact::Opened { item, ticket };
        with.journal.record(fact).await?;
    }
    let what = format!("delete {ticket}");
    let answer = attempt(with.ports, order.seed, &what, || {
        with.imports.delete_import(ticket)
    });
    if answer.await.is_err() {
        return Ok(false);
    }
    with.journal.record(ImportFact::Gone { ticket }).await?;
    Ok(true)
}

/// Deletes the appliance tickets that no item of this run uses, and those of lost answers that are listed only now.
pub(super) async fn sweep(
    importing: Importing<'_>,
    in_use: &BTreeSet<ItemRef>,
    lost: &[(ItemRef, u32)],
) -> Result<(), ImportError> {
    let Importing { with, order } = importing;
    let open: Vec<_> = with.journal.checkpoint().open().collect();
    for (item, ticket) in open {
        if ticket.kind == ItemKind::Appliance && !in_use.contains(&item) {
            delete(with, &order.order, item, ticket).await?;
        }
    }
    let lost = lost.iter();
    let lost = lost.filter(|(item, lost)| item.kind == ItemKind::Appliance && *lost > 0);
    let lost: Vec<(ItemRef, Lost)> = lost
        .map(|(item, count)| (*item, lost_of(with, *item, *count)))
        .collect();
    let Some((item, mut first)) = lost.first().copied() else {
        return Ok(());
    };
    // A ticket does not say of which item it is: it may be that of the last request.
    let moments: Option<Vec<Timestamp>> = lost.iter().map(|(_, lost)| lost.asked).collect();
    first.asked = moments.and_then(|moments| moments.into_iter().max());
    let open = settle(open_imports(with.ports, &order.order, with).await)?;
    let late = open.map(|open| of_lost_answers(first, &open, &with.journal.checkpoint()));
    for ticket in late.ok().and_then(Result::ok).unwrap_or_default() {
        delete(with, &order.order, item, ticket).await?;
    }
    Ok(())
}

/// What was left when an import was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbandonedImport {
    /// Appliance tickets that are still on the platform, as far as is known.
    pub left: u64,
}

/// Deletes the appliance tickets of an import that was interrupted. What they were for stays recorded: the same order resumes it, and
/// finds by name and version what the platform made of it after all. Tickets of my software cannot be deleted: they are resumed.
pub async fn abandon_import(
    with: ImportPorts<'_>,
    order: &crate::model::ImportOrder,
) -> Result<AbandonedImport, ImportError> {
    let order = &order.order;
    let checkpoint = with.journal.checkpoint();
    for (item, ticket) in checkpoint.open() {
        if ticket.kind == ItemKind::Appliance {
            delete(with, order, item, ticket).await?;
        }
    }
    let unanswered = checkpoint.items.iter();
    let unanswered = unanswered
        .filter(|(item, record)| record.is_unanswered && item.kind == ItemKind::Appliance);
    for (item, _) in unanswered {
        for ticket in late_tickets(with, order, *item).await? {
            delete(with, order, *item, ticket).await?;
        }
    }
    Ok(AbandonedImport {
        left: appliance_tickets(&with.journal.checkpoint()),
    })
}

/// What a request for a ticket left whose answer nobody waits for any more. The platform may be at work on it still: where nothing is
/// there yet, it is looked again.
async fn late_tickets(
    with: ImportPorts<'_>,
    order: &Order,
    item: ItemRef,
) -> Result<BTreeSet<ImportTicket>, ImportError> {
    for look in 0..LATE_LOOKS {
        if look > 0 {
            with.ports.clock.sleep(LATE_LOOK_AFTER).await;
        }
        let open = settle(open_imports(with.ports, order, with).await)?;
        let lost = lost_of(with, item, 1);
        let found = open.map(|open| of_lost_answers(lost, &open, &with.journal.checkpoint()));
        let Ok(Ok(found)) = found else {
            break;
        };
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(BTreeSet::new())
}

/// Our appliance tickets on the platform, as far as is known.
pub(super) fn appliance_tickets(checkpoint: &ImportState) -> u64 {
    let open = checkpoint.open();
    open.filter(|(_, ticket)| ticket.kind == ItemKind::Appliance)
        .count() as u64
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::model::ImportId;
    use crate::ports::ExportStatus;

    fn ticket(id: i64) -> ImportTicket {
        ImportTicket {
            kind: ItemKind::Appliance,
            id: ImportId::try_from(id).unwrap(),
        }
    }

    fn open(id: i64) -> OpenImport {
        OpenImport {
            ticket: ticket(id),
            status: ExportStatus::default(),
            created: None,
            uploaded: false,
        }
    }

    fn lost(count: u32) -> Lost {
        let asked = Timestamp::from_second(1_700_000_000).unwrap();
        Lost {
            count,
            asked: Some(asked),
            now: asked + SignedDuration::from_hours(1),
        }
    }

    #[test]
    fn only_a_ticket_that_can_be_nobody_else_s_is_ours() {
        let mut checkpoint = ImportState::default();
        let open = [open(1), open(2), open(3)];
        assert!(of_lost_answers(lost(1), &open, &checkpoint).is_err());
        let tickets = vec![ticket(1)];
        checkpoint.apply(ImportFact::Foreign { tickets });
        assert!(of_lost_answers(lost(1), &open, &checkpoint).is_err());
        assert_eq!(
            of_lost_answers(lost(2), &open, &checkpoint),
            Ok([ticket(2), ticket(3)].into())
        );
        checkpoint.apply(ImportFact::Gone { ticket: ticket(2) });
        let ours = of_lost_answers(lost(1), &open, &checkpoint);
        assert_eq!(ours, Ok([ticket(3)].into()));
        assert_eq!(
            of_lost_answers(lost(1), &open[..1], &checkpoint),
            Ok([].into())
        );
    }

    #[test]
    fn a_ticket_with_an_archive_or_of_much_later_is_somebody_else_s() {
        let mut checkpoint = ImportState::default();
        checkpoint.apply(ImportFact::Foreign { tickets: vec![] });
        let after = |minutes| {
            lost(1)
                .asked
                .map(|at| at + SignedDuration::from_mins(minutes))
        };
        let sent = OpenImport {
            uploaded: true,
            ..open(1)
        };
        let complete = OpenImport {
            status: ExportStatus {
                complete: true,
                ..ExportStatus::default()
            },
            ..open(2)
        };
        let later = OpenImport {
            created: after(40),
            ..open(3)
        };
        let ours = OpenImport {
            created: after(1),
            ..open(4)
        };
        let found = of_lost_answers(lost(1), &[sent, complete, later, ours], &checkpoint);
        assert_eq!(found, Ok([ticket(4)].into()));
    }
}
