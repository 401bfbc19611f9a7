//! SELECTION as it is meant.

use std::collections::BTreeSet;

use domain::model::{
    DocumentForms, ItemKind, ObjectId, OutputFormat, Representation, Secrets, Section, Selection,
    Strictness,
};

use super::keys::{self, Key};
use super::layers::switch;
use super::{Layers, SettingsError, Sourced};
use crate::compose::read_text;

/// An operator's text is a page or two; a megabyte is a mistake.
const NOTICE_LIMIT_BYTES: usize = 1024 * 1024;

/// Which part of the data, in which form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SelectionSettings {
    pub(crate) selection: Selection,
    pub(crate) output_format: OutputFormat,
    pub(crate) documents: DocumentForms,
    pub(crate) secrets: Secrets,
    pub(crate) strictness: Strictness,
    pub(crate) notice: Option<String>,
}

impl SelectionSettings {
    /// All of it, whatever the layers say.
    pub(crate) fn everything() -> Self {
        Self {
            selection: Selection::everything(),
            output_format: OutputFormat::default(),
            documents: DocumentForms::Both,
            secrets: Secrets::default(),
            strictness: Strictness::default(),
            notice: None,
        }
    }

    /// Reads them from the layers.
    pub(crate) fn of(layers: &Layers) -> Result<Self, SettingsError> {
        Ok(Self {
            selection: selection(layers)?,
            output_format: layers.get(keys::OUTPUT_FORMAT).value,
            documents: documents(layers)?,
            secrets: switch(layers, keys::REDACT_SECRETS, Secrets::Redact, Secrets::Keep),
            strictness: switch(
                layers,
                keys::STRICT,
                Strictness::EverySection,
                Strictness::CoreOnly,
            ),
            notice: notice(layers)?,
        })
    }
}

pub(super) fn selection(layers: &Layers) -> Result<Selection, SettingsError> {
    let included = layers.get(keys::INCLUDE);
    let excluded = layers.get(keys::EXCLUDE);
    let mut sections: BTreeSet<Section> = included.value.into_iter().collect();
    for section in excluded.value {
        sections.remove(&section);
    }
    if sections.is_empty() {
        return Err(SettingsError::NothingSelected);
    }
    let only = |key: Key<Vec<ObjectId>>, kind: ItemKind| {
        let section = Section::of_items(kind);
        match layers.pick(key) {
            Some(_) if !sections.contains(&section) => Err(SettingsError::IdsOfExcluded {
                key: key.name(),
                section,
            }),
            ids => Ok(ids.map(|ids| ids.value.into_iter().collect())),
        }
    };
    let appliances = only(keys::APPLIANCE, ItemKind::Appliance)?;
    let mysoftware = only(keys::MYSOFTWARE, ItemKind::MySoftware)?;
    Ok(Selection {
        sections,
        appliances,
        mysoftware,
    })
}

pub(super) fn documents(layers: &Layers) -> Result<DocumentForms, SettingsError> {
    let forms = layers.get(keys::DOCUMENTS);
    let has = |form| forms.value.contains(&form);
    match (has(Representation::Xml), has(Representation::Json)) {
        (true, true) => Ok(DocumentForms::Both),
        (true, false) => Ok(DocumentForms::Xml),
        (false, true) => Ok(DocumentForms::Json),
        (false, false) => Err(SettingsError::NotAllowed {
            key: keys::DOCUMENTS.name(),
            value: "empty".to_owned(),
            origin: forms.origin,
            allowed: "`xml`, `json` or both".to_owned(),
        }),
    }
}

fn notice(layers: &Layers) -> Result<Option<String>, SettingsError> {
    let Some(Sourced {
        value: path,
        origin,
    }) = layers.pick(keys::NOTICE)
    else {
        return Ok(None);
    };
    read_text(&path, NOTICE_LIMIT_BYTES)
        .map(Some)
        .map_err(|source| SettingsError::of_file(keys::NOTICE.name(), origin, path, source))
}
