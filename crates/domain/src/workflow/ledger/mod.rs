//! The run's own books: every object of every list, what came of it, and what went wrong.

mod book;

pub(crate) use book::{Book, Place, Refusal};

use std::collections::{BTreeMap, BTreeSet};

use self::book::{ArchiveSource, Entry};
use crate::bag::layout;
use crate::model::{BagPath, ItemKind, ItemRef, ObjectFacts, ObjectId, Order, Resource, Section};
use crate::ports::{ApiError, Receipt};
use crate::report::{Failure, ItemReport, ItemStatus, SectionReport, Stage};

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
                archive_source: ArchiveSource::default(),
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

    /// Where each item stands that can be exported.
    pub(crate) fn places(&self) -> BTreeMap<ItemRef, Place> {
        let kinds = [ItemKind::Appliance, ItemKind::MySoftware].into_iter();
        let items = kinds.flat_map(|kind| self.items(kind));
        items.map(|(place, item)| (item, place)).collect()
    }

    /// An object's own name, or `without a name`.
    pub(crate) fn name_of(&self, place: Place) -> String {
        let name = self.facts(place).and_then(|facts| facts.name.clone());
        name.unwrap_or_else(|| "without a name".to_owned())
    }

    /// The folder of an object in the bag.
    pub(crate) fn folder_of(&self, place: Place, id: ObjectId) -> BagPath {
        let name = self.facts(place).and_then(|facts| facts.name.as_deref());
        layout::object_folder(place.section, id, name.unwrap_or_default())
    }

    /// What is known of an object.
    pub(crate) fn facts(&self, place: Place) -> Option<&ObjectFacts> {
        let book = self.books.get(&place.section)?;
        book.entries.get(place.index).map(|entry| &entry.facts)
    }

    /// Whether an object's archive was taken from an earlier bag.
    pub(crate) fn is_reused(&self, place: Place) -> bool {
        let book = self.books.get(&place.section);
        let entry = book.and_then(|book| book.entries.get(place.index));
        entry.is_some_and(|entry| entry.archive_source == ArchiveSource::EarlierBag)
    }

    /// Takes a file in, as one of this object's or of the whole section's.
    pub(crate) fn file(&mut self, owners: &[Place], receipt: Receipt) {
        for owner in owners {
            if let Some(entry) = self.entry(*owner) {
                if receipt.origin.is_reused() {
                    entry.archive_source = ArchiveSource::EarlierBag;
                }
                entry.files.push(receipt.path.clone());
            }
        }
        self.files.push(receipt);
    }

    /// Adds the files that an interrupted run put into the bag and this run has not met. Every file in the container must be in
    /// the manifest, or the bag is not valid.
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
    pub(crate) fn fail(&mut self, place: Place, failure: Failure, status: ItemStatus) {
        if let Some(entry) = self.entry(place) {
            // Of several failures, one that may pass counts more than a refusal.
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

    /// A failure of an object, with its id and name.
    pub(crate) fn failure_of(
        &self,
        place: Place,
        stage: Stage,
        http_status: Option<u16>,
        message: String,
        attempts: u32,
    ) -> Failure {
        let facts = self.facts(place);
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

    /// Notes that a section, or one of its lists, cannot be had. Unless the reason is an entitlement or a version, that is a
    /// failure as well.
    pub(crate) fn refuse(&mut self, section: Section, error: ApiError, attempts: u32) {
        let expected = matches!(
            error,
            ApiError::Forbidden { .. } | ApiError::NotFound { .. }
        );
        self.note_refusal(section, error, attempts, expected);
    }

    /// Notes that a list could not be read to its end, for whatever reason: the rest of it is missing.
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
        // A failure that may pass is reported rather than a missing entitlement.
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

    /// Every object that the selection wants. The books give up what they know of them.
    pub(crate) fn take_item_reports(&mut self, order: &Order) -> Vec<ItemReport> {
        let books = std::mem::take(&mut self.books).into_iter();
        let books = books.filter(|(section, _)| order.selection.wants(*section));
        books
            .flat_map(|(section, book)| {
                let entries = book.entries.into_iter();
                let wanted = entries.filter(|entry| entry.wanted);
                wanted.map(move |entry| entry.into_report(section, order))
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
        (ApiError::NotFound { status, .. }, _) => {
            let why = if *status == 410 {
                "it is gone for good"
            } else {
                "an older version"
            };
            format!("the platform does not know it ({status}): {why}")
        }
        (other, _) => other.to_string(),
    }
}
