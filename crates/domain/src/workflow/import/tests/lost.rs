//! Answers that are lost, and uploads that break.

use super::*;
use crate::testing::ImportScript;

#[test]
fn an_upload_that_breaks_is_begun_again_on_a_new_ticket() {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let world = world();
        world
            .platform
            .script(2, uploads_of(kind), ImportScript::BreakOff(8));
        let outcome = world.import();
        assert_eq!(outcome.failed, [], "{kind}");
        world.check_all_there();
        assert_eq!(world.uploads(), 5);
        let all = if kind == ItemKind::Appliance { 3 } else { 2 };
        assert_eq!(world.platform.count(opens_of(kind)), all + 2);
        // Those of my software cannot be deleted: their numbers are reported.
        let reported = if kind == ItemKind::Appliance { 0 } else { 2 };
        assert_eq!(outcome.notes.len(), reported, "{:?}", outcome.notes);
    }
}

#[test]
fn an_upload_whose_answer_is_lost_is_not_repeated() {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let world = world();
        world
            .platform
            .script(2, uploads_of(kind), ImportScript::LoseAnswer);
        let outcome = world.import();
        assert_eq!(outcome.failed, [], "{kind}");
        world.check_all_there();
        assert_eq!(world.uploads(), 5, "{kind}");
        assert_eq!(outcome.notes, Vec::<String>::new());
    }
}

#[test]
fn a_ticket_whose_answer_is_lost_is_found_and_used() {
    let world = world();
    world
        .platform
        .script(2, opens_of(ItemKind::Appliance), ImportScript::LoseAnswer);
    let outcome = world.import();
    assert_eq!(outcome.failed, []);
    world.check_all_there();
    assert_eq!(world.platform.count(opens_of(ItemKind::Appliance)), 3);
}

#[test]
fn a_software_ticket_whose_answer_is_lost_is_reported() {
    let world = world();
    world
        .platform
        .script(1, opens_of(ItemKind::MySoftware), ImportScript::LoseAnswer);
    let outcome = world.import();
    assert_eq!(outcome.failed, []);
    world.check_all_there();
    assert!(
        outcome.notes[0].contains("an empty ticket may be left"),
        "{:?}",
        outcome.notes
    );
}

#[test]
fn a_platform_that_is_busy_is_asked_again() {
    let world = world();
    let busy = ApiError::Overloaded {
        request: "x".to_owned(),
        status: 503,
        retry_after: None,
        proxy: None,
        message: None,
    };
    let any = |call: &ImportCall| !matches!(call, ImportCall::List(_));
    world.platform.script(12, any, ImportScript::Refuse(busy));
    let outcome = world.import();
    assert_eq!(outcome.failed, []);
    world.check_all_there();
    assert_eq!(world.uploads(), 5);
}

#[test]
fn a_refusal_is_final() {
    let world = world();
    let refused = ApiError::Refused {
        request: "x".to_owned(),
        status: 413,
        message: Some("too large".to_owned()),
    };
    world.platform.script(
        1,
        uploads_of(ItemKind::Appliance),
        ImportScript::Refuse(refused),
    );
    let outcome = world.import();
    assert_eq!(outcome.failed.len(), 1);
    assert!(outcome.failed[0].message.contains("too large"));
    assert_eq!(world.platform.tickets(), []);
    assert_eq!(world.platform.count(uploads_of(ItemKind::Appliance)), 3);
}

#[test]
fn a_ticket_whose_address_is_not_known_is_no_ticket_that_is_gone() {
    let of_appliances = |call: &ImportCall| {
        matches!(
            call,
            ImportCall::Upload(ticket, _) | ImportCall::Status(ticket) | ImportCall::Ticket(ticket)
                if ticket.kind == ItemKind::Appliance
        )
    };
    let world = world();
    world
        .platform
        .script(1000, of_appliances, ImportScript::Refuse(nothing()));
    let outcome = world.import();
    assert_eq!(outcome.failed.len(), 3, "{:?}", outcome.failed);
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_software_ticket_that_takes_no_upload_is_reported() {
    let world = world();
    let uploads = uploads_of(ItemKind::MySoftware);
    world
        .platform
        .script(1, uploads, ImportScript::Refuse(nothing()));
    let outcome = world.import();
    assert_eq!(outcome.failed, []);
    assert_eq!(outcome.notes.len(), 1, "{:?}", outcome.notes);
    assert!(outcome.notes[0].contains("is left there"));
}

#[test]
fn a_ticket_of_somebody_else_is_left_alone() {
    let world = world();
    // Another client's ticket, from before.
    let nothing = MemoryJournal::default();
    let options = world.order.options();
    let theirs = world.clock.run(
        world
            .ports(&nothing)
            .imports
            .open_import(ItemKind::Appliance, options),
    );
    let theirs = theirs.unwrap().ticket;
    world
        .platform
        .script(1, opens_of(ItemKind::Appliance), ImportScript::LoseAnswer);
    world.import();
    assert_eq!(world.platform.tickets(), [theirs]);
}

/// It was said that the answer was lost.
#[test]
fn an_answer_without_a_usable_ticket_is_reported_as_what_it_is() {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let world = world();
        let unreadable = ApiError::Unreadable {
            request: "POST imports".to_owned(),
            detail: "the ticket has no id".to_owned(),
        };
        world
            .platform
            .script(1000, opens_of(kind), ImportScript::Refuse(unreadable));
        let outcome = world.import();
        assert!(!outcome.failed.is_empty());
        for failed in &outcome.failed {
            let message = &failed.message;
            assert!(message.contains("the ticket has no id"), "{message}");
            assert!(!message.contains("lost"), "{message}");
        }
    }
}

/// The platform's words were left out, and it was said that the answer was lost.
#[test]
fn an_upload_that_the_platform_answers_with_an_error_is_reported_with_its_words() {
    let world = world();
    let fault = ApiError::ServerFault {
        request: "POST uploads".to_owned(),
        status: 500,
        message: Some("no space left in the repository".to_owned()),
    };
    let kind = ItemKind::Appliance;
    let refused = ImportScript::RefuseWhole(fault);
    world.platform.script(1000, uploads_of(kind), refused);
    let outcome = world.import();
    assert_eq!(outcome.failed.len(), 3);
    for failed in &outcome.failed {
        let message = &failed.message;
        assert!(message.contains("(500)"), "{message}");
        assert!(
            message.contains("no space left in the repository"),
            "{message}"
        );
        assert!(!message.contains("lost"), "{message}");
    }
}
