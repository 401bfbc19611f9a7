//! The [`BagStore`] port: bags that runs finished, read in any part.

use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;
use domain::jobs::{BagBody, BagStore, BagStoreError, JobId, KeptBag, RunWriter};
use domain::model::{SafeName, Sha256Hasher};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::S3Store;
use super::error::{not_read, of_objects};
use super::history::{History, HistoryError};
use super::objects::{Names, ObjectPiece, Upload};
use super::record::{Body, Complete, Record};
use super::rope::{ReadError, Rope};

/// What bags that came as a stream have in place of the token of a lease.
const PUT: &str = "put";

impl S3Store {
    async fn history_of(&self, job: &JobId) -> Result<History, BagStoreError> {
        let history = History::load(&*self.records, job).await;
        history.map_err(|error| match error {
            HistoryError::Records(error) => not_read(job, error),
            error @ HistoryError::Unreadable(_) => BagStoreError::Io {
                action: "read the records of",
                path: format!("jobs/{job}").into(),
                source: std::io::Error::other(error),
            },
        })
    }

    async fn upload(
        &self,
        job: &JobId,
        mut body: BagBody,
    ) -> Result<(Vec<ObjectPiece>, KeptBag), BagStoreError> {
        let failed = |error| of_objects(job, "write", error);
        let names = Names::new(self.objects.clone(), job.clone(), random(PUT)?);
        let mut upload = Upload::new(&names);
        let (mut sum, mut bytes, mut pending) = (Sha256Hasher::default(), 0, Vec::new());
        loop {
            match body.try_next().await {
                Ok(Some(chunk)) => {
                    sum.update(&chunk);
                    bytes += chunk.len() as u64;
                    pending.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Err(error) => {
                    upload.discard().await;
                    return Err(error);
                }
            }
            upload.take_parts(&mut pending).await.map_err(failed)?;
        }
        let objects = upload
            .finish_in_objects(pending.into())
            .await
            .map_err(failed)?;
        let sha256 = sum.finish();
        Ok((objects, KeptBag { bytes, sha256 }))
    }
}

#[async_trait]
impl BagStore for S3Store {
    async fn put(
        &self,
        id: &JobId,
        name: &SafeName,
        body: BagBody,
    ) -> Result<KeptBag, BagStoreError> {
        self.delete(id).await?;
        let (objects, kept) = self.upload(id, body).await?;
        let complete = Record::Complete(Complete {
            file: name.clone(),
            bytes: kept.bytes,
            sha256: kept.sha256,
            end: Body::Objects(objects),
            report: None,
        });
        let contents = [complete, Record::Kept].map(|record| record.encode(&[]));
        let contents: Result<Vec<_>, _> = contents.into_iter().collect();
        let contents = contents.map_err(|error| BagStoreError::Io {
            action: "record",
            path: name.as_str().into(),
            source: error.into(),
        })?;
        let writer = RunWriter::Sweeper(id.clone());
        let written = self.records.append(&writer, contents).await;
        written.map_err(|error| not_read(id, error))?;
        Ok(kept)
    }

    async fn open(
        &self,
        id: &JobId,
        name: &SafeName,
        size: u64,
        part: Range<u64>,
    ) -> Result<BagBody, BagStoreError> {
        let history = self.history_of(id).await?;
        let complete = history.complete.as_ref().map(|(_, complete)| complete);
        let is_there = complete.is_some_and(|complete| complete.file == *name);
        let rope = Rope::of_bag(&history).filter(|_| is_there && history.is_kept);
        let rope = rope.ok_or_else(|| BagStoreError::Missing { id: id.clone() })?;
        if rope.bytes() != size {
            return Err(BagStoreError::Changed {
                id: id.clone(),
                found: rope.bytes(),
                expected: size,
            });
        }
        let part = part.start.min(size)..part.end.min(size);
        let id = id.clone();
        let body = rope.read(self.reader(&id), part);
        Ok(body.map_err(move |error| unread(&id, error)).boxed())
    }

    async fn delete(&self, id: &JobId) -> Result<(), BagStoreError> {
        let failed = |error| of_objects(id, "delete", error);
        // Listed first: deleting the records proves that nobody has run the job until then. Objects that are made later are another worker's.
        let listed = self.objects.of_job(id).await.map_err(failed)?;
        let deleted = self.records.delete(&RunWriter::Sweeper(id.clone())).await;
        deleted.map_err(|error| not_read(id, error))?;
        let keys = listed.into_iter().map(|object| object.key).collect();
        self.objects.delete(id, keys).await.map_err(failed)
    }

    async fn answers(&self) -> Result<(), BagStoreError> {
        let first = self.objects.first_job().await;
        first.map(drop).map_err(|error| unlistable(Box::new(error)))
    }

    async fn list(&self) -> Result<Vec<JobId>, BagStoreError> {
        let recorded = self.records.jobs().await;
        let mut ids: BTreeSet<JobId> = recorded
            .map_err(|error| unlistable(Box::new(error)))?
            .into_iter()
            .collect();
        let stored = self.objects.jobs_with_objects().await;
        ids.extend(stored.map_err(|error| unlistable(Box::new(error)))?);
        Ok(ids.into_iter().collect())
    }

    async fn used_bytes(&self) -> Result<u64, BagStoreError> {
        let used = self.objects.used_bytes().await;
        used.map_err(|error| BagStoreError::Io {
            action: "measure",
            path: "jobs".into(),
            source: std::io::Error::other(error),
        })
    }

    async fn used_bytes_of(&self, id: &JobId) -> Result<u64, BagStoreError> {
        let listed = self.objects.of_job(id).await;
        let listed = listed.map_err(|error| of_objects(id, "measure", error))?;
        Ok(listed.iter().map(|object| object.bytes).sum())
    }

    /// An object store does not say how much it can take.
    async fn free_space(&self) -> Result<Option<u64>, BagStoreError> {
        Ok(None)
    }
}

fn unlistable(error: Box<dyn std::error::Error + Send + Sync>) -> BagStoreError {
    BagStoreError::Io {
        action: "list",
        path: "jobs".into(),
        source: std::io::Error::other(error),
    }
}

/// A name that no other upload has.
fn random(prefix: &str) -> Result<String, BagStoreError> {
    let mut number = [0; 16];
    getrandom::fill(&mut number).map_err(|error| BagStoreError::Io {
        action: "name",
        path: prefix.into(),
        source: std::io::Error::other(error),
    })?;
    Ok(format!("{prefix}-{:032x}", u128::from_be_bytes(number)))
}

fn unread(id: &JobId, error: ReadError) -> BagStoreError {
    match error {
        ReadError::Records(error) => not_read(id, error),
        ReadError::Objects(error) => of_objects(id, "read", error),
        error => BagStoreError::Io {
            action: "read",
            path: format!("jobs/{id}").into(),
            source: std::io::Error::other(error),
        },
    }
}
