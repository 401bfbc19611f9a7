//! Jobs in memory.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::lock;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use super::job_table::{Jobs, Kept, conflict, lost};
use super::lock::locked;
use crate::jobs::{
    Admitted, Change, Claim, ClaimLimits, Ending, Job, JobId, JobPage, JobProgress, JobState,
    JobStateName, JobStore, JobStoreError, Lease, Pause, Renewed, RunWriter, Shares, StoredJob,
    Transfer, Version, WaitingFor, Whose, Wish, WorkerId,
};
use crate::model::UserId;
use crate::ports::Clock;

/// A store of jobs in memory.
pub struct MemoryJobStore {
    clock: Arc<dyn Clock>,
    jobs: Mutex<Jobs>,
    /// Held while claims are made whose answers do not arrive.
    answers: lock::Mutex<()>,
}

impl MemoryJobStore {
    /// No jobs yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            jobs: Mutex::default(),
            answers: lock::Mutex::default(),
        }
    }

    /// Claims are made, and their answers arrive when what this gives is dropped.
    pub async fn hold_answers_to_claims(&self) -> lock::MutexGuard<'_, ()> {
        self.answers.lock().await
    }

    pub(super) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        locked(&self.jobs)
    }

    pub(super) fn moment(&self) -> Timestamp {
        self.clock.now()
    }

    fn after(&self, time: Duration) -> Timestamp {
        let now = self.clock.now();
        now.checked_add(time).unwrap_or(Timestamp::MAX)
    }

    /// Whether a job is queued, runs or waits.
    pub(super) fn is_unfinished(&self, id: &JobId) -> bool {
        let mut jobs = self.jobs();
        jobs.get(id).is_ok_and(|kept| kept.job.is_unfinished())
    }

    /// Of a job that runs: whether it is one of a campaign, and whether it was taken over from a worker that died.
    pub(super) fn standing(&self, id: &JobId) -> Option<(bool, bool)> {
        let mut jobs = self.jobs();
        let kept = jobs.get(id).ok().filter(|kept| kept.is_running())?;
        Some((kept.job.campaign.is_some(), kept.taken_over))
    }

    /// A run recorded something.
    pub(super) fn recorded(&self, id: &JobId) {
        if let Ok(kept) = self.jobs().get(id) {
            kept.has_recorded = true;
        }
    }

    /// Does something of a run, unless it is somebody else's by now; nobody claims the job meanwhile.
    pub(super) fn as_writer<T>(&self, writer: &RunWriter, step: impl FnOnce() -> T) -> Option<T> {
        let mut jobs = self.jobs();
        let may = match writer {
            RunWriter::Holder(lease) => jobs.held(lease).is_ok(),
            RunWriter::Sweeper(job) => jobs.get(job).is_ok_and(|kept| !kept.is_running()),
        };
        may.then(step)
    }

    /// One step of a run.
    fn leased<T>(
        &self,
        lease: &Lease,
        step: impl FnOnce(&mut Kept) -> Result<T, JobStoreError>,
    ) -> Result<T, JobStoreError> {
        let mut jobs = self.jobs();
        let done = step(jobs.held(lease)?)?;
        jobs.notify(&lease.job);
        Ok(done)
    }
}

#[async_trait]
impl JobStore for MemoryJobStore {
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError> {
        let now = self.clock.now();
        self.jobs().admit(job, shares, now)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let stored = self.find(id).await?;
        if stored.job.owner == *owner {
            Ok(stored)
        } else {
            Err(JobStoreError::Unknown { id: id.clone() })
        }
    }

    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError> {
        Ok(self.jobs().get(id)?.stored())
    }

    async fn list(&self, whose: &Whose, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError> {
        let jobs = self.jobs();
        let mut found = jobs.where_(|kept| match whose {
            Whose::Of(owner) => kept.job.owner == *owner,
            Whose::Everybodys => true,
        });
        found.reverse();
        let start = match &page.after {
            None => 0,
            Some(after) => {
                let at = found.iter().position(|kept| kept.job.id == *after);
                at.ok_or_else(|| JobStoreError::Unknown { id: after.clone() })? + 1
            }
        };
        let wanted = found.into_iter().skip(start).take(page.limit);
        Ok(wanted.map(Kept::stored).collect())
    }

    async fn report(&self, id: &JobId) -> Result<Option<Bytes>, JobStoreError> {
        Ok(self.jobs().get(id)?.report.clone())
    }

    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError> {
        let jobs = self.jobs();
        let count = |name| jobs.where_(|kept| kept.job.state.name() == name).len() as u64;
        let counts = JobStateName::ALL.map(|name| (name, count(name)));
        Ok(counts.into_iter().filter(|count| count.1 > 0).collect())
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError> {
        let jobs = self.jobs();
        let is_open = |kept: &Kept| kept.job.is_unfinished() && kept.job.campaign.is_none();
        let found = jobs.where_(is_open).into_iter();
        Ok(found
            .map(|kept| (kept.job.id.clone(), kept.job.owner.clone()))
            .collect())
    }

    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError> {
        let mut jobs = self.jobs();
        let kept = jobs.get(&job.id)?;
        if kept.version != seen.0 || kept.is_running() || matches!(job.state, JobState::Running) {
            return Err(conflict(&job.id));
        }
        let downloads = std::mem::take(&mut kept.job.downloads);
        kept.job = Job {
            downloads,
            downloads_total: kept.job.downloads_total,
            ..job
        };
        kept.release();
        let stored = kept.stored();
        jobs.notify(&stored.job.id);
        Ok(stored)
    }

    async fn record_transfer(&self, id: &JobId, transfer: Transfer) -> Result<(), JobStoreError> {
        let mut jobs = self.jobs();
        jobs.get(id)?.job.record_transfer(&transfer);
        jobs.notify(id);
        Ok(())
    }

    async fn overdue(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let now = self.clock.now();
        let jobs = self.jobs();
        let found = jobs.where_(
            |kept| matches!(kept.job.state, JobState::Ready { expires, .. } if expires <= now),
        );
        Ok(found.into_iter().map(Kept::stored).collect())
    }

    async fn given_up(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        let now = self.clock.now();
        let jobs = self.jobs();
        let found = jobs.where_(|kept| match kept.job.state {
            JobState::Waiting { give_up, .. } => give_up <= now,
            JobState::Failed {
                resumable_until: Some(until),
                ..
            } => until <= now,
            _ => false,
        });
        Ok(found.into_iter().map(Kept::stored).collect())
    }

    async fn claim(
        &self,
        _worker: &WorkerId,
        term: Duration,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, JobStoreError> {
        let claimed = {
            let now = self.clock.now();
            let mut jobs = self.jobs();
            let Some(id) = jobs.next(now, limits) else {
                return Ok(None);
            };
            jobs.claimed(&id, now, self.after(term))
        };
        let _answer = self.answers.lock().await;
        claimed.map(Some)
    }

    async fn take_over(
        &self,
        _worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError> {
        let now = self.clock.now();
        let mut jobs = self.jobs();
        let Some(id) = jobs.expired(now) else {
            return Ok(None);
        };
        jobs.claimed(&id, now, self.after(term)).map(Some)
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        let until = self.after(term);
        let mut jobs = self.jobs();
        let renewed = held.iter().filter_map(|lease| {
            let kept = jobs.held(lease).ok()?;
            kept.held = Some((lease.token.clone(), until));
            Some(Renewed {
                lease: lease.clone(),
                wish: kept.wish,
            })
        });
        Ok(renewed.collect())
    }

    async fn give_back(&self, lease: &Lease) -> Result<(), JobStoreError> {
        self.leased(lease, |kept| {
            kept.job.state = JobState::Queued;
            kept.release();
            Ok(())
        })
    }

    async fn pause(
        &self,
        lease: &Lease,
        pause: Pause,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        let now = self.clock.now();
        self.leased(lease, |kept| {
            let paused = pause.apply(&mut kept.job, kept.wish, now);
            paused.map_err(|_| lost(lease))?;
            kept.job.add_notes(notes);
            kept.release();
            Ok(kept.stored())
        })
    }

    async fn settle(
        &self,
        lease: &Lease,
        ending: Ending,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        let now = self.clock.now();
        self.leased(lease, |kept| {
            let report = ending.report().cloned();
            let ended = ending.apply(&mut kept.job, now);
            ended.map_err(|_| lost(lease))?;
            kept.report = report;
            kept.job.add_notes(notes);
            kept.release();
            Ok(kept.stored())
        })
    }

    async fn signed_in(&self, whose: &Whose) -> Result<u64, JobStoreError> {
        let mut jobs = self.jobs();
        let waits = |kept: &Kept| {
            let state = &kept.job.state;
            let for_sign_in = matches!(
                state,
                JobState::Waiting {
                    waiting_for: WaitingFor::SignIn,
                    ..
                }
            );
            let is_meant = match whose {
                Whose::Of(person) => kept.job.owner == *person || kept.job.requested_by() == person,
                Whose::Everybodys => true,
            };
            for_sign_in && is_meant
        };
        let found = jobs.where_(waits).into_iter();
        let ids: Vec<JobId> = found.map(|kept| kept.job.id.clone()).collect();
        for id in &ids {
            let kept = jobs.get(id)?;
            kept.job.state = JobState::Queued;
            kept.version += 1;
            jobs.notify(id);
        }
        Ok(ids.len() as u64)
    }

    async fn wish(
        &self,
        owner: &UserId,
        id: &JobId,
        wish: Wish,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        let mut jobs = self.jobs();
        let kept = jobs.get(id)?;
        if kept.job.owner != *owner {
            return Err(JobStoreError::Unknown { id: id.clone() });
        }
        if !kept.job.is_unfinished() {
            return Err(conflict(id));
        }
        kept.wish(wish, by);
        jobs.notify(id);
        Ok(())
    }

    async fn record_progress(
        &self,
        progress: &[(Lease, JobProgress)],
    ) -> Result<(), JobStoreError> {
        let mut jobs = self.jobs();
        for (lease, progress) in progress {
            let Ok(kept) = jobs.held(lease) else {
                continue;
            };
            let serial = kept.progress.as_ref().map_or(0, |known| known.0);
            kept.progress = Some((serial + 1, progress.clone()));
            if progress.bytes() > kept.most_bytes {
                kept.most_bytes = progress.bytes();
                kept.job.progressed();
            }
            jobs.notify(&lease.job);
        }
        Ok(())
    }

    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError> {
        Ok(self.jobs().get(id)?.progress.clone())
    }

    async fn void_leases(&self) -> Result<u64, JobStoreError> {
        let mut jobs = self.jobs();
        let running = jobs.where_(Kept::is_running).into_iter();
        let ids: Vec<JobId> = running.map(|kept| kept.job.id.clone()).collect();
        for id in &ids {
            let kept = jobs.get(id)?;
            kept.job.state = JobState::Queued;
            kept.job.deaths += 1;
            kept.release();
            jobs.notify(id);
        }
        Ok(ids.len() as u64)
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.jobs().watchers.watch()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        Ok(self.clock.now())
    }
}
