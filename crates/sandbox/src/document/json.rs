//! The JSON representation: the root's name as the only key, numbers and booleans as such, lists nested as in XML.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Content, Element};

/// The document whose root is `root`.
#[expect(
    clippy::expect_used,
    reason = "every key is a string and every number finite, so that this cannot fail"
)]
pub(crate) fn render_json(root: &Element) -> Vec<u8> {
    serde_json::to_vec(&Root(root)).expect("keys are strings and numbers finite")
}

struct Root<'a>(&'a Element);

impl Serialize for Root<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.0.name, self.0)?;
        map.end()
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.content {
            Content::Text(text) => serializer.serialize_str(text),
            Content::Secret(secret) => serializer.serialize_str(secret.reveal()),
            Content::Number(number) => serializer.serialize_i64(*number),
            Content::Decimal(decimal) => serializer.serialize_f64(*decimal),
            Content::Flag(flag) => serializer.serialize_bool(*flag),
            Content::Object(children) => {
                let mut map = serializer.serialize_map(None)?;
                if let Some(concrete_type) = self.concrete_type {
                    map.serialize_entry("@type", concrete_type)?;
                }
                for child in children {
                    map.serialize_entry(&child.name, child)?;
                }
                map.end()
            }
            Content::List { item, items } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(item, items)?;
                map.end()
            }
        }
    }
}
