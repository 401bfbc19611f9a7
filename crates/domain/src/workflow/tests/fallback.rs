//! Something rather than nothing: what is fetched of an item of which the platform can give no archive.

use super::*;
use crate::model::{BinaryRef, ObjectFacts, ObjectId, PartKind, PartRef, Resource};
use crate::ports::ExportStatus;
use crate::report::{ItemStatus, Stage};
use crate::testing::{Script, appliance, mysoftware};

fn id(id: i64) -> ObjectId {
    ObjectId::try_from(id).unwrap()
}

fn part(item: ItemRef, path: &str, ids: &[i64]) -> PartRef {
    let kind = PartKind::all(item.kind).find(|kind| kind.below_item() == path);
    let ids: Vec<ObjectId> = ids.iter().map(|number| id(*number)).collect();
    PartRef::new(item, kind.expect("in the table"), &ids).expect("as many ids as parameters")
}

fn object(id: i64, name: &str, size: Option<u64>) -> ObjectFacts {
    ObjectFacts {
        id: Some(id),
        name: Some(name.to_owned()),
        size,
        ..ObjectFacts::default()
    }
}

/// Two items with a file each.
fn with_parts(world: World) -> World {
    let (shop, tools) = (appliance(1), mysoftware(1));
    let platform = world
        .platform
        .clone()
        .with_part(
            part(shop, "bootscripts", &[]),
            vec![object(5, "../first boot.sh", Some(4))],
        )
        .with_part(
            part(shop, "bootscripts/{bsid}", &[5]),
            vec![object(5, "first boot.sh", Some(4))],
        )
        .with_file(
            BinaryRef::Part(part(shop, "bootscripts/{bsid}/bin", &[5])),
            b"#!sh".to_vec(),
        )
        .with_part(
            part(tools, "artifacts", &[]),
            vec![object(9, "a.tar.gz", None)],
        )
        .with_file(
            BinaryRef::Part(part(tools, "artifacts/{said}/bin", &[9])),
            b"\x1f\x8bnot unpacked".to_vec(),
        );
    World { platform, ..world }
}

fn asks_for_parts(call: &Call) -> bool {
    matches!(
        call,
        Call::Document(Resource::Part(..), _) | Call::Binary(BinaryRef::Part(_))
    )
}

fn refuse_starts(world: &World, item: ItemRef, error: ApiError) {
    world
        .platform
        .script(usize::MAX, starts_of(item), Script::Refuse(error));
}

fn status(outcome: &Outcome, item: ItemRef) -> ItemStatus {
    let mut items = outcome.report.items.iter();
    let found = items.find(|report| {
        report.section == crate::model::Section::of_items(item.kind)
            && report.id == Some(item.id.get())
    });
    found.expect("reported").status
}

fn fallback_files(world: &World) -> Vec<String> {
    let state = world.sink.state();
    let paths = state.entries.keys().map(ToString::to_string);
    paths.filter(|path| path.contains("/fallback/")).collect()
}

#[test]
fn of_an_item_whose_start_fails_for_good_every_part_is_kept() {
    let world = with_parts(world(&[appliance(1), mysoftware(1)]));
    refuse_starts(&world, appliance(1), fault(500));
    let outcome = world.partial();
    assert_eq!(
        fallback_files(&world),
        [
            "data/appliances/1-appliance-1/fallback/bootscripts.json",
            "data/appliances/1-appliance-1/fallback/bootscripts.xml",
            "data/appliances/1-appliance-1/fallback/bootscripts/5-first-boot.sh",
            "data/appliances/1-appliance-1/fallback/bootscripts/5.json",
            "data/appliances/1-appliance-1/fallback/bootscripts/5.xml",
        ]
    );
    assert_eq!(status(&outcome, appliance(1)), ItemStatus::Partial);
    let [failure] = &outcome.report.failures[..] else {
        panic!("{:?}", outcome.report.failures);
    };
    assert_eq!(
        (failure.stage, failure.http_status),
        (Stage::Start, Some(500))
    );
    assert!(failure.message.contains("no OS profile"), "{failure:?}");
    let note = outcome
        .report
        .notes
        .iter()
        .find(|note| note.contains("fallback"));
    let note = note.expect("a note");
    assert!(note.contains("4 documents and 1 file"), "{note}");
    assert!(note.contains("installProfile (404)"), "{note}");
}

#[test]
fn of_an_item_whose_job_ends_in_an_error_every_part_is_kept_as_it_is() {
    let world = with_parts(world(&[appliance(1), mysoftware(1)]));
    let failed = ExportStatus {
        error: true,
        error_message: Some("no space".to_owned()),
        ..ExportStatus::default()
    };
    world
        .platform
        .script(1, starts_of(mysoftware(1)), Script::Say(failed));
    let outcome = world.partial();
    let path = "data/mysoftware/1-mysoftware-1/fallback/artifacts/9-a-tar.gz";
    let state = world.sink.state();
    let mut entries = state.entries.iter();
    let kept = entries.find(|(known, _)| known.as_str() == path);
    let (_, (_, bytes)) = kept.unwrap_or_else(|| panic!("{:?}", state.entries.keys()));
    assert_eq!(bytes, b"\x1f\x8bnot unpacked");
    assert_eq!(status(&outcome, mysoftware(1)), ItemStatus::Partial);
    assert_eq!(outcome.report.failures.len(), 1);
    assert_eq!(outcome.report.failures[0].stage, Stage::Wait);
}

#[test]
fn what_can_be_exported_is_not_asked_for_its_parts() {
    let world = with_parts(world(&[appliance(1), mysoftware(1)]));
    world.complete();
    assert_eq!(world.platform.count(asks_for_parts), 0);
}

#[test]
fn what_is_gone_cancelled_or_given_up_has_no_fallback() {
    let gone = ApiError::NotFound {
        request: "x".to_owned(),
        status: 404,
        message: None,
    };
    let says = |status: ExportStatus| Script::Say(status);
    let cancelled = says(ExportStatus {
        cancelled: true,
        ..ExportStatus::default()
    });
    for script in [
        Script::Refuse(gone),
        cancelled,
        says(ExportStatus::default()),
    ] {
        let world = with_parts(world(&[appliance(1)]));
        let is_stuck = matches!(&script, Script::Say(status) if !status.cancelled);
        world
            .platform
            .script(usize::MAX, starts_of(appliance(1)), script.clone());
        if is_stuck {
            let asks = |call: &Call| matches!(call, Call::Status(_));
            world.platform.script(usize::MAX, asks, script);
        }
        let outcome = world.partial();
        assert_eq!(world.platform.count(asks_for_parts), 0);
        assert_ne!(status(&outcome, appliance(1)), ItemStatus::Complete);
    }
}

#[test]
fn parts_that_are_refused_change_nothing() {
    let world = with_parts(world(&[appliance(1)]));
    refuse_starts(&world, appliance(1), fault(500));
    world
        .platform
        .script(usize::MAX, asks_for_parts, Script::Refuse(fault(500)));
    let outcome = world.partial();
    assert_eq!(outcome.report.failures.len(), 1);
    assert_eq!(status(&outcome, appliance(1)), ItemStatus::Partial);
    assert_eq!(fallback_files(&world), [""; 0]);
    let notes = outcome.report.notes.join("\n");
    assert!(notes.contains("bootscripts (500)"), "{notes}");
}

#[test]
fn a_run_dropped_among_the_parts_goes_on_there() {
    let items = [appliance(1), mysoftware(1)];
    let undisturbed = with_parts(world(&items));
    refuse_starts(&undisturbed, appliance(1), fault(500));
    undisturbed.partial();
    let expected = fallback_files(&undisturbed);
    assert!(expected.len() > 4);
    let mut was_among_them = false;
    for polls in 1.. {
        let world = with_parts(world(&items));
        refuse_starts(&world, appliance(1), fault(500));
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            break;
        }
        let before = fallback_files(&world).len();
        was_among_them |= before > 0 && before < expected.len();
        world.partial();
        assert_eq!(fallback_files(&world), expected, "dropped at poll {polls}");
        let reads = |call: &Call| {
            let list = part(appliance(1), "bootscripts", &[]);
            matches!(call, Call::Document(Resource::Part(part, _), _) if *part == list)
        };
        assert!(world.platform.count(reads) <= 4, "dropped at poll {polls}");
    }
    assert!(was_among_them);
}

#[test]
fn parts_of_an_item_that_can_be_exported_later_stay_its_own() {
    let world = with_parts(world(&[appliance(1)]));
    refuse_starts(&world, appliance(1), fault(500));
    let mut polls = 1;
    while fallback_files(&world).is_empty() {
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        assert!(world.clock.run_for(polls, run).is_none());
        polls += 5;
    }
    world.platform.forget_scripts();
    let outcome = world.complete();
    let item = outcome
        .report
        .items
        .iter()
        .find(|item| item.section.name() == "appliances");
    let files = &item.expect("reported").files;
    assert!(
        files
            .iter()
            .any(|file| file.as_str().contains("/fallback/")),
        "{files:?}"
    );
    assert!(
        files
            .iter()
            .any(|file| file.as_str().ends_with("archive.tar.gz")),
        "{files:?}"
    );
}
