//! Opens the stores: those that this process has for itself, or those that it shares.

use std::path::Path;
use std::sync::Arc;

use adapters_store::{
    DataFolder, Database, DiskBags, DiskRuns, LateAudit, SqliteAudit, SqliteCredentials,
    SqliteJobStore, SqliteKeys,
};
use domain::jobs::{AuditLog, JobStore};
use domain::ports::Clock;

use super::fleet;
use super::stores::{Kept, StoreError, Stores};
use crate::auth::MemorySessions;
use crate::settings::Settings;

/// Opens the stores that the settings name.
pub(crate) async fn open_stores(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Stores, StoreError> {
    match &settings.fleet {
        Some(shared) => Ok(fleet::open(settings, shared, clock).await?),
        None => open_alone(&settings.data, clock).await,
    }
}

/// Opens the stores in this folder, which is locked as long as they are open.
async fn open_alone(path: &Path, clock: &Arc<dyn Clock>) -> Result<Stores, StoreError> {
    let folder = DataFolder::open(path)?;
    let database = Database::open(&folder.database(), Arc::clone(clock)).await?;
    let bags = DiskBags::open(folder.path())?;
    let trail = Arc::new(LateAudit::new(SqliteAudit::new(&database)));
    let jobs = Arc::new(SqliteJobStore::new(&database));
    Ok(Stores {
        jobs: Arc::clone(&jobs) as Arc<dyn JobStore>,
        campaigns: jobs,
        runs: Arc::new(DiskRuns::new(&bags, Arc::clone(clock))),
        bags: Arc::new(bags),
        audit: Arc::clone(&trail) as Arc<dyn AuditLog>,
        keys: Arc::new(SqliteKeys::new(&database)),
        sealed: Arc::new(SqliteCredentials::new(&database)),
        sessions: Arc::new(MemorySessions::new(Arc::clone(clock))),
        slots: None,
        rate: None,
        secret: None,
        kept: Kept::Alone {
            trail,
            database,
            _folder: folder,
        },
    })
}
