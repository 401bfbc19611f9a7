//! What the loop awaits: one attempt at one thing each.

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;

use super::notify::{error_of, notify_stage};
use super::work::{Drive, ItemWork, Step};
use crate::model::{BagPath, ItemRef, Ticket, TicketPolicy};
use crate::ports::{ApiError, Event, Fact, ItemStage};
use crate::workflow::Limits;
use crate::workflow::context::{Ports, RunError};
use crate::workflow::item::{Action, Deletion, Seen, start_may_have_worked};
use crate::workflow::outage::end_in_outage;
use crate::workflow::tickets::{self, Ownership, record_unresolved};
use crate::workflow::transfer::{PartialDownload, TransferFailure, fetch_archive};

pub(super) fn perform<'a>(
    drive: Drive<'a>,
    index: usize,
    work: &mut ItemWork,
    action: Action,
) -> BoxFuture<'a, Result<Step, RunError>> {
    let item = work.machine.item();
    let started = match &action {
        Action::Start => Some(ItemStage::Starting),
        Action::Download(_) => Some(ItemStage::Downloading),
        _ => None,
    };
    if let Some(stage) = started {
        notify_stage(drive, work, stage);
    }
    match action {
        Action::Start => {
            Box::pin(async move { Ok(Step::Seen(vec![(index, start(drive, item).await?)])) })
        }
        Action::FindTicket => {
            let lost = work.machine.lost_starts();
            Box::pin(async move {
                Ok(Step::Seen(vec![(
                    index,
                    find_ticket(drive, item, lost).await?,
                )]))
            })
        }
        Action::Download(ticket) => {
            let partial = work.partial.take_if(|partial| partial.ticket == ticket);
            let path = work.path.clone();
            Box::pin(async move { download(drive, index, ticket, path, partial).await })
        }
        Action::Cancel(ticket) => Box::pin(async move {
            let seen = match drive.ports.api.cancel_export(ticket).await {
                Ok(()) => Seen::Cancelled,
                Err(error) => Seen::CancelFailed(error),
            };
            Ok(Step::Seen(vec![(index, seen)]))
        }),
        Action::Delete(ticket, why) => Box::pin(async move {
            Ok(Step::Seen(vec![(
                index,
                delete(drive, ticket, &why).await?,
            )]))
        }),
        Action::Poll(ticket) => poll_one(drive, index, ticket),
        Action::WaitUntil(_) | Action::Busy | Action::Finished => {
            Box::pin(async { Ok(Step::Seen(Vec::new())) })
        }
    }
}

/// The intent is recorded before the request leaves: a run killed in between knows that it may have a ticket to look for.
async fn start(drive: Drive<'_>, item: ItemRef) -> Result<Seen, RunError> {
    let Ports {
        api,
        journal,
        clock,
        ..
    } = drive.ports;
    if !api.may_start(item).await {
        return Ok(Seen::NotYet);
    }
    let at = Some(clock.now());
    journal.record(Fact::Intent { item, at }).await?;
    match api.start_export(item, drive.order.output_format).await {
        Ok(started) => {
            let at = clock.elapsed();
            journal
                .record(Fact::Started {
                    ticket: started.ticket,
                })
                .await?;
            Ok(Seen::Started {
                ticket: started.ticket,
                status: started.status,
                at,
            })
        }
        Err(error) => {
            if !start_may_have_worked(item.kind, &error) {
                journal
                    .record(Fact::NotStarted { item, lost: false })
                    .await?;
            }
            Ok(Seen::StartFailed(error))
        }
    }
}

/// Looks for the tickets of starts whose answers were lost.
async fn find_ticket(drive: Drive<'_>, item: ItemRef, lost: u32) -> Result<Seen, RunError> {
    let Drive {
        ports,
        order,
        foreign_tickets,
        ..
    } = drive;
    match tickets::find(ports, order, foreign_tickets, item, lost).await? {
        Ownership::Ours(tickets) => Ok(Seen::Found(tickets)),
        Ownership::Nothing => Ok(Seen::Found(Vec::new())),
        Ownership::Unknown(why) => {
            record_unresolved(ports.journal, item, &why).await?;
            Ok(Seen::CannotFind(why))
        }
    }
}

pub(super) fn poll_one(
    drive: Drive<'_>,
    index: usize,
    ticket: Ticket,
) -> BoxFuture<'_, Result<Step, RunError>> {
    Box::pin(async move { Ok(Step::Seen(vec![(index, status(drive, ticket).await)])) })
}

async fn status(drive: Drive<'_>, ticket: Ticket) -> Seen {
    match drive.ports.api.export_status(ticket).await {
        Ok(status) => Seen::Status(status),
        Err(error) => Seen::StatusFailed(error),
    }
}

/// Asks for the status of many tickets in one request. Those that the answer leaves out are asked for singly, some side by side;
/// where the platform has no such resource, all are from then on. None is due again before all of them are answered.
pub(super) fn poll_many(
    drive: Drive<'_>,
    due: Vec<(usize, Ticket)>,
) -> BoxFuture<'_, Result<Step, RunError>> {
    Box::pin(async move {
        let tickets: Vec<_> = due.iter().map(|(_, ticket)| *ticket).collect();
        let answer = match drive.ports.api.export_statuses(&tickets).await {
            Ok(answer) if !answer.is_empty() => answer,
            Ok(_) => {
                return Ok(Step::OneByOne {
                    due,
                    for_good: true,
                });
            }
            Err(error) => {
                let passing = error.is_out_of_reach()
                    || matches!(
                        error,
                        ApiError::Overloaded { .. }
                            | ApiError::NotHttp { .. }
                            | ApiError::NoAnswer { .. }
                            | ApiError::Interrupted { .. }
                            | ApiError::Stalled { .. }
                    );
                return Ok(Step::OneByOne {
                    due,
                    for_good: !passing,
                });
            }
        };
        let (mut seen, mut missing) = (Vec::new(), Vec::new());
        for (index, ticket) in due {
            match answer.iter().find(|(known, _)| *known == ticket) {
                Some((_, status)) => seen.push((index, Seen::Status(status.clone()))),
                None => missing.push((index, ticket)),
            }
        }
        let mut answers = stream::iter(missing)
            .map(|(index, ticket)| async move { (index, status(drive, ticket).await) })
            .buffer_unordered(Limits::STATUSES_SIDE_BY_SIDE);
        while let Some(answer) = answers.next().await {
            seen.push(answer);
        }
        Ok(Step::Seen(seen))
    })
}

/// Makes sure that what gives something up is no outage of the platform, which ends the run.
pub(super) fn confirm(
    drive: Drive<'_>,
    index: usize,
    seen: Seen,
) -> BoxFuture<'_, Result<Step, RunError>> {
    Box::pin(async move {
        if let Some(error) = error_of(&seen) {
            end_in_outage(drive.ports, drive.order, error).await?;
        }
        Ok(Step::NoOutage(index, seen))
    })
}

/// Discards a partial download that is of no more use.
pub(super) fn discard<'a>(partial: PartialDownload) -> BoxFuture<'a, Result<Step, RunError>> {
    Box::pin(async move {
        partial.discard().await?;
        Ok(Step::Seen(Vec::new()))
    })
}

async fn download(
    drive: Drive<'_>,
    index: usize,
    ticket: Ticket,
    path: BagPath,
    partial: Option<PartialDownload>,
) -> Result<Step, RunError> {
    match fetch_archive(drive.ports, drive.sink, ticket, path, partial).await {
        Ok(receipt) => {
            if drive.order.tickets == TicketPolicy::Keep {
                drive.ports.journal.record(Fact::Gone { ticket }).await?;
            }
            Ok(Step::Seen(vec![(index, Seen::Stored(receipt))]))
        }
        Err(TransferFailure::Damaged(failure)) => {
            Ok(Step::Seen(vec![(index, Seen::Damaged(failure))]))
        }
        Err(TransferFailure::Api(error, partial)) => {
            Ok(Step::DownloadBroken(index, error, partial))
        }
        Err(TransferFailure::Sink(error)) => Err(error.into()),
    }
}

/// The only place of the loop that deletes tickets. `why` is the reason for which it may.
async fn delete(drive: Drive<'_>, ticket: Ticket, why: &Deletion) -> Result<Seen, RunError> {
    if let Deletion::Safe(receipt) = why {
        debug_assert!(
            receipt.durable,
            "a ticket outlives bytes that are not on disk"
        );
    }
    match drive.ports.api.delete_export(ticket).await {
        Ok(()) => {
            drive.ports.journal.record(Fact::Gone { ticket }).await?;
            drive.ports.progress.on(&Event::TicketDeleted { ticket });
            Ok(Seen::Deleted(ticket))
        }
        Err(error) => Ok(Seen::DeleteFailed(ticket, error)),
    }
}
