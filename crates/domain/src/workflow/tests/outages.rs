//! A platform that goes away in the middle of a run, where somebody resumes the run later.

use super::*;
use crate::model::{ItemRef, ListResource, OutagePolicy, Resource};
use crate::ports::ApiError;
use crate::testing::{Call, Script, appliance, mysoftware};
use crate::workflow::RunError;

fn overloaded() -> ApiError {
    ApiError::Overloaded {
        request: "x".into(),
        status: 503,
        retry_after: None,
        proxy: None,
        message: None,
    }
}

fn resumable(items: &[ItemRef]) -> World {
    let mut world = world(items);
    world.order.outage = OutagePolicy::EndRun;
    world
}

/// Everything is answered with 503 from the first request on that matches, until the platform is back.
fn outage_from(world: &World, begins: impl Fn(&Call) -> bool + Send + Sync + 'static) {
    let begun = std::sync::atomic::AtomicBool::new(false);
    let is_away = move |call: &Call| {
        if begins(call) {
            begun.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        begun.load(std::sync::atomic::Ordering::Relaxed)
    };
    world
        .platform
        .script(OUTAGE, is_away, Script::Refuse(overloaded()));
}

/// Requests that one outage refuses: more than a run sends before it ends.
const OUTAGE: usize = 300;

/// Runs until there is a bag, as a service does that resumes runs; gives how often an outage ended one.
fn run_until_there_is_a_bag(world: &World) -> usize {
    for outages in 0..OUTAGE {
        match world.export() {
            Ok(outcome) => {
                assert_eq!(outcome.report.failures, []);
                assert_eq!(outcome.report.completeness, Completeness::Complete);
                return outages;
            }
            Err(RunError::Platform(ApiError::Overloaded { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no end");
}

#[test]
fn an_outage_at_any_request_ends_the_run_and_its_resumption_is_complete() {
    let items = [appliance(1), appliance(2), mysoftware(3)];
    let calls: [fn(&Call) -> bool; 6] = [
        |call| matches!(call, Call::Start(_)),
        |call| matches!(call, Call::Status(_)),
        |call| matches!(call, Call::Download(..)),
        |call| matches!(call, Call::Delete(_)),
        |call| matches!(call, Call::OpenTickets),
        |call| matches!(call, Call::Document(Resource::List(list, _), _) if *list == ListResource::Appliances),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let world = resumable(&items);
        outage_from(&world, call);
        assert!(run_until_there_is_a_bag(&world) > 0, "call {number}");
        assert_eq!(world.platform.tickets(), [], "call {number}");
        for item in items {
            assert!(world.archive_of(item).is_some(), "call {number}");
        }
    }
}

#[test]
fn an_outage_while_the_lists_are_read_again_is_no_note_in_a_bag() {
    let world = resumable(&[appliance(1)]);
    let lists = std::sync::atomic::AtomicUsize::new(0);
    outage_from(&world, move |call| {
        let is_list = matches!(call, Call::Document(Resource::List(list, _), _) if *list == ListResource::Appliances);
        // In XML and JSON, and once more when everything is there.
        is_list && lists.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2
    });
    assert!(run_until_there_is_a_bag(&world) > 0);
}

#[test]
fn one_item_that_fails_for_ever_is_no_outage() {
    let world = resumable(&[appliance(1), appliance(2)]);
    world.platform.script(
        usize::MAX,
        starts_of(appliance(1)),
        Script::Refuse(overloaded()),
    );
    let outcome = world.partial();
    assert_eq!(outcome.report.failures.len(), 1);
    assert!(world.archive_of(appliance(2)).is_some());
}

#[test]
fn what_nobody_resumes_is_reported() {
    let world = world(&[appliance(1)]);
    outage_from(&world, |call| matches!(call, Call::Start(_)));
    let outcome = world.partial();
    let failures = &outcome.report.failures;
    assert!(
        failures.iter().any(|failure| failure.id == Some(1)),
        "{failures:?}"
    );
}
