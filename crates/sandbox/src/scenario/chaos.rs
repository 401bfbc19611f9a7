//! What goes wrong at random, and what changes meanwhile.

use serde::Deserialize;

use super::data::ItemKind;
use super::faults::first;
use super::request::RequestPattern;

/// Faults at random. The same seed decides the same for the nth request of a resource, in whatever order requests come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chaos {
    /// Where the dice start.
    pub seed: u64,
    /// How likely it is that a request goes wrong, from 0 to 1.
    pub probability: f64,
    /// The most times in a row that the same resource goes wrong.
    #[serde(default = "in_a_row")]
    pub in_a_row: u32,
    /// What may happen; all if empty.
    #[serde(default)]
    pub kinds: Vec<ChaosKind>,
    /// Requests that are left in peace.
    #[serde(default)]
    pub spare: Vec<RequestPattern>,
}

const fn in_a_row() -> u32 {
    2
}

/// What may happen at random.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ChaosKind {
    /// [`super::Fault::Reset`].
    Reset,
    /// [`super::Fault::Stall`], or a body that stops in the middle.
    Stall,
    /// A body that ends early.
    Truncate,
    /// 502 or 503, of the platform or of a proxy, with or without `Retry-After: 0`.
    ServerError,
    /// [`super::Fault::Slow`].
    Slow,
    /// [`super::Fault::LostAnswer`].
    LostAnswer,
}

impl ChaosKind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Reset,
        Self::Stall,
        Self::Truncate,
        Self::ServerError,
        Self::Slow,
        Self::LostAnswer,
    ];
}

/// Data that changes while it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mutation {
    /// Which requests are counted.
    pub after: RequestPattern,
    /// After how many of them, counted from one, the change happens.
    #[serde(default = "first")]
    pub nth: u32,
    /// What changes.
    pub change: Change,
}

/// What changes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Change {
    /// One more of its kind, with the next free id.
    Add {
        /// Of which kind.
        kind: ItemKind,
    },
    /// One disappears.
    Remove {
        /// Of which kind.
        kind: ItemKind,
        /// Which one.
        id: i64,
    },
    /// One is edited: other `digest`, `lastModified`, revision and archive.
    Edit {
        /// Of which kind.
        kind: ItemKind,
        /// Which one.
        id: i64,
    },
}
