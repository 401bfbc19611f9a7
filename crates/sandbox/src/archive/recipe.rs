//! What stands in `template.yml` and `bundle.yml`, or their JSON twins.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value of the file, with its keys in the order in which they are written.
pub(super) enum Recipe {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Recipe>),
    Map(Vec<(&'static str, Recipe)>),
}

pub(super) fn text(value: impl Into<String>) -> Recipe {
    Recipe::Text(value.into())
}

impl Recipe {
    #[expect(
        clippy::expect_used,
        reason = "every key is a string and every number finite, so that this cannot fail"
    )]
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("keys are strings and numbers finite")
    }

    pub(super) fn to_yaml(&self) -> String {
        let mut out = String::from("---");
        self.write_yaml(0, &mut out);
        out.push('\n');
        out
    }

    fn write_yaml(&self, depth: usize, out: &mut String) {
        match self {
            // A JSON string is a double-quoted scalar of YAML.
            Self::Text(value) => {
                out.push(' ');
                out.push_str(&serde_json::Value::from(value.as_str()).to_string());
            }
            Self::Number(value) => out.extend([" ", &value.to_string()]),
            Self::Flag(value) => out.push_str(if *value { " true" } else { " false" }),
            Self::List(items) if items.is_empty() => out.push_str(" []"),
            Self::Map(entries) if entries.is_empty() => out.push_str(" {}"),
            Self::List(items) => {
                for item in items {
                    new_line(depth, out);
                    out.push('-');
                    item.write_yaml(depth + 1, out);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    new_line(depth, out);
                    out.push_str(key);
                    out.push(':');
                    value.write_yaml(depth + 1, out);
                }
            }
        }
    }
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

impl Serialize for Recipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(value) => serializer.serialize_str(value),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::Flag(value) => serializer.serialize_bool(*value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
