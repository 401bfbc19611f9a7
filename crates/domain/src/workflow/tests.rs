//! Whole runs in simulated time, over a platform of values.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Ports, RunError, abandon, export};
use crate::model::{ItemRef, Order, Section, Ticket};
use crate::ports::{
    ApiError, Event, ExportStatus, Fact, Journal, JournalError, MockArchiveSink, MockJournal,
    SinkError,
};
use crate::report::{Completeness, ItemStatus, Outcome, Stage};
use crate::testing::{
    Call, FakeItem, FakePlatform, MemoryJournal, MemorySink, RecordingProgress, Script, SimClock,
    appliance, gzip, mysoftware, order,
};

pub(super) struct World {
    pub(super) clock: SimClock,
    pub(super) platform: FakePlatform,
    sink: MemorySink,
    journal: MemoryJournal,
    progress: RecordingProgress,
    pub(super) order: Order,
}

pub(super) fn world(items: &[ItemRef]) -> World {
    let clock = SimClock::default();
    let platform = FakePlatform::new(&clock, items.iter().map(|item| FakeItem::new(*item)));
    World {
        platform,
        clock,
        sink: MemorySink::durable(),
        journal: MemoryJournal::default(),
        progress: RecordingProgress::default(),
        order: order(),
    }
}

impl World {
    pub(super) fn ports(&self) -> Ports<'_> {
        Ports {
            api: &self.platform,
            clock: &self.clock,
            journal: &self.journal,
            progress: &self.progress,
        }
    }

    pub(super) fn export(&self) -> Result<Outcome, RunError> {
        self.clock.run(export(
            self.ports(),
            Box::new(self.sink.clone()),
            &self.order,
        ))
    }

    pub(super) fn complete(&self) -> Outcome {
        let outcome = self.export().expect("a bag");
        assert_eq!(outcome.report.failures, []);
        assert_eq!(outcome.report.completeness, Completeness::Complete);
        outcome
    }

    pub(super) fn partial(&self) -> Outcome {
        let outcome = self.export().expect("a bag");
        assert_eq!(outcome.report.completeness, Completeness::Partial);
        outcome
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.progress.events().into_iter();
        notes
            .filter_map(|event| match event {
                Event::Note { message } => Some(message),
                _ => None,
            })
            .collect()
    }

    fn archive_of(&self, item: ItemRef) -> Option<Vec<u8>> {
        let state = self.sink.state();
        let found = state
            .entries
            .values()
            .find(|(receipt, _)| receipt.origin.item == Some(item));
        found.map(|(_, bytes)| bytes.clone())
    }
}

fn starts_of(item: ItemRef) -> impl Fn(&Call) -> bool {
    move |call| *call == Call::Start(item)
}

fn downloads_of(item: ItemRef) -> impl Fn(&Call) -> bool {
    move |call| matches!(call, Call::Download(ticket, _) if ticket.item == item)
}

fn deletes(call: &Call) -> bool {
    matches!(call, Call::Delete(_))
}

fn fault(status: u16) -> ApiError {
    ApiError::ServerFault {
        request: "x".to_owned(),
        status,
        message: Some("no OS profile".to_owned()),
    }
}

fn reset() -> ApiError {
    ApiError::NoAnswer {
        request: "x".to_owned(),
        sent: true,
        detail: "reset".to_owned(),
    }
}

#[test]
fn every_archive_comes_home_as_served_and_no_ticket_is_left() {
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

#[test]
fn a_damaged_archive_is_downloaded_again() {
    let world = world(&[appliance(1)]);
    let mut damaged = FakeItem::new(appliance(1)).archive;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    world
        .platform
        .script(1, downloads_of(appliance(1)), Script::Body(damaged, None));
    world.complete();
    assert_eq!(world.platform.count(downloads_of(appliance(1))), 2);
    assert_eq!(
        world.archive_of(appliance(1)),
        Some(FakeItem::new(appliance(1)).archive)
    );
}

#[test]
fn an_archive_cut_anywhere_is_never_taken_and_its_last_ticket_is_left_and_named() {
    let whole = FakeItem::new(appliance(1)).archive;
    for cut in 0..whole.len() {
        let world = world(&[appliance(1)]);
        world.platform.script(
            usize::MAX,
            downloads_of(appliance(1)),
            Script::Body(whole[..cut].to_vec(), None),
        );
        let outcome = world.partial();
        assert_eq!(world.archive_of(appliance(1)), None, "cut at {cut}");
        let tickets = world.platform.tickets();
        let [left] = tickets[..] else {
            panic!("cut at {cut}: {tickets:?}")
        };
        let named = format!("its export ticket {} was left on the platform", left.id);
        assert!(
            outcome
                .report
                .failures
                .first()
                .is_some_and(|failure| failure.message.contains(&named))
        );
    }
}

#[test]
fn html_in_place_of_an_archive_is_never_taken() {
    let world = world(&[mysoftware(1)]);
    let page = b"<html><body>Bad gateway</body></html>".to_vec();
    world.platform.script(
        usize::MAX,
        downloads_of(mysoftware(1)),
        Script::Body(page, None),
    );
    world.partial();
    assert_eq!(world.archive_of(mysoftware(1)), None);
}

#[test]
fn an_archive_that_can_be_downloaded_only_once_is_exported_again() {
    let world = world(&[appliance(1)]);
    let gone = ApiError::NotFound {
        request: "GET downloads".into(),
        status: 404,
        message: None,
    };
    world.platform.script(
        1,
        downloads_of(appliance(1)),
        Script::Body(b"\x1f\x8b".to_vec(), Some(reset())),
    );
    world
        .platform
        .script(1, downloads_of(appliance(1)), Script::Refuse(gone));
    world.complete();
    assert_eq!(world.platform.count(starts_of(appliance(1))), 2);
    assert_eq!(world.platform.tickets(), []);
}

/// What front ends say of an archive that is not there yet.
fn refusals() -> Vec<ApiError> {
    let refused = |status| ApiError::Refused {
        request: "GET downloads".into(),
        status,
        message: None,
    };
    vec![
        refused(400),
        refused(409),
        ApiError::NotFound {
            request: "GET downloads".into(),
            status: 404,
            message: None,
        },
        ApiError::Unreadable {
            request: "GET downloads".into(),
            detail: "it has the status 202 where a whole file was asked for".into(),
        },
    ]
}

#[test]
fn a_download_that_is_refused_right_after_complete_is_tried_again() {
    for error in refusals() {
        for item in [appliance(1), mysoftware(1)] {
            let world = world(&[item]);
            world
                .platform
                .script(4, downloads_of(item), Script::Refuse(error.clone()));
            world.complete();
            assert_eq!(world.platform.count(downloads_of(item)), 5, "{error}");
            assert_eq!(world.platform.count(starts_of(item)), 1, "{error}");
            assert_eq!(world.platform.tickets(), []);
            let last_polls = world.platform.calls().into_iter();
            let last_polls = last_polls
                .skip_while(|call| !downloads_of(item)(call))
                .filter(|call| matches!(call, Call::Status(_)));
            assert_eq!(last_polls.count(), 4, "the status is looked at again");
        }
    }
}

#[test]
fn an_empty_body_right_after_complete_is_tried_again() {
    let world = world(&[appliance(1)]);
    let empty = Script::Body(Vec::new(), None);
    world.platform.script(4, downloads_of(appliance(1)), empty);
    world.complete();
    assert_eq!(world.platform.count(starts_of(appliance(1))), 1);
}

#[test]
fn a_ticket_that_was_complete_too_early_is_waited_for() {
    for item in [appliance(1), mysoftware(1)] {
        let world = world(&[item]);
        world.platform.change(item, |item| {
            item.takes = Duration::from_mins(20);
        });
        let early = ExportStatus {
            complete: true,
            ..ExportStatus::default()
        };
        let status = |call: &Call| matches!(call, Call::Status(_));
        world.platform.script(1, status, Script::Say(early));
        world.complete();
        assert_eq!(world.platform.count(starts_of(item)), 1);
    }
}

#[test]
fn a_download_that_stays_refused_loses_the_item_and_names_its_one_ticket() {
    for error in refusals() {
        for item in [appliance(1), mysoftware(1)] {
            let world = world(&[item]);
            world.platform.script(
                usize::MAX,
                downloads_of(item),
                Script::Refuse(error.clone()),
            );
            let outcome = world.partial();
            let left = world.platform.tickets();
            assert_eq!(left.len(), 1, "{error}: {left:?}");
            let message = &outcome.report.failures[0].message;
            let number = format!("export ticket {} ", left[0].id);
            assert!(message.contains(&number), "{message}");
            let elapsed = crate::ports::Clock::elapsed(&world.clock);
            assert!(elapsed < Duration::from_mins(10), "{elapsed:?}");
        }
    }
}

/// The most exports that ran on the platform at once: started, and neither complete nor cancelled nor deleted.
fn running_at_most(world: &World) -> usize {
    let mut running = std::collections::BTreeSet::new();
    let mut most = 0;
    for call in world.platform.calls() {
        match call {
            Call::Start(item) => {
                running.insert(item);
                most = most.max(running.len());
            }
            Call::Download(ticket, _) | Call::Cancel(ticket) | Call::Delete(ticket) => {
                running.remove(&ticket.item);
            }
            _ => {}
        }
    }
    most
}

#[test]
fn an_export_that_is_given_up_is_stopped_before_another_takes_its_slot() {
    for jobs in [1, 2] {
        let items = [
            appliance(1),
            mysoftware(1),
            appliance(2),
            mysoftware(2),
            appliance(3),
        ];
        let mut world = world(&items);
        world.order.jobs = jobs;
        for item in items {
            world.platform.change(item, |item| {
                item.takes = Duration::from_secs(1_000_000_000);
            });
        }
        let overloaded = ApiError::Overloaded {
            request: "DELETE status".into(),
            status: 503,
            retry_after: None,
            message: None,
        };
        let stops = |call: &Call| matches!(call, Call::Cancel(_) | Call::Delete(_));
        world.platform.script(3, stops, Script::Refuse(overloaded));
        world.partial();
        assert!(
            running_at_most(&world) <= jobs,
            "{:?}",
            world.platform.calls()
        );
        assert_eq!(world.platform.tickets(), []);
    }
}

#[test]
fn an_export_whose_status_cannot_be_had_is_stopped_too() {
    for item in [appliance(1), mysoftware(1)] {
        let mut world = world(&[item, appliance(2)]);
        world.order.jobs = 1;
        world.platform.change(item, |item| {
            item.takes = Duration::from_secs(1_000_000_000);
        });
        let of_item = move |call: &Call| matches!(call, Call::Status(t) if t.item == item);
        world
            .platform
            .script(usize::MAX, of_item, Script::Refuse(fault(500)));
        world.partial();
        assert_eq!(running_at_most(&world), 1, "{:?}", world.platform.calls());
        assert!(world.platform.tickets().len() <= 1);
    }
}

#[test]
fn a_broken_download_goes_on_where_it_broke_off_where_the_server_can() {
    let mut world = world(&[appliance(1)]);
    world.platform = world.platform.with_ranges();
    let archive = gzip(&(0..200_u8).collect::<Vec<_>>());
    world
        .platform
        .change(appliance(1), |item| item.archive.clone_from(&archive));
    world.platform.script(
        1,
        downloads_of(appliance(1)),
        Script::Body(archive[..50].to_vec(), Some(reset())),
    );
    world.complete();
    assert!(
        world
            .platform
            .calls()
            .iter()
            .any(|call| matches!(call, Call::Download(_, 50)))
    );
    assert_eq!(world.archive_of(appliance(1)), Some(archive));
}

#[test]
fn a_server_that_cannot_go_on_there_is_asked_for_the_whole() {
    let mut world = world(&[appliance(1)]);
    world.platform = world.platform.with_ranges();
    let archive = FakeItem::new(appliance(1)).archive;
    let refused = ApiError::Refused {
        request: "GET downloads".into(),
        status: 416,
        message: None,
    };
    world.platform.script(
        1,
        downloads_of(appliance(1)),
        Script::Body(archive[..20].to_vec(), Some(reset())),
    );
    world.platform.script(
        1,
        |call| matches!(call, Call::Download(_, 20)),
        Script::Refuse(refused),
    );
    world.complete();
    assert_eq!(world.archive_of(appliance(1)), Some(archive));
}

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
fn a_software_start_whose_answer_was_lost_is_told() {
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

/// What a platform that went away comes to.
fn away() -> ApiError {
    ApiError::Unreachable {
        request: "x".into(),
        host: "h".into(),
        detail: "refused".into(),
    }
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

fn doubts(outcome: &Outcome) -> usize {
    let notes = outcome.report.notes.iter();
    notes
        .filter(|note| note.contains("may be left on the platform"))
        .count()
}

/// The doubt went with the process, and the ticket stayed on the platform without a word.
#[test]
fn a_doubt_outlives_the_run_that_had_it() {
    let world = ended_before_the_download(mysoftware(1));
    assert_eq!(doubts(&complete_at_last(&world)), 1);
}

/// A kill between a second start and its answer: the first ticket was gone on with, the second forgotten.
#[test]
fn a_start_beside_a_ticket_is_not_forgotten() {
    let world = ended_before_the_download(mysoftware(1));
    let item = mysoftware(1);
    let intent = Journal::record(&world.journal, Fact::Intent { item });
    world.clock.run(intent).expect("a journal");
    assert_eq!(doubts(&complete_at_last(&world)), 2);

    let item = appliance(1);
    let world = ended_before_the_download(item);
    let intent = Journal::record(&world.journal, Fact::Intent { item });
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

#[test]
fn refused_credentials_end_the_run() {
    let world = world(&[appliance(1)]);
    let refused = ApiError::Unauthorized {
        request: "GET users/john".into(),
        message: None,
    };
    world.platform.script(
        usize::MAX,
        |call| matches!(call, Call::Document(..)),
        Script::Refuse(refused),
    );
    assert!(matches!(world.export(), Err(RunError::Unauthorized { .. })));
    assert!(world.sink.state().tags.is_none());
}

#[test]
fn a_refused_section_stops_nothing_but_a_core_one_is_missed() {
    let forbidden = |section: &'static str| {
        let world = world(&[mysoftware(1)]);
        let error = ApiError::Forbidden {
            request: "GET x".into(),
            message: None,
        };
        let matches = move |call: &Call| matches!(call, Call::Document(crate::model::Resource::List(list, _), _) if list.name() == section);
        world
            .platform
            .script(usize::MAX, matches, Script::Refuse(error));
        (world.export().expect("a bag").report, world)
    };
    let (report, _) = forbidden("apikeys");
    assert_eq!(report.completeness, Completeness::Complete);
    let (report, world) = forbidden("appliances");
    assert_eq!(report.completeness, Completeness::Partial);
    assert!(world.archive_of(mysoftware(1)).is_some());
}

#[test]
fn an_unknown_id_is_an_error_before_anything_is_started() {
    let mut world = world(&[appliance(1), appliance(2)]);
    world.order.selection.appliances = Some([appliance(7).id].into());
    let error = world.export().expect_err("an error").to_string();
    assert!(error.contains('7') && error.contains("1, 2"), "{error}");
    assert_eq!(
        world.platform.count(|call| matches!(call, Call::Start(_))),
        0
    );
}

#[test]
fn an_item_that_changes_meanwhile_is_exported_once_more() {
    let world = world(&[appliance(1), appliance(2)]);
    let newer = gzip(b"a newer state");
    // The change happens while the first export is downloaded.
    let (changed, archive) = (world.platform.clone(), newer.clone());
    let outcome = world.clock.run(async {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        let change = async {
            crate::ports::Clock::sleep(&world.clock, Duration::from_secs(5)).await;
            changed.change(appliance(1), |item| {
                item.digest = "d2".to_owned();
                item.archive = archive;
            });
        };
        futures_util::future::join(run, change)
            .await
            .0
            .expect("a bag")
    });
    let report = outcome.report;
    assert_eq!(report.completeness, Completeness::Complete);
    let entry = report
        .items
        .iter()
        .find(|i| i.section == Section::Appliances && i.id == Some(1))
        .expect("an item");
    assert!(!entry.changed_during_export);
    assert!(
        entry
            .files
            .iter()
            .any(|file| file.ends_with("archive-2.tar.gz")),
        "{:?}",
        entry.files
    );
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_second_export_that_fails_names_the_ticket_that_it_leaves() {
    let world = world(&[appliance(1)]);
    world.platform.script(
        usize::MAX,
        |call| matches!(call, Call::Download(ticket, _) if ticket.id.get() > 1),
        Script::Body(b"damaged".to_vec(), None),
    );
    let outcome = world.clock.run(async {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        let change = async {
            crate::ports::Clock::sleep(&world.clock, Duration::from_secs(5)).await;
            let digest = |item: &mut FakeItem| item.digest = "d2".to_owned();
            world.platform.change(appliance(1), digest);
        };
        let run = futures_util::future::join(run, change).await.0;
        run.expect("a bag")
    });
    let left = world.platform.tickets();
    let [left] = left[..] else { panic!("{left:?}") };
    let named = format!("export ticket {} ", left.id);
    let notes = &outcome.report.notes;
    assert!(notes.iter().any(|note| note.contains(&named)), "{notes:?}");
}

#[test]
fn an_item_that_vanishes_is_unavailable() {
    let world = world(&[appliance(1), appliance(2)]);
    let gone = ApiError::NotFound {
        request: "POST exports".into(),
        status: 404,
        message: None,
    };
    world
        .platform
        .script(1, starts_of(appliance(1)), Script::Refuse(gone));
    let report = world.partial().report;
    let entry = report
        .items
        .iter()
        .find(|i| i.id == Some(1) && i.section == Section::Appliances)
        .expect("an item");
    assert_eq!(entry.status, ItemStatus::Unavailable);
}

#[test]
fn a_sink_that_is_not_durable_keeps_tickets_until_the_bag_is_finished() {
    let mut world = world(&[appliance(1), mysoftware(1)]);
    world.sink = MemorySink::streaming();
    world.complete();
    let calls = world.platform.calls();
    let first_delete = calls.iter().position(deletes).expect("a delete");
    assert!(
        calls[first_delete..].iter().all(deletes),
        "deleting is the very last thing"
    );
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_platform_that_goes_away_ends_the_run_and_the_next_one_goes_on() {
    let world = world(&[appliance(1), appliance(2)]);
    world
        .platform
        .script(20, downloads_of(appliance(2)), Script::Refuse(away()));
    assert!(matches!(world.export(), Err(RunError::Platform(_))));
    assert_eq!(world.journal.open_at_checkpoint(), vec![appliance(2)]);
    world.platform.script(0, |_| true, Script::LoseAnswer);
    let mut outcome = world.export();
    while outcome.is_err() {
        outcome = world.export();
    }
    assert_eq!(world.platform.count(starts_of(appliance(1))), 1);
    assert_eq!(
        world.platform.count(starts_of(appliance(2))),
        1,
        "its ticket is used again"
    );
    assert_eq!(world.platform.tickets(), []);
}

impl MemoryJournal {
    fn open_at_checkpoint(&self) -> Vec<ItemRef> {
        crate::ports::Journal::checkpoint(self)
            .open
            .into_iter()
            .map(|ticket: Ticket| ticket.item)
            .collect()
    }
}

#[test]
fn a_run_dropped_at_any_moment_is_gone_on_with() {
    let items = [appliance(1), appliance(2), mysoftware(1)];
    let undisturbed = world(&items);
    undisturbed.complete();
    let expected: Vec<_> = undisturbed
        .sink
        .state()
        .entries
        .iter()
        .map(|(path, (_, bytes))| (path.clone(), bytes.clone()))
        .collect();
    for polls in 1.. {
        let world = world(&items);
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            assert!(polls > 100, "the loop went through the whole run");
            break;
        }
        world.complete();
        let found: Vec<_> = world
            .sink
            .state()
            .entries
            .iter()
            .map(|(path, (_, bytes))| (path.clone(), bytes.clone()))
            .collect();
        assert_eq!(found, expected, "dropped at poll {polls}");
        assert_eq!(
            world
                .platform
                .tickets()
                .into_iter()
                .filter(|t| t.item != mysoftware(1))
                .collect::<Vec<_>>(),
            [],
            "dropped at poll {polls}"
        );
        for item in items {
            assert!(
                world.platform.count(downloads_of(item)) <= 2,
                "dropped at poll {polls}"
            );
        }
    }
}

#[test]
fn abandoning_takes_every_ticket_of_ours_and_no_other_off_the_server() {
    let items = [appliance(1), appliance(2), mysoftware(1)];
    for polls in (1..400).step_by(7) {
        let world = world(&items);
        let foreign = world.platform.foreign_ticket(appliance(2));
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            break;
        }
        world.clock.run(abandon(world.ports())).expect("a journal");
        let left: Vec<_> = world.platform.tickets();
        assert!(
            left.iter()
                .all(|t| *t == foreign || t.item == mysoftware(1)),
            "poll {polls}: {left:?}"
        );
    }
}

/// The platform's `size` counts packages that the archive does not hold.
#[test]
fn a_size_that_the_disk_cannot_hold_is_a_warning_and_never_a_refusal() {
    for size in [1_000_000, u64::MAX] {
        let world = world(&[mysoftware(1), mysoftware(2)]);
        for item in [mysoftware(1), mysoftware(2)] {
            world.platform.change(item, |item| item.size = Some(size));
        }
        world.sink.state().free_space = Some(999_999);
        world.complete();
        assert_eq!(world.notes().len(), 1, "{:?}", world.notes());
        assert!(world.notes()[0].contains("free"), "{:?}", world.notes());
    }
    let world = world(&[mysoftware(1)]);
    world
        .platform
        .change(mysoftware(1), |item| item.size = Some(1_000_000));
    world.sink.state().free_space = Some(1_000_000);
    world.complete();
    assert_eq!(world.notes(), Vec::<String>::new());
}

#[test]
fn a_download_whose_length_the_disk_cannot_hold_is_refused_before_it_is_written() {
    let world = world(&[appliance(1)]);
    let length = FakeItem::new(appliance(1)).archive.len() as u64;
    let with_length = |world: World| World {
        platform: world.platform.with_lengths(),
        ..world
    };
    let world = with_length(world);
    world.sink.state().free_space = Some(length - 1);
    let error = world.export().expect_err("no space");
    assert!(
        matches!(
            error,
            RunError::Sink(SinkError::NoSpace { needed: Some(needed), .. }) if needed == length
        ),
        "{error}"
    );
    assert_eq!(world.platform.count(deletes), 0);
    world.sink.state().free_space = Some(length);
    world.complete();
}

#[test]
fn a_full_disk_ends_the_run_and_deletes_nothing() {
    let world = world(&[appliance(1)]);
    let mut sink = MockArchiveSink::new();
    sink.expect_resumed_receipts().return_const(Vec::new());
    sink.expect_free_space().return_const(None);
    sink.expect_open_entry().returning(|_| {
        Err(SinkError::NoSpace {
            path: "/full/bag".into(),
            needed: None,
        })
    });
    sink.expect_finish().never();
    let error = world
        .clock
        .run(export(world.ports(), Box::new(sink), &world.order))
        .expect_err("no room");
    assert!(
        matches!(error, RunError::Sink(SinkError::NoSpace { .. })),
        "{error}"
    );
    assert_eq!(world.platform.count(deletes), 0);
}

#[test]
fn no_start_leaves_before_its_intent_is_remembered() {
    let world = world(&[appliance(1)]);
    let mut journal = MockJournal::new();
    journal
        .expect_checkpoint()
        .returning(crate::ports::JournalState::default);
    journal.expect_record().returning(|fact| match fact {
        Fact::Intent { .. } => Err(JournalError::Io {
            path: "/lost/journal".into(),
            source: std::io::Error::other("the mount is gone"),
        }),
        _ => Ok(()),
    });
    let ports = Ports {
        journal: &journal,
        ..world.ports()
    };
    let run = export(ports, Box::new(world.sink.clone()), &world.order);
    assert!(matches!(world.clock.run(run), Err(RunError::Journal(_))));
    assert_eq!(
        world.platform.count(|call| matches!(call, Call::Start(_))),
        0
    );
}
