//! What an import would do: the bag's items, the platform's lists and what an interrupted run recorded, each against the others.

use std::collections::{BTreeMap, BTreeSet};

use super::context::ImportError;
use super::found::{Identity, id_of, mark};
use super::outcome::{FailedObject, ImportStage, ImportedObject, ManualSection};
use super::reference::address;
use crate::bag::verify::{ImportObstacle, RecordedExport, RecordedItem, archive_of};
use crate::model::{
    ItemKind, ItemRef, ObjectFacts, ObjectId, OnConflict, Section, Selection, UserId,
};
use crate::ports::{ImportState, MadeObject};

/// My software comes first: an appliance may refer to it.
pub(crate) const KINDS: [ItemKind; 2] = [ItemKind::MySoftware, ItemKind::Appliance];

/// An item of the bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BagItem {
    pub(crate) item: ItemRef,
    pub(crate) identity: Identity,
    /// Its archive, as the bag names it.
    pub(crate) archive: Option<String>,
    /// Why it is not complete, as the bag says.
    pub(crate) reason: Option<String>,
}

impl BagItem {
    fn of(recorded: &RecordedItem, kind: ItemKind) -> Option<Self> {
        let id = ObjectId::try_from(recorded.id?).ok()?;
        Some(Self {
            item: ItemRef { kind, id },
            identity: Identity {
                name: recorded.name.clone(),
                version: recorded.version.clone(),
            },
            archive: archive_of(recorded)
                .or_else(|| outside_of_payload(recorded))
                .map(str::to_owned),
            reason: recorded.reason.clone(),
        })
    }

    /// The object that it is on the platform, or would be.
    pub(crate) fn object(&self, user: &UserId, id: Option<ObjectId>) -> ImportedObject {
        ImportedObject {
            section: Section::of_items(self.item.kind),
            id,
            name: self.identity.name.clone(),
            version: self.identity.version.clone(),
            uri: id.map(|id| address(user, self.item.kind, id)),
        }
    }

    /// That it is not imported.
    pub(crate) fn failed(&self, stage: ImportStage, message: impl Into<String>) -> FailedObject {
        FailedObject {
            object: ImportedObject {
                section: Section::of_items(self.item.kind),
                id: Some(self.item.id),
                name: self.identity.name.clone(),
                version: self.identity.version.clone(),
                uri: None,
            },
            stage,
            message: message.into(),
            is_damaged: false,
        }
    }
}

/// A file of an item that is not below `data/`, whatever it is called: no bag describes one, so this is damage rather than an archive
/// that is not there.
fn outside_of_payload(recorded: &RecordedItem) -> Option<&str> {
    let is_outside = |path: &&str| {
        let mut parts = path.split('/');
        parts.next() != Some("data") || parts.any(|part| matches!(part, "" | "." | ".."))
    };
    recorded.files.iter().find(is_outside)
}

/// The items of a bag that an order wants, my software first, and those that the bag does not describe well enough.
pub(crate) fn items_of(
    recorded: &RecordedExport,
    selection: &Selection,
) -> (Vec<BagItem>, Vec<FailedObject>) {
    let (mut items, mut unusable) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let section = Section::of_items(kind);
        if !selection.wants(section) {
            continue;
        }
        let mut seen = BTreeSet::new();
        let of_kind = recorded.items.iter();
        for found in of_kind.filter(|item| item.section.as_deref() == Some(section.name())) {
            match BagItem::of(found, kind) {
                Some(item) if !selection.wants_item(item.item) => {}
                Some(item) if seen.insert(item.item) => items.push(item),
                Some(item) => unusable
                    .push(item.failed(ImportStage::Bag, "`export.json` describes this id twice")),
                None if selection.only(kind).is_none() => unusable.push(FailedObject {
                    object: ImportedObject {
                        section,
                        id: None,
                        name: found.name.clone(),
                        version: found.version.clone(),
                        uri: None,
                    },
                    stage: ImportStage::Bag,
                    message: "`export.json` gives it no id".to_owned(),
                    is_damaged: false,
                }),
                None => {}
            }
        }
    }
    (items, unusable)
}

/// Refuses ids that the bag does not hold.
pub(crate) fn check_ids(
    recorded: &RecordedExport,
    selection: &Selection,
) -> Result<(), ImportError> {
    for kind in KINDS {
        let Some(wanted) = selection.only(kind) else {
            continue;
        };
        let name = Section::of_items(kind).name();
        let items = recorded.items.iter();
        let held: BTreeSet<ObjectId> = items
            .filter(|item| item.section.as_deref() == Some(name))
            .filter_map(|item| ObjectId::try_from(item.id?).ok())
            .collect();
        let unknown: Vec<ObjectId> = wanted.difference(&held).copied().collect();
        if !unknown.is_empty() {
            return Err(ImportError::UnknownIds {
                kind,
                unknown,
                possible: held.into_iter().collect(),
            });
        }
    }
    Ok(())
}

/// The sections of a bag that are not imported.
pub(crate) fn manual_of(recorded: &RecordedExport) -> Vec<ManualSection> {
    let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
    for item in &recorded.items {
        if let Some(section) = item.section.as_deref() {
            *listed.entry(section).or_default() += 1;
        }
    }
    let importable = KINDS.map(Section::of_items);
    let sections = Section::ALL.into_iter();
    sections
        .filter(|section| !importable.contains(section))
        .filter_map(|section| {
            let mut found = recorded.sections.iter();
            let found = found.find(|found| found.section() == Some(section))?;
            if found.is_excluded() || found.is_unavailable() {
                return None;
            }
            let in_list = listed.get(section.name()).copied().unwrap_or_default();
            let count = found.items.max(in_list);
            (count > 0).then_some(ManualSection { section, count })
        })
        .collect()
}

/// What is to be done with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is imported; `replaces` is what distinguishes the object whose place it takes.
    Import { replaces: Option<String> },
    /// An earlier run of the same order imported it, as this object.
    Done(MadeObject),
    /// It is left out: what is there already, and why.
    Skip(Option<ObjectId>, String),
    /// It cannot be imported.
    Fail(ImportStage, String),
}

/// What the platform has of one kind, or why nobody knows.
pub(crate) type Lists = BTreeMap<ItemKind, Result<Vec<ObjectFacts>, String>>;

/// Decides what is to be done with each item, in their order.
pub(crate) fn decide(
    items: &[BagItem],
    lists: &Lists,
    checkpoint: &ImportState,
    on_conflict: OnConflict,
) -> Vec<Decision> {
    let mut taken: Vec<(ItemKind, &Identity)> = Vec::new();
    let decided = items.iter().map(|item| {
        let decision = decide_one(item, lists, checkpoint, on_conflict, &taken);
        if let Decision::Import { .. } | Decision::Done(_) = decision {
            taken.push((item.item.kind, &item.identity));
        }
        decision
    });
    decided.collect()
}

fn decide_one(
    item: &BagItem,
    lists: &Lists,
    checkpoint: &ImportState,
    on_conflict: OnConflict,
    taken: &[(ItemKind, &Identity)],
) -> Decision {
    let kind = item.item.kind;
    let record = checkpoint.items.get(&item.item);
    if let Some(object) = record.and_then(|record| record.imported) {
        return Decision::Done(object);
    }
    if item.archive.is_none() {
        return Decision::Fail(ImportStage::Bag, no_archive(item));
    }
    let objects = match lists.get(&kind) {
        Some(Ok(objects)) => objects.as_slice(),
        Some(Err(reason)) => return Decision::Fail(ImportStage::List, reason.clone()),
        None => &[],
    };
    let is_same = |(other, identity): &(ItemKind, &Identity)| {
        *other == kind && identity.name.is_some() && **identity == item.identity
    };
    if taken.iter().any(is_same) {
        let reason =
            "another one of the bag has the same name and version, and only one can be there";
        return Decision::Skip(None, reason.to_owned());
    }
    // What an interrupted run sent may be there: that is no conflict.
    if let Some(record) = record.filter(|record| record.may_be_there()) {
        return Decision::Import {
            replaces: record.replaces.clone(),
        };
    }
    match item.identity.find(objects) {
        None => Decision::Import { replaces: None },
        Some(there) => of_conflict(kind, there, on_conflict),
    }
}

fn of_conflict(kind: ItemKind, there: &ObjectFacts, on_conflict: OnConflict) -> Decision {
    let one = Section::of_items(kind).info().one;
    let words = format!("this name and version is there already as another {one}");
    match (on_conflict, kind) {
        (OnConflict::Skip, _) => Decision::Skip(id_of(there), words),
        (OnConflict::Overwrite, ItemKind::MySoftware) => Decision::Skip(
            id_of(there),
            format!("{words}, and software cannot be overwritten"),
        ),
        (OnConflict::Overwrite, ItemKind::Appliance) => Decision::Import {
            replaces: Some(mark(there)),
        },
        (OnConflict::Fail, _) => Decision::Fail(ImportStage::Conflict, words),
    }
}

fn no_archive(item: &BagItem) -> String {
    ImportObstacle::NoArchive(item.reason.clone()).to_string()
}
