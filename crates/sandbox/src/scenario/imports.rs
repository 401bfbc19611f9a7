//! What goes wrong with imports.

use serde::Deserialize;

use super::data::ItemKind;
use super::faults::{Ending, Times};

/// Imports that differ from the rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImportScenario {
    /// Of what.
    pub kind: ItemKind,
    /// Of which name; of all, where it is left out.
    #[serde(default)]
    pub name: Option<String>,
    /// What goes wrong.
    pub faults: Vec<ImportFault>,
}

/// What goes wrong with the import of one archive, once that is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum ImportFault {
    /// It ends without an object.
    Ends {
        /// How.
        how: Ending,
        /// How many of its imports.
        #[serde(default = "always")]
        times: Times,
    },
    /// It never ends, and holds the next one up.
    NeverCompletes {
        /// How many of its imports.
        #[serde(default = "always")]
        times: Times,
    },
    /// It works, and its ticket names this as what it has made.
    Reference {
        /// Such as `https://elsewhere.example/users/john/appliances/1`.
        uri: String,
    },
    /// It works, and its ticket is gone afterwards.
    TicketVanishes {
        /// How many of its imports.
        #[serde(default = "always")]
        times: Times,
    },
}

const fn always() -> Times {
    Times::Always
}
