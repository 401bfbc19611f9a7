//! What a person asked for: whose data, which part of it, in which form.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ItemKind, ItemRef, ObjectId, Representation, Section, Sha256, UserId};

/// `outputFormat` of the template inside the platform's archives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// `template.yml`, `bundle.yml`.
    #[default]
    Yaml,
    /// `template.json`, `bundle.json`.
    Json,
}

impl OutputFormat {
    /// The value of the query parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

/// The container of the bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BagFormat {
    /// `.zip`, with zip64 where it is needed.
    #[default]
    #[serde(rename = "zip")]
    Zip,
    /// `.tar`.
    #[serde(rename = "tar")]
    Tar,
    /// `.tar.gz`.
    #[serde(rename = "tar.gz")]
    TarGz,
}

impl BagFormat {
    /// Its name and its file ending, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
        }
    }
}

/// Which representations of each document are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DocumentForms {
    /// XML only.
    Xml,
    /// JSON only; XML is still read for its facts.
    Json,
    /// Both.
    Both,
}

impl DocumentForms {
    /// Whether this representation is kept.
    pub fn keeps(self, form: Representation) -> bool {
        match self {
            Self::Both => true,
            Self::Xml => form == Representation::Xml,
            Self::Json => form == Representation::Json,
        }
    }
}

/// What happens to secrets in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secrets {
    /// Kept as the server sent them.
    #[default]
    Keep,
    /// Blanked in documents; certificate files are left out.
    Redact,
}

/// Whether an unavailable section changes the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// Only where it is one of the core.
    #[default]
    CoreOnly,
    /// Always.
    EverySection,
}

/// What happens to an export ticket once its bytes are safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TicketPolicy {
    /// It is deleted.
    #[default]
    Delete,
    /// It is left on the server.
    Keep,
}

/// What it means that the platform goes away, or is overloaded, in the middle of a run, for longer than requests are tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutagePolicy {
    /// What could not be had is reported as missing, and the run goes on. Only where no connection comes about does it end.
    #[default]
    Report,
    /// The run ends where the platform does not answer anything else either: somebody resumes it later.
    EndRun,
}

/// Which part of a person's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The sections wanted.
    pub sections: BTreeSet<Section>,
    /// Only these appliances; `None` for all.
    pub appliances: Option<BTreeSet<ObjectId>>,
    /// Only these software bundles; `None` for all.
    pub mysoftware: Option<BTreeSet<ObjectId>>,
}

impl Selection {
    /// Everything.
    pub fn everything() -> Self {
        Self {
            sections: Section::ALL.into(),
            appliances: None,
            mysoftware: None,
        }
    }

    /// Whether the section is wanted.
    pub fn wants(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }

    /// The ids that this kind is limited to, where it is.
    pub fn only(&self, kind: ItemKind) -> Option<&BTreeSet<ObjectId>> {
        match kind {
            ItemKind::Appliance => self.appliances.as_ref(),
            ItemKind::MySoftware => self.mysoftware.as_ref(),
        }
    }

    /// Whether the item is wanted.
    pub fn wants_item(&self, item: ItemRef) -> bool {
        self.wants(Section::of_items(item.kind))
            && self
                .only(item.kind)
                .is_none_or(|ids| ids.contains(&item.id))
    }
}

/// The earlier bag that unchanged archives are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierBag {
    /// The name of its file.
    pub name: String,
    /// SHA-256 of its `export.json`, by which it is known.
    pub export_json_sha256: Sha256,
}

/// One order: everything that decides what a run does.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose data.
    pub user: UserId,
    /// The base URL, for the report and the fingerprint; the API port knows how to reach it.
    pub source: String,
    /// Name and version of the program, for the report.
    pub tool_version: String,
    /// Which part.
    pub selection: Selection,
    /// `outputFormat` of archives.
    pub output_format: OutputFormat,
    /// Representations kept.
    pub documents: DocumentForms,
    /// Secrets kept or blanked.
    pub secrets: Secrets,
    /// What an unavailable section means.
    pub strictness: Strictness,
    /// What becomes of tickets.
    pub tickets: TicketPolicy,
    /// What an outage of the platform means.
    pub outage: OutagePolicy,
    /// The container (for the fingerprint and the bag's own description).
    pub format: BagFormat,
    /// The bag's top folder.
    pub bag_name: super::SafeName,
    /// The operator's own text, as given with `--notice`.
    pub notice: Option<String>,
    /// The bag that archives which have not changed since are taken from.
    pub since: Option<EarlierBag>,
    /// Exports asked for on the server at the same time.
    pub jobs: usize,
    /// Downloads at the same time.
    pub downloads: usize,
    /// How long one export may go without progress.
    pub max_wait: Duration,
    /// Seed of the jitter between attempts.
    pub seed: u64,
}

impl Order {
    /// A sum over all that must be the same for an interrupted run to be continued: user, server, selection, forms, and the earlier
    /// bag that archives are taken from, whatever its file is called.
    ///
    /// Concurrency, waiting times, the bag's name and the program's version are not part of it.
    pub fn fingerprint(&self) -> Sha256 {
        let mut parts = serde_json::json!([
            "uforge-export order 1",
            self.user,
            self.source,
            self.selection,
            self.output_format,
            self.documents,
            self.secrets,
            self.format,
            self.notice,
        ]);
        // Orders without it have the sum that they had before there was one.
        if let (Some(since), Some(parts)) = (&self.since, parts.as_array_mut()) {
            parts.push(serde_json::json!({ "since": since.export_json_sha256 }));
        }
        Sha256::of(parts.to_string().as_bytes())
    }
}
