//! When the platform is asked how far its exports are: one request for many tickets, and never too often. Values, time an argument.

use std::time::Duration;

use crate::model::{ItemKind, Ticket};
use crate::workflow::Limits;
use crate::workflow::pace::Look;

/// An export that is waited for: whose, with which ticket, and when it is to be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) index: usize,
    pub(super) ticket: Ticket,
    pub(super) look: Look,
}

/// One request for statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    One(usize, Ticket),
    Many(Vec<(usize, Ticket)>),
}

/// What is to be asked now, and when to look again.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    pub(super) asks: Vec<Ask>,
    pub(super) wake: Option<Duration>,
}

/// The requests for statuses so far.
#[derive(Clone, Debug)]
pub(super) struct Polls {
    /// Tickets in one request.
    at_once: usize,
    /// Whether the platform answers for many tickets in one request, as far as is known.
    has_batch: bool,
    /// When it was asked last, and how many requests that took.
    last: Option<(Duration, usize)>,
}

impl Polls {
    /// `user_bytes` is the length of the user's name, which every ticket's address holds.
    pub(super) fn new(user_bytes: usize) -> Self {
        // `ae=users%2F…%2Fappliances%2F…%2Fexports%2F…&`, with each byte of the name in its longest form.
        let each = 64 + 3 * user_bytes;
        Self {
            at_once: (Limits::STATUSES_ADDRESS / each).clamp(1, Limits::STATUSES_AT_ONCE),
            has_batch: true,
            last: None,
        }
    }

    /// The platform does not answer for many at once.
    pub(super) fn has_no_batch(&mut self) {
        self.has_batch = false;
    }

    /// Forms the requests that are due, in each as many tickets as it takes.
    pub(super) fn round(&mut self, elapsed: Duration, waiting: &[Waiting]) -> Round {
        let Some(moment) = self.moment(waiting) else {
            return Round::default();
        };
        if moment > elapsed {
            return Round {
                asks: Vec::new(),
                wake: Some(moment),
            };
        }
        let asks = self.asks(elapsed, waiting);
        self.last = Some((elapsed, asks.len()));
        let is_asked = |index: usize| asks.iter().any(|ask| ask.holds(index));
        let left: Vec<Waiting> = waiting
            .iter()
            .filter(|waiting| !is_asked(waiting.index))
            .copied()
            .collect();
        Round {
            wake: self.moment(&left),
            asks,
        }
    }

    /// When to ask next. Of those that are due soon after the first, the last decides: they are asked for together.
    fn moment(&self, waiting: &[Waiting]) -> Option<Duration> {
        let first = |is_prompt: bool, gap: Duration| {
            let such = waiting
                .iter()
                .filter(move |waiting| waiting.look.is_prompt == is_prompt)
                .map(|waiting| waiting.look.due);
            let first = such.clone().min()?;
            let together = such
                .filter(|due| *due <= first + Limits::POLL_GAP_PROMPT)
                .max()?;
            Some(together.max(self.next_after(gap)))
        };
        let prompt = first(true, Limits::POLL_GAP_PROMPT);
        let calm = first(false, Limits::POLL_GAP);
        prompt.into_iter().chain(calm).min()
    }

    fn next_after(&self, gap: Duration) -> Duration {
        let Some((at, requests)) = self.last else {
            return Duration::ZERO;
        };
        let further = u32::try_from(requests.saturating_sub(1)).unwrap_or(u32::MAX);
        at + gap + Limits::POLL_GAP_EACH * further
    }

    /// The requests of one round, no more than may be under way at once; those that are due longest first.
    fn asks(&self, elapsed: Duration, waiting: &[Waiting]) -> Vec<Ask> {
        let mut in_order: Vec<&Waiting> = waiting.iter().collect();
        in_order.sort_by_key(|waiting| waiting.look.due);
        let (many, single): (Vec<&Waiting>, Vec<&Waiting>) = in_order
            .into_iter()
            .filter(|waiting| waiting.look.earliest <= elapsed)
            .partition(|waiting| self.has_batch && waiting.ticket.item.kind == ItemKind::Appliance);
        let is_due = |waiting: &&Waiting| waiting.look.due <= elapsed;
        let together = many
            .chunks(self.at_once)
            .filter(|some| some.iter().any(&is_due))
            .map(|some| match some {
                [only] => Ask::One(only.index, only.ticket),
                some => Ask::Many(some.iter().map(|w| (w.index, w.ticket)).collect()),
            });
        let single = single.into_iter().filter(is_due);
        together
            .chain(single.map(|waiting| Ask::One(waiting.index, waiting.ticket)))
            .take(Limits::STATUSES_SIDE_BY_SIDE)
            .collect()
    }
}

impl Ask {
    fn holds(&self, index: usize) -> bool {
        match self {
            Self::One(one, _) => *one == index,
            Self::Many(many) => many.iter().any(|(one, _)| *one == index),
        }
    }

    /// Whom it is about.
    pub(super) fn indices(&self) -> Vec<usize> {
        match self {
            Self::One(index, _) => vec![*index],
            Self::Many(many) => many.iter().map(|(index, _)| *index).collect(),
        }
    }
}
