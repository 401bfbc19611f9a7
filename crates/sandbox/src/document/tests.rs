use proptest::prelude::*;

use super::*;

fn any_element() -> impl Strategy<Value = Element> {
    let leaf = prop_oneof![
        any::<String>().prop_map(|value| text("text", value)),
        any::<i64>().prop_map(|value| number("number", value)),
        any::<bool>().prop_map(|value| flag("flag", value)),
        any::<i16>().prop_map(|value| decimal("decimal", f64::from(value) / 8.0)),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|children| Element::object("object", distinct(children))),
            proptest::collection::vec(inner, 0..5)
                .prop_map(|items| Element::list("list", "item", items)),
        ]
    })
}

/// An object has each child once.
fn distinct(children: Vec<Element>) -> Vec<Element> {
    let mut seen = std::collections::HashSet::new();
    children
        .into_iter()
        .filter(|child| seen.insert(child.name.clone()))
        .collect()
}

fn xml_leaves(node: roxmltree::Node<'_, '_>, found: &mut Vec<String>) {
    if node.children().any(|child| child.is_element()) {
        node.children()
            .filter(roxmltree::Node::is_element)
            .for_each(|child| xml_leaves(child, found));
    } else {
        found.push(node.text().unwrap_or_default().to_owned());
    }
}

fn json_leaves(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => map.values().for_each(|value| json_leaves(value, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| json_leaves(value, found)),
        serde_json::Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}

proptest! {
    #[test]
    fn both_representations_hold_the_same_values(root in any_element()) {
        let root = Element::object("root", vec![root]);
        let xml = String::from_utf8(render_xml(&root)).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&render_json(&root)).unwrap();
        let (mut from_xml, mut from_json) = (Vec::new(), Vec::new());
        xml_leaves(document.root_element(), &mut from_xml);
        json_leaves(&json, &mut from_json);
        from_xml.retain(|leaf| !leaf.is_empty());
        from_json.retain(|leaf| !leaf.is_empty());
        from_xml.sort();
        from_json.sort();
        prop_assert_eq!(from_xml, from_json);
    }
}

#[test]
fn the_root_is_in_the_namespace_of_the_platform_and_its_children_are_in_none() {
    let root = Element::object(
        "user",
        vec![
            text("loginName", "jo"),
            Element::object("photo", vec![]).with_type("Logo"),
        ],
    );
    let xml = String::from_utf8(render_xml(&root)).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let node = document.root_element();
    assert_eq!(
        node.tag_name().namespace(),
        Some("http://www.usharesoft.com/uforge")
    );
    assert!(
        node.children()
            .all(|child| child.tag_name().namespace().is_none())
    );
    assert!(xml.contains(r#"<photo xsi:type="ns2:Logo"/>"#), "{xml}");
}

#[test]
fn json_keeps_numbers_and_booleans_and_shows_an_empty_list_as_an_array() {
    let root = Element::object(
        "user",
        vec![
            number("dbId", 7),
            flag("active", true),
            Element::uris("orgUris", vec![]),
        ],
    );
    assert_eq!(
        String::from_utf8(render_json(&root)).unwrap(),
        r#"{"user":{"dbId":7,"active":true,"orgUris":{"uri":[]}}}"#
    );
}

#[test]
fn what_xml_cannot_carry_is_replaced_in_both_representations() {
    let root = Element::object("a", vec![text("name", "x\u{1}y\r\n\u{202e}")]);
    let xml = String::from_utf8(render_xml(&root)).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(
        document
            .root_element()
            .first_element_child()
            .unwrap()
            .text(),
        Some("x\u{FFFD}y\r\n\u{202e}")
    );
}

#[test]
fn a_secret_is_found_but_not_printed() {
    let root = Element::object(
        "a",
        vec![Element::list("l", "i", vec![secret("password", "pa55")])],
    );
    let mut found = Vec::new();
    root.collect_secrets(&mut found);
    assert_eq!(found, ["pa55"]);
    assert!(!format!("{root:?}").contains("pa55"));
}
