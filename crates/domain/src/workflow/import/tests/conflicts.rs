//! What is there already, by name and version.

use super::*;
use crate::testing::ImportScript;
use crate::workflow::import::ImportStage;

/// A world in which one bundle and one appliance are there already.
fn with_conflicts(on_conflict: OnConflict) -> World {
    let mut world = world();
    world.platform.add(ItemKind::MySoftware, "agent", "1.0");
    world.platform.add(ItemKind::Appliance, "shop", "1.0");
    world.order.on_conflict = on_conflict;
    world
}

#[test]
fn what_is_there_is_skipped() {
    let world = with_conflicts(OnConflict::Skip);
    let outcome = world.import();
    world.check_all_there();
    assert_eq!(imported(&outcome), ["theme", "blog", "wiki"]);
    let skipped: Vec<_> = outcome
        .skipped
        .iter()
        .map(|skipped| &skipped.object)
        .collect();
    assert_eq!(skipped.len(), 2);
    assert_eq!(skipped[1].uri.as_deref(), Some("users/john/appliances/901"));
    assert_eq!(world.uploads(), 3);
}

#[test]
fn an_appliance_is_overwritten_and_software_is_not() {
    let world = with_conflicts(OnConflict::Overwrite);
    let outcome = world.import();
    world.check_all_there();
    assert_eq!(imported(&outcome), ["theme", "shop", "blog", "wiki"]);
    assert!(outcome.skipped[0].reason.contains("cannot be overwritten"));
    let forced = world.platform.count(
        |call| matches!(call, ImportCall::Open(ItemKind::Appliance, options) if options.overwrite),
    );
    assert_eq!(forced, 3);
}

#[test]
fn a_conflict_fails_where_that_is_asked_for_and_the_rest_goes_on() {
    let world = with_conflicts(OnConflict::Fail);
    let outcome = world.import();
    assert_eq!(outcome.failed.len(), 2);
    assert!(
        outcome
            .failed
            .iter()
            .all(|failed| failed.stage == ImportStage::Conflict)
    );
    assert_eq!(imported(&outcome).len(), 3);
    assert_eq!(world.uploads(), 3);
}

#[test]
fn two_of_one_name_in_a_bag_are_one_on_the_platform() {
    let mut world = world();
    let mut recorded = json!({"format": "uforge-export/1", "items": []});
    for id in [1, 2] {
        let path = path("appliances", id);
        world.bag.insert(&path, b"twin 1.0");
        recorded["items"]
            .as_array_mut()
            .unwrap()
            .push(json!({"section": "appliances",
            "id": id, "name": "twin", "version": "1.0", "files": [path]}));
    }
    let recorded = RecordedExport::read(recorded.to_string().as_bytes()).unwrap();
    world.bag = {
        let mut bag = MemoryBag::new(recorded);
        bag.insert(&path("appliances", 1), b"twin 1.0");
        bag.insert(&path("appliances", 2), b"twin 1.0");
        bag
    };
    let outcome = world.import();
    assert_eq!((outcome.imported.len(), outcome.skipped.len()), (1, 1));
    assert_eq!(world.platform.names(ItemKind::Appliance), ["twin 1.0"]);
}

#[test]
fn a_plan_says_what_an_import_does_and_sends_nothing() {
    let world = with_conflicts(OnConflict::Skip);
    let plan = world.plan();
    assert_eq!(imported(&plan), ["theme", "blog", "wiki"]);
    assert!(
        plan.imported
            .iter()
            .all(|object| object.id.is_none() && object.uri.is_none())
    );
    assert_eq!(plan.skipped.len(), 2);
    let only_read = world.platform.calls().into_iter();
    assert!(
        only_read
            .clone()
            .all(|call| matches!(call, ImportCall::List(_)))
    );
    assert_eq!(only_read.count(), 2);
    assert!(world.journal.checkpoint().is_empty());
}

#[test]
fn ids_that_the_bag_does_not_hold_are_refused_before_anything_is_sent() {
    let mut world = world();
    let ids = ["999".parse::<i64>().unwrap()].map(|id| id.try_into().unwrap());
    world.order.order.selection.appliances = Some(ids.into());
    let error = world.try_import().unwrap_err();
    assert!(error.to_string().contains("201, 202, 203"), "{error}");
    assert_eq!(world.platform.calls(), []);
}

#[test]
fn ids_restrict_their_own_section_only() {
    let mut world = world();
    world.order.order.selection.appliances = Some([202.try_into().unwrap()].into());
    assert_eq!(imported(&world.import()), ["agent", "theme", "blog"]);
}

#[test]
fn without_the_platform_s_list_nothing_of_it_is_sent() {
    let world = world();
    let refused = ApiError::Forbidden {
        request: "GET users/john/mysoftware".to_owned(),
        message: None,
    };
    let lists = |call: &ImportCall| *call == ImportCall::List(ItemKind::MySoftware);
    world
        .platform
        .script(1, lists, ImportScript::Refuse(refused));
    let outcome = world.import();
    assert_eq!(imported(&outcome), ["shop", "blog", "wiki"]);
    assert!(
        outcome
            .failed
            .iter()
            .all(|failed| failed.stage == ImportStage::List)
    );
    assert_eq!(world.platform.count(uploads_of(ItemKind::MySoftware)), 0);
}
