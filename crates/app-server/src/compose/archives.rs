//! Where a service of many processes has its archives.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adapters_store::{DiskBags, DiskRuns, PostgresDatabase, PostgresRunRecords, S3Store};
use domain::jobs::{BagStore, RunStore};
use domain::ports::Clock;

use super::membership::FleetError;

/// Archives, and the runs that make them.
pub(super) struct Archives {
    pub(super) runs: Arc<dyn RunStore>,
    pub(super) bags: Arc<dyn BagStore>,
}

/// Whether archives can be there, as far as that is known without asking anybody.
pub(super) fn check(store: &str, endpoint: Option<&str>) -> Result<(), FleetError> {
    if is_bucket(store) {
        return Ok(S3Store::check_url(store, endpoint)?);
    }
    if endpoint.is_some() {
        return Err(FleetError::NoEndpoint);
    }
    folder_of(store).map(drop)
}

/// Opens the store of archives of this URL. Leases are held for `term`.
pub(super) async fn archives(
    store: &str,
    endpoint: Option<&str>,
    database: &PostgresDatabase,
    term: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<Archives, FleetError> {
    check(store, endpoint)?;
    if is_bucket(store) {
        let records = Arc::new(PostgresRunRecords::new(database, term));
        let objects = S3Store::open(store, endpoint, records)?;
        objects.check().await?;
        return Ok(Archives {
            runs: Arc::new(objects.clone()),
            bags: Arc::new(objects),
        });
    }
    // The locks of its files keep the processes of one machine apart.
    let bags = DiskBags::open(&folder_of(store)?)?;
    let runs = DiskRuns::new(&bags, Arc::clone(clock));
    Ok(Archives {
        runs: Arc::new(runs),
        bags: Arc::new(bags),
    })
}

fn is_bucket(store: &str) -> bool {
    store.starts_with("s3://")
}

/// The folder of a store that is one.
fn folder_of(store: &str) -> Result<PathBuf, FleetError> {
    let folder = store.strip_prefix("file://").map(Path::new);
    match folder.filter(|folder| folder.is_absolute()) {
        Some(folder) => Ok(folder.to_owned()),
        None => Err(FleetError::StoreUrl),
    }
}
