//! All items at once: one loop that asks each machine what it wants, does it, records what follows, and shows it what was seen.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;

use super::context::{ImportError, Importing};
use super::item::{Action, Item, Seen};
use super::steps::{Step, Work, perform};
use crate::model::ItemKind;
use crate::ports::{ApiError, Event, ExportStatus, ItemStage};
use crate::workflow::attempt::is_refused_login;
use crate::workflow::context::RunError;

struct Schedule<'w> {
    work: &'w mut [Work],
    active: Vec<usize>,
    /// Those that have nothing on the platform that is at work, my software first.
    pending: VecDeque<usize>,
    progressed_at: Duration,
}

/// Imports every item, or finds out why it cannot be done. My software comes first in `work`.
pub(super) async fn drive(importing: Importing<'_>, work: &mut [Work]) -> Result<(), ImportError> {
    let mut schedule = Schedule::new(work);
    let mut steps: FuturesUnordered<Step<'_>> = FuturesUnordered::new();
    let clock = importing.with.ports.clock;
    loop {
        let wake = schedule.set_going(importing, &steps);
        let elapsed = clock.elapsed();
        let step = match (steps.is_empty(), wake) {
            (true, None) => return Ok(()),
            (true, Some(wake)) => {
                clock.sleep(wake.saturating_sub(elapsed)).await;
                continue;
            }
            (false, None) => steps.next().await,
            (false, Some(wake)) => {
                let timer = pin!(clock.sleep(wake.saturating_sub(elapsed)));
                match select(steps.next(), timer).await {
                    Either::Left((step, _)) => step,
                    Either::Right(_) => continue,
                }
            }
        };
        if let Some(step) = step {
            let (index, seen) = step?;
            schedule.take(importing, index, seen).await?;
        }
    }
}

impl<'w> Schedule<'w> {
    fn new(work: &'w mut [Work]) -> Self {
        let (pending, active): (VecDeque<usize>, VecDeque<usize>) =
            (0..work.len()).partition(|index| {
                work.get(*index).is_some_and(|work| {
                    let next = work.machine.next(Duration::ZERO);
                    matches!(next, Action::Open | Action::Upload(_))
                })
            });
        Self {
            work,
            active: active.into(),
            pending,
            progressed_at: Duration::ZERO,
        }
    }

    fn active_items(&self) -> impl Iterator<Item = &Item> {
        let active = self.active.iter();
        active.filter_map(|index| Some(&self.work.get(*index)?.machine))
    }

    /// Whether an import of my software has not ended: until then no appliance is sent.
    fn software_is_under_way(&self) -> bool {
        let is_software = |item: &Item| item.item().kind == ItemKind::MySoftware;
        let pending = self.pending.iter();
        let mut pending = pending.filter_map(|index| self.work.get(*index));
        self.active_items()
            .any(|item| is_software(item) && !item.has_ended())
            || pending.any(|work| is_software(&work.machine))
    }

    /// What may begin now.
    fn slots(&self, limit: usize) -> Slots {
        let mut slots = Slots {
            free: limit,
            opening: self.active_items().any(Item::is_opening),
            software_first: self.software_is_under_way(),
        };
        let taken = self.active_items().filter(|item| slots.has(item)).count();
        slots.free = limit.saturating_sub(taken);
        slots
    }

    /// Lets items begin for which there are slots.
    fn admit(&mut self, slots: &Slots, elapsed: Duration) {
        let is_due = |item: &&Item| item.next(elapsed) == Action::Open;
        let due = self.active_items().filter(is_due).count();
        for _ in due..slots.free {
            let next = self.pending.front().and_then(|index| self.work.get(*index));
            if next.is_none_or(|work| slots.hold_back(&work.machine)) {
                return;
            }
            self.active.extend(self.pending.pop_front());
        }
    }

    /// Starts every action that may start now. Returns when to look again if nothing is seen before.
    fn set_going<'a>(
        &mut self,
        importing: Importing<'a>,
        steps: &FuturesUnordered<Step<'a>>,
    ) -> Option<Duration> {
        let elapsed = importing.with.ports.clock.elapsed();
        self.active.retain(|index| {
            let work = self.work.get(*index);
            work.is_some_and(|work| work.machine.next(elapsed) != Action::Finished)
        });
        let mut slots = self.slots(importing.order.order.jobs);
        self.admit(&slots, elapsed);
        let mut wake: Option<Duration> = None;
        for index in self.active.clone() {
            let Some(work) = self.work.get_mut(index) else {
                continue;
            };
            let action = work.machine.next(elapsed);
            if let Action::WaitUntil(moment) = action {
                wake = Some(wake.map_or(moment, |wake| wake.min(moment)));
            }
            if slots.grant(&work.machine, action)
                && let Some(step) = perform(importing, index, work, action)
            {
                work.machine.began();
                if let Action::Upload(_) = action {
                    notify(importing, work, ItemStage::Uploading);
                }
                steps.push(step);
            }
        }
        wake
    }

    /// Shows an item what was seen of it, and records what follows.
    async fn take(
        &mut self,
        importing: Importing<'_>,
        index: usize,
        seen: Seen,
    ) -> Result<(), ImportError> {
        let Some(work) = self.work.get_mut(index) else {
            return Ok(());
        };
        if let Some(error) = error_of(&seen).filter(|error| is_refused_login(error)) {
            return Err(ImportError::Run(RunError::Unauthorized {
                user: importing.order.order.user.to_string(),
                source: error.clone(),
            }));
        }
        let elapsed = importing.with.ports.clock.elapsed();
        let stage = stage_of(&seen);
        let reason = error_of(&seen).map(ToString::to_string);
        let had_ended = work.machine.has_ended();
        work.machine.observe(seen, elapsed, self.progressed_at);
        self.progressed_at = self.progressed_at.max(work.machine.progressed_at());
        for fact in work.machine.take_facts() {
            importing.with.journal.record(fact).await?;
        }
        match end_of(work).filter(|_| !had_ended).or(stage) {
            Some(stage) => notify(importing, work, stage),
            None => notify_retry(importing, work, reason),
        }
        Ok(())
    }
}

/// What may begin at a moment.
struct Slots {
    free: usize,
    /// Whether a request for a ticket is under way: two of them at once could not be distinguished where answers are lost.
    opening: bool,
    software_first: bool,
}

impl Slots {
    /// Whether an item has to wait for the software.
    fn hold_back(&self, item: &Item) -> bool {
        self.software_first && item.item().kind == ItemKind::Appliance
    }

    /// Whether an item takes one of the slots. One that has to wait for the software takes none from it.
    fn has(&self, item: &Item) -> bool {
        item.occupies_job() && !(item.is_holding() && self.hold_back(item))
    }

    /// Whether an item may do this now; what it takes is taken.
    fn grant(&mut self, item: &Item, action: Action) -> bool {
        match action {
            Action::Open => {
                let may = self.free > 0 && !self.opening && !self.hold_back(item);
                if may {
                    self.free -= 1;
                    self.opening = true;
                }
                may
            }
            Action::Upload(_) => !self.hold_back(item),
            Action::Find
            | Action::Poll(_)
            | Action::Read(_)
            | Action::LookUp
            | Action::Delete(_) => true,
            Action::WaitUntil(_) | Action::Busy | Action::Finished => false,
        }
    }
}

/// How an item has ended, once it has.
fn end_of(work: &Work) -> Option<ItemStage> {
    if let Some(failure) = work.machine.failure() {
        return Some(ItemStage::Failed {
            reason: failure.message.clone(),
        });
    }
    let bytes = work.archive.bytes;
    work.machine
        .imported()
        .map(|_| ItemStage::Imported { bytes })
}

/// Notifies of something that is tried again, where it is.
fn notify_retry(importing: Importing<'_>, work: &Work, reason: Option<String>) {
    let ports = importing.with.ports;
    let elapsed = ports.clock.elapsed();
    if let (Some(reason), Action::WaitUntil(moment)) = (reason, work.machine.next(elapsed)) {
        let wait = moment.saturating_sub(elapsed);
        ports.progress.on(&Event::Retry {
            what: format!("{} `{}`", work.machine.item(), work.name()),
            attempt: work.machine.attempts(),
            reason,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

fn notify(importing: Importing<'_>, work: &Work, stage: ItemStage) {
    importing.with.ports.progress.on(&Event::Item {
        item: work.machine.item(),
        name: work.name(),
        stage,
    });
}

fn error_of(seen: &Seen) -> Option<&ApiError> {
    match seen {
        Seen::OpenFailed(error)
        | Seen::UploadFailed { error, .. }
        | Seen::StatusFailed(error)
        | Seen::TicketFailed(error)
        | Seen::LookUpFailed(error)
        | Seen::DeleteFailed(error) => Some(error),
        Seen::Opened(_)
        | Seen::NothingFound
        | Seen::CannotFind
        | Seen::Uploaded(_)
        | Seen::Damaged(_)
        | Seen::Status(_)
        | Seen::Ticket(..)
        | Seen::LookedUp(_)
        | Seen::Deleted => None,
    }
}

fn stage_of(seen: &Seen) -> Option<ItemStage> {
    match seen {
        Seen::Uploaded(status) | Seen::Status(status) => Some(ItemStage::Importing {
            percent: percent_of(status),
            message: status.message.clone(),
        }),
        _ => None,
    }
}

fn percent_of(status: &ExportStatus) -> Option<u8> {
    let percent = status.percentage?;
    u8::try_from(percent).ok().filter(|percent| *percent <= 100)
}
