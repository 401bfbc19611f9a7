//! All items at once: one loop that asks each machine what it wants, does it, and shows it what was seen.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;

use super::notify::{error_of, notify, notify_failure, reason_of, stage_of};
use super::polls::{Ask, Polls, Waiting};
use super::steps::{confirm, discard, perform, poll_many, poll_one};
use super::work::{Drive, ItemWork, Step, Steps};
use crate::model::{ItemKind, OutagePolicy};
use crate::workflow::attempt::is_refused_login;
use crate::workflow::context::RunError;
use crate::workflow::item::{Action, Item, Others, Seen};
use crate::workflow::retry::may_pass;
use crate::workflow::transfer::PartialDownload;
use crate::workflow::usual::{Durations, Usual};

struct Schedule<'w> {
    work: &'w mut [ItemWork],
    active: Vec<usize>,
    /// Those that have not been asked for, longest expected first.
    pending: VecDeque<usize>,
    progressed_at: Duration,
    /// How long exports took that have ended.
    durations: Durations,
    polls: Polls,
    given_up: Vec<PartialDownload>,
}

/// Exports every item, or finds out why it cannot be had.
pub(crate) async fn drive(drive: Drive<'_>, work: &mut [ItemWork]) -> Result<(), RunError> {
    let mut schedule = Schedule::new(work, drive.order.user.as_str().len());
    let mut steps: Steps<'_> = FuturesUnordered::new();
    loop {
        let wake = schedule.start_due(drive, &mut steps);
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
            schedule.take(drive, step?, &mut steps)?;
        }
    }
}

impl<'w> Schedule<'w> {
    fn new(work: &'w mut [ItemWork], user_bytes: usize) -> Self {
        let (mut pending, active): (Vec<usize>, Vec<usize>) = (0..work.len()).partition(|index| {
            // The server has nothing of these yet: they can wait for a free slot.
            work.get(*index)
                .is_some_and(|item| item.machine.next(Duration::ZERO) == Action::Start)
        });
        // What is longest last would run alone. One whose size nobody says may be long.
        pending.sort_by_key(|index| {
            let size = work.get(*index).and_then(|item| item.size);
            Reverse(size.unwrap_or(u64::MAX))
        });
        Self {
            work,
            active,
            pending: pending.into(),
            progressed_at: Duration::ZERO,
            durations: Durations::default(),
            polls: Polls::new(user_bytes),
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

    /// Lets items begin for which there are slots. None where so many archives are complete and not fetched yet that the platform
    /// would only keep more of them.
    fn admit(&mut self, drive: Drive<'_>, jobs: usize) {
        if self.count(Item::is_ready) <= drive.order.jobs {
            let free = drive.order.jobs.saturating_sub(jobs);
            let free = free.min(self.pending.len());
            self.active.extend(self.pending.drain(..free));
        }
    }

    /// Starts every action that may start now. Returns when to look again if nothing is seen before.
    fn start_due<'a>(&mut self, drive: Drive<'a>, steps: &mut Steps<'a>) -> Option<Duration> {
        let elapsed = drive.ports.clock.elapsed();
        let mut jobs = self.count(Item::occupies_job);
        let mut downloads = self.count(Item::is_downloading);
        self.admit(drive, jobs);
        let mut wake: Option<Duration> = None;
        let mut waiting = Vec::new();
        for index in self.active.clone() {
            let Some(item) = self.work.get_mut(index) else {
                continue;
            };
            if let Some((ticket, look)) = item.machine.waits_for() {
                waiting.push(Waiting {
                    index,
                    ticket,
                    look,
                });
                continue;
            }
            let action = item.machine.next(elapsed);
            match &action {
                Action::WaitUntil(moment) => {
                    wake = Some(wake.map_or(*moment, |wake| wake.min(*moment)));
                    continue;
                }
                Action::Start if item.machine.waits_for_slot() => {}
                Action::Start if jobs < drive.order.jobs => jobs += 1,
                Action::Download(_) if downloads < drive.order.downloads => downloads += 1,
                Action::FindTicket | Action::Cancel(_) | Action::Delete(..) => {}
                Action::Poll(_)
                | Action::Start
                | Action::Download(_)
                | Action::Busy
                | Action::Finished => continue,
            }
            item.machine.began(elapsed);
            steps.push(perform(drive, index, item, action));
        }
        let next_poll = self.poll(drive, &waiting, steps);
        let work = &self.work;
        self.active.retain(|index| {
            work.get(*index)
                .is_some_and(|item| item.machine.next(elapsed) != Action::Finished)
        });
        wake.into_iter().chain(next_poll).min()
    }

    /// Asks for the statuses that are due. Returns when the next are.
    fn poll<'a>(
        &mut self,
        drive: Drive<'a>,
        waiting: &[Waiting],
        steps: &mut Steps<'a>,
    ) -> Option<Duration> {
        let elapsed = drive.ports.clock.elapsed();
        let round = self.polls.round(elapsed, waiting);
        for ask in round.asks {
            for index in ask.indices() {
                if let Some(item) = self.work.get_mut(index) {
                    item.machine.began(elapsed);
                }
            }
            steps.push(match ask {
                Ask::One(index, ticket) => poll_one(drive, index, ticket),
                Ask::Many(due) => poll_many(drive, due),
            });
        }
        round.wake
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
                    self.see(drive, index, seen, steps)?;
                }
            }
            Step::DownloadBroken(index, error, partial) => {
                if let Some(item) = self.work.get_mut(index) {
                    item.partial = partial;
                }
                self.see(drive, index, Seen::DownloadFailed(error), steps)?;
            }
            Step::NoOutage(index, seen) => self.observe(drive, index, seen)?,
            Step::OneByOne { due, for_good } => {
                if for_good {
                    self.polls.has_no_batch();
                }
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

    /// Shows an item what was seen of it. Before something is given up, it is made sure that the platform is not just away: nothing
    /// may be cancelled or deleted then that a later run resumes with.
    fn see<'a>(
        &mut self,
        drive: Drive<'a>,
        index: usize,
        seen: Seen,
        steps: &mut Steps<'a>,
    ) -> Result<(), RunError> {
        let elapsed = drive.ports.clock.elapsed();
        let item = self.work.get(index).map(|work| &work.machine);
        let others = self.others(drive, item);
        let may_end_run =
            drive.order.outage == OutagePolicy::EndRun && error_of(&seen).is_some_and(may_pass);
        if may_end_run && item.is_some_and(|item| gives_up(item, &seen, elapsed, others)) {
            steps.push(confirm(drive, index, seen));
            return Ok(());
        }
        self.observe(drive, index, seen)
    }

    /// What an item has to know of the others.
    fn others(&self, drive: Drive<'_>, item: Option<&Item>) -> Others {
        Others {
            progressed_at: self.progressed_at,
            are_at_work: item.is_some_and(|item| {
                self.count(|other| other.item() != item.item() && other.is_at_work()) > 0
            }),
            usual: item
                .map(|item| self.usual(drive, item.item().kind))
                .unwrap_or_default(),
        }
    }

    /// How long exports take: those of this run say so best.
    fn usual(&self, drive: Drive<'_>, kind: ItemKind) -> Usual {
        match drive.times {
            Some(times) if !self.durations.are_enough(kind) => times.usual(kind),
            _ => self.durations.usual(kind),
        }
    }

    fn observe(&mut self, drive: Drive<'_>, index: usize, seen: Seen) -> Result<(), RunError> {
        let others = self.others(drive, self.work.get(index).map(|work| &work.machine));
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
        let had_failed = item.machine.failure().is_some();
        let (stage, reason) = (stage_of(&seen), reason_of(&seen));
        item.machine
            .observe(seen, drive.ports.clock.elapsed(), others);
        if let Some(took) = item.machine.take_duration() {
            let kind = item.machine.item().kind;
            self.durations.add(kind, took);
            if let Some(times) = drive.times {
                times.add(kind, took);
            }
        }
        self.progressed_at = self.progressed_at.max(item.machine.progressed_at());
        self.given_up.extend(item.useless_partial());
        match item.machine.failure() {
            Some(failure) if !had_failed => notify_failure(drive, item, failure),
            _ => notify(drive, item, stage, reason),
        }
        match error {
            Some(error) if error.is_out_of_reach() && item.machine.failure().is_some() => {
                Err(RunError::Platform(error))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the item would give up its archive, or the deletion of a ticket.
fn gives_up(item: &Item, seen: &Seen, elapsed: Duration, others: Others) -> bool {
    let mut after = item.clone();
    after.observe(seen.clone(), elapsed, others);
    after.given_up() > item.given_up()
}
