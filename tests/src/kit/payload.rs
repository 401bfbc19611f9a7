//! What should be in a bag, as the platform itself says it.

use std::collections::BTreeMap;

use domain::model::{OutputFormat, Representation, Section, SectionKind};
use sandbox::Platform;
use sandbox::scenario::ItemKind;
use serde_json::Value;

/// SHA-256 of every file by what it is: `users/jo/quotas xml`, `archive of Appliance 201`, `users/jo/photo/9`.
pub type Payload = BTreeMap<String, String>;

/// The list of export tickets changes with every export: only that it is there can be expected.
pub(super) const CHANGES: &str = "changes";

const FORMS: [Representation; 2] = [Representation::Xml, Representation::Json];
const ITEMS: [(&str, ItemKind, Section); 3] = [
    ("appliances", ItemKind::Appliance, Section::Appliances),
    ("mysoftware", ItemKind::Software, Section::MySoftware),
    ("accounts", ItemKind::Account, Section::CloudAccounts),
];

/// Everything of these sections that an undisturbed run exports.
pub fn expected_of(platform: &Platform, sections: &[Section]) -> Payload {
    let user = percent_encoded(&platform.scenario().user.login);
    let user = format!("users/{user}");
    let mut payload = Payload::new();
    for section in sections {
        match section.info().kind {
            SectionKind::Profile => {
                add_document(platform, &mut payload, &user);
            }
            // Items are added below; comments are blanked on their way.
            SectionKind::Items(_) | SectionKind::CloudAccounts | SectionKind::WorkspaceComments => {
            }
            SectionKind::List(list) => {
                add_document(platform, &mut payload, &format!("{user}/{}", list.name()));
            }
        }
    }
    for (list, kind, section) in ITEMS {
        if sections.contains(&section) {
            add_document(platform, &mut payload, &format!("{user}/{list}"));
            for id in platform.items(kind) {
                add_document(platform, &mut payload, &format!("{user}/{list}/{id}"));
                add_archive(platform, &mut payload, kind, id);
            }
        }
    }
    payload
}

fn add_archive(platform: &Platform, payload: &mut Payload, kind: ItemKind, id: i64) {
    if kind == ItemKind::Account {
        return;
    }
    if let Some(archive) = platform.archive(kind, id, OutputFormat::Yaml) {
        payload.insert(archive_key(kind, id), archive.sha256);
    }
}

/// What an item's archive is called here.
pub(super) fn archive_key(kind: ItemKind, id: i64) -> String {
    format!("archive of {kind:?} {id}")
}

/// A document in both forms, and the files that it names.
fn add_document(platform: &Platform, payload: &mut Payload, path: &str) {
    for form in FORMS {
        // What the platform refuses cannot be expected.
        let Some(bytes) = platform.document(path, form) else {
            return;
        };
        let sum = if path.ends_with("/exports") {
            CHANGES.to_owned()
        } else {
            Platform::sha256(&bytes)
        };
        payload.insert(format!("{path} {form}"), sum);
        if form == Representation::Json {
            let tree: Value = serde_json::from_slice(&bytes).expect("JSON");
            let single = tree.as_object().and_then(|root| root.values().next());
            for uri in single.map(files_of).unwrap_or_default() {
                let file = platform.binary(&uri).expect("a file");
                payload.insert(uri, Platform::sha256(&file));
            }
        }
    }
}

/// Not files of one's own, or in the archive of the item.
const NOT_BESIDE: [&str; 3] = ["company", "license", "oasPackage"];

/// The URIs of the photo, the logo or the certificates of one object.
fn files_of(object: &Value) -> Vec<String> {
    let own = object.as_object().into_iter().flatten();
    own.filter(|(name, _)| !NOT_BESIDE.contains(&name.as_str()))
        .flat_map(|(_, value)| match value {
            Value::Array(all) => all.iter().collect(),
            Value::Object(wrapper) => {
                let inner = wrapper.values().filter_map(Value::as_array).flatten();
                std::iter::once(value).chain(inner).collect()
            }
            _ => Vec::new(),
        })
        .filter(|file| file.get("uploadedTime").is_some() && file.get("md5sum").is_some())
        .filter_map(|file| Some(file.get("uri")?.as_str()?.to_owned()))
        .collect()
}

fn percent_encoded(login: &str) -> String {
    login
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
