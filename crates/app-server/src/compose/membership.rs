//! One process among those of a service.

use std::sync::Arc;

use adapters_store::{
    LateAudit, PostgresAudit, PostgresDatabase, PostgresError, Process, S3StoreError,
};
use domain::jobs::{BagStoreError, JobStoreError, SlotsError};
use domain::ports::Clock;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::causes::Causes;
use crate::rate::RequestRate;

/// Why a process cannot be one of a service's.
#[derive(Debug, Error)]
pub(crate) enum FleetError {
    /// The database.
    #[error(transparent)]
    Database(#[from] PostgresError),
    /// The store of archives cannot be named so. What was given is not repeated: keys may be in it.
    #[error("the URL of the store is none that this service knows")]
    StoreUrl,
    /// A folder is not reached anywhere else.
    #[error("a store that is a folder has no endpoint")]
    NoEndpoint,
    /// The folder of archives.
    #[error("the store of archives cannot be used")]
    Bags(#[from] BagStoreError),
    /// The object store of archives.
    #[error("the store of archives cannot be used")]
    Objects(#[from] S3StoreError),
    /// The records could not be counted.
    #[error("the records of exports cannot be read")]
    Jobs(#[from] JobStoreError),
    /// The database is another one, or was lost: what it has no record of would be deleted.
    #[error(
        "the store has archives, and the database has no record of any export; nothing was deleted"
    )]
    LostDatabase,
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
            Self::StoreUrl | Self::NoEndpoint => true,
            Self::Bags(_)
            | Self::Jobs(_)
            | Self::LostDatabase
            | Self::Slots(_)
            | Self::Random(_) => false,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Objects(error) => error.hint(),
            Self::StoreUrl => Some(
                "name a bucket, as in `s3://BUCKET/PREFIX`, or a folder that all processes of one machine share, as in `file:///srv/archives`",
            ),
            Self::NoEndpoint => Some("leave --store-endpoint out"),
            Self::LostDatabase => Some(
                "name the database that belongs to this store, or put a backup of it in its place; for a new service name a store that is empty",
            ),
            Self::Bags(_) | Self::Jobs(_) | Self::Slots(_) | Self::Random(_) => None,
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
    /// This process is one of the service's from now on, and says so to the others.
    pub(super) fn begin(
        database: &PostgresDatabase,
        process: Process,
        trail: &Arc<LateAudit<PostgresAudit>>,
        rate: Option<Arc<RequestRate>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let membership = Self {
            database: database.clone(),
            process,
            trail: Arc::clone(trail),
            ended: CancellationToken::new(),
        };
        membership.keep_alive(rate, clock);
        membership
    }

    /// Says again and again that this process is alive, and shares the requests a second with those that are.
    fn keep_alive(&self, rate: Option<Arc<RequestRate>>, clock: Arc<dyn Clock>) {
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
                    clock.sleep(process.term / 3).await;
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
