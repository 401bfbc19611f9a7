//! All items on their way at once: one loop that asks each machine what it wants, does it, and tells it what was seen.

mod steps;
mod tell;

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;

use self::steps::{discard, perform, poll_many, poll_one};
use self::tell::{error_of, reason_of, stage_of, tell, tell_loss};
use super::Limits;
use super::item::{Action, Item, Seen};
use super::patience::is_refused_login;
use super::run::{Ports, RunError};
use super::transfer::PartialDownload;
use crate::model::{BagPath, ItemKind, Order, Ticket};
use crate::ports::{ApiError, ArchiveSink, PartialEntry};

/// One item: its machine and where its archive goes.
pub(crate) struct ItemWork {
    pub(crate) machine: Item,
    pub(crate) name: String,
    pub(crate) path: BagPath,
    partial: Option<PartialDownload>,
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

    /// Goes on with what an interrupted run left of its archive.
    pub(crate) fn resuming(self, partial_entry: Option<&PartialEntry>) -> Self {
        Self {
            partial: partial_entry.and_then(PartialDownload::left),
            ..self
        }
    }

    /// What arrived of an archive is of use only while its ticket is the item's.
    fn useless_partial(&mut self) -> Option<PartialDownload> {
        let current = self.machine.current_ticket();
        self.partial
            .take_if(|partial| current != Some(partial.ticket))
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
    Broken(usize, ApiError, Option<PartialDownload>),
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
    given_up: Vec<PartialDownload>,
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
            given_up: Vec::new(),
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
            Step::Seen(all) => {
                for (index, seen) in all {
                    self.observe(drive, index, seen)?;
                }
            }
            Step::Broken(index, error, partial) => {
                if let Some(item) = self.work.get_mut(index) {
                    item.partial = partial;
                }
                self.observe(drive, index, Seen::DownloadFailed(error))?;
            }
            Step::OneByOne { due, for_good } => {
                self.batch &= !for_good;
                for (index, ticket) in due {
                    steps.push(poll_one(drive, index, ticket));
                }
            }
        }
        for partial in self.given_up.drain(..) {
            steps.push(discard(partial));
        }
        Ok(())
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
        let was_lost = item.machine.loss().is_some();
        let (stage, reason) = (stage_of(&seen), reason_of(&seen));
        item.machine
            .observe(seen, drive.ports.clock.elapsed(), self.moved_at);
        self.moved_at = self.moved_at.max(item.machine.moved_at());
        self.given_up.extend(item.useless_partial());
        match item.machine.loss() {
            Some(loss) if !was_lost => tell_loss(drive, item, loss),
            _ => tell(drive, item, stage, reason),
        }
        match error {
            Some(error) if error.is_out_of_reach() && item.machine.loss().is_some() => {
                Err(RunError::Platform(error))
            }
            _ => Ok(()),
        }
    }
}
