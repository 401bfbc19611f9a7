//! What a service of one process keeps, copied to where many processes reach it.

use std::path::Path;
use std::time::Duration;

use adapters_store::{
    CopyError, DataFolder, DataFolderError, Database, DatabaseError, DatabaseUrl, DiskBags,
    PostgresDatabase, PostgresError, SqliteJobStore, copy_records,
};
use domain::jobs::{
    BagStore, BagStoreError, Job, JobPage, JobState, JobStore as _, JobStoreError, Whose,
};
use thiserror::Error;

use super::archives::archives;
use super::membership::FleetError;

/// A database that is away for a moment is waited for so long.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);

/// Jobs that are read at once.
const PAGE: usize = 100;

/// Why not everything was copied.
#[derive(Debug, Error)]
pub(crate) enum MoveError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The database in it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The shared stores.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The records.
    #[error(transparent)]
    Records(#[from] CopyError),
    /// The list of exports.
    #[error("the exports could not be listed")]
    Jobs(#[from] JobStoreError),
    /// An archive.
    #[error("an archive could not be copied")]
    Bags(#[from] BagStoreError),
    /// An archive is not what it was.
    #[error("the archive of export `{id}` is not the one that was made")]
    Differs {
        /// Which.
        id: String,
    },
}

impl From<PostgresError> for MoveError {
    fn from(error: PostgresError) -> Self {
        Self::Fleet(error.into())
    }
}

impl MoveError {
    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Fleet(error) => error.hint(),
            Self::Records(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether other arguments would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Fleet(error) => error.is_misconfiguration(),
            Self::Folder(error) => matches!(
                error,
                DataFolderError::Distrusted(_)
                    | DataFolderError::NotOurs { .. }
                    | DataFolderError::NoData { .. }
            ),
            _ => false,
        }
    }
}

/// How much was copied.
pub(crate) struct Moved {
    pub(crate) jobs: u64,
    pub(crate) archives: u64,
    pub(crate) audit: u64,
}

/// Copies everything: the records first, since a store of archives may need them.
pub(crate) async fn move_stores(
    from: &Path,
    database: &str,
    store: &str,
    endpoint: Option<&str>,
) -> Result<Moved, MoveError> {
    let url = DatabaseUrl::parse(database)?;
    // There has to be a database already: a new folder is no server's.
    DataFolder::database_beside(from)?;
    let folder = DataFolder::open(from)?;
    let clock = super::clock();
    let records = Database::open(&folder.database(), std::sync::Arc::clone(&clock)).await?;
    let bags = DiskBags::open(folder.path())?;
    let shared = PostgresDatabase::open(&url).await?;
    let target = archives(store, endpoint, &shared, ANSWERS_WITHIN, &clock).await?;
    let copied = copy_records(&records, &shared).await?;
    let jobs = SqliteJobStore::new(&records);
    let mut archives = 0;
    let mut after = None;
    loop {
        let page = JobPage { after, limit: PAGE };
        let page = jobs.list(&Whose::Everybodys, page).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.job.id.clone());
        for stored in &page {
            archives += u64::from(copy_bag(&bags, &*target.bags, &stored.job).await?);
        }
    }
    shared.close().await;
    records.close().await?;
    Ok(Moved {
        jobs: copied.jobs,
        archives,
        audit: copied.audit,
    })
}

/// Copies the bag of a job, unless it is there already. Gives whether there is one.
async fn copy_bag(from: &DiskBags, to: &dyn BagStore, job: &Job) -> Result<bool, MoveError> {
    let JobState::Ready { delivery, .. } = &job.state else {
        return Ok(false);
    };
    let bag = &delivery.bag;
    if to.open(&job.id, &bag.name, bag.bytes, 0..0).await.is_ok() {
        return Ok(true);
    }
    let body = from.open(&job.id, &bag.name, bag.bytes, 0..bag.bytes);
    let kept = to.put(&job.id, &bag.name, body.await?).await?;
    if kept.sha256 == bag.sha256 {
        return Ok(true);
    }
    to.delete(&job.id).await?;
    Err(MoveError::Differs {
        id: job.id.to_string(),
    })
}
