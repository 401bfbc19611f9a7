//! The sink itself: opens entries, and finishes the bag.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::Encryptor;
use async_trait::async_trait;
use domain::model::{BagFormat, BagPath, SafeName};
use domain::ports::{
    ArchiveSink, EntryWriter, FinishedBag, NewEntry, PartialEntry, Receipt, SinkError, TagFiles,
};
use jiff::Timestamp;

use super::bag::{Setup, UnfinishedBag};
use super::closed::{Body, Closed, Safety};
use super::forward::Forward;
use super::gaps::Gaps;
use super::in_place::InPlace;
use super::output::{BagFile, Output, sink_error};
use super::partial::{PartialDownload, SavedPartial, SavedPlace, WORTH_RECORDING_BYTES};
use super::small::{SMALL_BYTES, Small};
use super::streamed;
use crate::container::{Member, Placed, Span, container};
use crate::journal::{EntryRecord, Payload, RunJournal, SpooledEntry};
use crate::publish::{Publication, WholeSum};
use crate::spool::{Spool, SpoolFile, free_space};

/// What of an interrupted run is used.
#[derive(Default)]
pub(crate) struct Resumed {
    /// Members of the container and where they are.
    pub(crate) placed: Vec<(EntryRecord, Span)>,
    /// Where the last place ends that has one, or is reserved for one of `partial`.
    pub(crate) end: u64,
    /// Entries that wait in spool files.
    pub(crate) spooled: Vec<(SpooledEntry, SpoolFile)>,
    /// Entries of which the first bytes are here.
    pub(crate) partial: Vec<SavedPartial>,
    /// Receipts for all that are whole, in the order in which they were closed.
    pub(crate) receipts: Vec<Receipt>,
}

impl Resumed {
    fn gaps(&self) -> Gaps {
        let placed = self.placed.iter().map(|(_, span)| *span);
        let reserved = self.partial.iter().filter_map(|saved| match saved.place {
            SavedPlace::Reserved(span, _) => Some(span),
            SavedPlace::Spooled(_) => None,
        });
        Gaps::between(placed.chain(reserved), self.end)
    }
}

/// Where the container's bytes go.
pub(crate) enum Destination {
    /// Into this file, in place.
    File(File),
    /// Forward only, encrypted if there is an encryptor, and summed up on the way if that is wanted.
    Forward(File, Option<Encryptor>, WholeSum),
}

/// The sink over one container.
pub(crate) struct ArchiveWriter {
    bag: Arc<UnfinishedBag>,
    resumed_receipts: Vec<Receipt>,
    partial: Mutex<BTreeMap<BagPath, PartialDownload>>,
    publication: Publication,
    began: Timestamp,
}

/// What a sink is made of.
pub(crate) struct Parts {
    pub(crate) format: BagFormat,
    pub(crate) top: SafeName,
    /// The container's name in messages.
    pub(crate) path: PathBuf,
    pub(crate) destination: Destination,
    pub(crate) journal: RunJournal,
    pub(crate) payload: Payload,
    pub(crate) spool: Spool,
    pub(crate) resumed: Resumed,
    pub(crate) publication: Publication,
    /// When the first run began: the time of a bag's own files where it holds no others.
    pub(crate) began: Timestamp,
}

impl ArchiveWriter {
    pub(crate) fn new(parts: Parts) -> io::Result<Self> {
        let gaps = parts.resumed.gaps();
        let Resumed {
            placed,
            end,
            spooled,
            partial,
            receipts,
        } = parts.resumed;
        let output = match parts.destination {
            Destination::File(file) => Output::File(BagFile::after(file, end)?),
            Destination::Forward(target, encryptor, sum) => {
                Output::Forward(Forward::new(target, encryptor, sum)?)
            }
        };
        let bag = UnfinishedBag::new(Setup {
            container: container(parts.format),
            journal: parts.journal,
            payload: parts.payload,
            spool: parts.spool,
            path: parts.path,
            output,
            gaps,
            taken: receipts
                .iter()
                .map(|receipt| receipt.path.clone())
                .collect(),
            placed: placed
                .into_iter()
                .map(|(record, span)| placed_before(&parts.top, &record, span))
                .collect(),
            waiting: spooled.into_iter().map(waiting_before).collect(),
            top: parts.top,
        });
        let partial = partial
            .into_iter()
            .filter_map(|saved| PartialDownload::of(saved, &bag));
        Ok(Self {
            resumed_receipts: receipts,
            partial: Mutex::new(
                partial
                    .map(|download| (download.entry.path.clone(), download))
                    .collect(),
            ),
            bag,
            publication: parts.publication,
            began: parts.began,
        })
    }

    fn partial(&self) -> MutexGuard<'_, BTreeMap<BagPath, PartialDownload>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything after the last payload entry, in one thread: see the module for the order.
    fn finish_here(self, tags: Box<dyn TagFiles>) -> Result<FinishedBag, SinkError> {
        let bag = &self.bag;
        let (claim, mut output) = bag.close_for_good()?;
        // What nobody has resumed is not in the bag.
        for (_, download) in std::mem::take(&mut *self.partial()) {
            download.discard(bag)?;
        }
        claim.or_fail(|| bag.close_gaps(&mut output))?;
        let modified = bag.commits.newest().unwrap_or(self.began);
        let described =
            claim.or_fail(|| tags.write(&mut InPlace::new(bag, &mut output, modified)))?;
        let whole = claim.or_fail(|| {
            bag.commits
                .with_placed_in_order(|placed| output.finish(bag.container, placed))
                .map_err(|source| sink_error("write", &bag.path, source))
        })?;
        // The container before the journal's last line: a journal that says `complete` is believed without looking inside.
        claim.or_fail(|| self.publication.flush(&bag.path))?;
        let bytes = whole.bytes;
        bag.commits.record_complete(described, bytes)?;
        claim.or_fail(|| self.publication.publish(whole))
    }
}

#[async_trait]
impl ArchiveSink for ArchiveWriter {
    fn resumed_receipts(&self) -> Vec<Receipt> {
        self.resumed_receipts.clone()
    }

    fn partial_entries(&self) -> Vec<PartialEntry> {
        let partial = self.partial();
        partial
            .values()
            .map(|download| PartialEntry {
                entry: download.entry.clone(),
                bytes: download.part.bytes,
            })
            .collect()
    }

    fn free_space(&self) -> Option<(u64, PathBuf)> {
        let folder = self.bag.spool.path();
        Some((free_space(folder)?, folder.to_owned()))
    }

    async fn open_entry(&self, entry: NewEntry) -> Result<Box<dyn EntryWriter>, SinkError> {
        let reservation = self.bag.reserve(&entry.path)?;
        // It is fetched from its first byte: what an interrupted run has of it is of no use.
        let stale = self.partial().remove(&entry.path);
        if let Some(download) = stale {
            let bag = Arc::clone(&self.bag);
            tokio::task::spawn_blocking(move || download.discard(&bag))
                .await
                .unwrap_or(Err(SinkError::Stopped))?;
        }
        if is_gathered(&entry) {
            return Ok(Box::new(Small::new(
                Arc::clone(&self.bag),
                entry,
                reservation,
            )));
        }
        Ok(Box::new(streamed::open(&self.bag, entry, reservation)?))
    }

    async fn resume_entry(
        &self,
        path: &BagPath,
    ) -> Result<Option<Box<dyn EntryWriter>>, SinkError> {
        let Some(download) = self.partial().remove(path) else {
            return Ok(None);
        };
        let reservation = self.bag.reserve(path)?;
        let streamed = streamed::resume(&self.bag, download, reservation).await?;
        Ok(streamed.map(|streamed| Box::new(streamed) as Box<dyn EntryWriter>))
    }

    async fn finish(self: Box<Self>, tags: Box<dyn TagFiles>) -> Result<FinishedBag, SinkError> {
        tokio::task::spawn_blocking(move || self.finish_here(tags))
            .await
            .unwrap_or(Err(SinkError::Stopped))
    }
}

/// Whether an entry is gathered in memory. A longer archive is not: it is inflated while it arrives, and the next run can resume it.
fn is_gathered(entry: &NewEntry) -> bool {
    let longest = if entry.check.inflates() || entry.validator.is_some() {
        WORTH_RECORDING_BYTES
    } else {
        SMALL_BYTES
    };
    entry.size.is_some_and(|size| size <= longest)
}

fn placed_before(top: &SafeName, record: &EntryRecord, span: Span) -> Placed {
    let entry = &record.entry;
    Placed {
        member: Member::new(top, &entry.path, entry.origin.fetched, entry.storage),
        content: record.content(),
        span,
    }
}

fn waiting_before((entry, spool_file): (SpooledEntry, SpoolFile)) -> Closed {
    Closed {
        record: entry.record,
        body: Body::Spooled(spool_file),
        checksum: entry.checksum,
        safety: Safety::Journalled,
    }
}
