//! How far a job is, folded from the events of its run.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{ItemRef, Section};
use crate::ports::{Event, ItemStage};

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It waits for a free place, or has only just begun.
    #[default]
    Waiting,
    /// It reads the lists.
    Listing,
    /// It brings documents and archives home.
    Fetching,
    /// It reads the lists once more.
    Recounting,
    /// It closes the bag.
    Finishing,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Known so far.
    pub planned: u64,
    /// In the bag.
    pub stored: u64,
    /// Given up.
    pub failed: u64,
}

/// An item that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveItem {
    /// Which.
    #[serde(flatten)]
    pub item: ItemRef,
    /// Its name on the platform.
    pub name: String,
    /// Where it is.
    #[serde(flatten)]
    pub stage: ItemStage,
    /// Bytes that have arrived.
    pub received: u64,
    /// All bytes, where the server says.
    pub total: Option<u64>,
}

/// How far a run is. Its size is bounded by the run's own concurrency, whatever the account holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// What the run is doing.
    pub phase: Phase,
    /// The platform's version, where told.
    pub platform_version: Option<String>,
    /// Sections whose list was read.
    pub sections_listed: u64,
    /// Sections that cannot be had.
    pub sections_unavailable: Vec<Section>,
    /// Archives.
    pub items: Count,
    /// Documents and small files.
    pub documents: Count,
    /// Bytes in the bag.
    pub stored_bytes: u64,
    /// What is on its way now.
    #[serde(serialize_with = "as_list", deserialize_with = "from_list")]
    pub active: BTreeMap<ItemRef, ActiveItem>,
    /// Attempts that failed and were made again.
    pub retries: u64,
    /// The latest thing that a person should know.
    pub note: Option<String>,
}

fn as_list<S: Serializer>(
    active: &BTreeMap<ItemRef, ActiveItem>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(active.values())
}

fn from_list<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<ItemRef, ActiveItem>, D::Error> {
    let active = Vec::<ActiveItem>::deserialize(deserializer)?;
    Ok(active.into_iter().map(|item| (item.item, item)).collect())
}

impl JobProgress {
    /// Bytes that the run has: those in the bag, and those of what is on its way.
    pub fn bytes(&self) -> u64 {
        let on_their_way = self.active.values().map(|active| active.received);
        on_their_way.fold(self.stored_bytes, u64::saturating_add)
    }

    /// Takes one more event in.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Connected { platform_version } => {
                self.platform_version.clone_from(platform_version);
                self.phase = Phase::Listing;
            }
            Event::SectionListed { .. } => self.sections_listed += 1,
            Event::SectionUnavailable { section, .. } => {
                if !self.sections_unavailable.contains(section) {
                    self.sections_unavailable.push(*section);
                }
            }
            Event::Planned { items, documents } => {
                self.items.planned = *items;
                self.documents.planned = *documents;
                self.phase = Phase::Fetching;
            }
            Event::DocumentStored { bytes, .. } => {
                self.documents.stored += 1;
                self.documents.planned = self.documents.planned.max(self.documents.stored);
                self.stored_bytes += bytes;
            }
            Event::Item { item, name, stage } => self.apply_stage(*item, name, stage),
            Event::Bytes {
                item,
                received,
                total,
            } => {
                if let Some(active) = self.active.get_mut(item) {
                    active.received = *received;
                    active.total = *total;
                }
            }
            Event::Retry { .. } => self.retries += 1,
            Event::TicketDeleted { .. } => {}
            Event::Note { message } => self.note = Some(message.clone()),
            Event::Recounting => self.phase = Phase::Recounting,
            Event::Finishing => self.phase = Phase::Finishing,
        }
    }

    fn apply_stage(&mut self, item: ItemRef, name: &str, stage: &ItemStage) {
        match stage {
            ItemStage::Stored { bytes } | ItemStage::Resumed { bytes } => {
                self.active.remove(&item);
                self.items.stored += 1;
                self.stored_bytes += bytes;
            }
            ItemStage::Failed { .. } => {
                self.active.remove(&item);
                self.items.failed += 1;
            }
            ItemStage::Starting
            | ItemStage::Waiting { .. }
            | ItemStage::Ready
            | ItemStage::Downloading => {
                let active = self.active.entry(item).or_insert_with(|| ActiveItem {
                    item,
                    name: name.to_owned(),
                    stage: ItemStage::Starting,
                    received: 0,
                    total: None,
                });
                active.stage = stage.clone();
            }
        }
        let ended = self.items.stored + self.items.failed;
        self.items.planned = self.items.planned.max(ended + self.active.len() as u64);
    }
}

#[cfg(test)]
mod tests {
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
        let mut progress = JobProgress::default();
        let waits = ItemStage::Waiting {
            percent: Some(7),
            message: None,
        };
        progress.apply(&moved(201, waits));
        progress.apply(&moved(202, ItemStage::Downloading));
        progress.sections_unavailable.push(Section::Profile);
        let json = serde_json::to_string(&progress).unwrap();
        let read: JobProgress = serde_json::from_str(&json).unwrap();
        assert_eq!(read, progress);
    }

    #[test]
    fn a_run_is_told_from_its_first_event_to_its_last() {
        let mut progress = JobProgress::default();
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
    fn items_on_their_way_are_written_as_a_list() {
        let mut progress = JobProgress::default();
        progress.apply(&moved(5, ItemStage::Downloading));
        let json = serde_json::to_value(&progress).unwrap();
        assert_eq!(json["active"][0]["kind"], "appliance");
        assert_eq!(json["active"][0]["id"], 5);
        assert_eq!(json["active"][0]["stage"], "downloading");
    }
}
