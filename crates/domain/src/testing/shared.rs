//! What workers share, in memory: records of runs, and slots. Fenced by the leases of a [`MemoryJobStore`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryJobStore;
use crate::jobs::{
    JobId, Lease, RunRecord, RunRecords, RunRecordsError, RunWriter, Slot, Slots, SlotsError,
};
use crate::model::ItemRef;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records of runs in memory.
pub struct MemoryRunRecords {
    jobs: Arc<MemoryJobStore>,
    records: Mutex<Vec<(JobId, RunRecord)>>,
}

impl MemoryRunRecords {
    /// No records yet; the leases are those of this store.
    pub fn new(jobs: Arc<MemoryJobStore>) -> Self {
        Self {
            jobs,
            records: Mutex::default(),
        }
    }

    fn write(
        &self,
        writer: &RunWriter,
        step: impl FnOnce(&mut Vec<(JobId, RunRecord)>),
    ) -> Result<(), RunRecordsError> {
        let written = self
            .jobs
            .as_writer(writer, || step(&mut locked(&self.records)));
        written.ok_or_else(|| RunRecordsError::Lost {
            id: writer.job().clone(),
        })
    }
}

#[async_trait]
impl RunRecords for MemoryRunRecords {
    async fn append(
        &self,
        writer: &RunWriter,
        contents: Vec<Bytes>,
    ) -> Result<(), RunRecordsError> {
        self.write(writer, |records| {
            for content in contents {
                let number = records.last().map_or(0, |last| last.1.number) + 1;
                records.push((writer.job().clone(), RunRecord { number, content }));
            }
        })?;
        self.jobs.recorded(writer.job());
        Ok(())
    }

    async fn read(
        &self,
        job: &JobId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<RunRecord>, RunRecordsError> {
        let records = locked(&self.records);
        let theirs = records.iter().filter(|(of, _)| of == job);
        let mut sum = 0;
        let mut read = Vec::new();
        for (_, record) in theirs.filter(|(_, record)| record.number > after) {
            sum += record.content.len();
            if sum > bytes && !read.is_empty() {
                break;
            }
            read.push(record.clone());
        }
        Ok(read)
    }

    async fn delete(&self, writer: &RunWriter) -> Result<(), RunRecordsError> {
        self.write(writer, |records| {
            records.retain(|(of, _)| of != writer.job());
        })
    }

    async fn jobs(&self) -> Result<Vec<JobId>, RunRecordsError> {
        let mut jobs: Vec<JobId> = locked(&self.records)
            .iter()
            .map(|(job, _)| job.clone())
            .collect();
        jobs.sort();
        jobs.dedup();
        Ok(jobs)
    }
}

/// Slots in memory.
pub struct MemorySlots {
    jobs: Arc<MemoryJobStore>,
    slots: u32,
    taken: Mutex<BTreeMap<u32, (JobId, ItemRef)>>,
    /// Jobs that people asked for themselves and that want a slot.
    wanted: Mutex<BTreeSet<JobId>>,
}

impl MemorySlots {
    /// So many slots; the leases are those of this store.
    pub fn new(jobs: Arc<MemoryJobStore>, slots: u32) -> Self {
        Self {
            jobs,
            slots,
            taken: Mutex::default(),
            wanted: Mutex::default(),
        }
    }

    fn held<T>(
        &self,
        lease: &Lease,
        step: impl FnOnce(&mut BTreeMap<u32, (JobId, ItemRef)>) -> T,
    ) -> Result<T, SlotsError> {
        let writer = RunWriter::Holder(lease.clone());
        let done = self
            .jobs
            .as_writer(&writer, || step(&mut locked(&self.taken)));
        done.ok_or_else(|| SlotsError::Lost {
            id: lease.job.clone(),
        })
    }
}

#[async_trait]
impl Slots for MemorySlots {
    async fn take(&self, lease: &Lease, item: &ItemRef) -> Result<Option<Slot>, SlotsError> {
        let owner = (lease.job.clone(), *item);
        // Those of jobs that are over are free.
        self.taken().await?;
        let is_of_campaign = self.jobs.is_of_campaign(&lease.job);
        let is_unfinished = |job: &JobId| self.jobs.is_unfinished(job);
        let mut wanted = locked(&self.wanted).clone();
        wanted.retain(is_unfinished);
        let is_last = is_of_campaign && !wanted.is_empty();
        let taken = self.held(lease, |taken| {
            if let Some((slot, _)) = taken.iter().find(|(_, of)| **of == owner) {
                return Some(Slot(*slot));
            }
            let free = (1..=self.slots).find(|slot| !taken.contains_key(slot) && !is_last)?;
            taken.insert(free, owner);
            Some(Slot(free))
        })?;
        if taken.is_some() {
            locked(&self.wanted).remove(&lease.job);
        } else if !is_of_campaign {
            locked(&self.wanted).insert(lease.job.clone());
        }
        Ok(taken)
    }

    async fn give_back(&self, lease: &Lease, item: &ItemRef) -> Result<(), SlotsError> {
        let owner = (lease.job.clone(), *item);
        self.held(lease, |taken| taken.retain(|_, of| *of != owner))
    }

    async fn taken(&self) -> Result<usize, SlotsError> {
        // Those of jobs that are over are free. The two locks are never held at once here: writers take them in the other order.
        let owners: Vec<JobId> = locked(&self.taken)
            .values()
            .map(|owner| owner.0.clone())
            .collect();
        let over: Vec<JobId> = owners
            .into_iter()
            .filter(|job| !self.jobs.is_unfinished(job))
            .collect();
        let mut taken = locked(&self.taken);
        taken.retain(|_, (job, _)| !over.contains(job));
        Ok(taken.len())
    }
}
