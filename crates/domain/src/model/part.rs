//! What the platform gives of an appliance or a software bundle below the item itself: install profile, boot scripts, software
//! files, licences. It is asked for where the platform can give no archive of the item.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::platform_resource::{Use, platform_resources};
use super::{ItemKind, ItemRef, ObjectId};

/// Ids between an item and the deepest of its parts (a logical partition).
const MOST_IDS: usize = 5;

/// A text that is not the path of a kind of part.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no resource below an item")]
pub struct UnknownPart(String);

/// A kind of part: its row in the table of GET resources.
///
/// ```
/// use domain::model::{ItemKind, PartKind};
/// let kind = PartKind::all(ItemKind::MySoftware).find(|kind| kind.below_item() == "artifacts/{said}/bin").unwrap();
/// assert!(kind.is_file());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PartKind(&'static str);

impl PartKind {
    /// Every kind of part of items of this kind, in the order of the table.
    pub fn all(of: ItemKind) -> impl Iterator<Item = Self> {
        platform_resources()
            .filter(|row| matches!(row.use_of_it, Use::Kept(_, words) if words.have("fallback")))
            .map(|row| Self(row.path))
            .filter(move |kind| kind.0.starts_with(item_path(of)))
    }

    /// Its path below the item, with parameters in braces: `bootscripts/{bsid}/bin`.
    pub fn below_item(self) -> &'static str {
        let kinds = [ItemKind::Appliance, ItemKind::MySoftware];
        kinds
            .into_iter()
            .find_map(|kind| self.0.strip_prefix(item_path(kind)))
            .unwrap_or(self.0)
    }

    /// Whether it is a file rather than a document.
    pub fn is_file(self) -> bool {
        self.says("file")
    }

    /// Whether the platform takes `count` and `offset` for it.
    pub fn has_pages(self) -> bool {
        self.says("pages")
    }

    fn says(self, word: &str) -> bool {
        platform_resources().any(|row| {
            row.path == self.0 && matches!(row.use_of_it, Use::Kept(_, words) if words.have(word))
        })
    }
}

impl TryFrom<String> for PartKind {
    type Error = UnknownPart;
    fn try_from(path: String) -> Result<Self, UnknownPart> {
        [ItemKind::Appliance, ItemKind::MySoftware]
            .into_iter()
            .flat_map(Self::all)
            .find(|kind| kind.0 == path)
            .ok_or(UnknownPart(path))
    }
}

impl<'de> Deserialize<'de> for PartKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The path of an item in the table, with the slash before what lies below it.
fn item_path(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Appliance => "users/{uid}/appliances/{aid}/",
        ItemKind::MySoftware => "users/{uid}/mysoftware/{msid}/",
    }
}

/// Whether a segment of a path in the table is a parameter.
pub(crate) fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// One part of an item. It has as many ids as its kind has parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartRef {
    item: ItemRef,
    kind: PartKind,
    ids: [Option<ObjectId>; MOST_IDS],
}

impl PartRef {
    /// The part of this item at the path of `kind` with these ids, in the order of its parameters; `None` where there are not as
    /// many ids as parameters, or the kind is of other items.
    pub fn new(item: ItemRef, kind: PartKind, ids: &[ObjectId]) -> Option<Self> {
        let segments = kind.below_item().split('/');
        let parameters = segments.filter(|segment| is_parameter(segment)).count();
        let is_of_item = kind.0.starts_with(item_path(item.kind));
        if !is_of_item || ids.len() != parameters || ids.len() > MOST_IDS {
            return None;
        }
        let mut all = [None; MOST_IDS];
        for (place, id) in all.iter_mut().zip(ids) {
            *place = Some(*id);
        }
        Some(Self {
            item,
            kind,
            ids: all,
        })
    }

    /// The item that it belongs to.
    pub fn item(&self) -> ItemRef {
        self.item
    }

    /// What kind of part it is.
    pub fn kind(&self) -> PartKind {
        self.kind
    }

    /// Its ids.
    pub fn ids(&self) -> Vec<ObjectId> {
        self.ids.iter().flatten().copied().collect()
    }

    /// The segments of its path below the item: words of the table, and ids.
    pub fn segments(&self) -> Vec<String> {
        let mut ids = self.ids.iter().flatten();
        let segments = self.kind.below_item().split('/');
        segments
            .map(|segment| {
                if is_parameter(segment) {
                    ids.next().map(ToString::to_string).unwrap_or_default()
                } else {
                    segment.to_owned()
                }
            })
            .collect()
    }
}

impl fmt::Display for PartRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.segments().join("/"), self.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(of: ItemKind, path: &str) -> PartKind {
        let mut all = PartKind::all(of);
        all.find(|kind| kind.below_item() == path)
            .expect("in the table")
    }

    fn id(id: i64) -> ObjectId {
        ObjectId::try_from(id).unwrap()
    }

    #[test]
    fn a_part_is_spelled_with_its_ids() {
        let item = ItemRef {
            kind: ItemKind::Appliance,
            id: id(201),
        };
        let deepest = kind(
            ItemKind::Appliance,
            "installProfile/{ipid}/pt/{ptid}/disks/{did}/partitions/{pid}/lpartitions/{lpid}",
        );
        let part = PartRef::new(item, deepest, &[id(1), id(2), id(3), id(4), id(5)]).unwrap();
        assert_eq!(
            part.segments().join("/"),
            "installProfile/1/pt/2/disks/3/partitions/4/lpartitions/5"
        );
        assert_eq!(PartRef::new(item, deepest, &[id(1)]), None);
        let of_bundles = kind(ItemKind::MySoftware, "artifacts");
        assert_eq!(PartRef::new(item, of_bundles, &[]), None);
    }

    #[test]
    fn a_recorded_part_is_read_again() {
        let item = ItemRef {
            kind: ItemKind::MySoftware,
            id: id(7),
        };
        let kind = kind(ItemKind::MySoftware, "licenses/{lid}");
        let part = PartRef::new(item, kind, &[id(9)]).unwrap();
        let written = serde_json::to_string(&part).unwrap();
        assert_eq!(serde_json::from_str::<PartRef>(&written).unwrap(), part);
        let unknown = written.replace("licenses/{lid}", "exports/{eid}");
        assert!(serde_json::from_str::<PartRef>(&unknown).is_err());
    }

    #[test]
    fn no_kind_has_more_ids_than_a_part_can_hold() {
        for of in [ItemKind::Appliance, ItemKind::MySoftware] {
            for kind in PartKind::all(of) {
                let segments = kind.below_item().split('/');
                let ids = segments.filter(|segment| is_parameter(segment)).count();
                assert!(ids <= MOST_IDS, "{kind:?}");
            }
        }
    }
}
