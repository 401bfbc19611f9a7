//! Whose ticket is it? The one rule, pure, used by resume, lost answers, clean-up and giving a run up.
//!
//! The platform's list shows every open ticket of the user, whoever asked for it. A ticket whose start was answered is recorded
//! as ours. A start whose answer was lost may have made one that nobody recorded: a ticket of the same item that was neither
//! there before this run nor is recorded. Where there are more of these than lost starts, somebody else made some of them at the
//! same time, and nobody can say which: then none is named.

use std::collections::BTreeSet;

use crate::model::{ItemKind, ItemRef, Ticket};
use crate::ports::JournalState;
use crate::workflow::item::Ambiguity;

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

/// The tickets that `lost` starts of an item left among those that are `open` now. `before` are those that were open when the
/// run began and were not ours.
pub(crate) fn of_lost_starts(
    item: ItemRef,
    lost: u32,
    open: &[Ticket],
    before: Option<&BTreeSet<Ticket>>,
    checkpoint: &JournalState,
) -> Ownership {
    let (ItemKind::Appliance, Some(before)) = (item.kind, before) else {
        return Ownership::Unknown(Ambiguity::NoList);
    };
    let candidates: BTreeSet<Ticket> = open
        .iter()
        .filter(|ticket| ticket.item == item)
        .filter(|ticket| !before.contains(ticket) && !is_recorded(**ticket, checkpoint))
        .copied()
        .collect();
    if candidates.is_empty() {
        Ownership::Nothing
    } else if candidates.len() > lost as usize {
        Ownership::Unknown(Ambiguity::SomebodyElse)
    } else {
        Ownership::Ours(candidates.into_iter().collect())
    }
}

/// The tickets that are open and not recorded as ours: before the first start, these are somebody else's.
pub(crate) fn of_others(open: &[Ticket], checkpoint: &JournalState) -> BTreeSet<Ticket> {
    let others = open.iter().copied();
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ExportId;
    use crate::testing::{appliance, mysoftware};

    fn ticket((item, id): (i64, i64)) -> Ticket {
        Ticket {
            item: appliance(item),
            id: ExportId::try_from(id).expect("an id"),
        }
    }

    fn tickets() -> impl Strategy<Value = BTreeSet<Ticket>> {
        proptest::collection::btree_set((1..3_i64, 1..9_i64).prop_map(ticket), 0..8)
    }

    proptest! {
        /// Whatever the platform lists and the journal holds.
        #[test]
        fn no_ticket_of_somebody_else_is_named_and_never_more_than_were_lost(
            open in tickets(), before in tickets(), recorded in tickets(), gone in tickets(), lost in 0..4_u32,
        ) {
            let checkpoint = JournalState { open: recorded.clone(), gone: gone.clone(), ..JournalState::default() };
            let listed: Vec<Ticket> = open.iter().copied().collect();
            let found = of_lost_starts(appliance(1), lost, &listed, Some(&before), &checkpoint);
            let candidates: Vec<Ticket> = open.iter().copied()
                .filter(|t| t.item == appliance(1))
                .filter(|t| !before.contains(t) && !recorded.contains(t) && !gone.contains(t))
                .collect();
            match found {
                Ownership::Ours(ours) => {
                    prop_assert!(!ours.is_empty() && ours.len() <= lost as usize);
                    prop_assert_eq!(ours, candidates);
                }
                Ownership::Nothing => prop_assert!(candidates.is_empty()),
                Ownership::Unknown(why) => {
                    prop_assert_eq!(why, Ambiguity::SomebodyElse);
                    prop_assert!(candidates.len() > lost as usize);
                }
            }
        }

        /// What the platform made for us is found, whatever was there before, as long as nobody else exports the same item.
        #[test]
        fn tickets_of_lost_starts_are_found_again(before in tickets(), made in 0..3_u32, unmade in 0..3_u32) {
            let new: Vec<Ticket> = (0..made).map(|n| ticket((1, 100 + i64::from(n)))).collect();
            let open: Vec<Ticket> = before.iter().copied().chain(new.iter().copied()).collect();
            let found = of_lost_starts(appliance(1), made + unmade, &open, Some(&before), &JournalState::default());
            let expected = if made == 0 { Ownership::Nothing } else { Ownership::Ours(new) };
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn without_a_list_nobody_can_say(open in tickets(), lost in 0..4_u32) {
            let open: Vec<Ticket> = open.into_iter().collect();
            let nobody = Ownership::Unknown(Ambiguity::NoList);
            let checkpoint = JournalState::default();
            prop_assert_eq!(of_lost_starts(appliance(1), lost, &open, None, &checkpoint), nobody.clone());
            let found = of_lost_starts(mysoftware(1), lost, &open, Some(&BTreeSet::new()), &checkpoint);
            prop_assert_eq!(found, nobody);
        }
    }

    #[test]
    fn a_ticket_that_was_left_to_the_user_is_not_taken_for_that_of_a_lost_start() {
        let kept = ticket((1, 1));
        let checkpoint = JournalState {
            gone: [kept].into(),
            ..JournalState::default()
        };
        let before = BTreeSet::new();
        let found = of_lost_starts(appliance(1), 1, &[kept], Some(&before), &checkpoint);
        assert_eq!(found, Ownership::Nothing);
    }
}
