//! The promises of [`Journal`].

use std::sync::Arc;

use domain::model::{ExportId, Facts, ListResource, ObjectFacts, Page, Resource, Ticket};
use domain::ports::{Fact, Journal, JournalState};
use domain::report::{TagSums, delivered, sample};
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
        Fact::Intent {
            item: appliance(1),
            at: Some(asked()),
        },
        Fact::Started { ticket: ticket(1) },
        Fact::Started { ticket: ticket(2) },
        Fact::Gone { ticket: ticket(1) },
        Fact::Intent {
            item: appliance(7),
            at: Some(began()),
        },
        Fact::Unresolved {
            item: appliance(7),
            note: "nobody knows".to_owned(),
        },
        Fact::Intent {
            item: mysoftware(6),
            at: Some(asked()),
        },
        Fact::NotStarted {
            item: mysoftware(6),
            lost: true,
        },
        Fact::Intent {
            item: mysoftware(7),
            at: Some(asked()),
        },
        Fact::NotStarted {
            item: mysoftware(7),
            lost: false,
        },
        Fact::Intent {
            item: mysoftware(5),
            at: Some(began()),
        },
        Fact::Finishing { is_partial: true },
        Fact::Described {
            delivered: Box::new(delivered(&sample::partial(), TagSums::default())),
        },
        // The first run is the one that began.
        Fact::Began {
            at: "2027-01-02T03:04:05Z".parse().expect("a time"),
        },
    ];
    for fact in all {
        let mut expected = without_facts_before(journal.checkpoint());
        expected.apply(&fact);
        journal.record(fact).await.expect("a record");
        assert_eq!(without_facts_before(journal.checkpoint()), expected);
    }
}

/// What was read in documents need not be in memory before the journal is opened again.
fn without_facts_before(state: JournalState) -> JournalState {
    JournalState {
        facts_before: Arc::default(),
        ..state
    }
}

const NAME: &str = "näme \"\n\u{1F600}";

fn began() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

fn asked() -> jiff::Timestamp {
    "2026-01-02T04:00:00.5Z".parse().expect("a time")
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
    assert_eq!(checkpoint.sent, [(mysoftware(5), began())].into());
    let lost = [(appliance(7), began()), (mysoftware(6), asked())];
    assert_eq!(checkpoint.lost, lost.into());
    assert_eq!(checkpoint.unresolved, ["nobody knows"]);
    assert_eq!(*checkpoint.as_json, [list()].into());
    assert_eq!(*checkpoint.not_as_json, [Resource::User].into());
    assert_eq!(*checkpoint.documents, [list()].into());
}

/// A journal that is opened again also gives what was read in the documents.
///
/// # Panics
///
/// Where it does not.
pub fn what_was_read_is_there_when_it_is_opened_again(journal: &dyn Journal) {
    let checkpoint = journal.checkpoint();
    let names: Vec<_> = checkpoint
        .facts_before
        .values()
        .flat_map(|facts| &facts.objects)
        .map(|o| o.name.clone())
        .collect();
    assert_eq!(names, [Some(NAME.to_owned())]);
    assert!(checkpoint.facts_before.contains_key(&list()));
}
