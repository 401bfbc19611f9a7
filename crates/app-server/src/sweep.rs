//! Deletes expired bags, and the files of an earlier process.

use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{BagStore, BagStoreError, JobStore};
use domain::ports::Clock;
use jiff::Timestamp;

use crate::causes::Causes;

/// How often expired bags are looked for. Between two rounds they are refused by their record.
const EVERY: Duration = Duration::from_mins(1);

/// Deletes all bags: records are in memory, so that after a start no bag has one.
/// Gives the number of folders deleted.
pub(crate) async fn clean_up(bags: &dyn BagStore) -> Result<usize, BagStoreError> {
    let found = bags.kept().await?;
    for id in &found {
        bags.delete(id).await?;
    }
    Ok(found.len())
}

/// Deletes expired bags again and again; never returns.
pub(crate) async fn sweep_forever(
    store: Arc<dyn JobStore>,
    bags: Arc<dyn BagStore>,
    clock: Arc<dyn Clock>,
) {
    loop {
        sweep(&*store, &*bags, clock.now()).await;
        clock.sleep(EVERY).await;
    }
}

/// Deletes expired bags; their records stay.
pub(crate) async fn sweep(store: &dyn JobStore, bags: &dyn BagStore, now: Timestamp) {
    let overdue = match store.overdue(now).await {
        Ok(overdue) => overdue,
        Err(error) => {
            tracing::error!(error = %Causes(&error), "expired bags could not be looked for");
            return;
        }
    };
    for stored in overdue {
        let mut job = stored.job;
        if job.expire(now).is_err() {
            continue;
        }
        let id = job.id.clone();
        // The file goes first: should it stay, the record says so, and the next round tries again.
        if let Err(error) = bags.delete(&id).await {
            tracing::error!(job = %id, error = %Causes(&error), "an expired bag could not be deleted");
            continue;
        }
        match store.update(stored.version, job).await {
            Ok(_) => tracing::info!(job = %id, "a bag has expired"),
            Err(error) => {
                tracing::warn!(job = %id, error = %Causes(&error), "an expired bag could not be recorded");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DiskBags, MemoryJobs, promises};
    use domain::jobs::JobStateName;

    #[tokio::test]
    async fn a_bag_goes_when_its_time_is_over_and_its_record_stays() {
        let folder = tempfile::tempdir().unwrap();
        let bags = DiskBags::open(folder.path().join("bags")).unwrap();
        let store = MemoryJobs::new(9);
        promises::what_is_unfinished_and_what_is_overdue_is_found(&store).await;
        bags.workplace(&promises::id(1)).await.unwrap();

        sweep(&store, &bags, Timestamp::from_second(1_009).unwrap()).await;
        assert_eq!(bags.kept().await.unwrap().len(), 1);
        sweep(&store, &bags, Timestamp::from_second(1_010).unwrap()).await;
        assert!(bags.kept().await.unwrap().is_empty());
        let record = store.get(&promises::user("john"), &promises::id(1)).await;
        assert_eq!(record.unwrap().job.state_name(), JobStateName::Expired);
    }

    #[tokio::test]
    async fn what_an_earlier_process_left_is_deleted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let bags = DiskBags::open(folder.path().to_owned()).unwrap();
        bags.workplace(&promises::id(1)).await.unwrap();
        std::fs::write(folder.path().join("notes.txt"), b"mine").unwrap();
        assert_eq!(clean_up(&bags).await.unwrap(), 1);
        assert!(folder.path().join("notes.txt").exists());
        assert!(bags.kept().await.unwrap().is_empty());
    }
}
