//! What an import is to do, as it is meant.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::model::{ItemKind, ObjectId, OnConflict, OsVersion, Section, Selection, Tagging};
use domain::workflow::Limits;

use super::{Layers, ProgressMode, SettingsError, keys, output};
use crate::args::ImportArguments;

/// What of a bag is imported, and how.
#[derive(Clone, Debug)]
pub(crate) struct ImportSettings {
    pub(crate) selection: Selection,
    pub(crate) on_conflict: OnConflict,
    pub(crate) os_version: OsVersion,
    pub(crate) tagging: Tagging,
    pub(crate) jobs: usize,
    pub(crate) max_wait: Duration,
    pub(crate) progress: ProgressMode,
}

impl ImportSettings {
    /// Reads them from the command line and, as far as they are an export's as well, from the layers. What configuration files select
    /// of an export, and how many exports run at the same time, says nothing of an import.
    pub(crate) fn of(arguments: &ImportArguments, layers: &Layers) -> Result<Self, SettingsError> {
        let jobs = arguments.jobs.and_then(|jobs| usize::try_from(jobs).ok());
        Ok(Self {
            selection: selection(arguments)?,
            on_conflict: arguments.on_conflict.unwrap_or_default(),
            os_version: if arguments.use_major {
                OsVersion::Major
            } else {
                OsVersion::Exact
            },
            tagging: if arguments.tag_imported.unwrap_or(true) {
                Tagging::Imported
            } else {
                Tagging::None
            },
            jobs: jobs.unwrap_or(Limits::IMPORT_JOBS),
            max_wait: output::max_wait(layers)?,
            progress: layers.get(keys::PROGRESS).value,
        })
    }
}

fn selection(arguments: &ImportArguments) -> Result<Selection, SettingsError> {
    let importable = [Section::Appliances, Section::MySoftware];
    let sections: BTreeSet<Section> = match &arguments.include {
        Some(sections) => sections.iter().copied().collect(),
        None => importable.into(),
    };
    let only = |ids: &Option<Vec<ObjectId>>, kind: ItemKind, key: &'static str| {
        let section = Section::of_items(kind);
        match ids {
            Some(_) if !sections.contains(&section) => {
                Err(SettingsError::IdsOfExcluded { key, section })
            }
            ids => Ok(ids.as_ref().map(|ids| ids.iter().copied().collect())),
        }
    };
    let appliances = only(&arguments.appliance, ItemKind::Appliance, "appliance")?;
    let mysoftware = only(&arguments.mysoftware, ItemKind::MySoftware, "mysoftware")?;
    Ok(Selection {
        sections,
        appliances,
        mysoftware,
    })
}
