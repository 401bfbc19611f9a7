//! An import that is killed, or given up, at any instant.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::ports::ImportFact;
use crate::testing::{ImportCall, ImportScript, appliance};
use crate::workflow::import::abandon_import;

/// Kills a run after so many steps, and runs it to its end. `false` once it ended before the kill.
fn killed_after(world: &World, polls: usize, give_up: bool) -> bool {
    let nothing = MemoryJournal::default();
    let run = import(world.ports(&nothing), &world.order);
    if world.clock.run_for(polls, run).is_some() {
        return false;
    }
    if give_up {
        let nothing = MemoryJournal::default();
        let abandoned = abandon_import(world.ports(&nothing), &world.order);
        let abandoned = world.clock.run(abandoned).expect("it is abandoned");
        assert_eq!(abandoned.left, 0);
        assert_eq!(world.platform.tickets(), [], "after {polls} steps");
    }
    let outcome = world.import();
    assert_eq!(outcome.failed, [], "after {polls} steps");
    assert_eq!(outcome.skipped, [], "after {polls} steps");
    assert_eq!(imported(&outcome).len(), 5, "after {polls} steps");
    world.check_all_there();
    true
}

fn at_every_instant(prepare: impl Fn(&World), give_up: bool) {
    for polls in 0.. {
        let world = world();
        prepare(&world);
        if !killed_after(&world, polls, give_up) {
            assert!(polls > 20, "it ended after {polls} steps");
            break;
        }
    }
}

#[test]
fn killed_at_any_instant_nothing_is_missing_or_there_twice_and_no_ticket_is_left() {
    at_every_instant(|_| {}, false);
}

#[test]
fn given_up_at_any_instant_it_leaves_no_ticket_and_is_resumed() {
    at_every_instant(|_| {}, true);
}

#[test]
fn given_up_while_the_platform_makes_a_ticket_it_leaves_none() {
    for polls in 0.. {
        let world = world();
        let lost = ImportScript::LoseAnswer;
        world
            .platform
            .script(1, opens_of(ItemKind::Appliance), lost);
        // The first list comes before any ticket. It is asked for the next one when it is killed.
        let listed = AtomicU32::new(0);
        let later = move |call: &ImportCall| {
            *call == ImportCall::OpenImports && listed.fetch_add(1, Ordering::Relaxed) > 0
        };
        let busy = ImportScript::Refuse(ApiError::Overloaded {
            request: "x".to_owned(),
            status: 503,
            proxy: None,
            message: None,
            retry_after: None,
        });
        world.platform.script(3, later, busy);
        let nothing = MemoryJournal::default();
        let run = import(world.ports(&nothing), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            assert!(polls > 20, "it ended after {polls} steps");
            break;
        }
        let lists = |call: &ImportCall| *call == ImportCall::OpenImports;
        world.platform.script(2, lists, ImportScript::HideNewest);
        let abandoned = abandon_import(world.ports(&nothing), &world.order);
        let abandoned = world.clock.run(abandoned).expect("it is abandoned");
        assert_eq!(abandoned.left, 0);
        assert_eq!(world.platform.tickets(), [], "after {polls} steps");
    }
}

#[test]
fn killed_at_any_instant_of_a_bad_day() {
    at_every_instant(
        |world| {
            let appliances = || uploads_of(ItemKind::Appliance);
            let lost = ImportScript::LoseAnswer;
            world
                .platform
                .script(1, opens_of(ItemKind::Appliance), lost.clone());
            world
                .platform
                .script(1, appliances(), ImportScript::BreakOff(8));
            world.platform.script(1, appliances(), lost.clone());
            world
                .platform
                .script(1, uploads_of(ItemKind::MySoftware), lost);
        },
        false,
    );
}

#[test]
fn what_is_done_is_not_done_again_even_where_the_platform_forgot_it() {
    let world = world();
    let words = ImportScript::EndWith("no space left");
    world
        .platform
        .script(1, uploads_of(ItemKind::Appliance), words);
    assert_eq!(imported(&world.import()).len(), 4);
    let uploads = world.uploads();
    assert_eq!(imported(&world.import()).len(), 5);
    assert_eq!(world.uploads(), uploads + 1);
}

#[test]
fn an_overwritten_appliance_is_distinguished_from_what_was_there() {
    for polls in (0..400).step_by(3) {
        let mut world = world();
        world.order.on_conflict = OnConflict::Overwrite;
        world.platform.add(ItemKind::Appliance, "shop", "1.0");
        if !killed_after(&world, polls, false) {
            break;
        }
    }
}

/// It was taken for the import's own: sent to, and then deleted.
#[test]
fn somebody_else_s_ticket_of_an_hour_later_is_left_alone() {
    for give_up in [false, true] {
        let world = world();
        let nothing = MemoryJournal::default();
        let at = Some(crate::ports::Clock::now(&world.clock));
        for fact in [
            ImportFact::Foreign { tickets: vec![] },
            ImportFact::Intent {
                item: appliance(201),
                at,
            },
        ] {
            world
                .clock
                .run(world.journal.record(fact))
                .expect("it is recorded");
        }
        let hour = crate::ports::Clock::sleep(&world.clock, std::time::Duration::from_hours(1));
        world.clock.run(hour);
        let ports = world.ports(&nothing);
        let theirs = ports
            .imports
            .open_import(ItemKind::Appliance, world.order.options());
        let theirs = world.clock.run(theirs).expect("a ticket").ticket;
        if give_up {
            let abandoned = abandon_import(ports, &world.order);
            world.clock.run(abandoned).expect("it is abandoned");
        } else {
            assert_eq!(world.import().failed, []);
        }
        assert_eq!(world.platform.tickets(), [theirs]);
    }
}
