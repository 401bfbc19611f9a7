//! A bag of values.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::bag::verify::RecordedExport;
use crate::model::Sha256;
use crate::ports::{
    ArchiveBytes, ArchiveCheck, BagDescription, BagReadError, BagReader, ListedArchive, StoredBytes,
};

/// A bag in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryBag {
    recorded: RecordedExport,
    /// Each file, with what it gives when it is read: the second may differ from the first.
    files: BTreeMap<String, (Vec<u8>, Vec<u8>)>,
    damaged: BTreeSet<String>,
    tag_damage: Option<String>,
}

impl MemoryBag {
    /// A bag that says this of itself.
    pub fn new(recorded: RecordedExport) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    /// Puts a file into it.
    pub fn insert(&mut self, path: &str, bytes: &[u8]) {
        let both = (bytes.to_vec(), bytes.to_vec());
        self.files.insert(path.to_owned(), both);
    }

    /// The file differs from the manifest.
    pub fn damage(&mut self, path: &str) {
        self.damaged.insert(path.to_owned());
    }

    /// Its description differs from the tag manifest.
    pub fn damage_tags(&mut self, what: &str) {
        self.tag_damage = Some(what.to_owned());
    }

    /// The file is another one once it has been checked.
    pub fn change_after_check(&mut self, path: &str, bytes: &[u8]) {
        if let Some(file) = self.files.get_mut(path) {
            file.1 = bytes.to_vec();
        }
    }
}

impl MemoryBag {
    fn found(&self, path: &str) -> Option<ListedArchive> {
        let place = self.files.keys().position(|other| other == path)?;
        let file = self.files.get(path).filter(|_| path.starts_with("data/"))?;
        Some(ListedArchive {
            path: path.to_owned(),
            bytes: file.0.len() as u64,
            sha256: Sha256::of(&file.0),
            place: place as u64,
        })
    }
}

#[async_trait]
impl BagReader for MemoryBag {
    async fn description(&self) -> Result<BagDescription, BagReadError> {
        Ok(BagDescription {
            recorded: self.recorded.clone(),
            identity: Sha256::of(format!("{:?}", self.recorded).as_bytes()),
            export_json_sha256: Sha256::of(format!("{:?}", self.recorded).as_bytes()),
            tag_damage: self.tag_damage.clone(),
        })
    }

    async fn check(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError> {
        let check = |path: &String| {
            let found = self.found(path).filter(|_| !self.damaged.contains(path));
            let check = found.ok_or_else(|| format!("`{path}` differs from the manifest"));
            (path.clone(), check)
        };
        Ok(paths.iter().map(check).collect())
    }

    async fn locate(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, ArchiveCheck>, BagReadError> {
        let locate = |path: &String| {
            let found = self.found(path);
            let found = found.ok_or_else(|| format!("`{path}` is not in the bag"));
            (path.clone(), found)
        };
        Ok(paths.iter().map(locate).collect())
    }

    async fn open(&self, archive: &ListedArchive) -> Result<ArchiveBytes, BagReadError> {
        let file = self.files.get(&archive.path).cloned().unwrap_or_default();
        let pieces: Vec<_> = file
            .1
            .chunks(4)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(stream::iter(pieces).boxed())
    }

    async fn stored(&self, _: &ListedArchive) -> Option<StoredBytes> {
        None
    }
}
