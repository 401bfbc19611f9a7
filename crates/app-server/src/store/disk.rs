//! Bags on this machine's disk: `DIR/bags/<job>/<name>`, each job's folder readable by the service's own user only.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use domain::jobs::{BagBody, BagStore, BagStoreError, JobId};
use domain::model::{SafeName, Sha256};
use domain::ports::FinishedBag;
use futures_util::{StreamExt as _, TryStreamExt as _};
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::hash::sha256_of;

const OWNER_ONLY: u32 = 0o700;
/// Large enough that the disk is asked seldom, small enough for hundreds of downloads at once.
const READ_AHEAD_BYTES: usize = 256 * 1024;

/// Why the data folder cannot be used.
#[derive(Debug, Error)]
pub(crate) enum DataFolderError {
    /// Another service works in it.
    #[error("another service is using `{}`", path.display())]
    InUse { path: PathBuf },
    /// It cannot be made, read or locked.
    #[error("could not {action} `{}`", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The folder that one running service has for itself. The lock goes with the process, however it ends.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing, closes it to others, and locks it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, DataFolderError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| DataFolderError::Io {
                action,
                path,
                source,
            }
        };
        make_folder(&path).map_err(failed("create the folder", &path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(OWNER_ONLY))
            .map_err(failed("close to others the folder", &path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(failed("open the lock", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(failed("lock", &lock_path)(source)),
        }
    }

    /// Where bags are.
    pub(crate) fn bags(&self) -> PathBuf {
        self.path.join("bags")
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY)
        .create(path)
}

/// Bags below one folder.
#[derive(Debug)]
pub(crate) struct DiskBags {
    root: PathBuf,
}

impl DiskBags {
    /// Makes the folder where it is missing.
    pub(crate) fn open(root: PathBuf) -> Result<Self, BagStoreError> {
        make_folder(&root).map_err(failed("create the folder", &root))?;
        Ok(Self { root })
    }

    fn folder(&self, id: &JobId) -> PathBuf {
        self.root.join(id.as_str())
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BagStoreError + use<> {
    let path = path.to_owned();
    move |source| BagStoreError::Io {
        action,
        path,
        source,
    }
}

/// Work on whole folders, off the runtime's own threads.
async fn on_disk<T: Send + 'static>(
    action: &'static str,
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, BagStoreError> {
    let done = tokio::task::spawn_blocking({
        let path = path.clone();
        move || work(&path)
    });
    done.await
        .map_err(io::Error::other)
        .flatten()
        .map_err(failed(action, &path))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[async_trait]
impl BagStore for DiskBags {
    async fn workplace(&self, id: &JobId) -> Result<PathBuf, BagStoreError> {
        let folder = self.folder(id);
        on_disk("empty the folder", folder.clone(), |folder| {
            remove(folder)?;
            DirBuilder::new().mode(OWNER_ONLY).create(folder)
        })
        .await?;
        Ok(folder)
    }

    async fn keep(&self, id: &JobId, bag: &FinishedBag) -> Result<Sha256, BagStoreError> {
        let path = bag
            .path
            .as_ref()
            .filter(|path| path.parent() == Some(&*self.folder(id)))
            .ok_or_else(|| BagStoreError::Missing { id: id.clone() })?;
        match bag.sha256 {
            Some(sum) => Ok(sum),
            None => sha256_of(path.clone()).await.map_err(failed("read", path)),
        }
    }

    async fn open(
        &self,
        id: &JobId,
        name: &SafeName,
        size: u64,
        part: Range<u64>,
    ) -> Result<BagBody, BagStoreError> {
        let path = self.folder(id).join(name.as_str());
        let mut file = match tokio::fs::File::open(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BagStoreError::Missing { id: id.clone() });
            }
            other => other.map_err(failed("open", &path))?,
        };
        let found = file.metadata().await.map_err(failed("read", &path))?.len();
        if found != size {
            return Err(BagStoreError::Changed {
                id: id.clone(),
                found,
                expected: size,
            });
        }
        file.set_max_buf_size(READ_AHEAD_BYTES);
        file.seek(io::SeekFrom::Start(part.start))
            .await
            .map_err(failed("read", &path))?;
        let wanted = part.end.saturating_sub(part.start);
        let body = ReaderStream::with_capacity(file.take(wanted), READ_AHEAD_BYTES);
        Ok(body
            .map_err(move |source| failed("read", &path)(source))
            .boxed())
    }

    async fn delete(&self, id: &JobId) -> Result<(), BagStoreError> {
        on_disk("delete", self.folder(id), remove).await
    }

    async fn kept(&self) -> Result<Vec<JobId>, BagStoreError> {
        on_disk("list", self.root.clone(), |root| {
            let mut ids = Vec::new();
            for entry in fs::read_dir(root)? {
                let name = entry?.file_name();
                ids.extend(name.to_str().and_then(|name| JobId::parse(name).ok()));
            }
            Ok(ids)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::promises;

    fn bags() -> (tempfile::TempDir, DiskBags) {
        let folder = tempfile::tempdir().unwrap();
        let bags = DiskBags::open(folder.path().join("bags")).unwrap();
        (folder, bags)
    }

    #[tokio::test]
    async fn it_keeps_every_promise_of_a_bag_store() {
        let (_folder, store) = bags();
        promises::a_kept_bag_is_read_back_in_any_part(&store).await;
        let (_folder, store) = bags();
        promises::a_bag_of_another_size_is_not_given_away(&store).await;
        let (_folder, store) = bags();
        promises::a_deleted_bag_is_gone_but_an_open_one_is_read_to_its_end(&store).await;
        let (_folder, store) = bags();
        promises::a_workplace_is_empty_and_for_its_owner_s_eyes_only(&store).await;
    }

    #[tokio::test]
    async fn folders_of_others_are_no_bags() {
        let (folder, store) = bags();
        fs::create_dir(folder.path().join("bags/photos")).unwrap();
        assert_eq!(store.kept().await.unwrap(), []);
    }

    #[test]
    fn a_data_folder_serves_one_service_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(path.clone()).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        let second = DataFolder::open(path.clone());
        assert!(matches!(second, Err(DataFolderError::InUse { .. })));
        drop(first);
        assert!(DataFolder::open(path).is_ok());
    }
}
