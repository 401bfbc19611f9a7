//! The promises of [`ImportJournal`].

use domain::model::{ImportId, ImportTicket, ItemKind, ObjectId};
use domain::ports::{ImportFact, ImportJournal, ImportState, MadeObject, UploadPhase};
use domain::testing::{appliance, mysoftware};

fn ticket(kind: ItemKind, id: i64) -> ImportTicket {
    ImportTicket {
        kind,
        id: ImportId::try_from(id).expect("an id"),
    }
}

fn asked() -> jiff::Timestamp {
    "2026-01-02T04:00:00.5Z".parse().expect("a time")
}

/// Records one fact of each kind.
///
/// # Panics
///
/// Where the journal fails.
pub async fn record_some_import_facts(journal: &dyn ImportJournal) {
    let (first, second) = (
        ticket(ItemKind::Appliance, 1),
        ticket(ItemKind::Appliance, 2),
    );
    let software = ticket(ItemKind::MySoftware, 1);
    let (shop, agent) = (appliance(201), mysoftware(301));
    let facts = [
        ImportFact::Foreign {
            tickets: vec![ticket(ItemKind::Appliance, 90)],
        },
        ImportFact::Intent {
            item: agent,
            at: Some(asked()),
        },
        ImportFact::NotOpened {
            item: agent,
            note: Some("nobody knows \u{1F600}\n".to_owned()),
            lost: true,
        },
        ImportFact::Intent {
            item: agent,
            at: Some(asked()),
        },
        ImportFact::Opened {
            item: agent,
            ticket: software,
        },
        ImportFact::GivenUp { ticket: software },
        ImportFact::Intent {
            item: shop,
            at: None,
        },
        ImportFact::Opened {
            item: shop,
            ticket: first,
        },
        ImportFact::Uploading {
            item: shop,
            replaces: Some("7 d1".to_owned()),
        },
        ImportFact::Sent { item: shop },
        ImportFact::Gone { ticket: first },
        ImportFact::Opened {
            item: shop,
            ticket: second,
        },
        ImportFact::Uploading {
            item: shop,
            replaces: Some("7 d1".to_owned()),
        },
        ImportFact::Uploaded { item: shop },
        ImportFact::Imported {
            item: appliance(202),
            object: ObjectId::try_from(9).ok(),
        },
    ];
    for fact in facts {
        let mut expected = journal.checkpoint();
        expected.apply(fact.clone());
        journal.record(fact).await.expect("a record");
        assert_eq!(journal.checkpoint(), expected);
    }
}

/// A new journal holds nothing.
///
/// # Panics
///
/// Where it does.
pub fn a_new_import_has_nothing_recorded(journal: &dyn ImportJournal) {
    assert_eq!(journal.checkpoint(), ImportState::default());
    assert!(journal.checkpoint().is_empty());
}

/// After [`record_some_import_facts`], in this process or another, the checkpoint holds what follows from it.
///
/// # Panics
///
/// Where it does not.
pub fn the_import_s_checkpoint_holds_what_was_recorded(journal: &dyn ImportJournal) {
    let state = journal.checkpoint();
    assert!(!state.is_empty());
    let shop = &state.items[&appliance(201)];
    let second = ticket(ItemKind::Appliance, 2);
    assert_eq!(
        (shop.ticket, shop.upload),
        (Some(second), UploadPhase::Answered)
    );
    assert!(shop.was_sent && shop.may_be_there() && !shop.is_unanswered);
    assert_eq!(shop.replaces.as_deref(), Some("7 d1"));
    let agent = &state.items[&mysoftware(301)];
    assert!(agent.ticket.is_none() && !agent.may_be_there());
    assert_eq!((agent.lost, agent.sent), (Some(asked()), None));
    assert_eq!(
        state.items[&appliance(202)].imported,
        Some(MadeObject {
            id: ObjectId::try_from(9).ok()
        })
    );
    assert_eq!(state.open().collect::<Vec<_>>(), [(appliance(201), second)]);
    assert!(state.is_ours(ticket(ItemKind::Appliance, 1)));
    assert!(!state.is_ours(ticket(ItemKind::Appliance, 90)));
    assert_eq!(state.given_up, [ticket(ItemKind::MySoftware, 1)].into());
    assert_eq!(state.notes, ["nobody knows \u{1F600}\n"]);
}
