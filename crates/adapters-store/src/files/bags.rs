//! Bags on this machine's disk: `bags/<job>/<name>`, and `work/<job>/` for runs.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters_archive::{Access, open_own_file, open_own_folder};
use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{BagBody, BagStore, BagStoreError, JobId, KeptBag};
use domain::model::{SafeName, Sha256, Sha256Hasher};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::io::AsyncWriteExt as _;

use super::folders::{bytes_below, make_folder, remove_folder, sync_folder};

/// The only buffer of a download: hundreds of them fit into memory.
const DOWNLOAD_BUFFER_BYTES: usize = 64 * 1024;
const HASH_BUFFER_BYTES: usize = 256 * 1024;
/// A bag that comes as a stream, in its job's work folder, until it is whole.
const INCOMING: &str = ".incoming~";

/// Bags below one folder.
#[derive(Clone, Debug)]
pub struct DiskBags {
    root: PathBuf,
}

/// What can go wrong off the runtime's own threads.
type Failed = (&'static str, PathBuf, io::Error);

impl DiskBags {
    /// Bags in this folder, which has to be closed to others, as a [`DataFolder`](crate::DataFolder) is.
    pub fn open(folder: &Path) -> Result<Self, BagStoreError> {
        let bags = Self {
            root: folder.to_owned(),
        };
        for folder in [bags.bags(), bags.work()] {
            let made = make_folder(&folder).and_then(|()| open_own_folder(&folder));
            made.map_err(|source| BagStoreError::Io {
                action: "create the folder",
                path: folder.clone(),
                source,
            })?;
        }
        Ok(bags)
    }

    fn bags(&self) -> PathBuf {
        self.root.join("bags")
    }

    fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A step on the disk for a job, off the runtime's own threads.
    async fn on_disk<T: Send + 'static>(
        &self,
        id: &JobId,
        step: impl FnOnce(&Self, &JobId) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, BagStoreError> {
        let (bags, job) = (self.clone(), id.clone());
        let done = tokio::task::spawn_blocking(move || step(&bags, &job)).await;
        let done = done
            .unwrap_or_else(|error| Err(("work on", self.root.clone(), io::Error::other(error))));
        done.map_err(|failed| meaning(id, failed))
    }
}

/// A full disk or quota is a matter of its own: the run can go on when there is space.
fn meaning(id: &JobId, (action, path, source): Failed) -> BagStoreError {
    let kind = source.kind();
    if matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) {
        return BagStoreError::NoSpace { id: id.clone() };
    }
    BagStoreError::Io {
        action,
        path,
        source,
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failed + use<> {
    let path = path.to_owned();
    move |source| (action, path, source)
}

impl DiskBags {
    fn make_work_folder(&self, id: &JobId) -> Result<PathBuf, Failed> {
        let folder = self.work().join(id.as_str());
        let made = make_folder(&folder)
            .and_then(|()| open_own_folder(&folder))
            .and_then(|_| sync_folder(&self.work()));
        made.map_err(failed("create the folder", &folder))?;
        Ok(folder)
    }

    /// Moves a finished file to where bags are. Every name is on disk before the one that it replaces goes, so that a kill or a loss of
    /// power leaves the bag in one of the two places. Where it was moved before, that is enough.
    fn take_over(&self, id: &JobId, from: &Path, name: &SafeName) -> Result<File, Failed> {
        let folder = self.bags().join(id.as_str());
        make_folder(&folder).map_err(failed("create the folder", &folder))?;
        let own = open_own_folder(&folder).map_err(failed("open the folder", &folder))?;
        let path = folder.join(name.as_str());
        if from.symlink_metadata().is_ok() {
            let work = from.parent().unwrap_or(from);
            let opened =
                open_own_folder(work).and_then(|work| open_own_file(&work, from, Access::Read));
            let file = opened.map_err(failed("open", from))?;
            file.sync_all().map_err(failed("flush", from))?;
            fs::rename(from, &path).map_err(failed("move", from))?;
        }
        let file = open_own_file(&own, &path, Access::Read).map_err(failed("open", &path))?;
        remove_others(&folder, name).map_err(failed("tidy the folder", &folder))?;
        sync_folder(&folder)
            .and_then(|()| sync_folder(&self.bags()))
            .map_err(failed("flush the folder", &folder))?;
        let work = self.work().join(id.as_str());
        remove_folder(&work).map_err(failed("remove the folder", &work))?;
        Ok(file)
    }

    /// A bag that cannot be kept leaves nothing where bags are.
    fn remove_empty_folder(&self, id: &JobId) {
        let _ = fs::remove_dir(self.bags().join(id.as_str()));
    }
}

fn remove_others(folder: &Path, name: &SafeName) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == name.as_str() {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn hash(mut file: &File) -> io::Result<KeptBag> {
    let mut sum = Sha256Hasher::default();
    let mut bytes = 0;
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => {
                let sha256 = sum.finish();
                return Ok(KeptBag { bytes, sha256 });
            }
            Ok(read) => {
                sum.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a stream into a file that is removed again where the stream ends with an error.
async fn receive(id: &JobId, path: &Path, mut body: BagBody) -> Result<KeptBag, BagStoreError> {
    let io = |action| move |source| meaning(id, (action, path.to_owned(), source));
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).await.map_err(io("create"))?;
    let mut sum = Sha256Hasher::default();
    let mut bytes = 0;
    while let Some(chunk) = body.try_next().await? {
        file.write_all(&chunk).await.map_err(io("write"))?;
        sum.update(&chunk);
        bytes += chunk.len() as u64;
    }
    file.sync_all().await.map_err(io("flush"))?;
    let sha256: Sha256 = sum.finish();
    Ok(KeptBag { bytes, sha256 })
}

/// A part of a file, in pieces. One that is cut off meanwhile is an error, not an end.
fn pieces(file: Arc<File>, path: PathBuf, part: Range<u64>) -> BagBody {
    let pieces = stream::try_unfold(part, move |mut part| {
        let (file, path) = (Arc::clone(&file), path.clone());
        async move {
            if part.is_empty() {
                return Ok(None);
            }
            let rest = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
            let wanted = rest.min(DOWNLOAD_BUFFER_BYTES);
            let start = part.start;
            let read = tokio::task::spawn_blocking(move || {
                let mut buffer = vec![0; wanted];
                file.read_exact_at(&mut buffer, start)?;
                Ok(Bytes::from(buffer))
            });
            let read = read.await.map_err(io::Error::other).flatten();
            let piece = read.map_err(|source| BagStoreError::Io {
                action: "read",
                path,
                source,
            })?;
            part.start += piece.len() as u64;
            Ok(Some((piece, part)))
        }
    });
    pieces.boxed()
}

impl DiskBags {
    /// The folder that a job's run works in: made where it is missing. What an unfinished run of the job left in it is there.
    pub async fn work_folder(&self, id: &JobId) -> Result<PathBuf, BagStoreError> {
        self.on_disk(id, Self::make_work_folder).await
    }

    /// Takes over a bag that a run finished in the job's work folder, under this name. After this returns the bag can be opened, is on
    /// disk, and nothing else of the job is in its folder.
    pub async fn keep(&self, id: &JobId, name: &SafeName) -> Result<KeptBag, BagStoreError> {
        let name = name.clone();
        let kept = self.on_disk(id, move |bags, id| {
            let from = bags.work().join(id.as_str()).join(name.as_str());
            let file = bags.take_over(id, &from, &name).inspect_err(|_| {
                bags.remove_empty_folder(id);
            })?;
            hash(&file).map_err(failed("read", &from))
        });
        match kept.await {
            Err(BagStoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(BagStoreError::Missing { id: id.clone() })
            }
            kept => kept,
        }
    }

    /// The file of a job's bag that is kept.
    pub(super) fn kept_file(&self, id: &JobId, name: &SafeName) -> PathBuf {
        self.bags().join(id.as_str()).join(name.as_str())
    }
}

#[async_trait]
impl BagStore for DiskBags {
    async fn put(
        &self,
        id: &JobId,
        name: &SafeName,
        body: BagBody,
    ) -> Result<KeptBag, BagStoreError> {
        let path = self.work_folder(id).await?.join(INCOMING);
        let received = match receive(id, &path, body).await {
            Ok(received) => received,
            Err(error) => {
                let _ = tokio::fs::remove_file(&path).await;
                return Err(error);
            }
        };
        let name = name.clone();
        self.on_disk(id, move |bags, id| bags.take_over(id, &path, &name))
            .await?;
        Ok(received)
    }

    async fn open(
        &self,
        id: &JobId,
        name: &SafeName,
        size: u64,
        part: Range<u64>,
    ) -> Result<BagBody, BagStoreError> {
        let path = self.bags().join(id.as_str()).join(name.as_str());
        let opened = self.on_disk(id, {
            let path = path.clone();
            move |bags, id| {
                let folder = open_own_folder(&bags.bags().join(id.as_str()));
                let file = folder.and_then(|folder| open_own_file(&folder, &path, Access::Read));
                let opened = file.and_then(|file| Ok((file.metadata()?.len(), file)));
                opened.map_err(failed("open", &path))
            }
        });
        let (found, file) = match opened.await {
            Err(BagStoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(BagStoreError::Missing { id: id.clone() });
            }
            opened => opened?,
        };
        if found != size {
            return Err(BagStoreError::Changed {
                id: id.clone(),
                found,
                expected: size,
            });
        }
        let part = part.start.min(size)..part.end.min(size);
        Ok(pieces(Arc::new(file), path, part))
    }

    async fn delete(&self, id: &JobId) -> Result<(), BagStoreError> {
        self.on_disk(id, |bags, id| {
            for parent in [bags.bags(), bags.work()] {
                let folder = parent.join(id.as_str());
                remove_folder(&folder).map_err(failed("delete", &folder))?;
            }
            Ok(())
        })
        .await
    }

    async fn answers(&self) -> Result<(), BagStoreError> {
        let bags = self.clone();
        let opened = tokio::task::spawn_blocking(move || {
            for folder in [bags.bags(), bags.work()] {
                fs::read_dir(&folder)?.next().transpose()?;
            }
            Ok(())
        });
        let opened = opened.await.map_err(io::Error::other).flatten();
        opened.map_err(|source| self.unlistable("list", source))
    }

    async fn list(&self) -> Result<Vec<JobId>, BagStoreError> {
        let bags = self.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let mut ids = std::collections::BTreeSet::new();
            for folder in [bags.bags(), bags.work()] {
                for entry in fs::read_dir(&folder)? {
                    let name = entry?.file_name();
                    ids.extend(name.to_str().and_then(|name| JobId::parse(name).ok()));
                }
            }
            Ok(ids.into_iter().collect())
        });
        let listed = listed.await.map_err(io::Error::other).flatten();
        listed.map_err(|source| self.unlistable("list", source))
    }

    async fn used_bytes(&self) -> Result<u64, BagStoreError> {
        let bags = self.clone();
        let summed = tokio::task::spawn_blocking(move || {
            Ok(bytes_below(&bags.bags())?.saturating_add(bytes_below(&bags.work())?))
        });
        let summed = summed.await.map_err(io::Error::other).flatten();
        summed.map_err(|source| self.unlistable("measure", source))
    }

    async fn used_bytes_of(&self, id: &JobId) -> Result<u64, BagStoreError> {
        self.on_disk(id, |bags, id| {
            let mut sum = 0_u64;
            for folder in [bags.bags().join(id.as_str()), bags.work().join(id.as_str())] {
                sum = sum.saturating_add(match bytes_below(&folder) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                    measured => measured.map_err(failed("measure", &folder))?,
                });
            }
            Ok(sum)
        })
        .await
    }

    async fn free_space(&self) -> Result<Option<u64>, BagStoreError> {
        let folder = self.root.clone();
        let asked = tokio::task::spawn_blocking(move || adapters_archive::free_space(&folder));
        Ok(asked.await.unwrap_or_default())
    }
}

impl DiskBags {
    fn unlistable(&self, action: &'static str, source: io::Error) -> BagStoreError {
        BagStoreError::Io {
            action,
            path: self.root.clone(),
            source,
        }
    }
}
