//! Which software bundles an appliance's document refers to: it lists their addresses (`mySoftwareUris`), holds them (`mySoftware`), or
//! names one in some other address. Whatever may be a reference counts as one; what it refers to is not asked for.

use std::collections::BTreeSet;

use domain::model::BundleReference;
use percent_encoding::percent_decode_str;
use roxmltree::Node;

use super::address::object_id;
use super::xml::children;

/// More references than any appliance has.
const MOST: usize = 1_000;
/// Longer texts are no addresses.
const LONGEST_BYTES: usize = 1_000;
/// A reference to nobody knows what.
const UNKNOWN: BundleReference = BundleReference {
    owner: None,
    id: None,
};

/// All references. Of more than anybody has, one is unknown.
pub(super) fn of(appliance: Node<'_, '_>) -> BTreeSet<BundleReference> {
    let mut found = BTreeSet::new();
    let elements = appliance.descendants().filter(Node::is_element);
    for reference in elements.filter_map(reference) {
        if found.len() == MOST {
            found.insert(UNKNOWN);
            break;
        }
        found.insert(reference);
    }
    found
}

fn reference(node: Node<'_, '_>) -> Option<BundleReference> {
    if node.tag_name().name() == "mySoftware" {
        return Some(BundleReference {
            owner: None,
            id: object_id(node),
        });
    }
    let parent = node.parent_element();
    let is_listed = parent.is_some_and(|parent| parent.tag_name().name() == "mySoftwareUris");
    let address = text(node).and_then(|text| in_address(&text));
    address.or_else(|| is_listed.then_some(UNKNOWN))
}

/// The text of an element without others in it.
fn text(node: Node<'_, '_>) -> Option<String> {
    if children(node).next().is_some() {
        return None;
    }
    let parts = node.children().filter(Node::is_text);
    let text: String = parts.filter_map(|part| part.text()).collect();
    let text = text.trim();
    (text.len() <= LONGEST_BYTES).then(|| text.to_owned())
}

/// `users/john/mysoftware/301`, with anything before and behind.
fn in_address(text: &str) -> Option<BundleReference> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let path = text.split(['?', '#']).next()?;
    let mut segments = path.split('/');
    let mut owner = None;
    while let Some(segment) = segments.next() {
        if segment.eq_ignore_ascii_case("users") && owner.is_none() {
            // Whoever is called `mysoftware` is no resource.
            let login = percent_decode_str(segments.next()?);
            owner = Some(login.decode_utf8_lossy().into_owned());
        } else if segment.eq_ignore_ascii_case("mysoftware") {
            let id = segments.next().filter(|id| !id.is_empty())?;
            let id = id.parse().ok();
            return Some(BundleReference { owner, id });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(body: &str) -> Vec<(Option<String>, Option<i64>)> {
        let document = format!("<appliance>{body}</appliance>");
        let document = roxmltree::Document::parse(&document).unwrap();
        let found = of(document.root_element()).into_iter();
        found.map(|found| (found.owner, found.id)).collect()
    }

    fn johns(id: i64) -> (Option<String>, Option<i64>) {
        (Some("john".to_owned()), Some(id))
    }

    #[test]
    fn every_way_to_name_a_bundle_is_a_reference() {
        let listed = "<mySoftwareUris><uri>users/john/mysoftware/301</uri><uri> users/john/mysoftware/302 </uri></mySoftwareUris>";
        assert_eq!(references(listed), [johns(301), johns(302)]);
        for (body, expected) in [
            (
                "<mySoftwareList><mySoftware><dbId>301</dbId></mySoftware></mySoftwareList>",
                (None, Some(301)),
            ),
            (
                "<mySoftwareList><mySoftware><name>x</name></mySoftware></mySoftwareList>",
                (None, None),
            ),
            (
                "<x><y>https://h/api/users/john/mysoftware/301/artifacts/4?a=b</y></x>",
                johns(301),
            ),
            (
                "<mySoftwareUris><uri>users/john/appliances/201/mysoftware/301</uri></mySoftwareUris>",
                johns(301),
            ),
            (
                "<x>users/j%C3%BCrgen%40x/mysoftware/301</x>",
                (Some("jürgen@x".to_owned()), Some(301)),
            ),
            (
                "<x>users/mysoftware/mysoftware/301</x>",
                (Some("mysoftware".to_owned()), Some(301)),
            ),
            (
                "<mySoftwareUris><uri>users/john/mysoftware/abc</uri></mySoftwareUris>",
                (Some("john".to_owned()), None),
            ),
            (
                "<mySoftwareUris><uri>301</uri></mySoftwareUris>",
                (None, None),
            ),
            ("<mySoftwareUris><uri/></mySoftwareUris>", (None, None)),
        ] {
            assert_eq!(references(body), [expected], "{body}");
        }
    }

    #[test]
    fn what_leads_to_all_bundles_or_to_none_is_no_reference() {
        for body in [
            "",
            "<mySoftwareUris/>",
            "<mySoftwareList/>",
            "<baseMySoftwareUri>users/john/appliances/201/mysoftware</baseMySoftwareUri>",
            "<x>users/john/appliances/201/mysoftware/</x>",
            "<x>users/mysoftware</x>",
            "<description>see users/john/mysoftware/301 and others</description>",
            "<projectUris><uri>orgs/2/projects/5</uri></projectUris>",
        ] {
            assert_eq!(references(body), [], "{body}");
        }
    }

    #[test]
    fn more_references_than_anybody_has_are_unknown() {
        let uris = (1..=3_000).map(|id| format!("<uri>users/john/mysoftware/{id}</uri>"));
        let body: String = uris.collect();
        let found = references(&format!("<mySoftwareUris>{body}</mySoftwareUris>"));
        assert_eq!(found.len(), MOST + 1);
        assert!(found.contains(&(None, None)));
    }
}
