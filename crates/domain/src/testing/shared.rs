//! Records of runs in memory, fenced by the leases of a [`MemoryJobStore`].

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryJobStore;
use super::lock::locked;
use crate::jobs::{JobId, RunRecord, RunRecords, RunRecordsError, RunWriter};

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
