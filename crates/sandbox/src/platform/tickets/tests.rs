use proptest::prelude::*;

use super::*;
use crate::archive::Archive;

const SECOND: Duration = Duration::from_secs(1);

fn order(item: i64, end: PlannedEnd) -> Order {
    Order {
        owner: "jo".to_owned(),
        kind: ItemKind::Appliance,
        item,
        name: "web".to_owned(),
        version: "1".to_owned(),
        seed: 1,
        archive: Archive::build(vec![]).unwrap(),
        foreign: false,
        plan: Plan {
            takes: SECOND,
            end,
            shown: None,
        },
    }
}

fn phases(tickets: &Tickets, elapsed: Duration) -> Vec<Phase> {
    tickets.iter().map(|ticket| ticket.phase(elapsed)).collect()
}

#[test]
fn exports_wait_for_a_slot_and_start_when_one_becomes_free() {
    let mut tickets = Tickets::new(2);
    for item in 1..=3 {
        tickets.ask(
            order(item, PlannedEnd::Archive),
            Duration::ZERO,
            Timestamp::UNIX_EPOCH,
        );
    }
    assert_eq!(
        phases(&tickets, SECOND / 2),
        [Phase::Running(0.5), Phase::Running(0.5), Phase::Queued]
    );
    tickets.settle(SECOND * 3 / 2);
    assert_eq!(
        phases(&tickets, SECOND * 3 / 2),
        [Phase::Complete, Phase::Complete, Phase::Running(0.5)]
    );
    tickets.settle(SECOND * 2);
    assert_eq!(phases(&tickets, SECOND * 2)[2], Phase::Complete);
}

#[test]
fn the_most_that_ran_at_once_is_counted() {
    let mut tickets = Tickets::new(2);
    for item in 1..=3 {
        let order = order(item, PlannedEnd::Archive);
        tickets.ask(order, Duration::ZERO, Timestamp::UNIX_EPOCH);
    }
    assert_eq!(tickets.most_at_once(), 2);
    tickets.settle(SECOND * 3);
    let order = order(4, PlannedEnd::Archive);
    tickets.ask(order, SECOND * 3, Timestamp::UNIX_EPOCH);
    assert_eq!((tickets.most_at_once(), tickets.asked()), (2, 4));
}

#[test]
fn nobody_looking_does_not_hold_the_queue_up() {
    let mut tickets = Tickets::new(1);
    for item in 1..=5 {
        tickets.ask(
            order(item, PlannedEnd::Archive),
            Duration::ZERO,
            Timestamp::UNIX_EPOCH,
        );
    }
    tickets.settle(SECOND * 5);
    assert!(
        phases(&tickets, SECOND * 5)
            .iter()
            .all(|phase| *phase == Phase::Complete)
    );
}

#[test]
fn an_export_that_never_ends_keeps_its_slot_until_it_is_cancelled() {
    let mut tickets = Tickets::new(1);
    let stuck = tickets
        .ask(
            order(1, PlannedEnd::Never),
            Duration::ZERO,
            Timestamp::UNIX_EPOCH,
        )
        .id;
    tickets.ask(
        order(2, PlannedEnd::Archive),
        Duration::ZERO,
        Timestamp::UNIX_EPOCH,
    );
    tickets.settle(SECOND * 100);
    assert_eq!(
        phases(&tickets, SECOND * 100),
        [Phase::Running(0.99), Phase::Queued]
    );
    tickets.cancel(stuck, SECOND * 100);
    tickets.settle(SECOND * 101);
    assert_eq!(
        phases(&tickets, SECOND * 101),
        [Phase::Cancelled, Phase::Complete]
    );
}

#[test]
fn exports_that_are_let_end_do_so_now_and_later_ones_at_once_until_they_are_held_again() {
    let mut tickets = Tickets::new(1);
    let ask = |tickets: &mut Tickets, item, end, at| {
        tickets.ask(order(item, end), at, Timestamp::UNIX_EPOCH);
    };
    ask(&mut tickets, 1, PlannedEnd::Never, Duration::ZERO);
    ask(&mut tickets, 2, PlannedEnd::Never, Duration::ZERO);
    tickets.let_end(SECOND * 10);
    let failure = PlannedEnd::Failure(Ending::Error);
    ask(&mut tickets, 3, failure, SECOND * 10);
    let ended = [
        Phase::Complete,
        Phase::Complete,
        Phase::Failed(Ending::Error),
    ];
    assert_eq!(phases(&tickets, SECOND * 10), ended);
    tickets.hold();
    ask(&mut tickets, 4, PlannedEnd::Never, SECOND * 10);
    tickets.settle(SECOND * 99);
    assert_eq!(phases(&tickets, SECOND * 99)[3], Phase::Running(0.99));
}

#[test]
fn a_deleted_ticket_gives_its_slot_back() {
    let mut tickets = Tickets::new(1);
    let first = tickets
        .ask(
            order(1, PlannedEnd::Archive),
            Duration::ZERO,
            Timestamp::UNIX_EPOCH,
        )
        .id;
    tickets.ask(
        order(2, PlannedEnd::Failure(Ending::Error)),
        Duration::ZERO,
        Timestamp::UNIX_EPOCH,
    );
    tickets.delete(first, SECOND / 2);
    assert_eq!(phases(&tickets, SECOND / 2), [Phase::Running(0.0)]);
    assert_eq!(phases(&tickets, SECOND * 2), [Phase::Failed(Ending::Error)]);
}

#[test]
fn the_percentage_is_what_the_scenario_says_until_the_end() {
    let shown = |shown, elapsed| {
        let mut tickets = Tickets::new(1);
        let mut order = order(1, PlannedEnd::Archive);
        order.plan.shown = shown;
        tickets
            .ask(order, Duration::ZERO, Timestamp::UNIX_EPOCH)
            .percentage(elapsed)
    };
    assert_eq!(shown(None, SECOND / 4), Some(25));
    assert_eq!(shown(Some(Shown::Stuck(-1)), SECOND / 4), Some(-1));
    assert_eq!(shown(Some(Shown::Backwards), SECOND / 4), Some(75));
    assert_eq!(shown(Some(Shown::Nothing), SECOND / 4), None);
    assert_eq!(shown(Some(Shown::Stuck(10)), SECOND), Some(100));
}

proptest! {
    #[test]
    fn there_are_never_more_running_than_slots_and_all_end_in_time(slots in 1usize..4, asked in proptest::collection::vec(0u64..5_000, 1..12)) {
        let mut tickets = Tickets::new(slots);
        let mut moments = asked.clone();
        moments.sort_unstable();
        for moment in &moments {
            tickets.ask(order(1, PlannedEnd::Archive), Duration::from_millis(*moment), Timestamp::UNIX_EPOCH);
        }
        let end = Duration::from_millis(moments[moments.len() - 1]) + SECOND * u32::try_from(asked.len()).unwrap();
        tickets.settle(end);
        for moment in (0..u64::try_from(end.as_millis()).unwrap()).step_by(97).map(Duration::from_millis) {
            let running = tickets.iter().filter(|ticket| matches!(ticket.phase(moment), Phase::Running(_))).count();
            prop_assert!(running <= slots);
        }
        prop_assert!(phases(&tickets, end).iter().all(|phase| *phase == Phase::Complete));
    }
}
