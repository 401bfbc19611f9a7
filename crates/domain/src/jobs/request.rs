//! What a caller asked for, as it is recorded.

use serde::{Deserialize, Serialize};

use crate::model::{
    BagFormat, DocumentForms, OutputFormat, Secrets, Selection, Strictness, UserId,
};

/// What a caller asked for. Everything else of an [`Order`](crate::model::Order) is the service's own matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Whose data.
    pub user: UserId,
    /// Which part of it.
    pub selection: Selection,
    /// The container.
    pub format: BagFormat,
    /// Representations kept of each document.
    pub documents: DocumentForms,
    /// `outputFormat` of the templates inside archives.
    pub output_format: OutputFormat,
    /// Secrets kept or blanked.
    pub secrets: Secrets,
    /// What an unavailable section means.
    pub strictness: Strictness,
}

impl JobRequest {
    /// All of a person's data, in the forms that the contract names as default.
    pub fn everything_of(user: UserId) -> Self {
        Self {
            user,
            selection: Selection::everything(),
            format: BagFormat::default(),
            documents: DocumentForms::Both,
            output_format: OutputFormat::default(),
            secrets: Secrets::default(),
            strictness: Strictness::default(),
        }
    }
}
