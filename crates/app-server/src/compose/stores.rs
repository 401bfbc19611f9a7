//! The stores of the service, in the folder that it has for itself.

use std::path::Path;
use std::sync::Arc;

use adapters_archive::Replace;
use adapters_store::{
    DataFolder, DataFolderError, Database, DatabaseError, DiskBags, LateAudit, SqliteAudit,
    SqliteCredentials, SqliteJobStore, SqliteKeys,
};
use domain::jobs::{
    AuditLog, BagStore, BagStoreError, CampaignStore, IdempotencyKeys, JobStore, SealedCredentials,
};
use domain::ports::Clock;
use thiserror::Error;

use crate::causes::Causes;

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
}

impl StoreError {
    /// Whether another folder has to be named, or this one closed to others.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        matches!(
            self,
            Self::Folder(
                DataFolderError::Distrusted(_)
                    | DataFolderError::NotOurs { .. }
                    | DataFolderError::NoData { .. }
            ) | Self::Database(DatabaseError::Distrusted(_) | DatabaseError::Exists { .. })
        )
    }

    /// Whether there is a file already where a copy was to be made.
    pub(crate) fn is_copy_there(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Exists { .. }))
    }
}

/// What the service keeps.
pub(crate) struct Stores {
    pub(crate) jobs: Arc<dyn JobStore>,
    pub(crate) campaigns: Arc<dyn CampaignStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) keys: Arc<dyn IdempotencyKeys>,
    pub(crate) sealed: Arc<dyn SealedCredentials>,
    trail: Arc<LateAudit<SqliteAudit>>,
    database: Database,
    // The last to go: it holds the lock.
    _folder: DataFolder,
}

impl Stores {
    /// Ends the connections to the database. Nothing is lost where this is left out.
    pub(crate) async fn close(self) {
        if let Err(error) = self.trail.catch_up().await {
            tracing::error!(error = %Causes(&error), "entries of the audit trail are lost");
        }
        if let Err(error) = self.database.close().await {
            tracing::warn!(%error, "the database could not be closed");
        }
    }
}

/// Opens the stores in this folder, which is locked as long as they are open.
pub(crate) async fn open_stores(path: &Path, clock: &Arc<dyn Clock>) -> Result<Stores, StoreError> {
    let folder = DataFolder::open(path)?;
    let database = Database::open(&folder.database(), Arc::clone(clock)).await?;
    let bags = DiskBags::open(folder.path())?;
    let trail = Arc::new(LateAudit::new(SqliteAudit::new(&database)));
    let jobs = Arc::new(SqliteJobStore::new(&database));
    Ok(Stores {
        jobs: Arc::clone(&jobs) as Arc<dyn JobStore>,
        campaigns: jobs,
        bags: Arc::new(bags),
        audit: Arc::clone(&trail) as Arc<dyn AuditLog>,
        keys: Arc::new(SqliteKeys::new(&database)),
        sealed: Arc::new(SqliteCredentials::new(&database)),
        trail,
        database,
        _folder: folder,
    })
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
