//! The archives of a bag, for an import: checked against the manifest, then given away piece by piece. Nothing is unpacked to disk.
//!
//! A container that is packed as a whole (`tar.gz`) can only be read from its beginning. So its archives are hashed in the pass that
//! reads what the bag says of itself, and those that are opened in the order in which they lie there share a pass (`cursor`).

mod bag;
mod check;
mod cursor;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{
    ArchiveBytes, ArchiveCheck, BagDescription, BagReadError, BagReader, ListedArchive, StoredBytes,
};
use tokio::sync::OnceCell;

use crate::reader::{ReadError, Unlock};
use bag::{Bag, unreadable};
use check::{Contents, Hashed};
use cursor::Cursors;

/// One bag, opened as often as it has to be read.
pub struct BagArchives {
    bag: Arc<Bag>,
    contents: OnceCell<Arc<Contents>>,
    cursors: Cursors,
}

impl std::fmt::Debug for BagArchives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BagArchives")
            .field("path", self.bag.name())
            .finish_non_exhaustive()
    }
}

impl BagArchives {
    /// The archives of a bag. It is opened once, so that what cannot be opened at all is known at once.
    pub fn open(path: &Path, unlock: Option<Unlock>) -> Result<Self, ReadError> {
        let bag = Bag::Local {
            path: path.to_owned(),
            unlock,
        };
        bag.open()?;
        Ok(Self::of(bag))
    }

    /// The archives of a bag that is elsewhere, as a file. `open` is called on threads that may wait, once for each time that the bag is read;
    /// `name` is what the bag is called in messages.
    pub fn elsewhere<R: Read + Seek + Send + 'static>(
        name: &Path,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Bag::Remote {
            name: name.to_owned(),
            open: Box::new(move || Ok(Box::new(open()?))),
        })
    }

    fn of(bag: Bag) -> Self {
        let bag = Arc::new(bag);
        Self {
            cursors: Cursors::of(Arc::clone(&bag)),
            bag,
            contents: OnceCell::new(),
        }
    }

    async fn contents(&self) -> Result<&Arc<Contents>, BagReadError> {
        self.contents
            .get_or_try_init(|| async {
                let bag = Arc::clone(&self.bag);
                let read = blocking(move || check::contents(bag.open()?)).await?;
                read.map(Arc::new)
            })
            .await
    }
}

/// Reads on a thread that may wait for a disk.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, BagReadError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(unreadable),
        Err(stopped) => Err(BagReadError::Unreadable(Box::new(stopped))),
    }
}

#[async_trait]
impl BagReader for BagArchives {
    async fn description(&self) -> Result<BagDescription, BagReadError> {
        let contents = self.contents().await?;
        Ok(BagDescription {
            recorded: contents.recorded.clone(),
            identity: contents.identity,
            export_json_sha256: contents.export_json_sha256,
            tag_damage: contents.tag_damage.clone(),
        })
    }

    async fn check(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError> {
        let contents = Arc::clone(self.contents().await?);
        let unknown: BTreeSet<String> = paths
            .iter()
            .filter(|path| contents.is_worth_hashing(path))
            .cloned()
            .collect();
        let hashed = if unknown.is_empty() {
            Hashed::default()
        } else {
            let bag = Arc::clone(&self.bag);
            blocking(move || check::hashed(bag.open()?, unknown)).await?
        };
        let checks = paths.iter();
        Ok(checks
            .map(|path| (path.clone(), contents.judge(path, &hashed)))
            .collect())
    }

    async fn locate(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError> {
        let contents = self.contents().await?;
        let paths = paths.iter();
        Ok(paths
            .map(|path| (path.clone(), contents.locate(path)))
            .collect())
    }

    async fn open(&self, archive: &ListedArchive) -> Result<ArchiveBytes, BagReadError> {
        Ok(self.cursors.open(archive))
    }

    async fn stored(&self, archive: &ListedArchive) -> Option<StoredBytes> {
        let offset = self.contents().await.ok()?.stored(&archive.path)?;
        let path = self.bag.local()?.clone();
        let file = tokio::task::spawn_blocking(|| File::open(path)).await;
        Some(StoredBytes {
            file: Arc::new(file.ok()?.ok()?),
            offset,
            length: archive.bytes,
        })
    }
}
