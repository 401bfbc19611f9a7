//! The first line of a journal: which order the unfinished bag belongs to.

use domain::model::{BagFormat, SafeName, Sha256, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the journal's form that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// What an unfinished run says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The version of the journal's form.
    pub(crate) version: u32,
    /// [`domain::model::Order::fingerprint`].
    pub fingerprint: Sha256,
    /// Whose data.
    pub user: UserId,
    /// From which platform: its base URL.
    pub source: String,
    /// The container.
    pub format: BagFormat,
    /// The bag's top folder.
    pub top: SafeName,
    /// The final file's name.
    pub file_name: String,
    /// Whether the bag is encrypted.
    pub encrypted: bool,
    /// When the run was first started.
    pub created: Timestamp,
}

impl RunHeader {
    /// The first thing in which another run differs, in words; `None` where it is the same order.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            (self.user != other.user, "another user"),
            (self.source != other.source, "another platform"),
            (self.format != other.format, "another format"),
            (self.encrypted != other.encrypted, "another encryption"),
            (self.top != other.top, "another name of the bag"),
            (
                self.fingerprint != other.fingerprint,
                "another selection or other options",
            ),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
    }
}
