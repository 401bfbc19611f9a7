//! What has become of a bag's data on the platform since it was closed: a pure comparison.
//!
//! [`drift()`] holds what `export.json` says of each object against the platform's lists as they are now. An object is the same
//! one by its id, and has changed where the platform gives it another `digest`, or, where there is none, another
//! `lastModified`. What the selection left out of the bag is nobody's loss and is only counted.

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::recorded::{RecordedExport, RecordedItem};
use crate::model::{ObjectFacts, Section};

/// A section's list as the platform has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListNow {
    /// It could be read.
    Read {
        /// Its objects.
        objects: Vec<ObjectFacts>,
        /// Why there may be more of them.
        cut: Option<Unread>,
    },
    /// It could not be read.
    Unread(Unread),
}

/// Why a list, or a part of it, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// In words.
    pub reason: String,
    /// The platform refuses or does not know it (403, 404), rather than not answering.
    pub refused: bool,
}

/// What has become of a bag's data since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The sections of the bag's report, but for those that were not asked for.
    pub sections: Vec<SectionDrift>,
    /// Sections of the bag that this version does not know.
    pub unknown: Vec<String>,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionDrift {
    /// Which.
    #[serde(rename = "name")]
    pub section: Section,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// How a section of the bag stands to the platform's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "lowercase")]
pub enum Standing {
    /// Its list could be read.
    Compared(Differences),
    /// Its list cannot be read now.
    Unread(Unread),
    /// It was not to be had for the bag, and is not to be had now.
    Unavailable(Unread),
}

/// The objects of a section, each in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// As they were.
    pub unchanged: u64,
    /// Still there, but the platform says nothing by which a change could be seen.
    pub indistinct: u64,
    /// Not in the bag because only some ids were selected.
    pub unselected: u64,
    /// On the platform, not in the bag.
    pub added: Vec<LiveObject>,
    /// Newer on the platform than in the bag.
    pub changed: Vec<ChangedObject>,
    /// On the platform, and missing from the bag in whole or in part since it was made.
    pub incomplete: Vec<IncompleteObject>,
    /// In the bag, no longer on the platform.
    pub vanished: Vec<LiveObject>,
    /// Why there may be more on the platform.
    pub cut: Option<Unread>,
}

/// An object, as the bag describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LiveObject {
    /// Its `dbId`.
    pub id: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What the platform says of its state.
    pub digest: Option<String>,
    /// When it was changed last, as the platform says it.
    pub last_modified: Option<String>,
}

/// An object that is newer on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedObject {
    /// As it is now.
    #[serde(flatten)]
    pub now: LiveObject,
    /// The digest of what is in the bag.
    pub digest_in_bag: Option<String>,
    /// When what is in the bag was changed last.
    pub last_modified_in_bag: Option<String>,
}

/// An object that is not whole in the bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncompleteObject {
    /// As it is now.
    #[serde(flatten)]
    pub now: LiveObject,
    /// Why, as the bag says.
    pub reason: Option<String>,
}

impl Drift {
    /// Whether the bag holds all that the platform has of what was selected.
    ///
    /// What a refusal hides counts as an export counts it: only the core sections have to be readable. What has gone from
    /// the platform is in the bag, so it counts as nothing.
    pub fn is_up_to_date(&self) -> bool {
        self.unknown.is_empty() && self.sections.iter().all(SectionDrift::is_up_to_date)
    }

    /// The differences of all sections whose lists could be read.
    pub fn compared(&self) -> impl Iterator<Item = (Section, &Differences)> {
        let sections = self.sections.iter();
        sections.filter_map(|drift| match &drift.standing {
            Standing::Compared(differences) => Some((drift.section, differences)),
            Standing::Unread(_) | Standing::Unavailable(_) => None,
        })
    }
}

impl SectionDrift {
    fn is_up_to_date(&self) -> bool {
        let excused = |unread: &Unread| unread.refused && !self.section.is_core();
        match &self.standing {
            Standing::Compared(found) => {
                found.added.is_empty()
                    && found.changed.is_empty()
                    && found.incomplete.is_empty()
                    && found.cut.as_ref().is_none_or(excused)
            }
            Standing::Unread(unread) | Standing::Unavailable(unread) => excused(unread),
        }
    }
}

impl fmt::Display for LiveObject {
    /// `web-shop 1.0 (201)`; what a foreign name holds is for the caller to make printable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("without a name"))?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        self.id.map_or(Ok(()), |id| write!(f, " ({id})"))
    }
}

/// Compares what a bag says of its objects with the platform's lists. `now` holds the list of every section that
/// [`RecordedExport::selected`] names.
pub fn drift(recorded: &RecordedExport, now: &BTreeMap<Section, ListNow>) -> Drift {
    let tickets = recorded.tickets();
    let mut items: BTreeMap<Section, Vec<&RecordedItem>> = BTreeMap::new();
    for item in &recorded.items {
        if let Some(section) = item.section.as_deref().and_then(|name| name.parse().ok()) {
            items.entry(section).or_default().push(item);
        }
    }
    let mut drift = Drift::default();
    let mut seen = BTreeSet::new();
    for entry in recorded
        .sections
        .iter()
        .filter(|entry| !entry.is_excluded())
    {
        let Some(section) = entry.section() else {
            drift.unknown.push(entry.name.clone());
            continue;
        };
        if !seen.insert(section) {
            continue;
        }
        let items = items.remove(&section).unwrap_or_default();
        let in_bag = InBag {
            section,
            items: if is_log(section) { Vec::new() } else { items },
            by_id_only: entry.excluded > 0,
            is_there: !entry.is_unavailable(),
        };
        let standing = in_bag.against(now.get(&section), &tickets);
        drift.sections.push(SectionDrift { section, standing });
    }
    drift
}

/// A section as the bag describes it.
struct InBag<'a> {
    section: Section,
    items: Vec<&'a RecordedItem>,
    /// Some ids were selected, and others were not.
    by_id_only: bool,
    /// It could be had for the bag.
    is_there: bool,
}

/// By what an object is the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    /// There is one only.
    Only,
    Id(i64),
    Uri(&'a str),
    Name(Option<&'a str>),
}

impl<'a> Identity<'a> {
    fn of(section: Section, id: Option<i64>, uri: Option<&'a str>, name: Option<&'a str>) -> Self {
        match (section, id, uri) {
            (Section::Profile, ..) => Self::Only,
            (_, Some(id), _) => Self::Id(id),
            (_, None, Some(uri)) => Self::Uri(uri),
            (_, None, None) => Self::Name(name),
        }
    }
}

/// Whether it grows with every sign-in, and nothing says which of its entries is which: it is not compared.
fn is_log(section: Section) -> bool {
    section == Section::Activities
}

impl InBag<'_> {
    fn against(&self, now: Option<&ListNow>, tickets: &BTreeSet<i64>) -> Standing {
        match now {
            Some(ListNow::Read { objects, cut }) => {
                let objects = objects.iter().filter(|_| !is_log(self.section));
                let objects = objects.filter(|object| {
                    // The run's own tickets were left on the platform because somebody wanted that.
                    self.section != Section::Exports
                        || !object.id.is_some_and(|id| tickets.contains(&id))
                });
                Standing::Compared(self.compare(objects, cut.clone()))
            }
            Some(ListNow::Unread(unread)) if self.is_there => Standing::Unread(unread.clone()),
            Some(ListNow::Unread(unread)) => Standing::Unavailable(unread.clone()),
            None => Standing::Unread(Unread {
                reason: "the platform was not asked for it".to_owned(),
                refused: false,
            }),
        }
    }

    fn compare<'n>(
        &self,
        now: impl Iterator<Item = &'n ObjectFacts>,
        cut: Option<Unread>,
    ) -> Differences {
        let mut left: BTreeMap<Identity<'_>, VecDeque<&RecordedItem>> = BTreeMap::new();
        for item in &self.items {
            let (uri, name) = (item.uri.as_deref(), item.name.as_deref());
            let identity = Identity::of(self.section, item.id, uri, name);
            left.entry(identity).or_default().push_back(item);
        }
        let mut found = Differences::default();
        for object in now {
            let (uri, name) = (object.uri.as_deref(), object.name.as_deref());
            let identity = Identity::of(self.section, object.id, uri, name);
            match left.get_mut(&identity).and_then(VecDeque::pop_front) {
                Some(item) => found.pair(item, object),
                None if self.by_id_only => found.unselected += 1,
                None => found.added.push(LiveObject::of(object)),
            }
        }
        // Of a list that was not read to its end nobody knows what is no longer in it.
        if cut.is_none() {
            let gone = left.into_values().flatten();
            let was_here = gone.filter(|item| !item.files.is_empty());
            found.vanished = was_here.map(LiveObject::of_item).collect();
        }
        found.cut = cut;
        found
    }
}

impl Differences {
    /// Enters an object that is in the bag and on the platform.
    fn pair(&mut self, item: &RecordedItem, now: &ObjectFacts) {
        let differs = differs(item, now);
        if item.changed_during_export || differs == Some(true) {
            self.changed.push(ChangedObject {
                now: LiveObject::of(now),
                digest_in_bag: item.digest.clone(),
                last_modified_in_bag: item.last_modified.clone(),
            });
        } else if !item.is_complete() {
            self.incomplete.push(IncompleteObject {
                now: LiveObject::of(now),
                reason: item.reason.clone(),
            });
        } else if differs.is_some() {
            self.unchanged += 1;
        } else {
            self.indistinct += 1;
        }
    }
}

/// Whether the platform says of an object what it said before; `None` where it does not say enough.
fn differs(item: &RecordedItem, now: &ObjectFacts) -> Option<bool> {
    if let (Some(before), Some(now)) = (&item.digest, &now.digest) {
        return Some(before != now);
    }
    let (before, now) = (item.last_modified.as_ref()?, now.last_modified.as_ref()?);
    Some(before != now && !is_same_instant(before, now))
}

/// A server that moves to another time zone writes the same time in another way.
fn is_same_instant(before: &str, now: &str) -> bool {
    match (before.parse::<Timestamp>(), now.parse::<Timestamp>()) {
        (Ok(before), Ok(now)) => before == now,
        _ => false,
    }
}

impl LiveObject {
    fn of(object: &ObjectFacts) -> Self {
        Self {
            id: object.id,
            name: object.name.clone(),
            version: object.version.clone(),
            digest: object.digest.clone(),
            last_modified: object.last_modified.clone(),
        }
    }

    fn of_item(item: &RecordedItem) -> Self {
        Self {
            id: item.id,
            name: item.name.clone(),
            version: item.version.clone(),
            digest: item.digest.clone(),
            last_modified: item.last_modified.clone(),
        }
    }
}
