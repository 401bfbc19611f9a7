//! Which parts there are to ask for, from what a document says: a plain function of values.

use crate::model::is_parameter;
use crate::model::{InnerFacts, InnerRole, ItemRef, ObjectFacts, ObjectId, PartKind, PartRef};

/// A part to ask for, and what the document above it says of it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) part: PartRef,
    pub(super) name: Option<String>,
    pub(super) size: Option<u64>,
}

/// An address below an item: the segments of its path, with parameters in braces, and their ids.
#[derive(Clone)]
struct Address {
    item: ItemRef,
    segments: Vec<&'static str>,
    ids: Vec<ObjectId>,
}

/// A parameter, whatever it is called.
const ANY: &str = "{}";

/// The parts that follow from the item's own document.
pub(super) fn parts_of_item(item: ItemRef, facts: &ObjectFacts) -> Vec<Wanted> {
    let base = Address {
        item,
        segments: Vec::new(),
        ids: Vec::new(),
    };
    let mut wanted = base.parts(None, None, None);
    wanted.extend(
        facts
            .inner
            .iter()
            .flat_map(|inner| base.parts_of_inner(inner)),
    );
    wanted
}

/// The parts that follow from the document of a part, which holds these objects.
pub(super) fn parts_below(part: PartRef, objects: &[ObjectFacts]) -> Vec<Wanted> {
    let base = Address {
        item: part.item(),
        segments: part.kind().below_item().split('/').collect(),
        ids: part.ids(),
    };
    objects
        .iter()
        .flat_map(|object| base.parts_of_object(object))
        .collect()
}

impl Address {
    /// A list's objects have addresses below it, an object's document is at its own.
    fn parts_of_object(&self, object: &ObjectFacts) -> Vec<Wanted> {
        let is_own = self.segments.last().is_some_and(|last| is_parameter(last));
        let own = if is_own {
            self.clone()
        } else if let Some(id) = object.id.and_then(|id| ObjectId::try_from(id).ok()) {
            self.with(&[ANY], id)
        } else {
            return Vec::new();
        };
        let mut wanted = own.parts(object.name.as_deref(), object.size, object.uploaded);
        wanted.extend(
            object
                .inner
                .iter()
                .flat_map(|inner| own.parts_of_inner(inner)),
        );
        wanted
    }

    fn parts_of_inner(&self, inner: &InnerFacts) -> Vec<Wanted> {
        let Ok(id) = ObjectId::try_from(inner.id) else {
            return Vec::new();
        };
        let address = match inner.role {
            InnerRole::InstallProfile => self.with(&["installProfile", ANY], id),
            InnerRole::OsProfile => self.with(&["osprofile", ANY], id),
            InnerRole::StudioPackage => self.with(&["oas", ANY], id),
            InnerRole::License => self.with(&["licenses", ANY], id),
            InnerRole::PartitionTable => self.with(&["pt", ANY], id),
            // It lies beside the artifact that it is in.
            InnerRole::Artifact => match self.ids.split_last() {
                Some((_, rest)) => Self {
                    ids: rest.iter().copied().chain([id]).collect(),
                    ..self.clone()
                },
                None => return Vec::new(),
            },
        };
        address.parts(inner.name.as_deref(), inner.size, inner.uploaded)
    }

    fn with(&self, segments: &[&'static str], id: ObjectId) -> Self {
        let mut address = self.clone();
        address.segments.extend_from_slice(segments);
        address.ids.push(id);
        address
    }

    /// The parts that need no id but those of this address.
    fn parts(&self, name: Option<&str>, size: Option<u64>, uploaded: Option<bool>) -> Vec<Wanted> {
        let kinds = PartKind::all(self.item.kind).filter(|kind| self.leads_to(*kind));
        // Of some files there is only a description.
        let kinds = kinds.filter(|kind| !(kind.is_file() && uploaded == Some(false)));
        kinds
            .filter_map(|kind| {
                Some(Wanted {
                    part: PartRef::new(self.item, kind, &self.ids)?,
                    name: name.map(str::to_owned),
                    size,
                })
            })
            .collect()
    }

    fn leads_to(&self, kind: PartKind) -> bool {
        let mut path = kind.below_item().split('/');
        let begins_so = self.segments.iter().all(|segment| {
            path.next().is_some_and(|other| {
                other == *segment || (is_parameter(other) && is_parameter(segment))
            })
        });
        begins_so && !path.any(is_parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ItemKind;

    fn item(kind: ItemKind) -> ItemRef {
        ItemRef {
            kind,
            id: ObjectId::try_from(201).unwrap(),
        }
    }

    fn spelled(wanted: &[Wanted]) -> Vec<String> {
        let parts = wanted.iter();
        parts
            .map(|wanted| wanted.part.segments().join("/"))
            .collect()
    }

    fn inner(role: InnerRole, id: i64) -> InnerFacts {
        InnerFacts {
            role,
            id,
            name: None,
            size: None,
            uploaded: None,
        }
    }

    fn object(id: i64, inner: Vec<InnerFacts>) -> ObjectFacts {
        ObjectFacts {
            id: Some(id),
            inner,
            ..ObjectFacts::default()
        }
    }

    fn part(spelling: &str, all: &[Wanted]) -> PartRef {
        let mut all = all.iter().map(|wanted| wanted.part);
        all.find(|part| part.segments().join("/") == spelling)
            .expect("asked for")
    }

    #[test]
    fn an_appliance_leads_to_its_lists_and_profiles() {
        let facts = object(
            201,
            vec![
                inner(InnerRole::InstallProfile, 5),
                inner(InnerRole::OsProfile, 6),
                inner(InnerRole::StudioPackage, -1),
            ],
        );
        assert_eq!(
            spelled(&parts_of_item(item(ItemKind::Appliance), &facts)),
            [
                "bootscripts",
                "installProfile",
                "mysoftware",
                "projects",
                "installProfile/5",
                "installProfile/5/groups",
                "installProfile/5/nics",
                "installProfile/5/users",
                "osprofile/6",
                "osprofile/6/applications",
                "osprofile/6/pkgs",
                "osprofile/6/services",
            ]
        );
    }

    #[test]
    fn a_partition_table_is_followed_down_to_its_logical_partitions() {
        let appliance = item(ItemKind::Appliance);
        let own = parts_of_item(appliance, &object(201, Vec::new()));
        let profile = object(5, vec![inner(InnerRole::PartitionTable, 7)]);
        let tables = parts_below(part("installProfile", &own), &[profile]);
        let disks = part("installProfile/5/pt/7/disks", &tables);
        let disk = parts_below(disks, &[object(8, Vec::new())]);
        let partitions = part("installProfile/5/pt/7/disks/8/partitions", &disk);
        let partition = parts_below(partitions, &[object(9, Vec::new())]);
        let logical = part(
            "installProfile/5/pt/7/disks/8/partitions/9/lpartitions",
            &partition,
        );
        assert_eq!(
            spelled(&parts_below(logical, &[object(10, Vec::new())])),
            ["installProfile/5/pt/7/disks/8/partitions/9/lpartitions/10"]
        );
    }

    #[test]
    fn a_bundle_leads_to_its_files_and_its_licence() {
        let bundle = item(ItemKind::MySoftware);
        let own = parts_of_item(bundle, &object(201, vec![inner(InnerRole::License, 4)]));
        assert_eq!(spelled(&own), ["artifacts", "templates", "licenses/4"]);
        let folder = object(1, vec![inner(InnerRole::Artifact, 2)]);
        let files = parts_below(part("artifacts", &own), &[folder]);
        assert_eq!(
            spelled(&files),
            [
                "artifacts/1",
                "artifacts/1/bin",
                "artifacts/2",
                "artifacts/2/bin"
            ]
        );
    }

    #[test]
    fn what_is_no_file_yet_and_what_has_no_id_is_not_asked_for() {
        let bundle = item(ItemKind::MySoftware);
        let own = parts_of_item(bundle, &ObjectFacts::default());
        let described = ObjectFacts {
            uploaded: Some(false),
            ..object(1, Vec::new())
        };
        let nameless = ObjectFacts::default();
        let wanted = parts_below(part("artifacts", &own), &[described, nameless]);
        assert_eq!(spelled(&wanted), ["artifacts/1"]);
    }
}
