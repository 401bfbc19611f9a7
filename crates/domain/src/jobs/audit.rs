//! The audit trail: who did what to whose data. It is only added to, and outlives jobs and archives.

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::JobId;
use crate::model::{Sha256, UserId};

/// What somebody did, or what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    /// Somebody signed in with the form.
    SignedIn,
    /// The platform refused credentials.
    SignInRefused,
    /// Somebody signed out.
    SignedOut,
    /// An export was asked for.
    ExportRequested,
    /// An export was asked for that the platform does not let the caller have.
    ExportRefused,
    /// An export's bag is ready.
    ExportReady,
    /// An export failed.
    ExportFailed,
    /// An export was given up on request.
    ExportCancelled,
    /// A failed export was asked to go on.
    ExportRetried,
    /// A bag, or a part of it, was downloaded.
    Downloaded,
    /// The receipt of a bag, or its signature, was downloaded.
    ReceiptDownloaded,
    /// A bag was deleted on request.
    Deleted,
    /// A bag's time was over.
    Expired,
    /// The audit trail was read.
    AuditRead,
    /// A campaign was ordered.
    CampaignRequested,
    /// A campaign was paused.
    CampaignPaused,
    /// A paused campaign was resumed.
    CampaignResumed,
    /// A campaign was given up.
    CampaignCancelled,
    /// Failed exports of a campaign were asked to go on.
    CampaignRetried,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 19] = [
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::ExportRequested,
        Self::ExportRefused,
        Self::ExportReady,
        Self::ExportFailed,
        Self::ExportCancelled,
        Self::ExportRetried,
        Self::Downloaded,
        Self::ReceiptDownloaded,
        Self::Deleted,
        Self::Expired,
        Self::AuditRead,
        Self::CampaignRequested,
        Self::CampaignPaused,
        Self::CampaignResumed,
        Self::CampaignCancelled,
        Self::CampaignRetried,
    ];

    /// Its name, for columns and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SignedOut => "signed-out",
            Self::ExportRequested => "export-requested",
            Self::ExportRefused => "export-refused",
            Self::ExportReady => "export-ready",
            Self::ExportFailed => "export-failed",
            Self::ExportCancelled => "export-cancelled",
            Self::ExportRetried => "export-retried",
            Self::Downloaded => "downloaded",
            Self::ReceiptDownloaded => "receipt-downloaded",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::AuditRead => "audit-read",
            Self::CampaignRequested => "campaign-requested",
            Self::CampaignPaused => "campaign-paused",
            Self::CampaignResumed => "campaign-resumed",
            Self::CampaignCancelled => "campaign-cancelled",
            Self::CampaignRetried => "campaign-retried",
        }
    }

    /// Reads what [`AuditAction::name`] gave.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: AuditAction,
    /// Who did it; `None` for the service itself.
    pub actor: Option<UserId>,
    /// Whose data.
    pub subject: Option<UserId>,
    /// The network address that it was asked from.
    pub from: Option<String>,
    /// The export.
    pub export: Option<JobId>,
    /// SHA-256 of the bag.
    pub sha256: Option<Sha256>,
    /// Bytes that were handed over.
    pub bytes: Option<u64>,
    /// What came of it, in words that name no secret.
    pub detail: Option<String>,
}

/// A transfer of a bag, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferEntry {
    /// When it ended.
    pub at: Timestamp,
    /// Who fetched it.
    pub actor: UserId,
    /// Whose data.
    pub subject: UserId,
    /// The network address that it went to.
    pub from: String,
    /// The export.
    pub export: JobId,
    /// SHA-256 of the whole bag.
    pub sha256: Sha256,
    /// The first byte asked for.
    pub offset: u64,
    /// Bytes handed over.
    pub bytes: u64,
}

/// An entry as it stands in the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedEntry {
    /// Its place in the trail, from 1, without gaps.
    pub number: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// A part of the trail, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// Entries before this one only; `None` begins with the newest.
    pub before: Option<u64>,
    /// Entries wanted.
    pub limit: usize,
}

/// The trail cannot be written or read.
#[derive(Debug, Error)]
pub enum AuditError {
    /// There is no space left for entries: later there may be.
    #[error("there is no space left for the audit trail")]
    NoSpace(#[source] Box<dyn StdError + Send + Sync>),
    /// The store cannot be reached or does not work.
    #[error("the audit trail cannot be used")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Keeps the audit trail. Nothing in it is ever changed or removed.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry. After this returns it survives a loss of power. Gives its number.
    async fn append(&self, entry: AuditEntry) -> Result<u64, AuditError>;

    /// Adds a transfer of a bag. Transfers of the same export by the same person to the same address belong to one entry while no
    /// more than [`DownloadRecord::PAUSE`](super::DownloadRecord::PAUSE) passes between them: its `bytes` are their sum when
    /// it is read. Gives the entry's number.
    async fn append_transfer(&self, transfer: TransferEntry) -> Result<u64, AuditError>;

    /// A part of the trail, newest first.
    async fn page(&self, page: AuditPage) -> Result<Vec<NumberedEntry>, AuditError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::parse(action.name()), Some(action));
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(json, format!("\"{}\"", action.name()));
        }
    }
}
