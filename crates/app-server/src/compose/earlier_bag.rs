//! A bag in the store that archives which have not changed since are taken from: read in parts, wherever the store keeps it.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use adapters_archive::BagArchives;
use bytes::Bytes;
use domain::jobs::BagBody;
use domain::model::Order;
use domain::workflow::{Earlier, Since, read_earlier};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;

use crate::backend::EarlierExport;
use crate::causes::Causes;

/// What was read last is kept to so many bytes: readers go back a little, for a header that they have seen.
const KEPT_BYTES: usize = 256 * 1024;
/// So far ahead is read over; what is farther away is asked for anew.
const AHEAD_BYTES: u64 = 256 * 1024;

/// An earlier bag, and what it says of itself.
pub(super) struct EarlierBag {
    bag: BagArchives,
    earlier: Earlier,
}

impl EarlierBag {
    /// As the workflow wants it.
    pub(super) fn since(&self) -> Since<'_> {
        Since {
            bag: &self.bag,
            earlier: &self.earlier,
        }
    }
}

/// Reads what an earlier bag says of itself, and makes it part of the order. An error is a sentence for the job's record: everything is
/// exported then.
pub(super) async fn read(export: EarlierExport, order: &mut Order) -> Result<EarlierBag, String> {
    let name = export.name.to_string();
    let handle = Handle::current();
    let bag = BagArchives::elsewhere(Path::new(&name), move || {
        Ok(StoredBag::new(export.clone(), handle.clone()))
    });
    match read_earlier(&bag, name.clone(), &order.user, &order.source).await {
        Ok(earlier) => {
            order.since = Some(earlier.identity().clone());
            Ok(EarlierBag { bag, earlier })
        }
        Err(error) => {
            tracing::warn!(error = %Causes(&error), "nothing can be taken from an earlier archive");
            Err(format!(
                "nothing could be taken from the earlier archive `{name}`, so that everything was exported: {error}"
            ))
        }
    }
}

/// A kept bag as a file, for threads that may wait. What is read on end is asked for once.
struct StoredBag {
    export: EarlierExport,
    handle: Handle,
    /// Where the next read begins.
    position: u64,
    /// The bytes before `end` that were read last.
    kept: Vec<u8>,
    end: u64,
    /// What comes from `end` on, where it was asked for.
    rest: Option<BagBody>,
}

impl StoredBag {
    fn new(export: EarlierExport, handle: Handle) -> Self {
        Self {
            export,
            handle,
            position: 0,
            kept: Vec::new(),
            end: 0,
            rest: None,
        }
    }

    fn begin(&self) -> u64 {
        self.end - self.kept.len() as u64
    }

    /// Makes the next byte one that is kept. Says whether there is one.
    fn reach(&mut self) -> io::Result<bool> {
        if self.position >= self.export.bytes {
            return Ok(false);
        }
        let is_near = self.rest.is_some() && self.position <= self.end.saturating_add(AHEAD_BYTES);
        if self.position < self.begin() || !is_near && self.position >= self.end {
            self.rest = None;
            self.kept.clear();
            self.end = self.position;
        }
        while self.position >= self.end {
            let piece = self.next_piece()?;
            self.end += piece.len() as u64;
            self.keep(&piece);
        }
        Ok(true)
    }

    fn keep(&mut self, piece: &Bytes) {
        let surplus = self.kept.len().saturating_sub(KEPT_BYTES);
        self.kept.drain(..surplus);
        self.kept.extend_from_slice(piece);
    }

    fn next_piece(&mut self) -> io::Result<Bytes> {
        let EarlierExport {
            id,
            name,
            bytes,
            bags,
        } = &self.export;
        let mut rest = if let Some(rest) = self.rest.take() {
            rest
        } else {
            let opened = bags.open(id, name, *bytes, self.end..*bytes);
            self.handle.block_on(opened).map_err(io::Error::other)?
        };
        let piece = self.handle.block_on(rest.next());
        let piece = piece.ok_or(io::ErrorKind::UnexpectedEof)?;
        let piece = piece.map_err(io::Error::other)?;
        self.rest = Some(rest);
        Ok(piece)
    }
}

impl Read for StoredBag {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || !self.reach()? {
            return Ok(0);
        }
        let from = usize::try_from(self.position - self.begin()).map_err(io::Error::other)?;
        let found = self.kept.get(from..).unwrap_or_default();
        let length = found.len().min(buffer.len());
        for (to, byte) in buffer.iter_mut().zip(found) {
            *to = *byte;
        }
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for StoredBag {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.export.bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use adapters_store::DiskBags;
    use domain::jobs::{BagStore as _, JobId};
    use domain::model::SafeName;
    use futures_util::stream;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_kept_bag_is_read_like_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let bags = DiskBags::open(folder.path()).unwrap();
        let id = JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap();
        let name = SafeName::parse("bag.zip").unwrap();
        let content: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
        let body = stream::iter([Ok(Bytes::from(content.clone()))]).boxed();
        bags.put(&id, &name, body).await.unwrap();
        let export = EarlierExport {
            id,
            name,
            bytes: content.len() as u64,
            bags: Arc::new(bags),
        };
        let mut bag = StoredBag::new(export, Handle::current());
        let read = tokio::task::spawn_blocking(move || {
            for (from, length) in [
                (2_999_900, 200),
                (0, 1_000),
                (990, 300_000),
                (10, 5),
                (2_500_000, 400_000),
                (2_600_000, 1),
                (2_600_050, 70_000),
                (3_000_000, 1),
                (4_000_000, 1),
            ] {
                let end = (from + length).min(content.len());
                let expected = content.get(from..end).unwrap_or_default();
                bag.seek(SeekFrom::Start(from as u64)).unwrap();
                let mut found = Vec::new();
                let mut part = (&mut bag).take(length as u64);
                part.read_to_end(&mut found).unwrap();
                assert!(found == expected, "{from} {length}");
            }
            assert!(bag.seek(SeekFrom::End(-3_000_001)).is_err());
        });
        read.await.unwrap();
    }
}
