//! The promises of [`Journal`].

use domain::model::{ExportId, Facts, ListResource, ObjectFacts, Page, Resource, Ticket};
use domain::ports::{Fact, Journal, JournalState};
use domain::report::{delivered, sample};
use domain::testing::{appliance, mysoftware};

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: appliance(1),
        id: ExportId::try_from(id).expect("an id"),
    }
}

/// Records one fact of each kind, and some that take others back.
///
/// # Panics
///
/// Where the journal fails.
pub async fn record_some(journal: &dyn Journal) {
    let facts = Facts {
        objects: vec![ObjectFacts {
            id: Some(1),
            name: Some(NAME.to_owned()),
            ..ObjectFacts::default()
        }],
        total: Some(1),
    };
    let all = [
        Fact::Began { at: began() },
        Fact::Foreign {
            tickets: vec![ticket(90)],
        },
        Fact::Read {
            resource: list(),
            facts,
        },
        Fact::AsJson { resource: list() },
        Fact::NotAsJson {
            resource: Resource::User,
        },
        Fact::Intent { item: appliance(1) },
        Fact::Started { ticket: ticket(1) },
        Fact::Started { ticket: ticket(2) },
        Fact::Gone { ticket: ticket(1) },
        Fact::Intent { item: appliance(7) },
        Fact::Unresolved {
            item: appliance(7),
            note: "nobody knows".to_owned(),
        },
        Fact::Intent {
            item: mysoftware(6),
        },
        Fact::NotStarted {
            item: mysoftware(6),
        },
        Fact::Intent {
            item: mysoftware(5),
        },
        Fact::Finishing { is_partial: true },
        Fact::Described {
            delivered: Box::new(delivered(&sample::partial(), &[])),
        },
        // The first run is the one that began.
        Fact::Began {
            at: "2027-01-02T03:04:05Z".parse().expect("a time"),
        },
    ];
    for fact in all {
        let mut expected = journal.checkpoint();
        expected.apply(fact.clone());
        journal.record(fact).await.expect("a record");
        assert_eq!(journal.checkpoint(), expected);
    }
}

const NAME: &str = "näme \"\n\u{1F600}";

fn began() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

fn list() -> Resource {
    Resource::List(ListResource::Appliances, Page::Whole)
}

/// A new journal holds nothing.
///
/// # Panics
///
/// Where it does.
pub fn a_new_journal_is_empty(journal: &dyn Journal) {
    assert_eq!(journal.checkpoint(), JournalState::default());
}

/// What was recorded is in the checkpoint at once.
///
/// # Panics
///
/// Where it is not.
pub fn the_checkpoint_holds_what_was_recorded(journal: &dyn Journal) {
    let checkpoint = journal.checkpoint();
    assert_eq!(checkpoint.began, Some(began()));
    assert_eq!(checkpoint.foreign, Some([ticket(90)].into()));
    assert_eq!(checkpoint.open, [ticket(2)].into());
    assert_eq!(checkpoint.intents, [mysoftware(5)].into());
    assert_eq!(checkpoint.unresolved, ["nobody knows"]);
    assert_eq!(checkpoint.as_json, [list()].into());
    assert_eq!(checkpoint.not_as_json, [Resource::User].into());
    let names: Vec<_> = checkpoint
        .documents
        .values()
        .flat_map(|facts| &facts.objects)
        .map(|o| o.name.clone())
        .collect();
    assert_eq!(names, [Some(NAME.to_owned())]);
    assert!(checkpoint.documents.contains_key(&list()));
}
