//! Which object of the platform is an item's: by name and version, a pure rule.

use crate::model::{ObjectFacts, ObjectId};

/// What an item of a bag is known by on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
}

impl Identity {
    /// Whether an object has this name and this version. What has no name is nobody's.
    pub(crate) fn is_of(&self, object: &ObjectFacts) -> bool {
        self.name.is_some() && self.name == object.name && self.version == object.version
    }

    /// The object of this name and version.
    pub(crate) fn find<'o>(&self, objects: &'o [ObjectFacts]) -> Option<&'o ObjectFacts> {
        objects.iter().find(|object| self.is_of(object))
    }

    /// The object of this name and version that is another one than was there before, or another state of it.
    pub(crate) fn find_new<'o>(
        &self,
        objects: &'o [ObjectFacts],
        replaces: Option<&str>,
    ) -> Option<&'o ObjectFacts> {
        let mut named = objects.iter().filter(|object| self.is_of(object));
        named.find(|object| replaces.is_none_or(|before| mark(object) != before))
    }
}

/// What distinguishes an object from another one of the same name and version, and from a later state of itself.
pub(crate) fn mark(object: &ObjectFacts) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = object.id.unwrap_or_default();
    format!(
        "{id} {} {}",
        word(&object.digest),
        word(&object.last_modified)
    )
}

/// The id of an object, where it is one.
pub(crate) fn id_of(object: &ObjectFacts) -> Option<ObjectId> {
    object.id.and_then(|id| ObjectId::try_from(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: i64, name: Option<&str>, digest: &str) -> ObjectFacts {
        ObjectFacts {
            id: Some(id),
            name: name.map(str::to_owned),
            version: Some("1.0".to_owned()),
            digest: Some(digest.to_owned()),
            ..ObjectFacts::default()
        }
    }

    fn shop() -> Identity {
        Identity {
            name: Some("shop".to_owned()),
            version: Some("1.0".to_owned()),
        }
    }

    #[test]
    fn an_object_is_known_by_its_name_and_its_version() {
        let objects = [object(1, None, "a"), object(2, Some("shop"), "b")];
        assert_eq!(
            shop().find(&objects).and_then(id_of).map(ObjectId::get),
            Some(2)
        );
        let nameless = Identity {
            name: None,
            ..shop()
        };
        assert_eq!(nameless.find(&objects), None);
        let newer = Identity {
            version: Some("1.1".to_owned()),
            ..shop()
        };
        assert_eq!(newer.find(&objects), None);
    }

    #[test]
    fn what_was_there_before_is_not_taken_for_what_was_imported() {
        let before = object(2, Some("shop"), "b");
        let replaces = mark(&before);
        assert_eq!(shop().find_new(&[before], Some(&replaces)), None);
        for after in [object(2, Some("shop"), "c"), object(3, Some("shop"), "b")] {
            assert!(shop().find_new(&[after], Some(&replaces)).is_some());
        }
    }
}
