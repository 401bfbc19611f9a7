//! Starts whose answers were lost.

use super::*;
use crate::model::{ItemRef, TicketPolicy};
use crate::ports::{ApiError, Clock as _, Fact, Journal};
use crate::report::Outcome;
use crate::testing::{Call, Script, appliance, mysoftware};
use crate::workflow::{RunError, export};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn a_start_whose_answer_was_lost_is_found_and_not_repeated() {
    let world = world(&[appliance(1)]);
    let foreign = world.platform.foreign_ticket(appliance(1));
    world
        .platform
        .script(1, starts_of(appliance(1)), Script::LoseAnswer);
    world.complete();
    assert_eq!(world.platform.count(starts_of(appliance(1))), 1);
    assert_eq!(
        world.platform.tickets(),
        [foreign],
        "somebody else's ticket is left alone"
    );
}

#[test]
fn a_software_start_whose_answer_was_lost_is_reported() {
    let world = world(&[mysoftware(1)]);
    world
        .platform
        .script(1, starts_of(mysoftware(1)), Script::LoseAnswer);
    let outcome = world.complete();
    assert!(
        outcome
            .report
            .notes
            .iter()
            .any(|note| note.contains("may be left on the platform"))
    );
    assert!(world.archive_of(mysoftware(1)).is_some());
}

/// The first run gets a ticket and no further.
fn ended_before_the_download(item: ItemRef) -> World {
    let world = world(&[item]);
    world
        .platform
        .script(20, downloads_of(item), Script::Refuse(away()));
    world
        .platform
        .script(1, starts_of(item), Script::LoseAnswer);
    assert!(matches!(world.export(), Err(RunError::Platform(_))));
    world.platform.script(0, |_| true, Script::LoseAnswer);
    world
}

fn complete_at_last(world: &World) -> Outcome {
    loop {
        if let Ok(outcome) = world.export() {
            return outcome;
        }
    }
}

fn unresolved(outcome: &Outcome) -> usize {
    let notes = outcome.report.notes.iter();
    notes
        .filter(|note| note.contains("may be left on the platform"))
        .count()
}

/// What was not known of it went with the process, and the ticket stayed on the platform without a word.
#[test]
fn an_unresolved_start_outlives_the_run_that_sent_it() {
    let world = ended_before_the_download(mysoftware(1));
    assert_eq!(unresolved(&complete_at_last(&world)), 1);
}

/// A kill between a second start and its answer: the first ticket was resumed, the second forgotten.
#[test]
fn a_start_beside_a_ticket_is_not_forgotten() {
    let world = ended_before_the_download(mysoftware(1));
    let item = mysoftware(1);
    let intent = Journal::record(&world.journal, Fact::Intent { item, at: None });
    world.clock.run(intent).expect("a journal");
    assert_eq!(unresolved(&complete_at_last(&world)), 2);

    let item = appliance(1);
    let world = ended_before_the_download(item);
    let intent = Journal::record(&world.journal, Fact::Intent { item, at: None });
    world.clock.run(intent).expect("a journal");
    world.platform.foreign_ticket(item);
    complete_at_last(&world);
    assert_eq!(world.platform.tickets(), []);
}

/// Each start of an outage of three seconds lost its answer, and after three of them the bundle was given up.
#[test]
fn a_software_start_is_not_repeated_into_an_outage() {
    let world = world(&[mysoftware(1)]);
    let (clock, began) = (world.clock.clone(), Arc::new(Mutex::new(None)));
    let down = move |call: &Call| {
        let elapsed = crate::ports::Clock::elapsed(&clock);
        let mut began = began.lock().unwrap();
        if matches!(call, Call::Start(_)) {
            began.get_or_insert(elapsed);
        }
        began.is_some_and(|began| elapsed < began + Duration::from_secs(3))
    };
    world
        .platform
        .script(usize::MAX, down, Script::Refuse(reset()));
    world.complete();
    assert_eq!(world.platform.count(starts_of(mysoftware(1))), 2);
}

/// The ticket that was left to the user was taken for that of the lost start: the second archive came from the first export.
#[test]
fn a_ticket_left_to_the_user_is_not_taken_for_that_of_a_lost_start() {
    let mut world = world(&[appliance(1)]);
    world.order.tickets = TicketPolicy::Keep;
    let changed = world.platform.clone();
    let outcome = world.clock.run(async {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        let change = async {
            crate::ports::Clock::sleep(&world.clock, Duration::from_secs(5)).await;
            changed.change(appliance(1), |item| item.digest = "d2".to_owned());
            changed.script(1, starts_of(appliance(1)), Script::Refuse(reset()));
        };
        futures_util::future::join(run, change).await.0
    });
    assert_eq!(outcome.expect("a bag").report.failures, []);
    // The first, the one that was lost, and the one that replaced it.
    assert_eq!(world.platform.count(starts_of(appliance(1))), 3);
    assert_eq!(world.platform.tickets().len(), 2);
}

/// The start of a second export was lost, and the platform lists its ticket only when another one has been asked for.
#[test]
fn a_ticket_of_a_second_export_that_is_listed_late_is_deleted() {
    let world = world(&[appliance(1)]);
    let platform = world.platform.clone();
    let outcome = world.clock.run(async {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        let change = async {
            let pause = || crate::ports::Clock::sleep(&world.clock, Duration::from_millis(100));
            for _ in 0..50 {
                pause().await;
            }
            platform.change(appliance(1), |item| item.digest = "d2".to_owned());
            platform.script(1, starts_of(appliance(1)), Script::Refuse(reset()));
            while platform.count(starts_of(appliance(1))) < 3 {
                pause().await;
            }
            platform.foreign_ticket(appliance(1));
        };
        futures_util::future::join(run, change).await.0
    });
    assert_eq!(outcome.expect("a bag").report.failures, []);
    assert_eq!(world.platform.tickets(), []);
}

/// Whatever the reason was, the failure said that the platform has no list.
#[test]
fn why_a_lost_start_cannot_be_found_is_reported_as_it_is() {
    let refused = |status| ApiError::Refused {
        request: "GET exports".to_owned(),
        status,
        message: None,
    };
    let absent = ApiError::NotFound {
        request: "GET exports".to_owned(),
        status: 404,
        message: None,
    };
    let lists = |call: &Call| *call == Call::OpenTickets;
    for (answers_before, answer, words) in [
        (0, absent, "no list in which"),
        (0, refused(409), "before the first start"),
        (0, refused(409), "(409)"),
        (
            1,
            refused(418),
            "could not be read (GET exports: refused (418))",
        ),
    ] {
        let world = world(&[appliance(1)]);
        let asked = AtomicUsize::new(0);
        let later = move |call: &Call| {
            lists(call) && asked.fetch_add(1, Ordering::Relaxed) >= answers_before
        };
        world
            .platform
            .script(usize::MAX, later, Script::Refuse(answer));
        world
            .platform
            .script(usize::MAX, starts_of(appliance(1)), Script::LoseAnswer);
        let outcome = world.partial();
        let message = &outcome.report.failures[0].message;
        assert!(message.contains(words), "{message}");
    }
}

/// A platform that exports one at a time and refuses every other start meanwhile loses nobody their archive.
#[test]
fn starts_that_are_refused_while_others_are_exported_are_sent_until_those_have_ended() {
    let world = world(&[appliance(1), appliance(2)]);
    world
        .platform
        .change(appliance(1), |item| item.takes = Duration::from_mins(20));
    let busy = ApiError::Overloaded {
        request: "x".into(),
        status: 503,
        retry_after: None,
        proxy: None,
        message: Some("one export at a time".into()),
    };
    let clock = world.clock.clone();
    let is_busy = move |call: &Call| {
        *call == Call::Start(appliance(2)) && clock.elapsed() < Duration::from_mins(19)
    };
    world
        .platform
        .script(usize::MAX, is_busy, Script::Refuse(busy.clone()));
    world.complete();
    assert!(world.archive_of(appliance(2)).is_some());
    let sent = world.platform.count(starts_of(appliance(2)));
    assert!((9..300).contains(&sent), "{sent} starts");
}

/// Where nothing else is at work, the attempts have an end, and the report says why and how many.
#[test]
fn a_start_that_is_refused_for_ever_is_reported_as_what_it_is() {
    let world = world(&[appliance(1), appliance(2)]);
    let busy = ApiError::Overloaded {
        request: "x".into(),
        status: 503,
        retry_after: Some(Duration::from_mins(1)),
        proxy: None,
        message: Some("one export at a time".into()),
    };
    world
        .platform
        .script(usize::MAX, starts_of(appliance(2)), Script::Refuse(busy));
    let outcome = world.export().unwrap();
    let [failure] = &*outcome.report.failures else {
        panic!("{:?}", outcome.report.failures);
    };
    assert_eq!(failure.http_status, Some(503));
    assert!(failure.message.contains("one export at a time"));
    let sent = world.platform.count(starts_of(appliance(2)));
    assert_eq!(failure.attempts as usize, sent);
    assert!(world.archive_of(appliance(1)).is_some());
}

/// A run that was killed after its start, and an hour that has passed since. The platform made nothing of the start.
fn an_hour_after_a_start_that_made_nothing(item: ItemRef) -> World {
    let world = world(&[item]);
    world
        .platform
        .script(usize::MAX, starts_of(item), Script::Refuse(reset()));
    for polls in 1.. {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        assert!(world.clock.run_for(polls, run).is_none(), "it was killed");
        if world.platform.count(starts_of(item)) > 0 {
            break;
        }
    }
    assert!(world.journal.checkpoint().intents.contains(&item));
    world.platform.forget_scripts();
    let hour = crate::ports::Clock::sleep(&world.clock, Duration::from_hours(1));
    world.clock.run(hour);
    world
}

/// It was taken for the run's own: downloaded, and then deleted.
#[test]
fn somebody_else_s_ticket_of_an_hour_later_is_left_alone() {
    let item = appliance(1);
    let world = an_hour_after_a_start_that_made_nothing(item);
    let theirs = world.platform.foreign_ticket(item);
    world.complete();
    assert_eq!(world.platform.tickets(), [theirs]);
    let of_theirs = |call: &Call| matches!(call, Call::Download(ticket, _) if *ticket == theirs);
    assert_eq!(world.platform.count(of_theirs), 0);
    assert_eq!(
        world.platform.count(starts_of(item)),
        2,
        "it is started anew"
    );
}

#[test]
fn giving_a_run_up_leaves_somebody_else_s_ticket_of_an_hour_later() {
    let item = appliance(1);
    let world = an_hour_after_a_start_that_made_nothing(item);
    let theirs = world.platform.foreign_ticket(item);
    let abandon = crate::workflow::abandon(world.ports(), std::collections::BTreeSet::new());
    let abandoned = world.clock.run(abandon);
    assert_eq!(world.platform.tickets(), [theirs]);
    assert_eq!(abandoned.deleted, []);
    assert_eq!(abandoned.unresolved.len(), 1);
}

/// Whoever downloaded it knows of it.
#[test]
fn a_ticket_that_was_downloaded_is_not_taken_for_that_of_a_lost_start() {
    let item = appliance(1);
    let world = world(&[item]);
    for fact in [
        Fact::Foreign { tickets: vec![] },
        Fact::Intent { item, at: None },
    ] {
        let recorded = Journal::record(&world.journal, fact);
        world.clock.run(recorded).expect("a journal");
    }
    let theirs = world.platform.foreign_ticket(item);
    world.platform.was_downloaded(theirs);
    world.complete();
    assert_eq!(world.platform.tickets(), [theirs]);
}

/// The ticket of the lost start is listed an hour later, as of the moment in which it was made.
#[test]
fn the_ticket_of_a_lost_start_is_found_an_hour_later() {
    let item = appliance(1);
    let world = world(&[item]);
    world
        .platform
        .script(usize::MAX, starts_of(item), Script::LoseAnswer);
    for polls in 1.. {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        assert!(world.clock.run_for(polls, run).is_none(), "it was killed");
        if world.platform.count(starts_of(item)) > 0 {
            break;
        }
    }
    world.platform.forget_scripts();
    let hour = crate::ports::Clock::sleep(&world.clock, Duration::from_hours(1));
    world.clock.run(hour);
    world.complete();
    assert_eq!(world.platform.count(starts_of(item)), 1);
    assert_eq!(world.platform.tickets(), []);
}

/// Beside a start that was sent later, what showed that it is somebody else's no longer would.
#[test]
fn somebody_else_s_ticket_is_left_alone_where_the_next_start_is_lost_too() {
    let item = appliance(1);
    let world = an_hour_after_a_start_that_made_nothing(item);
    let theirs = world.platform.foreign_ticket(item);
    world
        .platform
        .script(1, starts_of(item), Script::LoseAnswer);
    world.complete();
    assert_eq!(world.platform.tickets(), [theirs]);
    let of_theirs = |call: &Call| matches!(call, Call::Download(ticket, _) if *ticket == theirs);
    assert_eq!(world.platform.count(of_theirs), 0);
}

/// It was said that no answer came.
#[test]
fn an_answer_without_a_usable_ticket_is_reported_as_what_it_is() {
    let unreadable = ApiError::Unreadable {
        request: "POST exports".to_owned(),
        detail: "the ticket has no id".to_owned(),
    };
    let gateway = ApiError::Overloaded {
        request: "POST exports".to_owned(),
        status: 504,
        retry_after: None,
        proxy: None,
        message: Some("the platform takes too long".to_owned()),
    };
    for item in [appliance(1), mysoftware(1)] {
        for (error, words, status) in [
            (&unreadable, "the ticket has no id", None),
            (&gateway, "the platform takes too long", Some(504)),
        ] {
            let world = world(&[item]);
            let refused = Script::Refuse(error.clone());
            world.platform.script(usize::MAX, starts_of(item), refused);
            let outcome = world.partial();
            let failure = &outcome.report.failures[0];
            assert!(failure.message.contains(words), "{}", failure.message);
            assert!(
                !failure.message.contains("no answer"),
                "{}",
                failure.message
            );
            assert_eq!(failure.http_status, status);
        }
    }
}
