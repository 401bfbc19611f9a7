//! The bytes of archives, from the earlier bag into the new one.
//!
//! They are read in the order in which they lie in the earlier bag, one after the other, so that a bag that can only be read from its
//! beginning is read once. While one is made safe on the disk, the next is read already. Bytes that lie in the earlier bag as they are
//! going to lie in the new one are moved by the sink, where it can: it checks what it has moved.

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;

use super::since::{Reusable, Since};
use crate::model::Section;
use crate::ports::{
    BagReadError, Check, CheckFailure, Durability, EntryWriter, Event, ItemStage, ListedArchive,
    NewEntry, Origin, Receipt, SinkError, Storage,
};
use crate::workflow::drive::{Drive, ItemWork};
use crate::workflow::transfer::check_free_space;

/// Entries that are made safe on the disk at the same time.
const CLOSING: usize = 8;

/// Why an archive is not copied.
pub(crate) enum NotCopied {
    /// What is in the earlier bag is not what its manifest says, or cannot be read: in words.
    Differs(String),
    /// The new bag cannot be written: the run ends.
    Sink(SinkError),
}

impl From<SinkError> for NotCopied {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::CheckFailed { failure, .. } => Self::Differs(in_words(&failure)),
            other => Self::Sink(other),
        }
    }
}

fn in_words(failure: &CheckFailure) -> String {
    match failure {
        CheckFailure::Sha256 => "its SHA-256 is not the one in the manifest".to_owned(),
        CheckFailure::Size { received, expected } => {
            format!("it has {received} bytes and not {expected}")
        }
        other => other.to_string(),
    }
}

pub(crate) type Copy = Result<Receipt, NotCopied>;
type Written = Result<Box<dyn EntryWriter>, NotCopied>;

/// The copies under way: one is being read, and some are being made safe.
pub(crate) struct Copies<'a> {
    drive: Drive<'a>,
    since: Since<'a>,
    work: &'a [(ItemWork, Reusable)],
    waiting: VecDeque<usize>,
    reading: Option<BoxFuture<'a, (usize, Written)>>,
    closing: FuturesUnordered<BoxFuture<'a, (usize, Copy)>>,
}

impl<'a> Copies<'a> {
    pub(crate) fn of(drive: Drive<'a>, since: Since<'a>, work: &'a [(ItemWork, Reusable)]) -> Self {
        let mut in_order: Vec<(u64, usize)> = work
            .iter()
            .enumerate()
            .map(|(index, (_, reusable))| (reusable.archive.place, index))
            .collect();
        in_order.sort_unstable();
        Self {
            drive,
            since,
            work,
            waiting: in_order.into_iter().map(|(_, index)| index).collect(),
            reading: None,
            closing: FuturesUnordered::new(),
        }
    }

    /// The next one that ended.
    pub(crate) async fn next(&mut self) -> Option<(usize, Copy)> {
        loop {
            if self.closing.len() < CLOSING {
                self.begin();
            }
            let Some(reading) = self.reading.take() else {
                return self.closing.next().await;
            };
            if self.closing.is_empty() {
                self.close(reading.await);
                continue;
            }
            match select(reading, self.closing.next()).await {
                Either::Left((written, _)) => self.close(written),
                Either::Right((copy, reading)) => {
                    self.reading = Some(reading);
                    return copy;
                }
            }
        }
    }

    fn begin(&mut self) {
        if self.reading.is_some() {
            return;
        }
        let next = self.waiting.pop_front();
        let next = next.and_then(|index| Some((index, self.work.get(index)?)));
        if let Some((index, (work, reusable))) = next {
            let (drive, since) = (self.drive, self.since);
            self.reading = Some(Box::pin(async move {
                notify(drive, work, ItemStage::Copying);
                (index, write(drive, since, work, reusable).await)
            }));
        }
    }

    fn close(&mut self, (index, written): (usize, Written)) {
        let (drive, work) = (self.drive, self.work);
        self.closing.push(Box::pin(async move {
            let copy = match written {
                Ok(writer) => writer.close().await.map_err(NotCopied::from),
                Err(why) => Err(why),
            };
            if let (Ok(receipt), Some((work, _))) = (&copy, work.get(index)) {
                let bytes = receipt.bytes;
                notify(drive, work, ItemStage::Reused { bytes });
            }
            (index, copy)
        }));
    }
}

fn notify(drive: Drive<'_>, work: &ItemWork, stage: ItemStage) {
    drive.ports.progress.on(&Event::Item {
        item: work.machine.item(),
        name: work.name.clone(),
        stage,
    });
}

/// Writes all bytes of an archive into an entry, which is not closed yet.
async fn write(
    drive: Drive<'_>,
    since: Since<'_>,
    work: &ItemWork,
    reusable: &Reusable,
) -> Result<Box<dyn EntryWriter>, NotCopied> {
    check_free_space(drive.sink, Some(reusable.archive.bytes))?;
    let mut writer = drive.sink.open_entry(entry(work, reusable)).await?;
    let mut arriving = Arriving {
        drive,
        work,
        archive: &reusable.archive,
        received: 0,
    };
    let mut written = arriving.move_stored(since, &mut *writer).await;
    if written.is_ok() {
        written = arriving.write_rest(since, &mut *writer).await;
    }
    match written {
        Ok(()) => Ok(writer),
        Err(why) => {
            writer.discard().await?;
            Err(why)
        }
    }
}

/// An archive on its way into its entry.
struct Arriving<'a> {
    drive: Drive<'a>,
    work: &'a ItemWork,
    archive: &'a ListedArchive,
    received: u64,
}

impl Arriving<'_> {
    /// Has the sink move as many of the first bytes as it can.
    async fn move_stored(
        &mut self,
        since: Since<'_>,
        writer: &mut dyn EntryWriter,
    ) -> Result<(), NotCopied> {
        let Some(stored) = since.bag.stored(self.archive).await else {
            return Ok(());
        };
        while self.received < self.archive.bytes {
            match writer.copy(&stored.after(self.received)).await? {
                0 => break,
                moved => self.received(moved),
            }
        }
        Ok(())
    }

    /// Reads and writes what was not moved.
    async fn write_rest(
        &mut self,
        since: Since<'_>,
        writer: &mut dyn EntryWriter,
    ) -> Result<(), NotCopied> {
        let mut moved = self.received;
        if moved > 0 && moved == self.archive.bytes {
            return Ok(());
        }
        let differs = |error: BagReadError| NotCopied::Differs(error.to_string());
        let mut pieces = since.bag.open(self.archive).await.map_err(differs)?;
        while let Some(piece) = pieces.next().await {
            let mut piece = piece.map_err(differs)?;
            let skipped = piece
                .len()
                .min(usize::try_from(moved).unwrap_or(usize::MAX));
            moved -= skipped as u64;
            let rest = piece.split_off(skipped);
            if !rest.is_empty() {
                let bytes = rest.len() as u64;
                writer.write(rest).await?;
                self.received(bytes);
            }
        }
        Ok(())
    }

    fn received(&mut self, bytes: u64) {
        self.received += bytes;
        self.drive.ports.progress.on(&Event::Bytes {
            item: self.work.machine.item(),
            received: self.received,
            total: Some(self.archive.bytes),
        });
    }
}

fn entry(work: &ItemWork, reusable: &Reusable) -> NewEntry {
    let item = work.machine.item();
    NewEntry {
        path: work.path.clone(),
        media_type: "application/gzip".to_owned(),
        storage: Storage::Stored,
        size: Some(reusable.archive.bytes),
        check: Check::GzipOf {
            sha256: reusable.archive.sha256,
        },
        durability: Durability::AtClose,
        validator: None,
        origin: Origin {
            section: Section::of_items(item.kind),
            source: reusable.described.source.clone(),
            fetched: reusable.described.fetched,
            item: Some(item),
            ticket: None,
            redactions: Vec::new(),
        },
    }
}
