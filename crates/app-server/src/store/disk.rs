//! Bags on this machine's disk: `DIR/bags/<job>/<name>`, each job's folder readable by the service's own user only.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use adapters_archive::{Access, Distrust, LockRefused, LockedFile, open_own_file, open_own_folder};
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
    /// Another service works in it, as a file says: this file system has no locks.
    #[error("another service ({holder}) is using `{}`, as `{}` says: remove that file if it has ended", path.display(), claim.display())]
    Claimed {
        path: PathBuf,
        claim: PathBuf,
        holder: String,
    },
    /// It, or something in it, is not the service's own.
    #[error(
        "the data folder has to be this user's own, no link, and closed to others (`chmod 700`)"
    )]
    Distrusted(#[source] Distrust),
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
    _lock: LockedFile,
}

impl DataFolder {
    /// Makes the folder where it is missing, closes it to others, and locks it. What somebody else made, or could have put
    /// something into, is refused.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        // With a slash behind it, a link would be followed.
        let path: PathBuf = path.components().collect();
        if path.symlink_metadata().is_err() {
            make_folder(&path).map_err(unusable("create the folder", &path))?;
        }
        let folder = open_own_folder(&path).map_err(unusable("open the folder", &path))?;
        close_to_others(&folder).map_err(unusable("close to others the folder", &path))?;
        let bags = path.join("bags");
        if bags.symlink_metadata().is_ok() {
            open_own_folder(&bags).map_err(unusable("open the folder", &bags))?;
        }
        let lock_path = path.join("lock");
        let lock = open_own_file(&folder, &lock_path, Access::Create)
            .map_err(unusable("open the lock", &lock_path))?;
        match LockedFile::try_lock(lock, &path.join("lock-holder")) {
            Ok(lock) => {
                if !lock.is_locked_by_system() {
                    tracing::warn!(
                        "the file system of `{}` cannot lock: a file says which process uses it",
                        path.display()
                    );
                }
                Ok(Self { path, _lock: lock })
            }
            Err(LockRefused::Held) => Err(DataFolderError::InUse { path }),
            Err(LockRefused::Claimed { claim, holder }) => Err(DataFolderError::Claimed {
                path,
                claim,
                holder,
            }),
            Err(LockRefused::Io(source)) => Err(unusable("lock", &lock_path)(source)),
        }
    }

    /// Where bags are.
    pub(crate) fn bags(&self) -> PathBuf {
        self.path.join("bags")
    }
}

fn unusable(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataFolderError {
    let path = path.to_owned();
    move |source| match Distrust::of(&source) {
        Some(distrust) => DataFolderError::Distrusted(distrust.clone()),
        None => DataFolderError::Io {
            action,
            path,
            source,
        },
    }
}

/// A file system that does not keep access rights has the same for all files.
fn close_to_others(folder: &fs::File) -> io::Result<()> {
    let now = folder.metadata()?.permissions();
    if now.mode() & 0o7777 == OWNER_ONLY {
        return Ok(());
    }
    match folder.set_permissions(fs::Permissions::from_mode(OWNER_ONLY)) {
        Err(error) if now.mode() & 0o022 == 0 => {
            tracing::warn!(%error, "the data folder cannot be closed to others: they may be able to read it");
            Ok(())
        }
        closed => closed,
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
        let opened = tokio::task::spawn_blocking({
            let (folder, path) = (self.folder(id), path.clone());
            move || open_own_file(&open_own_folder(&folder)?, &path, Access::Read)
        });
        let opened = opened.await.map_err(io::Error::other).flatten();
        let mut file = match opened.map(tokio::fs::File::from_std) {
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
    use crate::store::bag_promises as promises;

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
    fn a_data_folder_that_is_not_the_service_s_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        for path in [link.clone(), folder.path().join("link/")] {
            let refused = DataFolder::open(&path);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&elsewhere), 0o755);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        for open in [0o777, 0o775, 0o1777] {
            fs::set_permissions(&elsewhere, fs::Permissions::from_mode(open)).unwrap();
            let refused = DataFolder::open(&elsewhere);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
            assert_eq!(mode(&elsewhere), open);
        }
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        drop(DataFolder::open(&elsewhere).unwrap());
        assert_eq!(mode(&elsewhere), OWNER_ONLY);
    }

    #[test]
    fn links_inside_a_data_folder_are_not_followed() {
        for name in ["lock", "bags"] {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            drop(DataFolder::open(&data).unwrap());
            let dear = folder.path().join("dear");
            match name {
                "lock" => fs::write(&dear, "dear to somebody").unwrap(),
                _ => fs::create_dir(&dear).unwrap(),
            }
            fs::remove_file(data.join(name)).ok();
            std::os::unix::fs::symlink(&dear, data.join(name)).unwrap();
            let refused = DataFolder::open(&data);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
            if name == "lock" {
                assert_eq!(fs::read(&dear).unwrap(), b"dear to somebody");
            }
        }
    }

    #[test]
    fn a_data_folder_serves_one_service_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        let second = DataFolder::open(&path);
        assert!(matches!(second, Err(DataFolderError::InUse { .. })));
        drop(first);
        assert!(DataFolder::open(&path).is_ok());
    }
}
