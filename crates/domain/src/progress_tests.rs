//! What the events of a run add up to.

use super::*;
use crate::model::{ItemKind, ObjectId};

fn item(id: i64) -> ItemRef {
    ItemRef {
        kind: ItemKind::Appliance,
        id: ObjectId::try_from(id).unwrap(),
    }
}

fn moved(id: i64, stage: ItemStage) -> Event {
    Event::Item {
        item: item(id),
        name: format!("appliance {id}"),
        stage,
    }
}

#[test]
fn progress_is_read_back_as_it_was_written() {
    let mut progress = RunProgress::default();
    let waits = ItemStage::Waiting {
        percent: Some(7),
        message: None,
    };
    progress.apply(&moved(201, waits));
    progress.apply(&moved(202, ItemStage::Downloading));
    progress.sections_unavailable.push(Section::Profile);
    let json = serde_json::to_string(&progress).unwrap();
    let read: RunProgress = serde_json::from_str(&json).unwrap();
    assert_eq!(read, progress);
}

#[test]
fn a_run_is_followed_from_its_first_event_to_its_last() {
    let mut progress = RunProgress::default();
    let events = [
        Event::Connected {
            platform_version: Some("3.8.13".to_owned()),
        },
        Event::SectionListed {
            section: Section::Appliances,
            items: 2,
        },
        Event::Planned {
            items: 2,
            documents: 1,
        },
        Event::DocumentStored {
            section: Section::Profile,
            path: "data/profile/user.xml".to_owned(),
            bytes: 10,
        },
        moved(1, ItemStage::Starting),
        moved(2, ItemStage::Starting),
        moved(2, ItemStage::Downloading),
        Event::Bytes {
            item: item(2),
            received: 7,
            total: Some(9),
        },
        moved(
            1,
            ItemStage::Failed {
                reason: "no OS profile".to_owned(),
            },
        ),
    ];
    for event in &events {
        progress.apply(event);
    }
    assert_eq!(progress.phase, Phase::Fetching);
    assert_eq!(progress.items.failed, 1);
    assert_eq!(progress.active.len(), 1);
    assert_eq!(progress.active[&item(2)].received, 7);

    progress.apply(&moved(2, ItemStage::Stored { bytes: 9 }));
    progress.apply(&Event::Recounting);
    progress.apply(&Event::Finishing);
    assert_eq!(progress.phase, Phase::Finishing);
    assert_eq!(progress.stored_bytes, 19);
    assert!(progress.active.is_empty());
    assert_eq!(
        progress.items,
        Count {
            planned: 2,
            stored: 1,
            failed: 1
        }
    );
}

#[test]
fn what_an_earlier_run_fetched_is_not_received_again() {
    let mut progress = RunProgress::default();
    assert_eq!(
        (progress.planned_items(), progress.thousandths()),
        (None, 0)
    );
    progress.apply(&Event::Planned {
        items: 2,
        documents: 0,
    });
    progress.apply(&moved(1, ItemStage::Resumed { bytes: 100 }));
    progress.apply(&Event::Retry {
        what: "GET users/john".to_owned(),
        attempt: 1,
        reason: "busy".to_owned(),
        wait_ms: 1500,
    });
    assert!(progress.retry.is_some());
    progress.apply(&moved(2, ItemStage::Downloading));
    assert_eq!(progress.retry, None, "something moves again");
    progress.apply(&Event::Bytes {
        item: item(2),
        received: 5,
        total: Some(10),
    });
    assert_eq!((progress.bytes(), progress.received_bytes()), (105, 5));
    assert_eq!(progress.thousandths(), 875);
}

#[test]
fn active_items_are_written_as_a_list() {
    let mut progress = RunProgress::default();
    progress.apply(&moved(5, ItemStage::Downloading));
    let json = serde_json::to_value(&progress).unwrap();
    assert_eq!(json["active"][0]["kind"], "appliance");
    assert_eq!(json["active"][0]["id"], 5);
    assert_eq!(json["active"][0]["stage"], "downloading");
}
