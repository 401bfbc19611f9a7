//! The stores of a service of many processes: a database and a store of archives that all of them reach.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters_http::BaseUrl;
use adapters_store::{
    DatabaseUrl, DiskBags, DiskRuns, LateAudit, PostgresAudit, PostgresCredentials,
    PostgresDatabase, PostgresError, PostgresJobStore, PostgresKeys, PostgresRunRecords,
    PostgresSessions, PostgresSlots, Process, S3Store, S3StoreError,
};
use domain::jobs::{BagStore, BagStoreError, RunStore, SlotsError};
use domain::ports::Clock;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::sessions::{SharedSessions, terms};
use super::stores::{Kept, Stores};
use crate::causes::Causes;
use crate::rate::RequestRate;
use crate::settings::{Fleet, Settings};

/// Why a process cannot be one of a service's.
#[derive(Debug, Error)]
pub(crate) enum FleetError {
    /// The database.
    #[error(transparent)]
    Database(#[from] PostgresError),
    /// The store of archives cannot be named so.
    #[error("the store `{store}` is none that this service knows")]
    StoreUrl {
        /// What was given.
        store: String,
    },
    /// The folder of archives.
    #[error("the store of archives cannot be used")]
    Bags(#[from] BagStoreError),
    /// The object store of archives.
    #[error("the store of archives cannot be used")]
    Objects(#[from] S3StoreError),
    /// A folder is not reached anywhere else.
    #[error("a store that is a folder has no endpoint")]
    NoEndpoint,
    /// The slots of the platform.
    #[error("the slots of the platform cannot be shared")]
    Slots(#[from] SlotsError),
    /// Nothing that only the processes of this service know can be drawn.
    #[error("this machine gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl FleetError {
    /// Whether other settings would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Database(error) => error.is_misconfiguration(),
            Self::Objects(error) => error.is_misconfiguration(),
            Self::StoreUrl { .. } | Self::NoEndpoint => true,
            Self::Bags(_) | Self::Slots(_) | Self::Random(_) => false,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Objects(error) => error.hint(),
            Self::StoreUrl { .. } => Some(
                "name a bucket, as in `s3://BUCKET/PREFIX`, or a folder that all processes of one machine share, as in `file:///srv/archives`",
            ),
            Self::NoEndpoint => Some("leave --store-endpoint out"),
            Self::Bags(_) | Self::Slots(_) | Self::Random(_) => None,
        }
    }
}

/// One process of a service of many.
pub(crate) struct Membership {
    database: PostgresDatabase,
    process: Process,
    trail: Arc<LateAudit<PostgresAudit>>,
    ended: CancellationToken,
}

impl Membership {
    /// Says again and again that this process is alive, and shares the requests a second with those that are.
    fn keep_alive(&self, rate: Option<Arc<RequestRate>>) {
        let (database, process) = (self.database.clone(), self.process.clone());
        let ended = self.ended.clone();
        tokio::spawn(async move {
            let forever = async {
                loop {
                    match database.alive(&process).await {
                        Ok(alive) => {
                            if let Some(rate) = &rate {
                                rate.share(alive);
                            }
                        }
                        Err(error) => {
                            tracing::warn!(error = %Causes(&error), "the other processes do not know that this one is alive");
                        }
                    }
                    tokio::time::sleep(process.term / 3).await;
                }
            };
            ended.run_until_cancelled(forever).await;
        });
    }

    /// This process is none of the service's any more.
    pub(super) async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.trail.catch_up().await {
            tracing::error!(error = %Causes(&error), "entries of the audit trail are lost");
        }
        if let Err(error) = self.database.leave(&self.process).await {
            tracing::warn!(error = %Causes(&error), "the other processes do not know that this one has ended");
        }
        self.database.close().await;
    }
}

/// Whether a service of many processes could be started with these settings, as far as that is known without asking anybody.
pub(crate) fn check(fleet: &Fleet) -> Result<(), FleetError> {
    DatabaseUrl::parse(&fleet.database)?;
    match &fleet.store_endpoint {
        _ if is_bucket(&fleet.store) => {
            S3Store::check_url(&fleet.store, fleet.store_endpoint.as_deref())?;
        }
        Some(_) => return Err(FleetError::NoEndpoint),
        None => drop(folder_of(&fleet.store)?),
    }
    Ok(())
}

/// Joins the other processes, or is the first one, and opens what they share.
pub(super) async fn open(
    settings: &Settings,
    fleet: &Fleet,
    clock: &Arc<dyn Clock>,
) -> Result<Stores, FleetError> {
    let url = DatabaseUrl::parse(&fleet.database)?;
    let database = PostgresDatabase::open(&url).await?;
    let process = Process {
        name: fleet.process.clone(),
        runs: fleet.role.runs(),
        term: fleet.lease,
    };
    database.join(&process, agreed(settings, fleet)).await?;
    let mut drawn = [0; 64];
    getrandom::fill(&mut drawn).map_err(FleetError::Random)?;
    let secret = database.shared_secret(drawn).await?;
    let slots = u32::try_from(fleet.platform_slots.get()).unwrap_or(u32::MAX);
    let slots = PostgresSlots::open(&database, slots).await?;
    let rate = fleet.platform_rate.map(|rate| {
        let per_second = u32::try_from(rate.get()).unwrap_or(u32::MAX);
        Arc::new(RequestRate::new(per_second))
    });
    let (runs, bags) = if is_bucket(&fleet.store) {
        open_bucket(fleet, &database).await?
    } else {
        open_folder(&folder_of(&fleet.store)?, clock)?
    };
    let trail = Arc::new(LateAudit::new(PostgresAudit::new(&database)));
    let membership = Membership {
        database: database.clone(),
        process,
        trail: Arc::clone(&trail),
        ended: CancellationToken::new(),
    };
    membership.keep_alive(rate.clone());
    Ok(Stores {
        jobs: Arc::new(PostgresJobStore::new(&database)),
        runs,
        bags,
        audit: trail,
        keys: Arc::new(PostgresKeys::new(&database)),
        sealed: Arc::new(PostgresCredentials::new(&database)),
        sessions: Arc::new(SharedSessions(PostgresSessions::new(&database, terms()))),
        slots: Some(Arc::new(slots)),
        rate,
        secret: Some(secret),
        kept: Kept::Shared(Box::new(membership)),
    })
}

/// What every process has to be started with alike, under the names of the flags.
fn agreed(settings: &Settings, fleet: &Fleet) -> Vec<(&'static str, String)> {
    let url = BaseUrl::parse(&settings.url);
    let url = url.map_or_else(|_| settings.url.clone(), |url| url.as_str().to_owned());
    let rate = fleet
        .platform_rate
        .map_or_else(|| "none".to_owned(), |rate| rate.to_string());
    vec![
        ("--url", url),
        ("--store", fleet.store.clone()),
        ("--platform-slots", fleet.platform_slots.to_string()),
        ("--platform-rate", rate),
        (
            "--lease",
            humantime::format_duration(fleet.lease).to_string(),
        ),
    ]
}

fn is_bucket(store: &str) -> bool {
    store.starts_with("s3://")
}

/// Archives and runs in a bucket that all processes reach, and what is small of them in the database.
async fn open_bucket(
    fleet: &Fleet,
    database: &PostgresDatabase,
) -> Result<(Arc<dyn RunStore>, Arc<dyn BagStore>), FleetError> {
    let records = Arc::new(PostgresRunRecords::new(database, fleet.lease));
    let store = S3Store::open(&fleet.store, fleet.store_endpoint.as_deref(), records)?;
    store.check().await?;
    Ok((Arc::new(store.clone()), Arc::new(store)))
}

/// The folder of a store that is one.
fn folder_of(store: &str) -> Result<PathBuf, FleetError> {
    let folder = store.strip_prefix("file://").map(Path::new);
    match folder.filter(|folder| folder.is_absolute()) {
        Some(folder) => Ok(folder.to_owned()),
        None => Err(FleetError::StoreUrl {
            store: store.to_owned(),
        }),
    }
}

/// Archives and runs in a folder that the processes of one machine share: the locks of its files keep them apart.
fn open_folder(
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn RunStore>, Arc<dyn BagStore>), FleetError> {
    let bags = DiskBags::open(folder)?;
    let runs = DiskRuns::new(&bags, Arc::clone(clock));
    Ok((Arc::new(runs), Arc::new(bags)))
}
