//! Bags on this machine's disk: `DIR/bags/<job>/<name>`, each job's folder readable by the service's own user only.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use adapters_archive::{Access, open_own_file, open_own_folder};
use async_trait::async_trait;
use domain::jobs::{BagBody, BagStore, BagStoreError, JobId};
use domain::model::{SafeName, Sha256};
use domain::ports::FinishedBag;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::folder::{OWNER_ONLY, make_folder};
use super::hash::sha256_of;

/// Large enough that the disk is asked seldom, small enough for hundreds of downloads at once.
const READ_AHEAD_BYTES: usize = 256 * 1024;

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
        sha256_of(path.clone()).await.map_err(failed("read", path))
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
}
