//! The JSON Schema of `export.json`, made from the types that write it.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::export_json::Export;
use crate::model::Section;

/// The JSON Schema (draft 2020-12) of `export.json`, pretty, with a newline at its end. Published as `docs/export.schema.json`.
#[expect(clippy::expect_used, reason = "a schema is plain JSON values")]
pub fn export_json_schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<Export<'_>>();
    let mut text = serde_json::to_string_pretty(&schema).expect("JSON values can be written");
    text.push('\n');
    text
}

/// The names of the table of sections.
pub(super) fn section(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Section::ALL.into_iter().map(Section::name).collect();
    json_schema!({ "type": "string", "enum": names })
}

pub(super) fn sha256(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
}

pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

pub(super) fn payload_path(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^data/[A-Za-z0-9._/-]+$" })
}

pub(super) fn basis(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["provided", "observed", "platform"] })
}

pub(super) fn output_format(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["yaml", "json"] })
}

pub(super) fn rule(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["secret", "other_person"] })
}

pub(super) fn format(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": super::export_json::FORMAT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_of_these_types() {
        let published = include_str!("../../../../docs/export.schema.json");
        assert!(
            published == export_json_schema(),
            "docs/export.schema.json is not what export_json_schema() says: write it again, see examples/export_schema.rs"
        );
    }
}
