//! The stores of a service of many processes: a database and a store of archives that all of them reach.

use std::sync::Arc;

use adapters_http::BaseUrl;
use adapters_store::{
    DatabaseUrl, LateAudit, PostgresAudit, PostgresCredentials, PostgresDatabase, PostgresJobStore,
    PostgresKeys, PostgresSessions, PostgresSlots, Process,
};
use domain::jobs::{BagStore, JobStore};
use domain::ports::Clock;

use super::archives::{self, Archives};
use super::membership::{FleetError, Membership};
use super::sessions::{SharedSessions, terms};
use super::stores::{Kept, Stores};
use crate::causes::Causes;
use crate::rate::RequestRate;
use crate::settings::{Fleet, Settings};

/// Whether a service of many processes could be started with these settings, as far as that is known without asking anybody.
pub(crate) fn check(fleet: &Fleet) -> Result<(), FleetError> {
    DatabaseUrl::parse(&fleet.database)?;
    archives::check(&fleet.store, fleet.store_endpoint.as_deref())
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
    let opened = open_joined(fleet, clock, &database, &process).await;
    if opened.is_err()
        && let Err(error) = database.leave(&process).await
    {
        tracing::warn!(error = %Causes(&error), "the other processes do not know that this one has ended");
    }
    opened
}

/// Opens what is shared, for a process that is one of the service's: where this fails, it is none any more.
async fn open_joined(
    fleet: &Fleet,
    clock: &Arc<dyn Clock>,
    database: &PostgresDatabase,
    process: &Process,
) -> Result<Stores, FleetError> {
    let mut drawn = [0; 64];
    getrandom::fill(&mut drawn).map_err(FleetError::Random)?;
    let secret = database.shared_secret(drawn).await?;
    let slots = u32::try_from(fleet.platform_slots.get()).unwrap_or(u32::MAX);
    let slots = PostgresSlots::open(database, slots).await?;
    let rate = fleet.platform_rate.map(|rate| {
        let per_second = u32::try_from(rate.get()).unwrap_or(u32::MAX);
        Arc::new(RequestRate::new(per_second))
    });
    let endpoint = fleet.store_endpoint.as_deref();
    let Archives { runs, bags } =
        archives::archives(&fleet.store, endpoint, database, fleet.lease, clock).await?;
    let jobs = Arc::new(PostgresJobStore::new(database));
    check_records(&*jobs, &*bags).await?;
    let trail = Arc::new(LateAudit::new(PostgresAudit::new(database)));
    let membership = Membership::begin(
        database,
        process.clone(),
        &trail,
        rate.clone(),
        Arc::clone(clock),
    );
    Ok(Stores {
        jobs: Arc::clone(&jobs) as Arc<dyn JobStore>,
        campaigns: jobs,
        runs,
        bags,
        audit: trail,
        keys: Arc::new(PostgresKeys::new(database)),
        sealed: Arc::new(PostgresCredentials::new(database)),
        sessions: Arc::new(SharedSessions(PostgresSessions::new(database, terms()))),
        slots: Some(Arc::new(slots)),
        rate,
        secret: Some(secret),
        kept: Kept::Shared(Box::new(membership)),
    })
}

/// Refuses a database that does not belong to this store. A record outlives its archive: archives without a single record are those of another
/// database, or of one that was lost.
async fn check_records(jobs: &dyn JobStore, bags: &dyn BagStore) -> Result<(), FleetError> {
    if jobs.count().await?.is_empty() && !bags.list().await?.is_empty() {
        return Err(FleetError::LostDatabase);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use domain::jobs::BagStore as _;

    use super::*;
    use crate::runner::Terms;
    use crate::testing::{TestStores, id, job};

    #[tokio::test]
    async fn archives_without_any_record_are_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let TestStores { store, bags, .. } = TestStores::new(folder.path());
        check_records(&*store, &*bags).await.unwrap();
        bags.work_folder(&id(1)).await.unwrap();
        let refused = check_records(&*store, &*bags).await.unwrap_err();
        assert!(matches!(refused, FleetError::LostDatabase));
        assert!(!refused.is_misconfiguration() && refused.hint().is_some());
        assert_eq!(bags.list().await.unwrap(), [id(1)]);
        store.admit(job(2, "john"), &Terms::SHARES).await.unwrap();
        check_records(&*store, &*bags).await.unwrap();
    }
}
