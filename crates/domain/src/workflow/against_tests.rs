use std::time::Duration;

use super::*;
use crate::model::{ItemRef, ListResource, Page, Resource};
use crate::ports::Clock as _;
use crate::report::{Report, export_json};
use crate::testing::{
    Call, FakeItem, FakePlatform, MemoryJournal, MemorySink, RecordingProgress, Script, SimClock,
    appliance, mysoftware, order,
};
use crate::workflow::export;

struct World {
    clock: SimClock,
    platform: FakePlatform,
    journal: MemoryJournal,
    progress: RecordingProgress,
    order: Order,
}

fn world(items: &[ItemRef]) -> World {
    let clock = SimClock::default();
    World {
        platform: FakePlatform::new(&clock, items.iter().map(|item| FakeItem::new(*item))),
        clock,
        journal: MemoryJournal::default(),
        progress: RecordingProgress::default(),
        order: order(),
    }
}

impl World {
    fn ports(&self) -> Ports<'_> {
        Ports {
            api: &self.platform,
            clock: &self.clock,
            journal: &self.journal,
            progress: &self.progress,
        }
    }

    fn bag(&self) -> RecordedExport {
        let sink = Box::new(MemorySink::durable());
        let outcome = self
            .clock
            .run(export(self.ports(), sink, &self.order))
            .expect("a bag");
        recorded(&outcome.report)
    }

    fn against(&self, recorded: &RecordedExport) -> Result<Against, RunError> {
        self.clock.run(against(self.ports(), &self.order, recorded))
    }

    fn drift(&self, recorded: &RecordedExport) -> Drift {
        self.against(recorded).expect("a comparison").drift
    }
}

fn recorded(report: &Report) -> RecordedExport {
    RecordedExport::read(&export_json(report)[..]).expect("what was written")
}

fn list(list: ListResource) -> impl Fn(&Call) -> bool {
    move |call| matches!(call, Call::Document(Resource::List(asked, Page::Whole), _) if *asked == list)
}

fn forbidden() -> ApiError {
    ApiError::Forbidden {
        request: "GET x".to_owned(),
        message: None,
    }
}

#[test]
fn a_bag_that_was_just_made_is_up_to_date() {
    let world = world(&[appliance(1), appliance(2), mysoftware(1)]);
    let recorded = world.bag();
    let before = world.platform.calls().len();
    let found = world.against(&recorded).expect("a comparison");
    assert!(found.drift.is_up_to_date(), "{:#?}", found.drift);
    assert_eq!(found.platform_version.as_deref(), Some("3.8.13"));
    let asked = &world.platform.calls()[before..];
    let only_reads = asked
        .iter()
        .all(|call| matches!(call, Call::Platform | Call::Document(..)));
    assert!(only_reads, "nothing is exported or downloaded: {asked:?}");
    let objects = asked
        .iter()
        .filter(|call| matches!(call, Call::Document(Resource::Item(_), _)));
    assert_eq!(objects.count(), 0, "the lists say enough");
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn what_was_added_and_changed_since_is_named() {
    let world = world(&[appliance(1), appliance(2)]);
    let recorded = world.bag();
    world.platform.add(FakeItem::new(appliance(3)));
    world
        .platform
        .change(appliance(2), |item| "d2".clone_into(&mut item.digest));
    let drift = world.drift(&recorded);
    let (_, appliances) = drift
        .compared()
        .find(|(section, _)| *section == Section::Appliances)
        .expect("the appliances");
    assert_eq!(appliances.unchanged, 1);
    assert_eq!(appliances.added[0].id, Some(3));
    assert_eq!(appliances.changed[0].now.id, Some(2));
    assert_eq!(appliances.changed[0].digest_in_bag.as_deref(), Some("d1"));
    assert!(!drift.is_up_to_date());
}

#[test]
fn only_the_lists_of_the_bag_s_sections_are_read_whatever_the_order_selects() {
    let mut world = world(&[appliance(1), mysoftware(1)]);
    world.order.selection.sections = [Section::MySoftware].into();
    let recorded = world.bag();
    world.platform.add(FakeItem::new(appliance(2)));
    world.order.selection = Selection::everything();
    let before = world.platform.count(list(ListResource::Appliances));
    assert!(world.drift(&recorded).is_up_to_date());
    assert_eq!(world.platform.count(list(ListResource::Appliances)), before);
}

#[test]
fn a_section_that_cannot_be_read_any_more_is_said() {
    let world = world(&[appliance(1)]);
    let recorded = world.bag();
    world
        .platform
        .script(1, list(ListResource::Scans), Script::Refuse(forbidden()));
    let drift = world.drift(&recorded);
    let scans = drift
        .sections
        .iter()
        .find(|drift| drift.section == Section::Scans)
        .expect("scans");
    let crate::bag::verify::Standing::Unread(unread) = &scans.standing else {
        panic!("{scans:?}");
    };
    assert!(unread.reason.contains("403"), "{unread:?}");
    assert!(
        drift.is_up_to_date(),
        "as in an export, only the core has to be readable"
    );
    world.platform.script(
        1,
        list(ListResource::Appliances),
        Script::Refuse(forbidden()),
    );
    assert!(!world.drift(&recorded).is_up_to_date());
}

#[test]
fn an_overloaded_platform_is_waited_for() {
    let world = world(&[appliance(1)]);
    let recorded = world.bag();
    let overloaded = ApiError::Overloaded {
        request: "GET x".to_owned(),
        status: 503,
        retry_after: Some(Duration::from_secs(30)),
        proxy: None,
        message: None,
    };
    world.platform.script(
        2,
        list(ListResource::Appliances),
        Script::Refuse(overloaded),
    );
    let before = world.clock.elapsed();
    assert!(world.drift(&recorded).is_up_to_date());
    assert!(world.clock.elapsed() >= before + Duration::from_mins(1));
}

#[test]
fn refused_credentials_and_a_platform_that_is_not_there_end_it() {
    let world = world(&[appliance(1)]);
    let recorded = world.bag();
    let unauthorized = ApiError::Unauthorized {
        request: "GET x".to_owned(),
        message: None,
    };
    world.platform.script(
        1,
        list(ListResource::Appliances),
        Script::Refuse(unauthorized),
    );
    assert!(matches!(
        world.against(&recorded),
        Err(RunError::Unauthorized { .. })
    ));
    let unreachable = ApiError::Unreachable {
        request: "GET x".to_owned(),
        host: "x".to_owned(),
        detail: "refused".to_owned(),
    };
    world.platform.script(
        100,
        |call| *call == Call::Platform,
        Script::Refuse(unreachable),
    );
    assert!(matches!(
        world.against(&recorded),
        Err(RunError::Platform(_))
    ));
}

#[test]
fn nobody_s_bag_is_compared_with_a_platform_that_refuses_everything() {
    let world = world(&[appliance(1)]);
    let recorded = world.bag();
    world.platform.script(
        100,
        |call| matches!(call, Call::Document(..)),
        Script::Refuse(forbidden()),
    );
    assert!(matches!(
        world.against(&recorded),
        Err(RunError::NothingAvailable { .. })
    ));
}
