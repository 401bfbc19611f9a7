//! The promises of [`Journal`].

use domain::model::{ExportId, Facts, ListResource, ObjectFacts, Page, Resource, Ticket};
use domain::ports::{Fact, Journal};
use domain::testing::{appliance, mysoftware};

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: appliance(1),
        id: ExportId::try_from(id).expect("an id"),
    }
}

/// Records one fact of each kind.
///
/// # Panics
///
/// Where the journal fails.
pub async fn record_some(journal: &dyn Journal) {
    let facts = Facts {
        objects: vec![ObjectFacts {
            id: Some(1),
            name: Some("näme \"\n\u{1F600}".to_owned()),
            ..ObjectFacts::default()
        }],
        total: Some(1),
    };
    let all = [
        Fact::Began {
            at: "2026-01-02T03:04:05Z".parse().expect("a time"),
        },
        Fact::Foreign {
            tickets: vec![ticket(90)],
        },
        Fact::Read {
            resource: Resource::List(ListResource::Appliances, Page::Whole),
            facts,
        },
        Fact::Intent { item: appliance(1) },
        Fact::Started { ticket: ticket(1) },
        Fact::Started { ticket: ticket(2) },
        Fact::Gone { ticket: ticket(1) },
        Fact::Intent {
            item: mysoftware(5),
        },
        Fact::Intent {
            item: mysoftware(6),
        },
        Fact::NotStarted {
            item: mysoftware(6),
        },
    ];
    for fact in all {
        journal.record(fact).await.expect("a record");
    }
}

/// What was recorded is in the checkpoint at once.
///
/// # Panics
///
/// Where it is not.
pub fn the_checkpoint_holds_what_was_recorded(journal: &dyn Journal) {
    let checkpoint = journal.checkpoint();
    assert_eq!(
        checkpoint.began,
        Some("2026-01-02T03:04:05Z".parse().expect("a time"))
    );
    assert_eq!(checkpoint.foreign, Some([ticket(90)].into()));
    assert_eq!(checkpoint.open, [ticket(2)].into());
    assert_eq!(checkpoint.intents, [mysoftware(5)].into());
    let names: Vec<_> = checkpoint
        .documents
        .values()
        .flat_map(|facts| &facts.objects)
        .map(|o| o.name.clone())
        .collect();
    assert_eq!(names, [Some("näme \"\n\u{1F600}".to_owned())]);
}
