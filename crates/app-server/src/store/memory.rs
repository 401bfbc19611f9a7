//! Records of jobs in memory: gone with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::jobs::{
    DownloadRecord, Job, JobId, JobPage, JobState, JobStore, JobStoreError, StoredJob, Version,
};
use domain::model::UserId;
use jiff::Timestamp;

/// At most `capacity` jobs. Where it is full, the oldest job that is over and has no bag is forgotten.
pub(crate) struct MemoryJobs {
    jobs: Mutex<HashMap<JobId, StoredJob>>,
    capacity: usize,
}

impl MemoryJobs {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            jobs: Mutex::new(HashMap::new()),
            capacity,
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, StoredJob>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs in the order of their requests; of two at the same moment, their ids decide.
fn age(stored: &StoredJob) -> (Timestamp, &JobId) {
    (stored.job.requested, &stored.job.id)
}

fn evict(jobs: &mut HashMap<JobId, StoredJob>) -> bool {
    let oldest = jobs
        .values()
        .filter(|stored| {
            !stored.job.is_unfinished() && !matches!(stored.job.state, JobState::Ready { .. })
        })
        .min_by_key(|stored| age(stored))
        .map(|stored| stored.job.id.clone());
    oldest.is_some_and(|id| jobs.remove(&id).is_some())
}

#[async_trait]
impl JobStore for MemoryJobs {
    async fn create(&self, job: Job) -> Result<StoredJob, JobStoreError> {
        let mut jobs = self.jobs();
        if jobs.contains_key(&job.id) {
            return Err(JobStoreError::Exists { id: job.id });
        }
        if jobs.len() >= self.capacity && !evict(&mut jobs) {
            return Err(JobStoreError::Full {
                limit: self.capacity,
            });
        }
        let stored = StoredJob {
            job,
            version: Version(1),
        };
        jobs.insert(stored.job.id.clone(), stored.clone());
        Ok(stored)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        self.jobs()
            .get(id)
            .filter(|stored| stored.job.owner == *owner)
            .cloned()
            .ok_or_else(|| JobStoreError::Unknown { id: id.clone() })
    }

    async fn list(&self, owner: &UserId, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError> {
        let jobs = self.jobs();
        let mut own: Vec<&StoredJob> = jobs
            .values()
            .filter(|stored| stored.job.owner == *owner)
            .collect();
        own.sort_unstable_by_key(|stored| std::cmp::Reverse(age(stored)));
        let begin = match page.after {
            None => 0,
            Some(id) => {
                own.iter()
                    .position(|stored| stored.job.id == id)
                    .ok_or(JobStoreError::Unknown { id })?
                    + 1
            }
        };
        Ok(own
            .into_iter()
            .skip(begin)
            .take(page.limit)
            .cloned()
            .collect())
    }

    async fn update(&self, seen: Version, mut job: Job) -> Result<StoredJob, JobStoreError> {
        let mut jobs = self.jobs();
        let Some(stored) = jobs.get_mut(&job.id) else {
            return Err(JobStoreError::Unknown { id: job.id });
        };
        if stored.version != seen {
            return Err(JobStoreError::Conflict { id: job.id });
        }
        job.downloads = std::mem::take(&mut stored.job.downloads);
        job.downloads_total = stored.job.downloads_total;
        *stored = StoredJob {
            job,
            version: Version(seen.0 + 1),
        };
        Ok(stored.clone())
    }

    async fn record_download(
        &self,
        id: &JobId,
        download: DownloadRecord,
    ) -> Result<(), JobStoreError> {
        let mut jobs = self.jobs();
        let stored = jobs
            .get_mut(id)
            .ok_or_else(|| JobStoreError::Unknown { id: id.clone() })?;
        stored.job.record_download(download);
        Ok(())
    }

    async fn unfinished(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let jobs = self.jobs();
        let mut unfinished: Vec<&StoredJob> = jobs
            .values()
            .filter(|stored| stored.job.is_unfinished())
            .collect();
        unfinished.sort_unstable_by_key(|stored| age(stored));
        Ok(unfinished.into_iter().cloned().collect())
    }

    async fn overdue(&self, now: Timestamp) -> Result<Vec<StoredJob>, JobStoreError> {
        Ok(self
            .jobs()
            .values()
            .filter(|stored| stored.job.expires().is_some_and(|expires| expires <= now))
            .cloned()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::promises;

    #[tokio::test]
    async fn it_keeps_every_promise_of_a_job_store() {
        promises::new_jobs_are_found_by_their_owner_alone(&MemoryJobs::new(9)).await;
        promises::a_list_is_newest_first_and_comes_in_pages(&MemoryJobs::new(9)).await;
        promises::a_late_writer_changes_nothing(&MemoryJobs::new(9)).await;
        promises::downloads_are_never_lost_to_an_update(&MemoryJobs::new(9)).await;
        promises::what_is_unfinished_and_what_is_overdue_is_found(&MemoryJobs::new(9)).await;
    }

    #[tokio::test]
    async fn a_full_store_forgets_what_is_over_and_never_what_is_not() {
        let store = MemoryJobs::new(2);
        let first = store.create(promises::job(1, "john")).await.unwrap();
        store.create(promises::job(2, "john")).await.unwrap();
        let refused = store.create(promises::job(3, "john")).await;
        assert!(matches!(refused, Err(JobStoreError::Full { limit: 2 })));

        let mut over = first.job;
        over.cancel(Timestamp::UNIX_EPOCH).unwrap();
        store.update(first.version, over).await.unwrap();
        store.create(promises::job(3, "john")).await.unwrap();
        let john = UserId::parse("john").unwrap();
        assert!(store.get(&john, &promises::id(1)).await.is_err());
        assert!(store.get(&john, &promises::id(2)).await.is_ok());
    }
}
