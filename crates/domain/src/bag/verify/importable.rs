//! Whether a UForge will take what a bag holds, as far as that can be seen before anything is sent.
//!
//! It says nothing of the bag: one that holds an archive which no platform will take is as whole as any other.

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

use super::finding::{Finding, InnerProblem};
use super::recorded::{RecordedExport, RecordedItem};
use crate::model::{ItemKind, Section};

/// Names and versions that a platform shows are shorter.
const LONGEST_NAME: usize = 255;

/// Which file describes an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescribedAs {
    /// `template.yml`: an appliance.
    Template,
    /// `bundle.yml`: software.
    Bundle,
}

/// What the template or bundle file of an archive says of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Which of the two it is.
    pub described_as: DescribedAs,
    /// Whether it has the form that is known: a template has `stack`.
    pub is_known_form: bool,
    /// The object's name.
    pub name: Option<String>,
    /// The object's version. One that is no text has no exact form, and is empty.
    pub version: Option<String>,
}

/// What is inside of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// What its template or bundle file says, where that can be read.
    pub described: Option<Described>,
    /// What is wrong inside.
    pub problems: Vec<InnerProblem>,
}

/// Why a UForge will refuse an archive, or may.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportObstacle {
    /// There is nothing to send.
    #[error("the bag holds no archive of it{}", .0.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    NoArchive(Option<String>),
    /// It is never sent.
    #[error("its archive is damaged or missing")]
    Damaged,
    /// What is inside is not whole.
    #[error("{0}")]
    Inside(InnerProblem),
    /// A bundle where a template is needed, or the other way round.
    #[error("its archive holds a {found} file, and {needed} is needed")]
    OtherKind {
        /// What there is.
        found: &'static str,
        /// What has to be there.
        needed: &'static str,
    },
    /// A platform makes no object without it.
    #[error("its {file} file gives no {field}")]
    NoField {
        /// The file.
        file: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A version of the file that is not known here.
    #[error("its template file has no `stack`: it is of a form that this version does not know")]
    UnknownForm,
    /// Longer than names of a platform are.
    #[error(
        "its {field} has {length} characters, more than the {LONGEST_NAME} that platforms are known to take"
    )]
    TooLong {
        /// The field.
        field: &'static str,
        /// How long it is.
        length: usize,
    },
    /// The file and the platform's list do not agree.
    #[error(
        "its {file} file gives another {field} than export.json: it is imported under that, and a conflict is looked for under the other"
    )]
    OtherIdentity {
        /// The file.
        file: &'static str,
        /// The field.
        field: &'static str,
    },
}

impl ImportObstacle {
    /// Whether every platform refuses it. Otherwise it is a doubt.
    pub fn is_certain(&self) -> bool {
        !matches!(
            self,
            Self::UnknownForm | Self::TooLong { .. } | Self::OtherIdentity { .. }
        )
    }
}

impl Serialize for ImportObstacle {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a UForge will do with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportVerdict {
    /// Nothing speaks against it. What the platform has already, or does not offer, is known only there.
    Expected,
    /// It may be refused.
    Doubtful,
    /// It will be refused, or cannot be sent.
    Refused,
}

/// One appliance or software bundle of a bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Importable {
    /// Its section.
    pub section: Section,
    /// Its id in the bag.
    pub id: Option<i64>,
    /// Its name in the bag.
    pub name: Option<String>,
    /// Its version in the bag.
    pub version: Option<String>,
    /// Its archive.
    pub archive: Option<String>,
    /// What a UForge will do.
    pub verdict: ImportVerdict,
    /// Why.
    pub obstacles: Vec<ImportObstacle>,
}

/// The archive of an item: of several, the last is of the state that was read last.
pub fn archive_of(item: &RecordedItem) -> Option<&str> {
    item.files
        .iter()
        .filter(|path| is_archive_name(path))
        .last()
}

/// Whether a file of an item is its archive, by its name.
fn is_archive_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("archive") && name.ends_with(".tar.gz")
}

/// What a UForge will do with each appliance and bundle of a bag, in the order in which an import takes them: my software first.
///
/// `inside` has what is in the archives that could be read; `findings` are those of the bag.
pub fn importable(
    recorded: &RecordedExport,
    inside: &BTreeMap<String, Inside>,
    findings: &[Finding],
) -> Vec<Importable> {
    let kinds = [ItemKind::MySoftware, ItemKind::Appliance];
    let of_kind = |kind: ItemKind| {
        let section = Section::of_items(kind);
        let items = recorded.items.iter();
        items
            .filter(move |item| item.section.as_deref() == Some(section.name()))
            .map(move |item| (kind, section, item))
    };
    let all = kinds.into_iter().flat_map(of_kind);
    all.map(|(kind, section, item)| {
        let archive = archive_of(item);
        let obstacles = obstacles(kind, item, archive, inside, findings);
        Importable {
            section,
            id: item.id,
            name: item.name.clone(),
            version: item.version.clone(),
            archive: archive.map(str::to_owned),
            verdict: verdict(&obstacles),
            obstacles,
        }
    })
    .collect()
}

fn verdict(obstacles: &[ImportObstacle]) -> ImportVerdict {
    if obstacles.is_empty() {
        ImportVerdict::Expected
    } else if obstacles.iter().any(ImportObstacle::is_certain) {
        ImportVerdict::Refused
    } else {
        ImportVerdict::Doubtful
    }
}

fn obstacles(
    kind: ItemKind,
    item: &RecordedItem,
    archive: Option<&str>,
    inside: &BTreeMap<String, Inside>,
    findings: &[Finding],
) -> Vec<ImportObstacle> {
    let Some(path) = archive else {
        return vec![ImportObstacle::NoArchive(item.reason.clone())];
    };
    let is_damaged = |finding: &Finding| {
        finding.path() == Some(path) && !matches!(finding, Finding::Inner { .. })
    };
    let Some(inside) = inside.get(path) else {
        return vec![ImportObstacle::Damaged];
    };
    if findings.iter().any(is_damaged) {
        return vec![ImportObstacle::Damaged];
    }
    let problems = inside.problems.iter().cloned();
    let mut found: Vec<ImportObstacle> = problems.map(ImportObstacle::Inside).collect();
    if let Some(described) = &inside.described {
        found.extend(of_description(kind, item, described));
    }
    found
}

fn of_description(
    kind: ItemKind,
    item: &RecordedItem,
    described: &Described,
) -> Vec<ImportObstacle> {
    let file = match described.described_as {
        DescribedAs::Template => "template",
        DescribedAs::Bundle => "bundle",
    };
    let needed = match kind {
        ItemKind::Appliance => "template",
        ItemKind::MySoftware => "bundle",
    };
    if file != needed {
        return vec![ImportObstacle::OtherKind {
            found: file,
            needed,
        }];
    }
    if !described.is_known_form {
        return vec![ImportObstacle::UnknownForm];
    }
    let fields = [
        ("name", &described.name, &item.name),
        ("version", &described.version, &item.version),
    ];
    fields
        .into_iter()
        .filter_map(|(field, said, listed)| {
            of_field(file, field, said.as_deref(), listed.as_deref())
        })
        .collect()
}

fn of_field(
    file: &'static str,
    field: &'static str,
    said: Option<&str>,
    listed: Option<&str>,
) -> Option<ImportObstacle> {
    let Some(said) = said else {
        return Some(ImportObstacle::NoField { file, field });
    };
    let length = said.chars().count();
    if length > LONGEST_NAME {
        return Some(ImportObstacle::TooLong { field, length });
    }
    // A version that is a number has more than one form.
    let differs = !said.is_empty() && listed.is_some_and(|listed| listed != said);
    differs.then_some(ImportObstacle::OtherIdentity { file, field })
}

#[cfg(test)]
#[path = "importable_tests.rs"]
mod tests;
