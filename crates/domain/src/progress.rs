//! How far a run is, folded from its events: one fold for the bar of the command line and for the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{ItemRef, Section};
use crate::ports::{Event, ItemStage};

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It waits for a free slot, or is connecting.
    #[default]
    Waiting,
    /// It reads the lists.
    Listing,
    /// It fetches documents and archives.
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

/// An item that is being exported.
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
pub struct RunProgress {
    /// What the run is doing.
    pub phase: Phase,
    /// The platform's version, where reported.
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
    /// What is being exported now.
    #[serde(serialize_with = "as_list", deserialize_with = "from_list")]
    pub active: BTreeMap<ItemRef, ActiveItem>,
    /// Attempts that failed and were made again.
    pub retries: u64,
    /// The latest thing that a person should know.
    pub note: Option<String>,
    /// Archives in the bag that an earlier run fetched.
    #[serde(skip)]
    pub resumed_items: u64,
    /// Bytes of these.
    #[serde(skip)]
    pub resumed_bytes: u64,
    /// What failed last and is tried again, until something moves.
    #[serde(skip)]
    pub retry: Option<Retry>,
}

/// An attempt that failed and will be made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// What is being done.
    pub what: String,
    /// Why it failed.
    pub reason: String,
    /// Milliseconds from the failure to the next attempt.
    pub wait_ms: u64,
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

impl RunProgress {
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
            Event::ImportPlanned { items } => {
                self.items.planned = *items;
                self.phase = Phase::Fetching;
            }
            Event::DocumentStored { bytes, .. } => {
                self.documents.stored += 1;
                self.documents.planned = self.documents.planned.max(self.documents.stored);
                self.stored_bytes += bytes;
                self.retry = None;
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
                self.retry = None;
            }
            Event::Retry {
                what,
                reason,
                wait_ms,
                ..
            } => {
                self.retries += 1;
                self.retry = Some(Retry {
                    what: what.clone(),
                    reason: reason.clone(),
                    wait_ms: *wait_ms,
                });
            }
            Event::TicketDeleted { .. } => {}
            Event::Note { message } => self.note = Some(message.clone()),
            Event::Recounting => self.phase = Phase::Recounting,
            Event::Finishing => self.phase = Phase::Finishing,
        }
    }

    fn apply_stage(&mut self, item: ItemRef, name: &str, stage: &ItemStage) {
        self.retry = None;
        match stage {
            ItemStage::Stored { bytes }
            | ItemStage::Reused { bytes }
            | ItemStage::Imported { bytes } => {
                self.store(item, *bytes);
            }
            ItemStage::Resumed { bytes } => {
                self.store(item, *bytes);
                self.resumed_items += 1;
                self.resumed_bytes += bytes;
            }
            ItemStage::Failed { .. } => {
                self.active.remove(&item);
                self.items.failed += 1;
            }
            ItemStage::Starting
            | ItemStage::Waiting { .. }
            | ItemStage::Ready
            | ItemStage::Downloading
            | ItemStage::Copying
            | ItemStage::Uploading
            | ItemStage::Importing { .. } => {
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
        let known = self.ended_items() + self.active.len() as u64;
        self.items.planned = self.items.planned.max(known);
    }

    fn store(&mut self, item: ItemRef, bytes: u64) {
        self.active.remove(&item);
        self.items.stored += 1;
        self.stored_bytes += bytes;
    }

    /// Archives to export, once all lists are read.
    #[must_use]
    pub fn planned_items(&self) -> Option<u64> {
        match self.phase {
            Phase::Waiting | Phase::Listing => None,
            Phase::Fetching | Phase::Recounting | Phase::Finishing => Some(self.items.planned),
        }
    }

    /// Sections of which is known what they hold, or that they cannot be had.
    #[must_use]
    pub fn sections(&self) -> u64 {
        self.sections_listed + self.sections_unavailable.len() as u64
    }

    /// Archives that are in the bag or have failed.
    #[must_use]
    pub fn ended_items(&self) -> u64 {
        self.items.stored + self.items.failed
    }

    /// Bytes that are here, from this run and from the one it resumes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stored_bytes + self.active.values().map(|item| item.received).sum::<u64>()
    }

    /// Bytes that this run received.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.bytes().saturating_sub(self.resumed_bytes)
    }

    /// How much of the work is done, in thousandths.
    #[must_use]
    pub fn thousandths(&self) -> u64 {
        match self.planned_items() {
            None => 0,
            Some(0) => 1000,
            Some(planned) => {
                let partly: u64 = self.active.values().map(ActiveItem::thousandths).sum();
                let done = self.ended_items().saturating_mul(1000) + partly;
                done.checked_div(planned).unwrap_or(0).min(1000)
            }
        }
    }
}

impl ActiveItem {
    /// How much of it is done: the platform's export and the download count half each.
    fn thousandths(&self) -> u64 {
        match &self.stage {
            ItemStage::Waiting { percent, .. } => u64::from(percent.unwrap_or(0).min(100)) * 5,
            ItemStage::Ready => 500,
            ItemStage::Downloading => {
                let total = self.total.filter(|total| *total > 0);
                let part =
                    total.and_then(|total| self.received.saturating_mul(500).checked_div(total));
                500 + part.unwrap_or(0).min(499)
            }
            ItemStage::Copying => {
                let total = self.total.filter(|total| *total > 0);
                let part =
                    total.and_then(|total| self.received.saturating_mul(1000).checked_div(total));
                part.unwrap_or(0).min(999)
            }
            // The other way round: first the bytes, then the platform's work.
            ItemStage::Uploading => {
                let total = self.total.filter(|total| *total > 0);
                let part =
                    total.and_then(|total| self.received.saturating_mul(500).checked_div(total));
                part.unwrap_or(0).min(499)
            }
            ItemStage::Importing { percent, .. } => {
                500 + (u64::from(percent.unwrap_or(0)) * 5).min(499)
            }
            ItemStage::Starting
            | ItemStage::Stored { .. }
            | ItemStage::Resumed { .. }
            | ItemStage::Reused { .. }
            | ItemStage::Imported { .. }
            | ItemStage::Failed { .. } => 0,
        }
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
