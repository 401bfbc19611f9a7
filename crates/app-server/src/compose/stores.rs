//! The stores of the service: in the folder that it has for itself, or shared with other processes.

use std::path::Path;
use std::sync::Arc;

use adapters_archive::Replace;
use adapters_store::{
    DataFolder, DataFolderError, Database, DatabaseError, LateAudit, SqliteAudit,
};
use domain::jobs::{
    AuditLog, BagStore, BagStoreError, CampaignStore, IdempotencyKeys, JobStore, RunStore,
    SealedCredentials, Slots,
};
use thiserror::Error;

use super::membership::{FleetError, Membership};
use crate::auth::Sessions;
use crate::causes::Causes;
use crate::rate::RequestRate;

/// Why what the service keeps cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The database in it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The archives in it.
    #[error("the folder of archives cannot be used")]
    Bags(#[from] BagStoreError),
    /// What is shared with other processes.
    #[error(transparent)]
    Fleet(#[from] FleetError),
}

impl StoreError {
    /// Whether another folder has to be named, or this one closed to others.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Folder(error) => matches!(
                error,
                DataFolderError::Distrusted(_)
                    | DataFolderError::NotOurs { .. }
                    | DataFolderError::NoData { .. }
            ),
            Self::Database(error) => matches!(
                error,
                DatabaseError::Distrusted(_) | DatabaseError::Exists { .. }
            ),
            Self::Fleet(error) => error.is_misconfiguration(),
            Self::Bags(_) => false,
        }
    }

    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Fleet(error) => error.hint(),
            Self::Folder(_) | Self::Database(_) | Self::Bags(_) => None,
        }
    }

    /// Whether there is a file already where a copy was to be made.
    pub(crate) fn is_copy_there(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Exists { .. }))
    }
}

/// What the service keeps.
pub(crate) struct Stores {
    pub(crate) jobs: Arc<dyn JobStore>,
    pub(crate) runs: Arc<dyn RunStore>,
    pub(crate) campaigns: Arc<dyn CampaignStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) keys: Arc<dyn IdempotencyKeys>,
    pub(crate) sealed: Arc<dyn SealedCredentials>,
    pub(crate) sessions: Arc<dyn Sessions>,
    /// The platform's slots and its requests a second, where workers share them.
    pub(crate) slots: Option<Arc<dyn Slots>>,
    pub(crate) rate: Option<Arc<RequestRate>>,
    /// What only the processes of this service know, where there are several.
    pub(crate) secret: Option<[u8; 64]>,
    pub(super) kept: Kept,
}

/// What stays open as long as the stores are used.
pub(super) enum Kept {
    /// A folder that one process has for itself.
    Alone {
        trail: Arc<LateAudit<SqliteAudit>>,
        database: Database,
        // The last to go: it holds the lock.
        _folder: DataFolder,
    },
    /// What processes share.
    Shared(Box<Membership>),
}

impl Stores {
    /// Ends the connections to the database. Nothing is lost where this is left out.
    pub(crate) async fn close(self) {
        match self.kept {
            Kept::Alone {
                trail, database, ..
            } => {
                if let Err(error) = trail.catch_up().await {
                    tracing::error!(error = %Causes(&error), "entries of the audit trail are lost");
                }
                if let Err(error) = database.close().await {
                    tracing::warn!(%error, "the database could not be closed");
                }
            }
            Kept::Shared(membership) => membership.end().await,
        }
    }
}

/// Copies the database of a folder that a service may be using into a file.
pub(crate) async fn back_up(path: &Path, copy: &Path, force: bool) -> Result<(), StoreError> {
    let database = DataFolder::database_beside(path)?;
    let replace = if force {
        Replace::Force
    } else {
        Replace::Refuse
    };
    Ok(Database::back_up(&database, copy, replace).await?)
}

/// Opens the audit trail of a folder that a service may be using, to read it.
pub(crate) async fn open_trail(path: &Path) -> Result<Arc<dyn AuditLog>, StoreError> {
    let database = DataFolder::database_beside(path)?;
    let database = Database::open_beside(&database, super::clock()).await?;
    Ok(Arc::new(SqliteAudit::new(&database)))
}
