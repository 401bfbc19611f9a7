//! The platform's own export jobs: a queue before a limited number of slots, and what a ticket says at any moment.
//!
//! Nothing here reads a clock. Every method is given the time that has elapsed; the state of a ticket is a function of what
//! was asked for and of that time.

use std::time::Duration;

use jiff::Timestamp;

use crate::archive::Archive;
use crate::scenario::{Ending, ItemKind, Shown};

/// All tickets of all people.
pub(crate) struct Tickets {
    slots: usize,
    last_id: i64,
    all: Vec<Ticket>,
    /// Until when the queue has been worked off.
    settled: Duration,
    /// How many ran at the same time, at most.
    most: usize,
    /// How many were asked for.
    asked: u64,
    /// Whether exports end at once, and not when their plan says.
    ends_at_once: bool,
}

/// One export job.
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) order: Order,
    pub(crate) created: Timestamp,
    requested: Duration,
    started: Option<Duration>,
    cancelled: Option<Duration>,
    pub(crate) downloads: u32,
}

/// What was asked for, and what the scenario makes of it.
pub(crate) struct Order {
    pub(crate) owner: String,
    pub(crate) kind: ItemKind,
    pub(crate) item: i64,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Of the item as it was when its export was asked for.
    pub(crate) seed: u64,
    pub(crate) archive: Archive,
    /// Asked for by somebody else's client.
    pub(crate) foreign: bool,
    pub(crate) plan: Plan,
}

/// How an export goes once it has a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) takes: Duration,
    pub(crate) end: PlannedEnd,
    pub(crate) shown: Option<Shown>,
}

impl Plan {
    /// The same with an end after so long at the latest.
    fn within(self, longest: Duration) -> Self {
        let (takes, end) = match self.end {
            PlannedEnd::Never => (longest, PlannedEnd::Archive),
            end => (self.takes.min(longest), end),
        };
        Self { takes, end, ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedEnd {
    Archive,
    Failure(Ending),
    Never,
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    Queued,
    /// From 0 to 1.
    Running(f64),
    Complete,
    Failed(Ending),
    /// By its owner.
    Cancelled,
}

impl Phase {
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running(_))
    }
}

impl Ticket {
    fn planned_end(&self) -> Option<Duration> {
        match self.order.plan.end {
            PlannedEnd::Never => None,
            PlannedEnd::Archive | PlannedEnd::Failure(_) => {
                Some(self.started? + self.order.plan.takes)
            }
        }
    }

    fn holds_slot(&self, at: Duration) -> bool {
        self.started.is_some()
            && self.cancelled.is_none()
            && self.planned_end().is_none_or(|end| end > at)
    }

    pub(crate) fn phase(&self, elapsed: Duration) -> Phase {
        if self.cancelled.is_some() {
            return Phase::Cancelled;
        }
        let Some(started) = self.started.filter(|started| *started <= elapsed) else {
            return Phase::Queued;
        };
        match (
            self.planned_end().filter(|end| *end <= elapsed),
            self.order.plan.end,
        ) {
            (Some(_), PlannedEnd::Failure(ending)) => Phase::Failed(ending),
            (Some(_), _) => Phase::Complete,
            (None, _) => Phase::Running(share(
                elapsed.saturating_sub(started).as_secs_f64(),
                self.order.plan.takes.as_secs_f64(),
            )),
        }
    }

    /// The percentage that a status shows, if any.
    pub(crate) fn percentage(&self, elapsed: Duration) -> Option<i64> {
        let phase = self.phase(elapsed);
        let done = match phase {
            Phase::Queued => 0.0,
            Phase::Running(share) => share,
            Phase::Complete => 1.0,
            Phase::Failed(_) | Phase::Cancelled => 0.55,
        };
        match self.order.plan.shown.filter(|_| !phase.is_over()) {
            None => Some(percent(done)),
            Some(Shown::Stuck(value)) => Some(value),
            Some(Shown::Backwards) => Some(percent(1.0 - done)),
            Some(Shown::Nothing) => None,
        }
    }
}

fn share(done: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (done / whole).clamp(0.0, 0.99)
    } else {
        0.0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
fn percent(share: f64) -> i64 {
    (share * 100.0) as i64
}

impl Tickets {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            last_id: 1000,
            all: Vec::new(),
            settled: Duration::ZERO,
            most: 0,
            asked: 0,
            ends_at_once: false,
        }
    }

    pub(crate) fn ask(
        &mut self,
        mut order: Order,
        elapsed: Duration,
        created: Timestamp,
    ) -> &Ticket {
        self.settle(elapsed);
        // Other people's exports take numbers too.
        self.asked += 1;
        self.last_id += 1 + (self.last_id % 3);
        if self.ends_at_once {
            order.plan = order.plan.within(Duration::ZERO);
        }
        let ticket = Ticket {
            id: self.last_id,
            order,
            created,
            requested: elapsed,
            started: None,
            cancelled: None,
            downloads: 0,
        };
        self.all.push(ticket);
        self.settle(elapsed);
        &self.all[self.all.len() - 1]
    }

    /// Gives every free slot to who waits longest, at the moment at which it became free.
    pub(crate) fn settle(&mut self, elapsed: Duration) {
        while let Some(next) = self
            .all
            .iter()
            .position(|ticket| ticket.started.is_none() && ticket.cancelled.is_none())
        {
            let running = self
                .all
                .iter()
                .filter(|ticket| ticket.holds_slot(self.settled));
            let running_now = running.clone().count();
            if running_now < self.slots {
                self.most = self.most.max(running_now + 1);
                self.all[next].started = Some(self.settled.max(self.all[next].requested));
            } else if let Some(freed) = running
                .filter_map(Ticket::planned_end)
                .min()
                .filter(|end| *end <= elapsed)
            {
                self.settled = freed;
            } else {
                break;
            }
        }
        self.settled = self.settled.max(elapsed);
    }

    pub(crate) fn of_item(
        &self,
        owner: &str,
        kind: ItemKind,
        item: i64,
    ) -> impl Iterator<Item = &Ticket> {
        self.iter().filter(move |ticket| {
            let order = &ticket.order;
            order.owner == owner && order.kind == kind && order.item == item
        })
    }

    /// How many have run at the same time since the platform came to life, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most
    }

    /// How many were asked for since the platform came to life, the foreign among them.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ticket> {
        self.all.iter()
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Ticket> {
        self.all.iter_mut().find(|ticket| ticket.id == id)
    }

    /// Exports that wait or run end now, and later ones at once, as their plan says how.
    pub(crate) fn let_end(&mut self, elapsed: Duration) {
        self.settle(elapsed);
        self.ends_at_once = true;
        for ticket in &mut self.all {
            let ran = elapsed.saturating_sub(ticket.started.unwrap_or(elapsed));
            ticket.order.plan = ticket.order.plan.within(ran);
        }
        self.settle(elapsed);
    }

    /// Exports that are asked for from now on take as long as their plan says.
    pub(crate) fn hold(&mut self) {
        self.ends_at_once = false;
    }

    pub(crate) fn cancel(&mut self, id: i64, elapsed: Duration) {
        self.settle(elapsed);
        if let Some(ticket) = self.get_mut(id) {
            ticket.cancelled = Some(elapsed);
        }
        self.settle(elapsed);
    }

    pub(crate) fn delete(&mut self, id: i64, elapsed: Duration) {
        self.settle(elapsed);
        self.all.retain(|ticket| ticket.id != id);
        self.settle(elapsed);
    }
}

#[cfg(test)]
mod tests;
