//! The run's own books: every object of every list, what came of it, and what went wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ItemKind, ItemRef, ObjectFacts, ObjectId, Order, Resource, Section};
use crate::ports::{ApiError, Receipt};
use crate::report::{Failure, ItemReport, ItemStatus, SectionReport, SectionStatus, Stage};

/// One object, as listed, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) facts: ObjectFacts,
    pub(crate) wanted: bool,
    pub(crate) files: Vec<String>,
    pub(crate) status: ItemStatus,
    pub(crate) reason: Option<String>,
    pub(crate) changed: bool,
    /// The platform says that it has it no more.
    pub(crate) gone: bool,
}

impl Entry {
    /// What became of it, with what came of its other files.
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
    expected: bool,
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

/// All books.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: BTreeMap<Section, Book>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) files: Vec<Receipt>,
    pub(crate) notes: Vec<String>,
}

impl Ledger {
    pub(crate) fn book(&mut self, section: Section) -> &mut Book {
        self.books.entry(section).or_default()
    }

    pub(crate) fn read(&self, section: Section) -> Option<&Book> {
        self.books.get(&section)
    }

    pub(crate) fn entry(&mut self, place: Place) -> Option<&mut Entry> {
        self.books
            .get_mut(&place.section)?
            .entries
            .get_mut(place.index)
    }

    /// Enters the objects of a list. Those that cannot be named by an id are failures where an id is needed to fetch them.
    pub(crate) fn enter(
        &mut self,
        section: Section,
        list: Resource,
        objects: Vec<ObjectFacts>,
        order: &Order,
    ) {
        let needs_id = section.is_core() && section != Section::Profile;
        let book = self.books.entry(section).or_default();
        book.listed = true;
        book.lists.push(list);
        let mut seen: BTreeSet<i64> = book
            .entries
            .iter()
            .filter_map(|entry| entry.facts.id)
            .collect();
        let mut broken = Vec::new();
        for facts in objects {
            let id = facts.id.and_then(|id| ObjectId::try_from(id).ok());
            let problem = match id {
                None => Some("the platform lists it without a valid id, so it cannot be asked for"),
                Some(id) if !seen.insert(id.get()) => {
                    Some("the platform lists it a second time under the same id")
                }
                Some(_) => None,
            };
            let problem = problem.filter(|_| needs_id);
            let wanted = wants(order, section, id);
            if let Some(problem) = problem {
                broken.push((facts.id, facts.name.clone(), problem));
            }
            book.entries.push(Entry {
                facts,
                wanted,
                files: Vec::new(),
                status: if problem.is_some() {
                    ItemStatus::Failed
                } else {
                    ItemStatus::Complete
                },
                reason: problem.map(str::to_owned),
                changed: false,
                gone: false,
            });
        }
        for (id, name, problem) in broken {
            self.failures.push(Failure {
                section,
                id,
                name,
                stage: Stage::Download,
                http_status: None,
                message: problem.to_owned(),
                attempts: 1,
            });
        }
    }

    /// The objects of a section that can be fetched, with their ids.
    pub(crate) fn fetchable(&self, section: Section) -> Vec<(Place, ObjectId)> {
        let Some(book) = self.books.get(&section) else {
            return Vec::new();
        };
        let usable = book
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.wanted && entry.status == ItemStatus::Complete);
        usable
            .filter_map(|(index, entry)| {
                let id = ObjectId::try_from(entry.facts.id?).ok()?;
                Some((Place { section, index }, id))
            })
            .collect()
    }

    /// The items of a kind that can be exported.
    pub(crate) fn items(&self, kind: ItemKind) -> Vec<(Place, ItemRef)> {
        let section = Section::of_items(kind);
        self.fetchable(section)
            .into_iter()
            .map(|(place, id)| (place, ItemRef { kind, id }))
            .collect()
    }

    /// Takes a file in, as one of this object's or of the whole section's.
    pub(crate) fn file(&mut self, owners: &[Place], receipt: Receipt) {
        for owner in owners {
            if let Some(entry) = self.entry(*owner) {
                entry.files.push(receipt.path.to_string());
            }
        }
        self.files.push(receipt);
    }

    /// Takes in what an interrupted run put into the bag and this one did not come across: what is in the container is in the
    /// manifest, or the bag is not valid.
    pub(crate) fn adopt_unclaimed<'a>(&mut self, resumed: impl Iterator<Item = &'a Receipt>) {
        let claimed: BTreeSet<_> = self.files.iter().map(|file| file.path.clone()).collect();
        for receipt in resumed.filter(|receipt| !claimed.contains(&receipt.path)) {
            self.notes.push(format!(
                "`{}` is from an earlier attempt: the platform no longer lists it",
                receipt.path
            ));
            self.files.push(receipt.clone());
        }
    }

    /// Notes that something of an object is missing.
    pub(crate) fn lose(&mut self, place: Place, failure: Failure, status: ItemStatus) {
        if let Some(entry) = self.entry(place) {
            // Of several losses one that may pass counts before one that will not.
            if entry.status != ItemStatus::Failed {
                entry.status = status;
            }
            let reason = entry.reason.get_or_insert_default();
            if !reason.is_empty() {
                reason.push_str("; ");
            }
            reason.push_str(&failure.message);
        }
        self.failures.push(failure);
    }

    /// A failure about an object, told with its id and name.
    pub(crate) fn failure_of(
        &self,
        place: Place,
        stage: Stage,
        http_status: Option<u16>,
        message: String,
        attempts: u32,
    ) -> Failure {
        let facts = self
            .books
            .get(&place.section)
            .and_then(|book| book.entries.get(place.index))
            .map(|entry| &entry.facts);
        Failure {
            section: place.section,
            id: facts.and_then(|facts| facts.id),
            name: facts.and_then(|facts| facts.name.clone()),
            stage,
            http_status,
            message,
            attempts,
        }
    }

    /// Notes that a section, or one of its lists, cannot be had. What is no matter of entitlement or version is a failure as well.
    pub(crate) fn refuse(&mut self, section: Section, error: ApiError, attempts: u32) {
        let expected = matches!(
            error,
            ApiError::Forbidden { .. } | ApiError::NotFound { .. }
        );
        self.note_refusal(section, error, attempts, expected);
    }

    /// Notes that a list could not be read to its end, for whatever reason: what it had begun with is missing from there on.
    pub(crate) fn cut(&mut self, section: Section, error: ApiError, attempts: u32) {
        self.note_refusal(section, error, attempts, false);
    }

    fn note_refusal(&mut self, section: Section, error: ApiError, attempts: u32, expected: bool) {
        let reason = refusal_in_words(section, &error);
        if !expected {
            self.failures.push(Failure {
                section,
                id: None,
                name: None,
                stage: Stage::Download,
                http_status: error.http_status(),
                message: reason.clone(),
                attempts,
            });
        }
        let refusal = Refusal {
            reason,
            error,
            expected,
        };
        let book = self.book(section);
        // An accident is told before an entitlement: it may pass.
        if book
            .refusal
            .as_ref()
            .is_none_or(|first| first.expected && !expected)
        {
            book.refusal = Some(refusal);
        }
    }

    /// Every section of the table, in its order.
    pub(crate) fn section_reports(&self, order: &Order) -> Vec<SectionReport> {
        let empty = Book::default();
        Section::ALL
            .into_iter()
            .map(|section| {
                let book = self
                    .books
                    .get(&section)
                    .filter(|_| order.selection.wants(section))
                    .unwrap_or(&empty);
                let lost = self
                    .failures
                    .iter()
                    .any(|failure| failure.section == section && failure.stage != Stage::Delete);
                book.report(section, order, lost)
            })
            .collect()
    }

    /// Every object that the selection wants.
    pub(crate) fn item_reports(&self, order: &Order) -> Vec<ItemReport> {
        let books = self
            .books
            .iter()
            .filter(|(section, _)| order.selection.wants(**section));
        books
            .flat_map(|(section, book)| {
                book.entries
                    .iter()
                    .filter(|entry| entry.wanted)
                    .map(|entry| ItemReport {
                        section: *section,
                        id: entry.facts.id,
                        name: entry.facts.name.clone(),
                        version: entry.facts.version.clone(),
                        uri: entry.facts.uri.clone(),
                        digest: entry.facts.digest.clone(),
                        last_modified: entry.facts.last_modified.clone(),
                        changed_during_export: entry.changed,
                        status: entry.final_status(),
                        reason: entry.reason.clone(),
                        files: entry.files.clone(),
                    })
            })
            .collect()
    }
}

fn wants(order: &Order, section: Section, id: Option<ObjectId>) -> bool {
    let kind = match section {
        Section::Appliances => ItemKind::Appliance,
        Section::MySoftware => ItemKind::MySoftware,
        _ => return order.selection.wants(section),
    };
    match (order.selection.only(kind), id) {
        (None, _) => order.selection.wants(section),
        (Some(_), None) => false,
        (Some(_), Some(id)) => order.selection.wants_item(ItemRef { kind, id }),
    }
}

fn refusal_in_words(section: Section, error: &ApiError) -> String {
    match (error, section.info().entitlement) {
        (ApiError::Forbidden { .. }, Some(entitlement)) => {
            format!(
                "the platform refuses it (403): the account lacks the entitlement `{entitlement}`"
            )
        }
        (ApiError::Forbidden { .. }, None) => "the platform refuses it (403)".to_owned(),
        (ApiError::NotFound { .. }, _) => {
            "the platform does not know it (404): an older version".to_owned()
        }
        (other, _) => other.to_string(),
    }
}

impl Book {
    fn count(&self, which: impl Fn(&Entry) -> bool) -> u64 {
        self.entries.iter().filter(|entry| which(entry)).count() as u64
    }

    fn report(&self, section: Section, order: &Order, lost: bool) -> SectionReport {
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
            // One list of several: the others are there, and what the platform does not give is not missing.
            (SectionStatus::Unavailable, Some(refusal.reason.clone()))
        } else {
            (SectionStatus::Complete, None)
        };
        // Lists that all were refused say nothing of how much there is.
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
