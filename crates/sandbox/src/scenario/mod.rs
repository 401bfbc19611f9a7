//! What a sandbox is to be: who lives there, how much of everything, how fast, and what goes wrong.
//!
//! A [`Scenario`] is plain data. It comes from a TOML or JSON file, or from [`Scenario::default`], the realistic demo
//! without any fault. The file is described in `docs/sandbox.md`. Start reading at [`Scenario`], then [`Fault`] and [`ItemFault`].

mod chaos;
mod data;
mod faults;
mod framing;
mod imports;
mod request;

use std::path::{Path, PathBuf};

use domain::object::Object;
use domain::text::{NotText, decode};
use serde::Deserialize;

pub use chaos::{Change, Chaos, ChaosKind, Mutation};
pub use data::{
    Access, DataSize, Downloads, ItemKind, ItemScenario, Lists, Names, Person, Ranges, Timing,
};
pub use faults::{Damage, Ending, Fault, Ids, ItemFault, RequestFault, Shown, Times};
pub use framing::Framing;
pub use imports::{ImportFault, ImportScenario};
pub use request::{PatternError, RequestPattern};

/// The whole description of a sandbox.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// All demo data is drawn from this number: the same seed gives the same bytes.
    pub seed: u64,
    /// The path below which everything is, such as `/api`, `/ufws` or nothing.
    pub base_path: String,
    /// What `status` and the `version` header say.
    pub platform_version: String,
    /// The person whose data is exported, and whose credentials are announced.
    pub user: Person,
    /// Somebody else with data of their own.
    pub colleague: Person,
    /// May act on everybody's data, also in supervisor mode.
    pub administrator: Person,
    /// How much there is.
    pub data: DataSize,
    /// How long things take.
    pub timing: Timing,
    /// How lists are sent.
    pub lists: Lists,
    /// How archives are sent.
    pub downloads: Downloads,
    /// What is refused or not known.
    pub access: Access,
    /// Single appliances and bundles that differ from the rest.
    pub items: Vec<ItemScenario>,
    /// Imports that go wrong.
    pub imports: Vec<ImportScenario>,
    /// Answers that go wrong, by request.
    pub faults: Vec<RequestFault>,
    /// Answers that go wrong at random.
    pub chaos: Option<Chaos>,
    /// Data that changes while it is read.
    pub mutations: Vec<Mutation>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            base_path: "/api".to_owned(),
            platform_version: "3.8.13".to_owned(),
            user: Person::leaver(),
            colleague: Person::colleague(),
            administrator: Person::administrator(),
            data: DataSize::default(),
            timing: Timing::default(),
            lists: Lists::default(),
            downloads: Downloads::default(),
            access: Access::default(),
            items: Vec::new(),
            imports: Vec::new(),
            faults: Vec::new(),
            chaos: None,
            mutations: Vec::new(),
        }
    }
}

/// Why a scenario file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("cannot read the scenario `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's ending is neither `.toml` nor `.json`.
    #[error("the scenario `{}` is neither a .toml nor a .json file", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file is no text.
    #[error("the scenario `{}` is {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        problem: NotText,
    },
    /// The text is no scenario in TOML.
    #[error("the scenario is not valid")]
    Toml(#[from] toml::de::Error),
    /// The text is no scenario in JSON.
    #[error("the scenario is not valid")]
    Json(#[from] serde_json::Error),
}

impl Scenario {
    /// Reads a `.toml` or `.json` file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let parse = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Self::from_toml,
            Some("json") => Self::from_json,
            _ => {
                return Err(ScenarioError::UnknownFormat {
                    path: path.to_owned(),
                });
            }
        };
        let read_failed = |source| ScenarioError::Read {
            path: path.to_owned(),
            source,
        };
        let bytes = std::fs::read(path).map_err(read_failed)?;
        let text = decode(&bytes).map_err(|problem| ScenarioError::NotText {
            path: path.to_owned(),
            problem,
        })?;
        parse(&text)
    }

    /// Reads a scenario written in TOML. What is left out keeps its default; an unknown key is an error.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// Reads a scenario written in JSON. What is left out keeps its default; an unknown key is an error.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let Object(scenario) = serde_json::from_str(text)?;
        Ok(scenario)
    }

    /// This scenario with one more thing that goes wrong the first `times` that a request matches.
    #[must_use]
    pub fn with_fault(mut self, request: RequestPattern, times: Times, fault: Fault) -> Self {
        self.faults.push(RequestFault {
            request,
            first: 1,
            times,
            fault,
        });
        self
    }

    /// This scenario with one more item that differs from the rest.
    #[must_use]
    pub fn with_item(mut self, item: ItemScenario) -> Self {
        self.items.push(item);
        self
    }

    pub(crate) fn item(&self, kind: ItemKind, id: i64) -> Option<&ItemScenario> {
        self.items
            .iter()
            .find(|item| item.kind == kind && item.id == id)
    }

    pub(crate) fn item_faults(&self, kind: ItemKind, id: i64) -> &[ItemFault] {
        self.item(kind, id).map_or(&[], |item| &item.faults)
    }
}

#[cfg(test)]
mod tests;
