//! The platform's imports: one attempt a call, nothing in here sleeps or tries again.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use thiserror::Error;

use super::user_data::{ApiError, ExportStatus};
use crate::model::{ImportOptions, ImportTicket, ItemKind};

/// The bytes of an archive cannot be had any further: what was begun has to be broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the archive cannot be read any further")]
pub struct UploadStopped;

/// An archive on its way to the platform.
pub struct Upload {
    /// All its bytes: they are announced before the first is sent.
    pub length: u64,
    /// The bytes. Where this ends with an error, or before `length`, the platform must not take what it has for the whole.
    pub body: BoxStream<'static, Result<Bytes, UploadStopped>>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// The platform took an import on; its archive is still to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedImport {
    /// Its ticket.
    pub ticket: ImportTicket,
    /// The status that came with it.
    pub status: ExportStatus,
}

/// An appliance's import ticket that is on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenImport {
    /// Which.
    pub ticket: ImportTicket,
    /// Its status.
    pub status: ExportStatus,
    /// When the platform made it, by the platform's clock; `None` where it says no instant.
    pub created: Option<Timestamp>,
    /// Whether its archive is there. `false` where the platform says nothing.
    pub uploaded: bool,
}

/// What an import ticket says (schema types `ApplianceImport` and `SoftwareBundleImport`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportTicketFacts {
    /// Its status.
    pub status: ExportStatus,
    /// `uploaded`: whether its archive is there, where the platform says.
    pub uploaded: Option<bool>,
    /// `referenceUri` as sent: the object that it made. Never followed.
    pub reference: Option<String>,
}

/// One user's imports on the platform.
#[async_trait]
pub trait ImportApi: Send + Sync {
    /// Asks for an import ticket. The same errors as of
    /// [`start_export`](super::UserDataApi::start_export) mean that no ticket was made.
    async fn open_import(
        &self,
        kind: ItemKind,
        options: ImportOptions,
    ) -> Result<OpenedImport, ApiError>;

    /// Uploads a ticket's archive; the status that the platform answers with. No redirect is followed.
    async fn upload(&self, ticket: ImportTicket, archive: Upload)
    -> Result<ExportStatus, ApiError>;

    /// A ticket's status.
    async fn import_status(&self, ticket: ImportTicket) -> Result<ExportStatus, ApiError>;

    /// What a ticket says.
    async fn import_ticket(&self, ticket: ImportTicket) -> Result<ImportTicketFacts, ApiError>;

    /// The appliance tickets that are on the platform, other clients' too. My software has no such list.
    async fn open_imports(&self) -> Result<Vec<OpenImport>, ApiError>;

    /// Deletes an appliance's ticket. One that is gone already is success. My software has no such call: it returns at once.
    async fn delete_import(&self, ticket: ImportTicket) -> Result<(), ApiError>;
}
