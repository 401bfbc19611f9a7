//! Exports with an earlier bag at hand.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join;

use super::*;
use crate::bag::verify::RecordedExport;
use crate::model::{BundleReference, OutputFormat, Section};
use crate::ports::Clock as _;
use crate::report::{ItemReport, Report};
use crate::testing::{MemoryBag, Script, appliance, gzip, mysoftware};
use crate::workflow::{Changed, Earlier, Since, export_since, plan_since, read_earlier};

const SHOP: i64 = 1;
const MAIL: i64 = 2;
const NGINX: i64 = 11;
const CA: i64 = 12;

/// The shop needs nginx; mail needs nothing of the user's.
fn account() -> World {
    let items = [
        appliance(SHOP),
        appliance(MAIL),
        mysoftware(NGINX),
        mysoftware(CA),
    ];
    let world = world(&items);
    refer(&world, appliance(SHOP), NGINX);
    world
}

fn refer(world: &World, item: ItemRef, bundle: i64) {
    let reference = BundleReference {
        owner: Some("john".to_owned()),
        id: Some(bundle),
    };
    world.platform.change(item, |item| {
        item.bundles = Some(BTreeSet::from([reference]));
    });
}

/// Somebody edits it.
fn edit(world: &World, item: ItemRef) {
    world.platform.change(item, |item| {
        item.digest.push('+');
        item.archive = gzip(format!("{} {}", item.name, item.digest).as_bytes());
    });
}

/// The bag that a world has made.
fn bag(world: &World) -> MemoryBag {
    let state = world.sink.state();
    let tags = state.tags.as_ref().expect("a finished bag");
    let export_json = tags.iter().find(|tag| tag.path.as_str() == "export.json");
    let recorded = RecordedExport::read(&*export_json.expect("export.json").bytes);
    let mut bag = MemoryBag::new(recorded.expect("export.json can be read"));
    for (path, (_, bytes)) in &state.entries {
        bag.insert(path.as_str(), bytes);
    }
    bag
}

impl World {
    /// A later run of the same account, with a bag of its own.
    fn later(&self, earlier: &Earlier) -> World {
        World {
            clock: self.clock.clone(),
            platform: self.platform.clone(),
            sink: MemorySink::durable(),
            journal: MemoryJournal::default(),
            progress: RecordingProgress::default(),
            order: Order {
                since: Some(earlier.identity().clone()),
                ..self.order.clone()
            },
        }
    }

    fn read(&self, bag: &MemoryBag) -> Earlier {
        let (user, source) = (&self.order.user, &self.order.source);
        let earlier = read_earlier(bag, "old.zip".to_owned(), user, source);
        self.clock.run(earlier).expect("an earlier bag")
    }

    fn export_since(&self, bag: &MemoryBag, earlier: &Earlier) -> Result<Outcome, RunError> {
        let sink = Box::new(self.sink.clone());
        let since = Since { bag, earlier };
        let export = export_since(self.ports(), since, sink, &self.order);
        self.clock.run(export)
    }

    /// Exports with this bag at hand: the later world, its report, and what was started.
    fn again(&self, bag: &MemoryBag) -> (World, Report, Vec<ItemRef>) {
        let earlier = self.read(bag);
        let before = self.platform.calls().len();
        let later = self.later(&earlier);
        let report = later.export_since(bag, &earlier).expect("a bag").report;
        assert_eq!(report.failures, []);
        assert_eq!(report.completeness, Completeness::Complete);
        let starts = self.platform.calls().split_off(before).into_iter();
        let mut starts: Vec<ItemRef> = starts
            .filter_map(|call| match call {
                Call::Start(item) => Some(item),
                _ => None,
            })
            .collect();
        starts.sort();
        (later, report, starts)
    }
}

fn report_of(report: &Report, item: ItemRef) -> &ItemReport {
    let section = Section::of_items(item.kind);
    let mut items = report.items.iter();
    items
        .find(|found| found.section == section && found.id == Some(item.id.get()))
        .expect("it is in the report")
}

fn reused(report: &Report) -> Vec<(Section, i64)> {
    let items = report.items.iter();
    let reused = items.filter(|item| item.reused_from.is_some());
    reused
        .filter_map(|item| Some((item.section, item.id?)))
        .collect()
}

#[test]
fn nothing_is_exported_of_what_has_not_changed() {
    let world = account();
    let first = world.complete().report;
    let bag = bag(&world);
    let downloads = world
        .platform
        .count(|call| matches!(call, Call::Download(..)));
    let (later, report, starts) = world.again(&bag);
    assert_eq!(starts, []);
    let after = world
        .platform
        .count(|call| matches!(call, Call::Download(..)));
    assert_eq!(after, downloads);
    assert_eq!(reused(&report).len(), 4);
    for item in [appliance(SHOP), mysoftware(CA)] {
        assert_eq!(later.archive_of(item), world.archive_of(item));
        let reused_from = report_of(&report, item).reused_from.as_ref();
        assert_eq!(reused_from, later.order.since.as_ref());
        let archive = |report: &Report| {
            let mut files = report.files.iter();
            let found = files.find(|file| file.origin.item == Some(item));
            let origin = &found.expect("its archive").origin;
            (origin.source.clone(), origin.fetched)
        };
        assert_eq!(archive(&report), archive(&first));
    }
    assert_eq!(report.notes, Vec::<String>::new());
}

/// Sixty appliances and forty bundles; every third appliance needs nginx.
fn large_account() -> World {
    let appliances = (1..=60).map(appliance);
    let items: Vec<ItemRef> = appliances.chain((11..51).map(mysoftware)).collect();
    let world = world(&items);
    for id in (3..=60).step_by(3) {
        refer(&world, appliance(id), NGINX);
    }
    world
}

#[test]
fn a_hundred_items_that_have_not_changed_take_a_tenth_of_the_time_at_most() {
    let world = large_account();
    let before = world.clock.elapsed();
    world.complete();
    let first = world.clock.elapsed().saturating_sub(before);
    let bag = bag(&world);
    let downloads = || {
        let platform = &world.platform;
        platform.count(|call| matches!(call, Call::Download(..)))
    };
    assert_eq!(downloads(), 100);
    let before = world.clock.elapsed();
    let (later, report, starts) = world.again(&bag);
    let second = world.clock.elapsed().saturating_sub(before);
    assert_eq!(starts, []);
    assert_eq!(downloads(), 100, "0 bytes of archives");
    assert_eq!(reused(&report).len(), 100);
    assert!(second * 10 <= first, "{second:?} after {first:?}");

    // One has changed; then a bundle, and with it what refers to it.
    edit(&world, appliance(MAIL));
    let bag = self::bag(&later);
    let (later, _, starts) = later.again(&bag);
    assert_eq!(starts, [appliance(MAIL)]);
    edit(&world, mysoftware(NGINX));
    let bag = self::bag(&later);
    let (_, _, starts) = later.again(&bag);
    let mut expected: Vec<ItemRef> = (3..=60).step_by(3).map(appliance).collect();
    expected.push(mysoftware(NGINX));
    assert_eq!(starts, expected);
}

#[test]
fn a_bag_that_was_made_from_another_one_can_be_taken_from_again() {
    let world = account();
    world.complete();
    let (second, ..) = world.again(&bag(&world));
    let (_, report, starts) = second.again(&bag(&second));
    assert_eq!(starts, []);
    assert_eq!(reused(&report).len(), 4);
}

#[test]
fn what_has_changed_is_exported_and_nothing_else() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    edit(&world, appliance(MAIL));
    let (_, report, starts) = world.again(&bag);
    assert_eq!(starts, [appliance(MAIL)]);
    assert_eq!(reused(&report).len(), 3);
    assert_eq!(report_of(&report, appliance(MAIL)).reused_from, None);
}

#[test]
fn a_changed_bundle_is_exported_with_the_appliances_that_refer_to_it() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    edit(&world, mysoftware(NGINX));
    let (_, _, starts) = world.again(&bag);
    assert_eq!(starts, [appliance(SHOP), mysoftware(NGINX)]);
    world
        .platform
        .change(appliance(MAIL), |item| item.bundles = None);
    refer(&world, appliance(SHOP), 99);
    edit(&world, mysoftware(CA));
    let (_, _, starts) = world.again(&bag);
    let exported = [
        appliance(SHOP),
        appliance(MAIL),
        mysoftware(NGINX),
        mysoftware(CA),
    ];
    assert_eq!(starts, exported, "what a document refers to is not known");
}

#[test]
fn bundles_that_are_not_exported_still_count() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    let earlier = world.read(&bag);
    let mut later = world.later(&earlier);
    later.order.selection.sections.remove(&Section::MySoftware);
    let report = later.export_since(&bag, &earlier).expect("a bag").report;
    assert_eq!(reused(&report).len(), 2);
    edit(&world, mysoftware(NGINX));
    let mut later = world.later(&earlier);
    later.order.selection.sections.remove(&Section::MySoftware);
    let report = later.export_since(&bag, &earlier).expect("a bag").report;
    assert_eq!(reused(&report), [(Section::Appliances, MAIL)]);
}

#[test]
fn a_damaged_archive_is_exported_and_named() {
    let world = account();
    world.complete();
    let mut bag = bag(&world);
    let path = |item| {
        let state = world.sink.state();
        let mut entries = state.entries.iter();
        let found = entries.find(|(_, (receipt, _))| receipt.origin.item == Some(item));
        found.expect("its archive").0.to_string()
    };
    let sound = gzip(b"another archive that is whole");
    bag.change_after_check(&path(appliance(SHOP)), &sound);
    bag.change_after_check(&path(appliance(MAIL)), b"");
    let (later, report, starts) = world.again(&bag);
    assert_eq!(starts, [appliance(SHOP), appliance(MAIL)]);
    for item in [appliance(SHOP), appliance(MAIL)] {
        assert_eq!(later.archive_of(item), world.archive_of(item));
        assert_eq!(report_of(&report, item).reused_from, None);
    }
    assert_eq!(report.notes.len(), 2);
    for note in &report.notes {
        assert!(note.contains("was not taken from `old.zip`"), "{note}");
    }
    assert!(later.notes().iter().all(|note| report.notes.contains(note)));
}

#[test]
fn an_archive_that_is_not_there_as_described_is_exported_and_named() {
    let world = account();
    world.complete();
    let mut bag = bag(&world);
    let path = "data/appliances/1-appliance-1/archive.tar.gz";
    assert!(world.sink.bytes(path).is_some());
    bag.insert(path, b"other bytes, and the manifest agrees with them");
    let (_, report, starts) = world.again(&bag);
    assert_eq!(starts, [appliance(SHOP)]);
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
}

#[test]
fn another_output_format_is_another_archive() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    let earlier = world.read(&bag);
    let mut later = world.later(&earlier);
    later.order.output_format = OutputFormat::Json;
    let report = later.export_since(&bag, &earlier).expect("a bag").report;
    assert_eq!(reused(&report), []);
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
}

#[test]
fn what_changes_meanwhile_is_exported_once_more() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    edit(&world, mysoftware(CA));
    let earlier = world.read(&bag);
    let later = world.later(&earlier);
    let since = Since {
        bag: &bag,
        earlier: &earlier,
    };
    let sink = Box::new(later.sink.clone());
    let before = world.platform.calls().len();
    let somebody = async {
        later.clock.sleep(Duration::from_secs(5)).await;
        edit(&world, mysoftware(NGINX));
        edit(&world, appliance(MAIL));
    };
    let export = export_since(later.ports(), since, sink, &later.order);
    let (outcome, ()) = later.clock.run(join(export, somebody));
    let report = outcome.expect("a bag").report;
    let calls = world.platform.calls().split_off(before);
    let starts = |item| {
        calls
            .iter()
            .filter(|call| **call == Call::Start(item))
            .count()
    };
    assert_eq!(starts(mysoftware(CA)), 1);
    assert_eq!(starts(mysoftware(NGINX)), 1);
    assert_eq!(starts(appliance(MAIL)), 1);
    assert_eq!(starts(appliance(SHOP)), 1, "its bundle has changed");
    assert_eq!(report.completeness, Completeness::Complete);
    assert!(report.items.iter().all(|item| !item.changed_during_export));
    // A third run takes the newer of both.
    let (third, report, starts) = later.again(&self::bag(&later));
    assert_eq!(
        starts,
        [appliance(SHOP)],
        "which state of its bundle it holds is not known"
    );
    assert_eq!(reused(&report).len(), 3);
    let newest = |world: &World, path: &str| world.sink.bytes(path).expect("an archive");
    assert_eq!(
        newest(&third, "data/appliances/2-appliance-2/archive.tar.gz"),
        newest(&later, "data/appliances/2-appliance-2/archive-2.tar.gz")
    );
}

/// The run that downloads this archive ends there, since the platform refuses its sign-in once.
fn end_at_download(world: &World, item: ItemRef) {
    let refused = ApiError::Unauthorized {
        request: "x".to_owned(),
        message: None,
    };
    world
        .platform
        .script(1, downloads_of(item), Script::Refuse(refused));
}

#[test]
fn what_an_interrupted_run_took_is_not_taken_again() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    edit(&world, appliance(MAIL));
    let earlier = world.read(&bag);
    let later = world.later(&earlier);
    end_at_download(&world, appliance(MAIL));
    assert!(later.export_since(&bag, &earlier).is_err());
    for item in [appliance(SHOP), mysoftware(NGINX), mysoftware(CA)] {
        assert_eq!(later.archive_of(item), world.archive_of(item));
    }
    // Its bytes are not there any more.
    let mut empty = bag.clone();
    for (path, (receipt, _)) in &later.sink.state().entries {
        if receipt.origin.is_reused() {
            empty.change_after_check(path.as_str(), b"");
        }
    }
    let report = later.export_since(&empty, &earlier).expect("a bag").report;
    assert_eq!(reused(&report).len(), 3);
    assert_eq!(report.notes, Vec::<String>::new());
    assert_eq!(world.platform.count(starts_of(appliance(MAIL))), 2);
}

#[test]
fn a_difference_that_an_interrupted_run_found_is_still_reported() {
    let world = account();
    world.complete();
    let mut damaged = bag(&world);
    damaged.change_after_check("data/appliances/1-appliance-1/archive.tar.gz", b"");
    let earlier = world.read(&damaged);
    let later = world.later(&earlier);
    end_at_download(&world, appliance(SHOP));
    assert!(later.export_since(&damaged, &earlier).is_err());
    let report = later.export_since(&bag(&world), &earlier).expect("a bag");
    assert_eq!(report.report.notes.len(), 1);
    assert_eq!(
        world.platform.count(starts_of(appliance(SHOP))),
        2,
        "once for each bag"
    );
}

#[test]
fn a_plan_says_what_would_be_taken() {
    let world = account();
    world.complete();
    let bag = bag(&world);
    edit(&world, mysoftware(NGINX));
    let earlier = world.read(&bag);
    let since = Since {
        bag: &bag,
        earlier: &earlier,
    };
    let before = world.platform.calls().len();
    let plan = plan_since(world.ports(), since, &world.order);
    let plan = world.clock.run(plan).expect("a plan");
    let reuse: Vec<_> = plan.items.iter().map(|item| item.reuse.clone()).collect();
    let id = mysoftware(NGINX).id;
    let why = Box::new(Changed::State);
    assert_eq!(
        reuse,
        [
            Some(Err(Changed::Bundle { id, why })),
            Some(Ok(())),
            Some(Err(Changed::State)),
            Some(Ok(()))
        ]
    );
    let calls = world.platform.calls().split_off(before);
    assert!(
        calls
            .iter()
            .all(|call| matches!(call, Call::Document(..) | Call::Platform)),
        "nothing is started"
    );
}
