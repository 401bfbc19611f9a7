//! Objects of jobs, `jobs/<job>/<token>/<n>`: written once, read in any part, deleted with the job.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use domain::jobs::JobId;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{Error, GetOptions, MultipartUpload, ObjectStore, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

/// Length of the parts of an upload. Some stores want them all of one length, and none takes shorter ones.
pub(super) const PART_BYTES: usize = if cfg!(test) {
    16 * 1024
} else {
    5 * 1024 * 1024
};
/// A longer body is cut into several objects: an upload has 10,000 parts at most, and what a kill costs is bounded.
pub(super) const OBJECT_BYTES: u64 = if cfg!(test) { 4 } else { 50 } * PART_BYTES as u64;
/// What is not longer is kept in the records.
pub(super) const INLINE_BYTES: usize = if cfg!(test) { 1024 } else { 64 * 1024 };

/// The objects of all jobs below one prefix of a store.
#[derive(Clone)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// An object, or its first bytes, as a piece of a bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ObjectPiece {
    /// Its name below `jobs/<job>/`: the token of the run that wrote it, and a number.
    pub(super) key: String,
    /// So many of its bytes.
    pub(super) bytes: u64,
}

impl Objects {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    fn jobs(&self) -> Path {
        self.prefix.clone().join("jobs")
    }

    fn job(&self, job: &JobId) -> Path {
        self.jobs().join(job.as_str())
    }

    fn object(&self, job: &JobId, key: &str) -> Path {
        key.split('/').fold(self.job(job), Path::join)
    }

    /// The job of any object.
    pub(super) async fn first_job(&self) -> Result<Option<Path>, Error> {
        let mut listed = self.store.list(Some(&self.jobs()));
        Ok(listed.try_next().await?.map(|found| found.location))
    }

    /// Every job that has objects.
    pub(super) async fn jobs_with_objects(&self) -> Result<Vec<JobId>, Error> {
        let listed = self.store.list_with_delimiter(Some(&self.jobs())).await?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        Ok(names.filter_map(|name| JobId::parse(name).ok()).collect())
    }

    /// The objects of a job that are whole: their keys and lengths.
    pub(super) async fn of_job(&self, job: &JobId) -> Result<Vec<ObjectPiece>, Error> {
        let below = self.job(job);
        let listed = self.store.list(Some(&below));
        let listed = listed.try_filter_map(|found| {
            let key = found.location.prefix_match(&below).map(|parts| {
                let parts: Vec<_> = parts.collect();
                let parts = parts.iter().map(AsRef::as_ref);
                parts.collect::<Vec<&str>>().join("/")
            });
            let piece = key.map(|key| ObjectPiece {
                key,
                bytes: found.size,
            });
            async { Ok(piece) }
        });
        listed.try_collect().await
    }

    /// Bytes of the objects of all jobs.
    pub(super) async fn used_bytes(&self) -> Result<u64, Error> {
        let listed = self.store.list(Some(&self.jobs()));
        let summed = listed.try_fold(0_u64, |sum, found| async move {
            Ok(sum.saturating_add(found.size))
        });
        summed.await
    }

    /// Deletes objects of a job. What is not there is deleted already.
    pub(super) async fn delete(&self, job: &JobId, keys: Vec<String>) -> Result<(), Error> {
        let paths: Vec<_> = keys.iter().map(|key| Ok(self.object(job, key))).collect();
        let mut deleted = self.store.delete_stream(stream::iter(paths).boxed());
        while let Some(one) = deleted.next().await {
            match one {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A part of an object.
    pub(super) async fn read(
        &self,
        job: &JobId,
        key: &str,
        part: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions::new().with_range(Some(part));
        let found = self.store.get_opts(&self.object(job, key), options).await?;
        Ok(found.into_stream())
    }
}

/// The names of the objects that one run writes.
pub(super) struct Names {
    objects: Objects,
    job: JobId,
    token: String,
    next: AtomicU64,
}

impl Names {
    /// Of a run with this token, which no other run of the job has.
    pub(super) fn new(objects: Objects, job: JobId, token: String) -> Arc<Self> {
        Arc::new(Self {
            objects,
            job,
            token,
            next: AtomicU64::new(0),
        })
    }

    fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}/{number}", self.token)
    }

    /// Deletes objects that no record will name. One that cannot be deleted now is deleted at the job's end.
    pub(super) async fn delete(&self, pieces: &[ObjectPiece]) {
        let keys = pieces.iter().map(|piece| piece.key.clone()).collect();
        if let Err(error) = self.objects.delete(&self.job, keys).await {
            tracing::debug!(job = %self.job, %error, "objects that are not needed could not be deleted");
        }
    }
}

/// Where bytes went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Uploaded {
    /// They are few enough for the records.
    Small(Bytes),
    /// Into these objects, one after the other.
    Objects(Vec<ObjectPiece>),
}

/// Bytes on their way into objects. One part is under way while the next is filled.
pub(super) struct Upload {
    names: Arc<Names>,
    open: Option<Open>,
    done: Vec<ObjectPiece>,
}

/// The object that is being written.
struct Open {
    key: String,
    bytes: u64,
    upload: Box<dyn MultipartUpload>,
    under_way: Option<JoinHandle<Result<(), Error>>>,
}

impl Upload {
    pub(super) fn new(names: &Arc<Names>) -> Self {
        Self {
            names: Arc::clone(names),
            open: None,
            done: Vec::new(),
        }
    }

    /// Goes on behind objects that are there.
    pub(super) fn after(names: &Arc<Names>, done: Vec<ObjectPiece>) -> Self {
        let mut upload = Self::new(names);
        upload.done = done;
        upload
    }

    /// Objects that are whole.
    pub(super) fn done(&self) -> &[ObjectPiece] {
        &self.done
    }

    /// Takes full parts off the front of `pending`. Gives whether an object became whole.
    pub(super) async fn take_parts(&mut self, pending: &mut Vec<u8>) -> Result<bool, Error> {
        let mut completed = false;
        while pending.len() >= PART_BYTES {
            let rest = pending.split_off(PART_BYTES);
            let part = std::mem::replace(pending, rest);
            completed |= self.part(part.into()).await?;
        }
        Ok(completed)
    }

    async fn part(&mut self, part: Bytes) -> Result<bool, Error> {
        let length = part.len() as u64;
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(Open::new(&self.names).await?),
        };
        open.put(part).await?;
        open.bytes += length;
        if open.bytes < OBJECT_BYTES {
            return Ok(false);
        }
        self.complete().await?;
        Ok(true)
    }

    /// Makes the object that is being written whole, where there is one.
    async fn complete(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.arrived().await?;
        open.upload.complete().await?;
        let piece = ObjectPiece {
            key: std::mem::take(&mut open.key),
            bytes: open.bytes,
        };
        self.done.push(piece);
        self.open = None;
        Ok(())
    }

    /// Ends with these bytes, which are no full part: after this returns, all of it is whole. What is small in all is given back.
    pub(super) async fn finish(self, rest: Bytes) -> Result<Uploaded, Error> {
        if self.open.is_none() && self.done.is_empty() && rest.len() <= INLINE_BYTES {
            return Ok(Uploaded::Small(rest));
        }
        self.finish_in_objects(rest).await.map(Uploaded::Objects)
    }

    /// The same, however small it is.
    pub(super) async fn finish_in_objects(
        mut self,
        rest: Bytes,
    ) -> Result<Vec<ObjectPiece>, Error> {
        let length = rest.len() as u64;
        match &mut self.open {
            Some(open) => {
                if length > 0 {
                    open.put(rest).await?;
                    open.bytes += length;
                }
                self.complete().await?;
            }
            None if length > 0 => {
                let key = self.names.next();
                let path = self.names.objects.object(&self.names.job, &key);
                self.names.objects.store.put(&path, rest.into()).await?;
                self.done.push(ObjectPiece { key, bytes: length });
            }
            None => {}
        }
        Ok(std::mem::take(&mut self.done))
    }

    /// Gives it up: nothing of it stays.
    pub(super) async fn discard(mut self) {
        if let Some(mut open) = self.open.take() {
            open.abort().await;
        }
        self.names.delete(&std::mem::take(&mut self.done)).await;
    }
}

impl Drop for Upload {
    /// An upload that failed, or that nobody waits for any more, is aborted as far as that goes. What a kill leaves is the matter of the
    /// bucket's lifecycle rule.
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(mut open), Ok(runtime)) = (self.open.take(), runtime) {
            runtime.spawn(async move { open.abort().await });
        }
    }
}

impl Open {
    async fn new(names: &Names) -> Result<Self, Error> {
        let key = names.next();
        let path = names.objects.object(&names.job, &key);
        Ok(Self {
            upload: names.objects.store.put_multipart(&path).await?,
            key,
            bytes: 0,
            under_way: None,
        })
    }

    async fn put(&mut self, part: Bytes) -> Result<(), Error> {
        self.arrived().await?;
        self.under_way = Some(tokio::spawn(self.upload.put_part(part.into())));
        Ok(())
    }

    /// Waits for the part that is under way.
    async fn arrived(&mut self) -> Result<(), Error> {
        let Some(under_way) = self.under_way.take() else {
            return Ok(());
        };
        under_way.await.unwrap_or_else(|stopped| {
            Err(Error::Generic {
                store: "upload",
                source: Box::new(stopped),
            })
        })
    }

    async fn abort(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            under_way.abort();
        }
        if let Err(error) = self.upload.abort().await {
            tracing::debug!(key = self.key, %error, "an upload could not be aborted");
        }
    }
}
