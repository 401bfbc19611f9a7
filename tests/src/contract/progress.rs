//! The promises of [`Progress`].

use domain::model::{ExportId, Section, Ticket};
use domain::ports::{Event, ItemStage, Progress};
use domain::testing::appliance;

/// Events of each kind, in an order that no run has.
///
/// # Panics
///
/// Never.
pub fn events() -> Vec<Event> {
    let item = appliance(1);
    let stages = [
        ItemStage::Starting,
        ItemStage::Waiting {
            percent: Some(100),
            message: Some("\u{1b}[2J".to_owned()),
        },
        ItemStage::Ready,
        ItemStage::Downloading,
        ItemStage::Stored { bytes: u64::MAX },
        ItemStage::Resumed { bytes: 0 },
        ItemStage::Copying,
        ItemStage::Reused { bytes: 0 },
        ItemStage::Failed {
            reason: "no".to_owned(),
        },
        ItemStage::Uploading,
        ItemStage::Importing {
            percent: Some(255),
            message: None,
        },
        ItemStage::Imported { bytes: u64::MAX },
    ];
    let mut events: Vec<Event> = stages
        .into_iter()
        .map(|stage| Event::Item {
            item,
            name: "a name\n".to_owned(),
            stage,
        })
        .collect();
    events.extend([
        Event::Bytes {
            item,
            received: u64::MAX,
            total: Some(0),
        },
        Event::ImportPlanned { items: u64::MAX },
        Event::Finishing,
        Event::Recounting,
        Event::Planned {
            items: 0,
            documents: 0,
        },
        Event::Connected {
            platform_version: None,
        },
        Event::SectionListed {
            section: Section::Appliances,
            items: u64::MAX,
        },
        Event::SectionUnavailable {
            section: Section::Roles,
            reason: "no".to_owned(),
        },
        Event::DocumentStored {
            section: Section::Roles,
            path: "data/roles/roles.xml".to_owned(),
            bytes: u64::MAX,
        },
        Event::Retry {
            what: "a list".to_owned(),
            attempt: u32::MAX,
            reason: "no".to_owned(),
            wait_ms: u64::MAX,
        },
        Event::TicketDeleted {
            ticket: Ticket {
                item,
                id: ExportId::try_from(1).expect("an id"),
            },
        },
    ]);
    events
}

/// Events are taken in any order and any number: nothing panics, and nothing waits for a reader.
pub fn any_events_are_taken(progress: &dyn Progress) {
    for event in events() {
        for _ in 0..10_000 {
            progress.on(&event);
        }
    }
}
