//! Exports on the platform: how many at once, how they are waited for, when they are given up.

use super::*;
use crate::model::{ListResource, Page, Resource, Section};
use crate::ports::ExportStatus;
use crate::report::Stage;
use crate::testing::{Call, FakeItem, Script, appliance, mysoftware};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn every_archive_is_exported_as_served_and_no_ticket_is_left() {
    let items = [appliance(1), appliance(2), appliance(3), mysoftware(1)];
    let world = world(&items);
    let outcome = world.complete();
    for item in items {
        assert_eq!(world.archive_of(item), Some(FakeItem::new(item).archive));
    }
    assert_eq!(world.platform.tickets(), []);
    assert!(world.sink.state().open.is_empty());
    let appliances = outcome
        .report
        .sections
        .iter()
        .find(|s| s.section == Section::Appliances)
        .expect("a section");
    assert_eq!(
        (appliances.listed, appliances.recounted, appliances.items),
        (Some(3), Some(3), 3)
    );
}

#[test]
fn four_exports_run_at_once_and_the_fifth_waits() {
    let world = world(&[
        appliance(1),
        appliance(2),
        appliance(3),
        appliance(4),
        appliance(5),
    ]);
    world.complete();
    let calls = world.platform.calls();
    let fifth = calls
        .iter()
        .position(starts_of(appliance(5)))
        .expect("a start");
    let first_download = calls
        .iter()
        .position(|call| matches!(call, Call::Download(..)))
        .expect("a download");
    assert!(
        fifth
            > calls
                .iter()
                .position(starts_of(appliance(4)))
                .expect("a start")
    );
    assert!(
        calls[..fifth]
            .iter()
            .any(|call| matches!(call, Call::Status(_) | Call::Statuses(_)))
    );
    assert!(
        fifth < first_download + 6,
        "the slot is free once an export is complete, not once it is downloaded"
    );
}

#[test]
fn many_appliances_are_polled_in_one_request_where_the_platform_can() {
    let mut world = world(&[appliance(1), appliance(2), appliance(3)]);
    world.platform = world.platform.with_batch();
    world.complete();
    assert!(
        world
            .platform
            .count(|call| matches!(call, Call::Statuses(_)))
            > 0
    );
    assert_eq!(
        world.platform.count(|call| matches!(call, Call::Status(_))),
        0
    );
}

/// Each waited for the one before.
#[test]
fn tickets_that_the_one_request_leaves_out_are_asked_for_side_by_side() {
    let items: Vec<_> = (1..=12).map(appliance).collect();
    let mut world = world(&items);
    world.order.jobs = 12;
    world.platform = world.platform.with_batch_of(1);
    // A request takes a millisecond of simulated time.
    let moments = Arc::new(Mutex::new(BTreeSet::new()));
    let (seen, clock) = (Arc::clone(&moments), world.clock.clone());
    let watch = move |call: &Call| {
        if matches!(call, Call::Status(_)) {
            let elapsed = crate::ports::Clock::elapsed(&clock);
            seen.lock().unwrap().insert(elapsed);
        }
        false
    };
    world.platform.script(1, watch, Script::LoseAnswer);
    world.complete();
    let asked = world.platform.count(|call| matches!(call, Call::Status(_)));
    let moments = moments.lock().unwrap().len();
    assert!(
        moments <= asked / 3,
        "{asked} requests at {moments} moments"
    );
}

#[test]
fn a_list_that_is_gone_is_reported_with_its_own_status() {
    let world = world(&[]);
    let gone = ApiError::NotFound {
        request: "GET blueprints".to_owned(),
        status: 410,
        message: None,
    };
    let list = Resource::List(ListResource::Blueprints, Page::Whole);
    let asked = move |call: &Call| matches!(call, Call::Document(it, _) if *it == list);
    world
        .platform
        .script(usize::MAX, asked, Script::Refuse(gone));
    let report = world.complete().report;
    let mut sections = report.sections.iter();
    let section = sections.find(|it| it.section == Section::Blueprints);
    let reason = section.and_then(|section| section.reason.as_deref());
    assert_eq!(
        reason,
        Some("the platform does not know it (410): it is gone for good")
    );
}

#[test]
fn a_platform_without_batch_is_asked_for_it_once() {
    let world = world(&[appliance(1), appliance(2), appliance(3)]);
    world.complete();
    assert_eq!(
        world
            .platform
            .count(|call| matches!(call, Call::Statuses(_))),
        1
    );
}

#[test]
fn polling_wastes_no_more_than_a_tenth_of_the_platform_s_own_time() {
    for takes in [1, 10, 60, 600] {
        let world = world(&[appliance(1)]);
        world
            .platform
            .change(appliance(1), |item| item.takes = Duration::from_secs(takes));
        world.complete();
        let elapsed = crate::ports::Clock::elapsed(&world.clock);
        assert!(
            elapsed < Duration::from_millis(takes * 1100 + 500),
            "{takes} s took {elapsed:?}"
        );
        let polls = world.platform.count(|call| matches!(call, Call::Status(_)));
        assert!(polls < 200, "{polls} polls for {takes} s");
    }
}

#[test]
fn an_appliance_that_never_starts_is_named_and_the_rest_is_there() {
    let world = world(&[appliance(1), appliance(2)]);
    world.platform.script(
        usize::MAX,
        starts_of(appliance(1)),
        Script::Refuse(fault(500)),
    );
    let outcome = world.partial();
    let failure = outcome.report.failures.first().expect("a failure");
    assert_eq!(
        (
            failure.id,
            failure.stage,
            failure.http_status,
            failure.attempts
        ),
        (Some(1), Stage::Start, Some(500), 5)
    );
    assert!(failure.message.contains("no OS profile"));
    assert!(world.archive_of(appliance(2)).is_some());
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn error_and_cancelled_win_over_complete() {
    for (status, words) in [
        (
            ExportStatus {
                complete: true,
                error: true,
                error_message: Some("disk full".into()),
                ..Default::default()
            },
            "disk full",
        ),
        (
            ExportStatus {
                complete: true,
                cancelled: true,
                ..Default::default()
            },
            "cancelled",
        ),
    ] {
        let world = world(&[appliance(1), mysoftware(2)]);
        world.platform.script(
            1,
            |call| matches!(call, Call::Status(t) if t.item == appliance(1)),
            Script::Say(status),
        );
        let outcome = world.partial();
        let failure = outcome.report.failures.first().expect("a failure");
        assert_eq!(failure.stage, Stage::Wait);
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!(world.platform.count(downloads_of(appliance(1))), 0);
        assert_eq!(
            world.platform.tickets(),
            [],
            "a ticket that ended without an archive is of no use to anybody"
        );
    }
}

#[test]
fn an_export_without_progress_is_given_up_after_max_wait() {
    let world = world(&[appliance(1), appliance(2)]);
    world.platform.change(appliance(1), |item| {
        item.takes = Duration::from_secs(1_000_000_000);
    });
    let outcome = world.partial();
    assert_eq!(
        outcome.report.failures.first().map(|failure| failure.stage),
        Some(Stage::Wait)
    );
    let elapsed = crate::ports::Clock::elapsed(&world.clock);
    assert!(
        elapsed >= Duration::from_mins(30) && elapsed < Duration::from_secs(1830),
        "{elapsed:?}"
    );
    assert_eq!(
        world.platform.count(|call| matches!(call, Call::Cancel(_))),
        1
    );
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_percentage_that_goes_to_and_fro_is_no_progress() {
    let world = world(&[appliance(1)]);
    world.platform.change(appliance(1), |item| {
        item.takes = Duration::from_secs(1_000_000_000);
    });
    for n in 0..200_i64 {
        let status = ExportStatus {
            percentage: Some(if n % 2 == 0 { 55 } else { -1 }),
            ..Default::default()
        };
        world.platform.script(
            1,
            |call| matches!(call, Call::Status(_)),
            Script::Say(status),
        );
    }
    world.partial();
    assert!(crate::ports::Clock::elapsed(&world.clock) < Duration::from_secs(1900));
}

#[test]
fn exports_that_wait_for_one_another_are_not_given_up() {
    let world = world(&[appliance(1), appliance(2), appliance(3), appliance(4)]);
    for (n, id) in (1..=4).enumerate() {
        let takes = Duration::from_secs(1500 * (n as u64 + 1));
        world
            .platform
            .change(appliance(id), |item| item.takes = takes);
    }
    // The platform works on one at a time: the others stand at 0 until their turn comes.
    let clock = world.clock.clone();
    world.platform.script(
        usize::MAX,
        move |call| {
            let Call::Status(ticket) = call else {
                return false;
            };
            let turn =
                Duration::from_secs(1500 * (u64::try_from(ticket.item.id.get()).unwrap_or(0) - 1));
            crate::ports::Clock::elapsed(&clock) < turn
        },
        Script::Say(ExportStatus {
            percentage: Some(0),
            ..Default::default()
        }),
    );
    world.complete();
}
