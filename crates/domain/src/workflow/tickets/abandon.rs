//! Giving a run up for good: its tickets on the platform are deleted.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::delete::stop_and_delete;
use super::lost::unresolved_note;
use super::ownership::{Ownership, of_lost_starts, unrecorded};
use crate::model::{ItemRef, Ticket};
use crate::ports::{ApiError, Fact, Journal, JournalState, UserDataApi};
use crate::workflow::attempt::is_no_content;
use crate::workflow::context::Ports;
use crate::workflow::item::Ambiguity;

/// What giving a run up came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abandoned {
    /// Tickets that were deleted.
    pub deleted: Vec<Ticket>,
    /// Tickets that are still on the platform, each with the reason.
    pub left: Vec<(Ticket, ApiError)>,
    /// Starts whose ticket could not be found: one may be left of each.
    pub unresolved: Vec<Unresolved>,
}

/// A start that was sent, and whose ticket could not be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// What was to be exported.
    pub item: ItemRef,
    /// The sentence that a report says of it.
    pub note: String,
    /// The list of tickets could not be read: its ticket may be found when it can be.
    pub may_be_found: bool,
}

impl Unresolved {
    fn of(item: ItemRef, why: &Ambiguity) -> Self {
        Self {
            item,
            note: unresolved_note(item, why),
            may_be_found: matches!(why, Ambiguity::Unreadable(_)),
        }
    }
}

impl Abandoned {
    /// How many tickets of the run are still on the platform, or may be found there later. Where the journal could not be written, it
    /// still holds tickets that were deleted.
    pub fn still_open(&self, checkpoint: &JournalState) -> usize {
        let open = checkpoint.open.iter();
        let open = open.filter(|ticket| !self.deleted.contains(ticket));
        let unread = self.unresolved.iter().filter(|start| start.may_be_found);
        open.count() + unread.count()
    }
}

/// Stops and deletes this run's tickets on the platform: every one that the journal has as open; those in `answered`, the answers
/// to our starts that came after the run had ended; and those of starts that were never answered, where they can be distinguished
/// from somebody else's, which are left alone. One attempt each, all at once, since people wait for it. A journal that cannot
/// be written stops nothing.
pub async fn abandon(ports: Ports<'_>, answered: BTreeSet<Ticket>) -> Abandoned {
    let unrecorded = record(ports.journal, answered).await;
    let checkpoint = ports.journal.checkpoint();
    let (found, unresolved) = look_up_lost(ports, &checkpoint, &unrecorded).await;
    let mut abandoned = Abandoned {
        unresolved,
        ..Abandoned::default()
    };
    let open = checkpoint.open.iter().copied();
    let tickets: BTreeSet<Ticket> = open.chain(unrecorded).chain(found).collect();
    let mut answers: FuturesUnordered<_> = tickets
        .into_iter()
        .map(|ticket| async move { (ticket, stop_and_delete(ports.api, ticket).await) })
        .collect();
    while let Some((ticket, answer)) = answers.next().await {
        match answer {
            Ok(()) => {
                // Where the journal's disk is full, the other tickets must be deleted all the same.
                let _ = ports.journal.record(Fact::Gone { ticket }).await;
                abandoned.deleted.push(ticket);
            }
            Err(error) => abandoned.left.push((ticket, error)),
        }
    }
    abandoned
}

/// Records the tickets in answers that came after the run had ended, so that the next run resumes with them. One that the
/// journal cannot hold is deleted: nobody would find it again. Returns those that are left on the platform, each with the reason.
pub async fn record_answers(
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    answered: BTreeSet<Ticket>,
) -> Vec<(Ticket, ApiError)> {
    let mut left = Vec::new();
    for ticket in record(journal, answered).await {
        if let Err(error) = stop_and_delete(api, ticket).await {
            left.push((ticket, error));
        }
    }
    left
}

/// Records answers, and returns those that could not be recorded.
async fn record(journal: &dyn Journal, answered: BTreeSet<Ticket>) -> Vec<Ticket> {
    let mut failed = Vec::new();
    for ticket in unrecorded(answered, &journal.checkpoint()) {
        if journal.record(Fact::Started { ticket }).await.is_err() {
            failed.push(ticket);
        }
    }
    failed
}

/// The tickets of starts that were never answered, and the items of which none could be found. A start that is still being
/// worked on may not be listed yet, so an item without a ticket stays unresolved.
async fn look_up_lost(
    ports: Ports<'_>,
    checkpoint: &JournalState,
    answered: &[Ticket],
) -> (Vec<Ticket>, Vec<Unresolved>) {
    let (mut found, mut unresolved) = (Vec::new(), Vec::new());
    let is_answered = |item: &ItemRef| answered.iter().any(|ticket| ticket.item == *item);
    let lost: Vec<ItemRef> = checkpoint
        .intents
        .iter()
        .copied()
        .filter(|item| !is_answered(item))
        .collect();
    if lost.is_empty() {
        return (found, unresolved);
    }
    let (open, not_there) = match ports.api.open_tickets().await {
        Ok(open) => (open, Ambiguity::NotListed),
        Err(error) if is_no_content(&error) => (Vec::new(), Ambiguity::NotListed),
        Err(error) => (Vec::new(), Ambiguity::Unreadable(error)),
    };
    let (before, now) = (checkpoint.foreign.as_ref(), ports.clock.now());
    for item in lost {
        // The journal holds one intent of an item at a time.
        match of_lost_starts(item, 1, &open, before, checkpoint, now) {
            Ownership::Ours(ours) => found.extend(ours),
            Ownership::Nothing => unresolved.push(Unresolved::of(item, &not_there)),
            Ownership::Unknown(why) => unresolved.push(Unresolved::of(item, &why)),
        }
    }
    (found, unresolved)
}
