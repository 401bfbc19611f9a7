//! Imports in which little or nothing goes wrong.

use std::time::Duration;

use super::*;
use crate::ports::Clock as _;
use crate::testing::ImportScript;
use crate::workflow::import::ImportStage;

#[test]
fn all_of_a_bag_is_imported_once_and_no_ticket_is_left() {
    let world = world();
    let outcome = world.import();
    world.check_all_there();
    assert_eq!(imported(&outcome).len(), 5);
    assert_eq!((outcome.skipped.len(), outcome.failed.len()), (0, 0));
    assert!(!outcome.is_unfinished);
    assert_eq!(world.uploads(), 5);
    let shop = outcome
        .imported
        .iter()
        .find(|object| object.name.as_deref() == Some("shop"));
    let shop = shop.unwrap();
    let id = shop.id.unwrap();
    assert_eq!(shop.uri, Some(format!("users/john/appliances/{id}")));
    let manual: Vec<_> = outcome
        .manual
        .iter()
        .map(|found| (found.section, found.count))
        .collect();
    assert_eq!(manual, [(Section::CloudAccounts, 14)]);
}

#[test]
fn no_appliance_is_sent_before_all_software_has_ended() {
    let mut world = world();
    world.order.order.jobs = 8;
    world.import();
    let calls = world.platform.calls();
    let last_of_software = calls.iter().rposition(
        |call| matches!(call, ImportCall::Ticket(ticket) if ticket.kind == ItemKind::MySoftware),
    );
    let first_appliance = calls.iter().position(|call| {
        opens_of(ItemKind::Appliance)(call) || uploads_of(ItemKind::Appliance)(call)
    });
    assert!(
        last_of_software.unwrap() < first_appliance.unwrap(),
        "{calls:?}"
    );
    let options = calls.iter().find_map(|call| match call {
        ImportCall::Open(ItemKind::Appliance, options) => Some(*options),
        _ => None,
    });
    assert!(!options.unwrap().overwrite);
}

#[test]
fn only_so_many_are_at_work_at_once() {
    let mut world = world();
    world.order.order.jobs = 1;
    world.import();
    world.check_all_there();
    let (mut open, mut most) = (0, 0);
    for call in world.platform.calls() {
        match call {
            ImportCall::Open(..) => open += 1,
            ImportCall::Ticket(_) => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    assert_eq!(most, 1);
}

#[test]
fn what_is_missing_or_damaged_in_the_bag_is_never_sent_and_the_rest_is() {
    let mut world = world();
    world.bag.damage(&path("appliances", 201));
    world
        .bag
        .change_after_check(&path("mysoftware", 301), b"agent 1.0 and all that is in XX");
    let outcome = world.import();
    assert_eq!(imported(&outcome), ["theme", "blog", "wiki"]);
    assert!(outcome.is_damaged());
    assert!(
        outcome
            .failed
            .iter()
            .all(|failed| failed.stage == ImportStage::Bag)
    );
    assert_eq!(outcome.failed.len(), 2);
    assert_eq!(world.uploads(), 3, "only whole archives arrive");
    assert_eq!(world.platform.names(ItemKind::MySoftware), ["theme 1.0"]);
    assert_eq!(world.platform.tickets(), []);
    assert!(!outcome.is_unfinished);
    assert_eq!(
        outcome.notes.len(),
        1,
        "the ticket of the software: {:?}",
        outcome.notes
    );
}

#[test]
fn a_file_outside_of_the_payload_is_damage_whatever_it_is_called() {
    for evil in [
        "/etc/passwd",
        "evil.tar.gz",
        "../archive.tar.gz",
        "data/../evil.tar.gz",
        "data/appliances/../archive.tar.gz",
        "data/appliances/201-x/../../../tagmanifest-sha256.txt",
        "data//archive.tar.gz",
    ] {
        let mut world = world();
        let recorded = json!({"format": "uforge-export/1", "items": [
            {"section": "appliances", "id": 201, "name": "shop", "version": "1.0",
                "status": "complete", "files": [evil]},
            {"section": "appliances", "id": 202, "name": "blog", "version": "1.0",
                "status": "partial", "files": ["data/appliances/202-x/appliance.xml"]}]});
        let recorded = RecordedExport::read(recorded.to_string().as_bytes()).expect("a record");
        world.bag = MemoryBag::new(recorded);
        world.bag.insert(evil, b"evil 1.0");
        let outcome = world.import();
        let damaged: Vec<bool> = outcome.failed.iter().map(|one| one.is_damaged).collect();
        assert_eq!(
            damaged.iter().filter(|damaged| **damaged).count(),
            1,
            "{evil}"
        );
        assert_eq!(damaged.len(), 2, "no archive is no damage: {evil}");
        assert_eq!(world.uploads(), 0, "{evil}");
    }
}

#[test]
fn a_hostile_reference_is_not_believed() {
    let world = world();
    let evil = "https://evil.example/users/john/appliances/1";
    world.platform.script(
        9,
        uploads_of(ItemKind::Appliance),
        ImportScript::Reference(evil),
    );
    let outcome = world.import();
    world.check_all_there();
    assert_eq!(outcome.failed, []);
    let shown = format!("{outcome:?}");
    assert!(!shown.contains("evil"), "{shown}");
    for object in &outcome.imported {
        let id = object.id.unwrap();
        assert!(object.uri.as_ref().unwrap().ends_with(&format!("/{id}")));
    }
}

#[test]
fn an_import_that_ends_in_an_error_is_reported_in_the_platform_s_words() {
    let world = world();
    let words = ImportScript::EndWith("no space left");
    world
        .platform
        .script(1, uploads_of(ItemKind::Appliance), words.clone());
    world
        .platform
        .script(1, uploads_of(ItemKind::MySoftware), words);
    let outcome = world.import();
    assert_eq!(imported(&outcome).len(), 3);
    for failed in &outcome.failed {
        assert_eq!(failed.stage, ImportStage::Wait);
        assert!(
            failed.message.contains("\"no space left\""),
            "{}",
            failed.message
        );
    }
    assert_eq!(world.platform.tickets(), []);
    assert!(
        outcome.notes[0].contains("import ticket 50"),
        "{:?}",
        outcome.notes
    );
    assert!(outcome.is_unfinished);
    let again = world.import();
    assert_eq!(imported(&again).len(), 5, "what failed is tried again");
    world.check_all_there();
}

#[test]
fn an_import_that_never_moves_is_given_up_and_its_ticket_deleted() {
    let world = world();
    world
        .platform
        .script(1, uploads_of(ItemKind::Appliance), ImportScript::NeverMove);
    let outcome = world.import();
    assert_eq!(outcome.failed.len(), 1);
    assert!(
        outcome.failed[0].message.contains("30 minutes"),
        "{:?}",
        outcome.failed
    );
    assert_eq!(imported(&outcome).len(), 4);
    assert_eq!(world.platform.tickets(), []);
    assert!(world.clock.elapsed() < Duration::from_mins(35));
}

/// What is there by name may be half made: only the platform's word that the import has ended makes it imported.
#[test]
fn an_object_whose_import_is_not_known_to_have_ended_is_not_counted_as_imported() {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let world = world();
        world
            .platform
            .script(1, uploads_of(kind), ImportScript::NeverEnd);
        let outcome = world.import();
        assert_eq!(imported(&outcome).len(), 4, "{kind:?}");
        let [failed] = &*outcome.failed else {
            panic!("{:?}", outcome.failed);
        };
        for words in ["30 minutes", "not confirmed", "asks it again"] {
            assert!(failed.message.contains(words), "{}", failed.message);
        }
        assert!(outcome.is_unfinished);
        let uploads = |world: &World| world.platform.count(uploads_of(kind));
        let before = uploads(&world);
        // A later run asks the ticket, as long as that takes, and sends nothing twice.
        let outcome = world.import();
        assert_eq!((imported(&outcome).len(), outcome.failed.len()), (4, 1));
        world.platform.let_end();
        let outcome = world.import();
        assert_eq!(imported(&outcome).len(), 5, "{:?}", outcome.failed);
        assert_eq!(uploads(&world), before);
        world.check_all_there();
        assert_eq!(world.platform.tickets(), []);
    }
}

/// Where the status cannot be had, the ticket is asked.
#[test]
fn a_ticket_speaks_for_a_status_that_is_refused() {
    let world = world();
    let refused = ApiError::Forbidden {
        request: "x".to_owned(),
        message: None,
    };
    let statuses = |call: &ImportCall| matches!(call, ImportCall::Status(ticket) if ticket.kind == ItemKind::Appliance);
    let script = ImportScript::Refuse(refused);
    world.platform.script(usize::MAX, statuses, script);
    let outcome = world.import();
    assert_eq!(imported(&outcome).len(), 5, "{:?}", outcome.failed);
    world.check_all_there();
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn refused_credentials_end_it() {
    let world = world();
    let refused = ApiError::Unauthorized {
        request: "x".to_owned(),
        message: None,
    };
    world.platform.script(
        1,
        opens_of(ItemKind::MySoftware),
        ImportScript::Refuse(refused),
    );
    let error = world.try_import().unwrap_err();
    let is_refusal = matches!(
        error,
        ImportError::Run(crate::workflow::RunError::Unauthorized { .. })
    );
    assert!(is_refusal, "{error}");
}
