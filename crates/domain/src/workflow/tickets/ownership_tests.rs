use proptest::prelude::*;

use super::*;
use crate::model::ExportId;
use crate::ports::{ExportStatus, Fact};
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

fn moment(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minutes * 60).expect("a time")
}

/// The run asked an hour ago.
fn now() -> Timestamp {
    moment(60)
}

fn asked(at: Timestamp) -> JournalState {
    JournalState {
        lost: [(appliance(1), at)].into(),
        ..JournalState::default()
    }
}

fn listed(ticket: Ticket, created: Option<Timestamp>, downloaded: bool) -> OpenTicket {
    OpenTicket {
        ticket,
        status: ExportStatus::default(),
        created,
        downloaded,
    }
}

/// Tickets of which the list says nothing.
fn silent(tickets: impl IntoIterator<Item = Ticket>) -> Vec<OpenTicket> {
    let tickets = tickets.into_iter();
    tickets.map(|ticket| listed(ticket, None, false)).collect()
}

/// What a platform may say of when a ticket was made, an hour after the request: nothing; nonsense; and times around it.
fn created() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        Just(None),
        Just(Some(Timestamp::UNIX_EPOCH)),
        Just(Some(Timestamp::MIN)),
        Just(Some(Timestamp::MAX)),
        (-60..120_i64).prop_map(|minutes| Some(moment(minutes))),
    ]
}

/// Tickets, each with what the list says of it.
fn described() -> impl Strategy<Value = Vec<OpenTicket>> {
    let said = (
        tickets(),
        proptest::collection::vec((created(), any::<bool>()), 8),
    );
    said.prop_map(|(tickets, said)| {
        let of_all = tickets.into_iter().zip(said);
        let of_all = of_all.map(|(ticket, (at, downloaded))| listed(ticket, at, downloaded));
        of_all.collect()
    })
}

fn of(lost: u32, open: &[OpenTicket], checkpoint: &JournalState) -> Ownership {
    let before = BTreeSet::new();
    of_lost_starts(appliance(1), lost, open, Some(&before), checkpoint, now())
}

proptest! {
    /// Whatever the platform lists and the journal holds.
    #[test]
    fn no_ticket_of_somebody_else_is_named_and_never_more_than_were_lost(
        open in described(), before in tickets(), recorded in tickets(), gone in tickets(), lost in 0..4_u32,
        is_known in any::<bool>(),
    ) {
        let asked = is_known.then(|| (appliance(1), moment(0)));
        let checkpoint = JournalState {
            open: recorded.clone(),
            gone: gone.clone(),
            lost: asked.into_iter().collect(),
            ..JournalState::default()
        };
        let found = of_lost_starts(appliance(1), lost, &open, Some(&before), &checkpoint, now());
        let is_later = |at: Timestamp| is_known && at > moment(15) && at <= moment(75);
        let candidates: Vec<Ticket> = open.iter()
            .filter(|t| !(t.downloaded || t.created.is_some_and(is_later)))
            .map(|t| t.ticket)
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

    /// What the platform made for us is found, whatever was there before, as long as nobody else exports the same item: within the
    /// window of two clocks, and where the platform says no time that can be.
    #[test]
    fn tickets_of_lost_starts_are_found_again(
        before in tickets(), made in 0..3_u32, unmade in 0..3_u32, later in -15..=15_i64, said in created(),
    ) {
        let new: Vec<Ticket> = (0..made).map(|n| ticket((1, 100 + i64::from(n)))).collect();
        let may_be = |at: Timestamp| at <= moment(15) || at > moment(75);
        for at in [Some(moment(later)), said.filter(|at| may_be(*at))] {
            let open: Vec<_> = silent(before.iter().copied()).into_iter()
                .chain(new.iter().map(|ticket| listed(*ticket, at, false)))
                .collect();
            let lost = made + unmade;
            let found = of_lost_starts(appliance(1), lost, &open, Some(&before), &asked(moment(0)), now());
            let expected = if made == 0 { Ownership::Nothing } else { Ownership::Ours(new.clone()) };
            prop_assert_eq!(found, expected);
        }
    }

    /// Where the journal does not say when it was asked, no time that the platform says means anything.
    #[test]
    fn times_mean_nothing_where_nobody_knows_when_it_was_asked(open in described(), lost in 0..4_u32) {
        let untimed: Vec<_> = open.iter().map(|open| OpenTicket { created: None, ..open.clone() }).collect();
        let checkpoint = JournalState::default();
        prop_assert_eq!(of(lost, &open, &checkpoint), of(lost, &untimed, &checkpoint));
    }

    #[test]
    fn without_a_list_nobody_can_say(open in described(), lost in 0..4_u32) {
        let nobody = Ownership::Unknown(Ambiguity::NoList);
        let checkpoint = asked(moment(0));
        let found = of_lost_starts(appliance(1), lost, &open, None, &checkpoint, now());
        prop_assert_eq!(found, nobody.clone());
        let found = of_lost_starts(mysoftware(1), lost, &open, Some(&BTreeSet::new()), &checkpoint, now());
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
    assert_eq!(of(1, &silent([kept]), &checkpoint), Ownership::Nothing);
}

/// Nobody downloads what they do not know of.
#[test]
fn a_ticket_that_was_downloaded_is_somebody_else_s() {
    let (theirs, ours) = (ticket((1, 1)), ticket((1, 2)));
    let open = [listed(theirs, None, true), listed(ours, None, false)];
    let checkpoint = JournalState::default();
    assert_eq!(of(1, &open, &checkpoint), Ownership::Ours(vec![ours]));
    assert_eq!(of(1, &open[..1], &checkpoint), Ownership::Nothing);
}

#[test]
fn a_ticket_that_was_made_long_after_the_start_is_somebody_else_s() {
    let (theirs, ours) = (ticket((1, 1)), ticket((1, 2)));
    let open = [
        listed(theirs, Some(moment(50)), false),
        listed(ours, Some(moment(1)), false),
    ];
    let checkpoint = asked(moment(0));
    assert_eq!(of(1, &open, &checkpoint), Ownership::Ours(vec![ours]));
    assert_eq!(of(1, &open[..1], &checkpoint), Ownership::Nothing);
}

/// Of a start that was answered, no ticket is to be looked for: what counts is when the last of the others was sent.
#[test]
fn a_start_that_was_answered_moves_no_moment() {
    let item = appliance(1);
    let mut checkpoint = JournalState::default();
    let at = |minutes| Some(moment(minutes));
    let intent = |minutes| Fact::Intent {
        item,
        at: at(minutes),
    };
    let ticket = ticket((1, 9));
    let facts = [
        (intent(0), at(0)),
        (Fact::NotStarted { item, lost: true }, at(0)),
        (intent(30), at(30)),
        (Fact::NotStarted { item, lost: false }, at(0)),
        (intent(40), at(40)),
        (Fact::Started { ticket }, at(0)),
        (Fact::Intent { item, at: None }, None),
        (Fact::NotStarted { item, lost: true }, None),
    ];
    for (fact, asked) in facts {
        checkpoint.apply(&fact);
        assert_eq!(checkpoint.asked(item), asked, "{fact:?}");
    }
}
