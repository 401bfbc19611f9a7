//! One section's book: its objects, what became of each, and what the section came to.

use crate::model::{BagPath, EarlierBag, ObjectFacts, Order, Resource, Section};
use crate::ports::ApiError;
use crate::report::{ItemReport, ItemStatus, SectionReport, SectionStatus};

/// Where an object's archive came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ArchiveSource {
    /// The platform.
    #[default]
    Platform,
    /// An earlier bag.
    EarlierBag,
}

/// One object, as listed, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) facts: ObjectFacts,
    pub(crate) wanted: bool,
    pub(crate) files: Vec<BagPath>,
    pub(crate) status: ItemStatus,
    pub(crate) reason: Option<String>,
    pub(crate) changed: bool,
    /// The platform says that it has it no more.
    pub(crate) gone: bool,
    /// Where its archive came from.
    pub(crate) archive_source: ArchiveSource,
}

impl Entry {
    /// The earlier bag that its archive was taken from.
    fn reused_from(&self, order: &Order) -> Option<EarlierBag> {
        match self.archive_source {
            ArchiveSource::Platform => None,
            ArchiveSource::EarlierBag => order.since.clone(),
        }
    }

    /// As it is reported.
    pub(super) fn into_report(self, section: Section, order: &Order) -> ItemReport {
        ItemReport {
            section,
            status: self.final_status(),
            reused_from: self.reused_from(order),
            id: self.facts.id,
            name: self.facts.name,
            version: self.facts.version,
            uri: self.facts.uri,
            digest: self.facts.digest,
            last_modified: self.facts.last_modified,
            changed_during_export: self.changed,
            reason: self.reason,
            files: self.files,
        }
    }

    /// What became of it, its other files included.
    fn final_status(&self) -> ItemStatus {
        match self.status {
            ItemStatus::Complete => ItemStatus::Complete,
            ItemStatus::Unavailable if self.gone => ItemStatus::Unavailable,
            _ if !self.files.is_empty() => ItemStatus::Partial,
            other => other,
        }
    }
}

/// Why a section could not be had.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) error: ApiError,
    /// An entitlement or a version, not an accident: nothing counts as missing.
    pub(super) expected: bool,
}

/// One section's book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) entries: Vec<Entry>,
    pub(crate) listed: bool,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) lists: Vec<Resource>,
    pub(crate) recounted: Option<u64>,
    pub(crate) appeared: Vec<String>,
    pub(crate) vanished: Vec<String>,
}

/// Which object: its section and its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) section: Section,
    pub(crate) index: usize,
}

impl Book {
    fn count(&self, which: impl Fn(&Entry) -> bool) -> u64 {
        self.entries.iter().filter(|entry| which(entry)).count() as u64
    }

    pub(super) fn report(&self, section: Section, order: &Order, lost: bool) -> SectionReport {
        let missing = self.count(|entry| entry.wanted && entry.status != ItemStatus::Complete);
        let (status, reason) = if !order.selection.wants(section) {
            (SectionStatus::Excluded, None)
        } else if let Some(refusal) = self.refusal.as_ref().filter(|_| !self.listed) {
            (SectionStatus::Unavailable, Some(refusal.reason.clone()))
        } else if let Some(refusal) = self.refusal.as_ref().filter(|refusal| !refusal.expected) {
            (SectionStatus::Partial, Some(refusal.reason.clone()))
        } else if missing > 0 {
            let total = self.count(|entry| entry.wanted);
            (
                SectionStatus::Partial,
                Some(format!("{} of {total} are complete", total - missing)),
            )
        } else if lost {
            (
                SectionStatus::Partial,
                Some("some of its files are missing".to_owned()),
            )
        } else if let Some(refusal) = &self.refusal {
            // One list of several was refused. The others are there, and what the platform refuses does not count as missing.
            (SectionStatus::Unavailable, Some(refusal.reason.clone()))
        } else {
            (SectionStatus::Complete, None)
        };
        // Where every list was refused, nobody knows how much there is.
        let is_read =
            self.listed && (status != SectionStatus::Unavailable || !self.entries.is_empty());
        SectionReport {
            section,
            status,
            items: self.count(|entry| entry.wanted && entry.status == ItemStatus::Complete),
            reason,
            listed: is_read.then_some(self.entries.len() as u64),
            recounted: self.recounted.filter(|_| is_read),
            excluded: self.count(|entry| !entry.wanted),
            appeared: self.appeared.clone(),
            vanished: self.vanished.clone(),
        }
    }
}
