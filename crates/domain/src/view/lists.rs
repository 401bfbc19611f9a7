//! Where in a list's document its objects are (docs/platform.md#lists): root, wrapper, object.

use crate::model::{ItemKind, ListResource, Section, SectionKind};
use crate::redact::ShownDocument;

/// The object that the document of one object describes.
pub(super) fn object(document: &ShownDocument<'_>) -> usize {
    let root = document.root();
    // JSON: the object stands in one that has no name.
    let mut inside = branches(document, root);
    match (document.name(root), inside.next(), inside.next()) {
        ("", Some(only), None) => only,
        _ => root,
    }
}

/// The objects of a list, in their order.
pub(super) fn objects(document: &ShownDocument<'_>, section: Section) -> Vec<usize> {
    let root = object(document);
    if let Some(name) = name_of_one(section) {
        let found = named(document, root, name);
        if !found.is_empty() {
            return found;
        }
    }
    unknown(document, root)
}

/// What an object of the section's list is called in it; `None` where the schema does not say.
fn name_of_one(section: Section) -> Option<&'static str> {
    use ListResource as List;
    let list = match section.info().kind {
        SectionKind::Profile => return Some("user"),
        SectionKind::Items(ItemKind::Appliance) => List::Appliances,
        SectionKind::Items(ItemKind::MySoftware) => List::MySoftware,
        SectionKind::CloudAccounts => List::Accounts,
        SectionKind::WorkspaceComments => return Some("comment"),
        SectionKind::List(list) => list,
    };
    Some(match list {
        List::Appliances => "appliance",
        List::MySoftware => "mySoftware",
        List::Accounts => "credAccount",
        List::ArtifactAccounts => "artifactCredAccount",
        List::ApiKeys => "apiKeyPair",
        List::SshKeys => "sshKey",
        List::Workspaces => "workspace",
        List::Orgs => "org",
        List::Roles => "role",
        List::Quotas => "quota",
        List::Usage => "statTicket",
        List::Stats => "stat",
        List::Activities => return None,
        List::Images => "image",
        List::PublishedImages => "publishImage",
        List::Imports => "applianceImport",
        List::Exports => "applianceExport",
        List::Scans => "scan",
        List::ScannedInstances => "scannedInstance",
        List::Migrations => "migration",
        List::Deployments => "deployment",
        List::Blueprints => "BlueprintSummary",
    })
}

/// Objects of this name in the wrapper or, where that is missing, in the root itself.
fn named(document: &ShownDocument<'_>, root: usize, name: &str) -> Vec<usize> {
    let is_one = |node: &usize| document.name(*node).eq_ignore_ascii_case(name);
    let direct = branches(document, root).filter(is_one);
    let wrapped = branches(document, root)
        .filter(|node| !is_one(node))
        .flat_map(|wrapper| branches(document, wrapper).filter(is_one));
    direct.chain(wrapped).collect()
}

/// Objects of a list that nobody knows: what the only wrapper holds, else what the root holds.
fn unknown(document: &ShownDocument<'_>, root: usize) -> Vec<usize> {
    let direct: Vec<usize> = branches(document, root).collect();
    if let [wrapper] = direct.as_slice() {
        let wrapped: Vec<usize> = branches(document, *wrapper).collect();
        let plain = document
            .children(*wrapper)
            .any(|child| !document.is_branch(child));
        if !wrapped.is_empty() && !plain {
            return wrapped;
        }
    }
    direct
}

fn branches(document: &ShownDocument<'_>, node: usize) -> impl Iterator<Item = usize> {
    document
        .children(node)
        .filter(|child| document.is_branch(*child))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Representation::{self, Json, Xml};
    use crate::redact::show;

    fn names(form: Representation, text: &str, section: Section) -> Vec<String> {
        show(form, text.as_bytes(), |document| {
            let found = objects(document, section).into_iter();
            found.map(|node| document.name(node).to_owned()).collect()
        })
        .unwrap()
    }

    #[test]
    fn objects_are_found_in_their_wrapper_in_both_forms() {
        let xml = "<n:scans xmlns:n='u'><total>2</total><scans><scan><name>a</name></scan><scan><scan><name>no</name></scan></scan></scans></n:scans>";
        assert_eq!(names(Xml, xml, Section::Scans), ["scan", "scan"]);
        let json = r#"{"scans": {"total": 1, "scans": {"scan": [{"name": "a"}]}}}"#;
        assert_eq!(names(Json, json, Section::Scans), ["scan"]);
        let without = "<scans><scan/><scan><name>a</name></scan></scans>";
        assert_eq!(names(Xml, without, Section::Scans), ["scan"]);
        for empty in ["<scans><scans/></scans>", "<scans/>"] {
            assert!(names(Xml, empty, Section::Scans).is_empty(), "{empty}");
        }
        assert!(names(Json, r#"{"scans": {"scans": []}}"#, Section::Scans).is_empty());
    }

    #[test]
    fn a_list_that_nobody_knows_is_read_by_its_form() {
        let wrapped = "<as><as><a><x>1</x></a><a><x>2</x></a></as></as>";
        assert_eq!(names(Xml, wrapped, Section::Activities), ["a", "a"]);
        let flat = "<as><a><x>1</x><y><z>1</z></y></a></as>";
        assert_eq!(names(Xml, flat, Section::Activities), ["a"]);
        assert!(names(Xml, "<as/>", Section::Activities).is_empty());
    }
}
