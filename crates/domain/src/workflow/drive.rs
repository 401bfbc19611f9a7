//! All items on their way at once: one loop that asks each machine what it wants, does it, and tells it what was seen.

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;

use super::Limits;
use super::item::{Action, Deletion, Item, Seen, start_may_have_worked};
use super::patience::{attempt, is_refused_login};
use super::run::{Ports, RunError};
use super::transfer::{Partial, TransferFailure, fetch_archive};
use crate::model::{BagPath, ItemKind, ItemRef, Order, Ticket, TicketPolicy};
use crate::ports::{ApiError, ArchiveSink, Event, ExportState, ExportStatus, Fact, ItemStage};

/// One item: its machine and where its archive goes.
pub(crate) struct ItemWork {
    pub(crate) machine: Item,
    pub(crate) name: String,
    pub(crate) path: BagPath,
    partial: Option<Partial>,
}

impl ItemWork {
    pub(crate) fn new(machine: Item, name: String, path: BagPath) -> Self {
        Self {
            machine,
            name,
            path,
            partial: None,
        }
    }
}

/// What the loop works with.
#[derive(Clone, Copy)]
pub(crate) struct Drive<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) sink: &'a dyn ArchiveSink,
    pub(crate) order: &'a Order,
    /// Tickets that are somebody else's; `None` where the platform does not tell.
    pub(crate) foreign: Option<&'a BTreeSet<Ticket>>,
}

enum Step {
    Seen(Vec<(usize, Seen)>),
    Broken(usize, ApiError, Option<Partial>),
    /// These tickets must be asked for one by one, from now on where `for_good`.
    OneByOne {
        due: Vec<(usize, Ticket)>,
        for_good: bool,
    },
}

type Steps<'a> = FuturesUnordered<BoxFuture<'a, Result<Step, RunError>>>;

struct Fleet<'w> {
    work: &'w mut [ItemWork],
    active: Vec<usize>,
    pending: VecDeque<usize>,
    moved_at: Duration,
    batch: bool,
}

/// Brings every item home, or finds out why it cannot be had.
pub(crate) async fn drive(drive: Drive<'_>, work: &mut [ItemWork]) -> Result<(), RunError> {
    let mut fleet = Fleet::new(work);
    let mut steps: Steps<'_> = FuturesUnordered::new();
    loop {
        let wake = fleet.set_going(drive, &mut steps);
        let elapsed = drive.ports.clock.elapsed();
        let step = match (steps.is_empty(), wake) {
            (true, None) => return Ok(()),
            (true, Some(wake)) => {
                drive.ports.clock.sleep(wake.saturating_sub(elapsed)).await;
                continue;
            }
            (false, None) => steps.next().await,
            (false, Some(wake)) => {
                let timer = pin!(drive.ports.clock.sleep(wake.saturating_sub(elapsed)));
                match select(steps.next(), timer).await {
                    Either::Left((step, _)) => step,
                    Either::Right(_) => continue,
                }
            }
        };
        if let Some(step) = step {
            fleet.take(drive, step?, &mut steps)?;
        }
    }
}

impl<'w> Fleet<'w> {
    fn new(work: &'w mut [ItemWork]) -> Self {
        let (pending, active): (VecDeque<usize>, VecDeque<usize>) =
            (0..work.len()).partition(|index| {
                // Nothing is known of these on the server: they can wait for their turn.
                work.get(*index)
                    .is_some_and(|item| item.machine.next(Duration::ZERO) == Action::Start)
            });
        Self {
            work,
            active: active.into(),
            pending,
            moved_at: Duration::ZERO,
            batch: true,
        }
    }

    fn count(&self, which: impl Fn(&Item) -> bool) -> usize {
        self.active
            .iter()
            .filter(|index| {
                self.work
                    .get(**index)
                    .is_some_and(|item| which(&item.machine))
            })
            .count()
    }

    /// Starts all that may be started now; the next moment at which something is due without anything being seen.
    fn set_going<'a>(&mut self, drive: Drive<'a>, steps: &mut Steps<'a>) -> Option<Duration> {
        let elapsed = drive.ports.clock.elapsed();
        let mut jobs = self.count(Item::occupies_job);
        let mut downloads = self.count(Item::is_downloading);
        let backlog = self.count(Item::is_ready);
        if backlog <= drive.order.jobs {
            let free = drive
                .order
                .jobs
                .saturating_sub(jobs)
                .min(self.pending.len());
            self.active.extend(self.pending.drain(..free));
        }
        let mut wake: Option<Duration> = None;
        let mut due = Vec::new();
        for index in self.active.clone() {
            let Some(item) = self.work.get_mut(index) else {
                continue;
            };
            let action = item.machine.next(elapsed);
            match &action {
                Action::WaitUntil(moment) => {
                    wake = Some(wake.map_or(*moment, |wake| wake.min(*moment)));
                }
                Action::Start if jobs < drive.order.jobs => jobs += 1,
                Action::Download(_) if downloads < drive.order.downloads => downloads += 1,
                Action::FindTicket | Action::Cancel(_) | Action::Delete(..) | Action::Poll(_) => {}
                Action::Start | Action::Download(_) | Action::Busy | Action::Finished => continue,
            }
            match action {
                Action::WaitUntil(_) => {}
                Action::Poll(ticket) => {
                    item.machine.began();
                    due.push((index, ticket));
                }
                action => {
                    item.machine.began();
                    steps.push(perform(drive, index, item, action));
                }
            }
        }
        self.poll(drive, due, steps);
        let work = &self.work;
        self.active.retain(|index| {
            work.get(*index)
                .is_some_and(|item| item.machine.next(elapsed) != Action::Finished)
        });
        wake
    }

    fn poll<'a>(&self, drive: Drive<'a>, due: Vec<(usize, Ticket)>, steps: &mut Steps<'a>) {
        let (batch, single): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|(_, ticket)| self.batch && ticket.item.kind == ItemKind::Appliance);
        if batch.len() < 2 {
            single
                .into_iter()
                .chain(batch)
                .for_each(|(index, ticket)| steps.push(poll_one(drive, index, ticket)));
            return;
        }
        for (index, ticket) in single {
            steps.push(poll_one(drive, index, ticket));
        }
        for some in batch.chunks(Limits::STATUSES_AT_ONCE) {
            steps.push(poll_many(drive, some.to_vec()));
        }
    }

    fn take<'a>(
        &mut self,
        drive: Drive<'a>,
        step: Step,
        steps: &mut Steps<'a>,
    ) -> Result<(), RunError> {
        match step {
            Step::Seen(all) => all
                .into_iter()
                .try_for_each(|(index, seen)| self.observe(drive, index, seen)),
            Step::Broken(index, error, partial) => {
                if let Some(item) = self.work.get_mut(index) {
                    item.partial = partial;
                }
                self.observe(drive, index, Seen::DownloadFailed(error))
            }
            Step::OneByOne { due, for_good } => {
                self.batch &= !for_good;
                for (index, ticket) in due {
                    steps.push(poll_one(drive, index, ticket));
                }
                Ok(())
            }
        }
    }

    fn observe(&mut self, drive: Drive<'_>, index: usize, seen: Seen) -> Result<(), RunError> {
        let Some(item) = self.work.get_mut(index) else {
            return Ok(());
        };
        let error = error_of(&seen).cloned();
        if let Some(error) = error.clone().filter(is_refused_login) {
            return Err(RunError::Unauthorized {
                user: drive.order.user.to_string(),
                source: error,
            });
        }
        let stage = stage_of(&seen);
        item.machine
            .observe(seen, drive.ports.clock.elapsed(), self.moved_at);
        self.moved_at = self.moved_at.max(item.machine.moved_at());
        // A part of a ticket's archive is of use only while that archive is still to be had.
        if !item.machine.is_ready() {
            item.partial = None;
        }
        tell(drive, item, stage, error.as_ref());
        match error {
            Some(error @ ApiError::Unreachable { .. }) if item.machine.loss().is_some() => {
                Err(RunError::Platform(error))
            }
            _ => Ok(()),
        }
    }
}

fn error_of(seen: &Seen) -> Option<&ApiError> {
    match seen {
        Seen::StartFailed(error)
        | Seen::StatusFailed(error)
        | Seen::DownloadFailed(error)
        | Seen::DeleteFailed(_, error) => Some(error),
        Seen::Started(..)
        | Seen::Found(_)
        | Seen::CannotFind(_)
        | Seen::Status(_)
        | Seen::Stored(_)
        | Seen::Damaged(_)
        | Seen::Cancelled
        | Seen::Deleted(_) => None,
    }
}

fn stage_of(seen: &Seen) -> Option<ItemStage> {
    match seen {
        Seen::Started(_, status) | Seen::Status(status)
            if status.state() == ExportState::Running =>
        {
            Some(ItemStage::Waiting {
                percent: percent_of(status),
                message: status.message.clone(),
            })
        }
        Seen::Started(_, status) | Seen::Status(status)
            if status.state() == ExportState::Complete =>
        {
            Some(ItemStage::Ready)
        }
        Seen::Stored(receipt) => Some(ItemStage::Stored {
            bytes: receipt.bytes,
        }),
        _ => None,
    }
}

fn percent_of(status: &ExportStatus) -> Option<u8> {
    status
        .percentage
        .and_then(|percent| u8::try_from(percent).ok())
        .filter(|percent| *percent <= 100)
}

fn tell(drive: Drive<'_>, item: &ItemWork, stage: Option<ItemStage>, error: Option<&ApiError>) {
    let (machine, name) = (&item.machine, &item.name);
    let stage = match machine.loss() {
        Some(loss) if machine.undeleted().is_empty() => Some(ItemStage::Failed {
            reason: loss.message.clone(),
        }),
        _ => stage,
    };
    if let Some(stage) = stage {
        drive.ports.progress.on(&Event::Item {
            item: machine.item(),
            name: name.clone(),
            stage,
        });
    } else if let (Some(error), Action::WaitUntil(moment)) =
        (error, machine.next(drive.ports.clock.elapsed()))
    {
        let wait = moment.saturating_sub(drive.ports.clock.elapsed());
        drive.ports.progress.on(&Event::Retry {
            what: format!("{} `{name}`", machine.item()),
            attempt: machine.attempts(),
            reason: error.to_string(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

fn perform<'a>(
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
        drive.ports.progress.on(&Event::Item {
            item,
            name: work.name.clone(),
            stage,
        });
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
            let (path, partial) = (work.path.clone(), work.partial.take());
            Box::pin(async move { download(drive, index, ticket, path, partial).await })
        }
        Action::Cancel(ticket) => Box::pin(async move {
            let _ = drive.ports.api.cancel_export(ticket).await;
            Ok(Step::Seen(vec![(index, Seen::Cancelled)]))
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

/// The intent is remembered before the request leaves: a run killed in between knows that it may have a ticket to look for.
async fn start(drive: Drive<'_>, item: ItemRef) -> Result<Seen, RunError> {
    let Ports { api, journal, .. } = drive.ports;
    journal.record(Fact::Intent { item }).await?;
    match api.start_export(item, drive.order.output_format).await {
        Ok(started) => {
            journal
                .record(Fact::Started {
                    ticket: started.ticket,
                })
                .await?;
            Ok(Seen::Started(started.ticket, started.status))
        }
        Err(error) => {
            if !start_may_have_worked(item.kind, &error) {
                journal.record(Fact::NotStarted { item }).await?;
            }
            Ok(Seen::StartFailed(error))
        }
    }
}

/// Looks for the tickets of starts whose answers were lost. Only what nobody else can have asked for is taken.
async fn find_ticket(drive: Drive<'_>, item: ItemRef, lost: u32) -> Result<Seen, RunError> {
    let doubt = |why: &str| {
        Seen::CannotFind(format!(
            "the answer to a start of {item} was lost, and {why}: one export ticket may be left on the platform"
        ))
    };
    let (ItemKind::Appliance, Some(foreign)) = (item.kind, drive.foreign) else {
        drive
            .ports
            .journal
            .record(Fact::NotStarted { item })
            .await?;
        return Ok(doubt(
            "the platform has no list in which its ticket could be found",
        ));
    };
    let Ports { api, journal, .. } = drive.ports;
    let lying = match attempt(
        drive.ports,
        drive.order.seed,
        "list the export tickets",
        || api.open_tickets(),
    )
    .await
    {
        Ok(lying) => lying,
        Err(failed) => {
            let failed = failed.into_fatal(&drive.order.user)?;
            journal.record(Fact::NotStarted { item }).await?;
            return Ok(doubt(&format!(
                "the list of tickets could not be read ({})",
                failed.error
            )));
        }
    };
    let known = journal.remembered().open;
    let mut ours: Vec<_> = lying
        .into_iter()
        .map(|open| open.ticket)
        .filter(|t| t.item == item)
        .collect();
    ours.retain(|ticket| !foreign.contains(ticket) && !known.contains(ticket));
    ours.sort();
    if ours.len() > lost as usize {
        journal.record(Fact::NotStarted { item }).await?;
        return Ok(doubt(
            "there are several tickets for it that may be somebody else's",
        ));
    }
    for ticket in &ours {
        journal.record(Fact::Started { ticket: *ticket }).await?;
    }
    if ours.is_empty() {
        journal.record(Fact::NotStarted { item }).await?;
    }
    Ok(Seen::Found(ours))
}

fn poll_one(
    drive: Drive<'_>,
    index: usize,
    ticket: Ticket,
) -> BoxFuture<'_, Result<Step, RunError>> {
    Box::pin(async move {
        let seen = match drive.ports.api.export_status(ticket).await {
            Ok(status) => Seen::Status(status),
            Err(error) => Seen::StatusFailed(error),
        };
        Ok(Step::Seen(vec![(index, seen)]))
    })
}

/// One request for many tickets. What it leaves out is asked for one by one, for good where there is no such resource.
fn poll_many(drive: Drive<'_>, due: Vec<(usize, Ticket)>) -> BoxFuture<'_, Result<Step, RunError>> {
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
                let passing = matches!(
                    error,
                    ApiError::Overloaded { .. }
                        | ApiError::NoAnswer { .. }
                        | ApiError::Unreachable { .. }
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
            match answer.iter().find(|(told, _)| *told == ticket) {
                Some((_, status)) => seen.push((index, Seen::Status(status.clone()))),
                None => missing.push((index, ticket)),
            }
        }
        for (index, ticket) in missing {
            seen.push((
                index,
                match drive.ports.api.export_status(ticket).await {
                    Ok(status) => Seen::Status(status),
                    Err(error) => Seen::StatusFailed(error),
                },
            ));
        }
        Ok(Step::Seen(seen))
    })
}

async fn download(
    drive: Drive<'_>,
    index: usize,
    ticket: Ticket,
    path: BagPath,
    partial: Option<Partial>,
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
        Err(TransferFailure::Api(error, partial)) => Ok(Step::Broken(index, error, partial)),
        Err(TransferFailure::Sink(error)) => Err(error.into()),
    }
}

/// The only place of the loop that deletes tickets. `why` is the proof that it may.
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
