//! What a run comes to: refusals, changes meanwhile, sizes, empty lists.

use super::*;
use crate::model::{BagPath, ListResource, Resource, Section};
use crate::ports::{ApiError, SinkError};
use crate::report::{Completeness, ItemStatus, SectionStatus};
use crate::testing::{Call, FakeItem, Script, appliance, gzip, mysoftware};
use crate::workflow::{RunError, export};
use std::time::Duration;

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
            .any(|file| file.as_str().ends_with("archive-2.tar.gz")),
        "{:?}",
        entry.files
    );
    assert_eq!(world.platform.tickets(), []);
}

/// The report had the old name beside the new digest.
#[test]
fn an_item_that_is_renamed_meanwhile_has_the_name_of_its_newer_state() {
    for fails in [false, true] {
        let world = world(&[appliance(1)]);
        let old = world.platform.clone();
        if fails {
            let second =
                |call: &Call| matches!(call, Call::Download(ticket, _) if ticket.id.get() > 1);
            let damaged = Script::Body(b"damaged".to_vec(), None);
            world.platform.script(usize::MAX, second, damaged);
        }
        let outcome = world.clock.run(async {
            let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
            let change = async {
                crate::ports::Clock::sleep(&world.clock, Duration::from_secs(5)).await;
                old.change(appliance(1), |item| {
                    item.digest = "d2".to_owned();
                    item.name = "renamed".to_owned();
                });
            };
            futures_util::future::join(run, change).await.0
        });
        let report = outcome.expect("a bag").report;
        let mut items = report.items.iter();
        let entry = items.find(|item| item.section == Section::Appliances);
        let entry = entry.expect("an item");
        let is_renamed = entry.name.as_deref() == Some("renamed");
        assert_eq!(is_renamed, !fails, "{entry:?}");
        let folder = |path: &BagPath| {
            path.as_str()
                .rsplit_once('/')
                .map(|(folder, _)| folder.to_owned())
        };
        let folders: std::collections::BTreeSet<_> = entry.files.iter().map(folder).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
    }
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

/// Some platforms answer 204 where a list has nothing in it.
#[test]
fn a_list_that_is_answered_without_content_again_and_again_is_empty() {
    let world = world(&[appliance(1)]);
    let empty = || ApiError::Empty {
        request: "GET users/john/sshkeys".to_owned(),
        status: 204,
    };
    let lists = |call: &Call| {
        matches!(
            call,
            Call::Document(
                Resource::List(
                    ListResource::SshKeys | ListResource::MySoftware | ListResource::Workspaces,
                    _
                ),
                _
            )
        )
    };
    world
        .platform
        .script(usize::MAX, lists, Script::Refuse(empty()));
    let report = world.complete().report;
    for section in [
        Section::SshKeys,
        Section::MySoftware,
        Section::Workspaces,
        Section::WorkspaceComments,
    ] {
        let found = report.sections.iter().find(|s| s.section == section);
        let found = found.expect("a section");
        assert_eq!(
            (found.status, found.listed, found.recounted, found.items),
            (SectionStatus::Complete, Some(0), Some(0), 0),
            "{section}"
        );
        let files = report.files.iter();
        let kept = files.filter(|file| file.origin.section == section).count();
        assert_eq!(kept, 0, "{section}");
    }
    let notes = report.notes.iter();
    let notes = notes.filter(|note| note.contains("without content"));
    assert_eq!(notes.count(), 3, "{:?}", report.notes);
}

#[test]
fn a_list_that_is_answered_without_content_once_is_asked_for_again() {
    let world = world(&[appliance(1)]);
    let appliances = |call: &Call| {
        matches!(
            call,
            Call::Document(Resource::List(ListResource::Appliances, _), _)
        )
    };
    let empty = ApiError::Empty {
        request: "GET users/john/appliances".to_owned(),
        status: 200,
    };
    world.platform.script(1, appliances, Script::Refuse(empty));
    let report = world.complete().report;
    assert_eq!(report.items.len(), 1 + 1, "{:?}", report.items);
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

/// 200 with nothing behind it is an answer that was cut, not an empty list.
#[test]
fn a_list_whose_answer_has_no_body_is_missing() {
    let world = world(&[appliance(1)]);
    let keys = |call: &Call| {
        matches!(
            call,
            Call::Document(Resource::List(ListResource::SshKeys, _), _)
        )
    };
    let cut = ApiError::Empty {
        request: "GET users/john/sshkeys".to_owned(),
        status: 200,
    };
    world.platform.script(usize::MAX, keys, Script::Refuse(cut));
    let failures = world.partial().report.failures;
    assert_eq!(failures.len(), 1, "{failures:?}");
}

#[test]
fn documents_that_are_answered_without_content_are_failures() {
    for resource in [Resource::User, Resource::Item(appliance(1))] {
        let world = world(&[appliance(1)]);
        let is_it =
            move |call: &Call| matches!(call, Call::Document(asked, _) if *asked == resource);
        let empty = ApiError::Empty {
            request: "GET it".to_owned(),
            status: 204,
        };
        world
            .platform
            .script(usize::MAX, is_it, Script::Refuse(empty));
        let failures = world.partial().report.failures;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(
            failures[0].message.contains("it is empty (204)"),
            "{failures:?}"
        );
    }
}
