//! Whose ticket is it? The one rule, pure, used by resume, lost answers, clean-up and giving a run up, of exports and of imports.
//!
//! The platform's list shows every open ticket of the user, whoever asked for it. A ticket whose request was answered is recorded
//! as ours. A request whose answer was lost may have made one that nobody recorded: a ticket (of the same item, where the list says
//! of which) that was neither there before this run nor is recorded. What the list says of a ticket may show that it is somebody
//! else's all the same: something was done with it that nobody does with a ticket that they do not know of, or it was made long
//! after the request. Where more are left than answers were lost, somebody else made some of them, and nobody can say which: then
//! none is named.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{ItemKind, ItemRef, Ticket};
use crate::ports::{JournalState, OpenTicket};
use crate::workflow::item::Ambiguity;

/// How much later than our request a ticket may say that it was made, and still be that of the request: clocks of two machines
/// differ, and a platform may take as long over a request as we wait for its answer.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What lost starts of an item left on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// These tickets, oldest first; at least one, and no more than starts were lost.
    Ours(Vec<Ticket>),
    /// No ticket.
    Nothing,
    /// Nobody can say.
    Unknown(Ambiguity),
}

/// Requests for a ticket whose answers were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// How many.
    pub(crate) count: u32,
    /// When the last of them was sent, where that is known.
    pub(crate) asked: Option<Timestamp>,
    /// When the list was read.
    pub(crate) now: Timestamp,
}

/// A ticket as the platform lists it, and what that says of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    pub(crate) ticket: T,
    /// When it was made, where the platform says so.
    pub(crate) created: Option<Timestamp>,
    /// Something was done with it that nobody does with a ticket that they do not know of.
    pub(crate) is_used: bool,
}

/// There are more tickets than answers were lost: some are somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The tickets that lost requests left among those that are `listed`. `is_known` says of a ticket that no lost request made it.
pub(crate) fn of_lost_requests<T: Ord>(
    lost: Lost,
    listed: impl IntoIterator<Item = Listed<T>>,
    is_known: impl Fn(&T) -> bool,
) -> Result<BTreeSet<T>, TooMany> {
    let candidates: BTreeSet<T> = listed
        .into_iter()
        .filter(|listed| !listed.is_somebody_else_s(lost.asked, lost.now))
        .map(|listed| listed.ticket)
        .filter(|ticket| !is_known(ticket))
        .collect();
    if candidates.len() > lost.count as usize {
        return Err(TooMany);
    }
    Ok(candidates)
}

impl<T> Listed<T> {
    /// Whether somebody uses it, or it was made so long after the last request that it is that of another. Clocks and time zones of
    /// platforms are not to be trusted: a time that cannot be, before the request or in the future, shows nothing.
    pub(crate) fn is_somebody_else_s(&self, asked: Option<Timestamp>, now: Timestamp) -> bool {
        let is_later = |created: Timestamp, asked: Timestamp| {
            created.duration_since(asked) > WINDOW && created.duration_since(now) <= WINDOW
        };
        let times = self.created.zip(asked);
        self.is_used || times.is_some_and(|(created, asked)| is_later(created, asked))
    }
}

/// The tickets that `lost` starts of an item left among those that are `open` at `now`. `before` are those that were open when the
/// run began and were not ours.
pub(crate) fn of_lost_starts(
    item: ItemRef,
    lost: u32,
    open: &[OpenTicket],
    before: Option<&BTreeSet<Ticket>>,
    checkpoint: &JournalState,
    now: Timestamp,
) -> Ownership {
    let (ItemKind::Appliance, Some(before)) = (item.kind, before) else {
        return Ownership::Unknown(Ambiguity::NoList);
    };
    let lost = Lost {
        count: lost,
        asked: checkpoint.asked(item),
        now,
    };
    let is_foreign = |ticket: &Ticket| {
        let mut known = checkpoint.foreign.iter().chain([before]);
        known.any(|foreign| foreign.contains(ticket))
    };
    let is_known = |ticket: &Ticket| is_foreign(ticket) || is_recorded(*ticket, checkpoint);
    match of_lost_requests(lost, listed(item, open), is_known) {
        Ok(ours) if ours.is_empty() => Ownership::Nothing,
        Ok(ours) => Ownership::Ours(ours.into_iter().collect()),
        Err(TooMany) => Ownership::Unknown(Ambiguity::SomebodyElse),
    }
}

/// The tickets of an item that are not recorded as ours, and of which the list at `now` shows that they are somebody else's.
pub(crate) fn of_somebody_else(
    item: ItemRef,
    open: &[OpenTicket],
    checkpoint: &JournalState,
    now: Timestamp,
) -> Vec<Ticket> {
    let asked = checkpoint.asked(item);
    listed(item, open)
        .filter(|listed| listed.is_somebody_else_s(asked, now))
        .map(|listed| listed.ticket)
        .filter(|ticket| !is_recorded(*ticket, checkpoint))
        .collect()
}

fn listed(item: ItemRef, open: &[OpenTicket]) -> impl Iterator<Item = Listed<Ticket>> {
    let of_item = open.iter().filter(move |open| open.ticket.item == item);
    of_item.map(|open| Listed {
        ticket: open.ticket,
        created: open.created,
        is_used: open.downloaded,
    })
}

/// The tickets that are open and not recorded as ours: before the first start, these are somebody else's.
pub(crate) fn of_others(open: &[OpenTicket], checkpoint: &JournalState) -> BTreeSet<Ticket> {
    let others = open.iter().map(|open| open.ticket);
    others
        .filter(|ticket| !is_recorded(*ticket, checkpoint))
        .collect()
}

/// The tickets of an item that a run can resume with, oldest first.
pub(crate) fn to_resume(item: ItemRef, checkpoint: &JournalState) -> Vec<Ticket> {
    let open = checkpoint.open.iter().copied();
    open.filter(|ticket| ticket.item == item).collect()
}

/// Tickets in answers to our own starts that nobody recorded, because the run ended before.
pub(crate) fn unrecorded(answered: BTreeSet<Ticket>, checkpoint: &JournalState) -> Vec<Ticket> {
    let answered = answered.into_iter();
    answered
        .filter(|ticket| !is_recorded(*ticket, checkpoint))
        .collect()
}

/// Open, deleted, or left to the user: whichever it is, no lost start made it.
fn is_recorded(ticket: Ticket, checkpoint: &JournalState) -> bool {
    checkpoint.open.contains(&ticket) || checkpoint.gone.contains(&ticket)
}

#[cfg(test)]
#[path = "ownership_tests.rs"]
mod tests;
