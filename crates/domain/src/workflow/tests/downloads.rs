//! Archives that arrive, break off, are damaged or refused.

use super::*;
use crate::model::{BinaryRef, ObjectId};
use crate::ports::{ApiError, ExportStatus};
use crate::testing::{Call, FakeItem, Script, appliance, gzip, mysoftware};
use std::time::Duration;

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

/// Small files had a loop of their own, which notified nobody of another attempt.
#[test]
fn a_small_file_is_tried_again_as_everything_else_is() {
    let mut world = world(&[]);
    let photo = BinaryRef::Photo(ObjectId::try_from(7).expect("an id"));
    world.platform = world.platform.with_file(photo, b"a photo".to_vec());
    let asked = move |call: &Call| *call == Call::Binary(photo);
    let overloaded = ApiError::Overloaded {
        request: "GET photo".into(),
        status: 503,
        retry_after: None,
        proxy: None,
        message: None,
    };
    let platform = &world.platform;
    platform.script(1, asked, Script::Refuse(overloaded));
    platform.script(1, asked, Script::Body(b"a ph".to_vec(), None));
    world.complete();
    assert_eq!(world.platform.count(asked), 3);
    let retries = world.progress.events().into_iter();
    let retries = retries.filter(|event| {
        matches!(event, Event::Retry { what, .. } if what == "the photo `me.png` of the profile")
    });
    assert_eq!(retries.count(), 2);
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
            proxy: None,
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
