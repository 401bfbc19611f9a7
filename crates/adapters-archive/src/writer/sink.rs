//! The sink itself: opens entries, and finishes the bag.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::Encryptor;
use async_trait::async_trait;
use domain::model::{BagFormat, BagPath, SafeName, Section};
use domain::ports::{
    ArchiveSink, Check, Durability, EntryWriter, FinishedBag, NewEntry, Origin, PartialEntry,
    Receipt, SinkError, Storage, TagFile,
};
use jiff::Timestamp;

use super::bag::{Setup, UnfinishedBag};
use super::open_entry::Left;
use super::output::{BagFile, Body, Counted, Forward, ForwardStream, Output};
use super::small::{SMALL_BYTES, Small, closed};
use super::streamed;
use super::waiting::{Closed, Safety};
use crate::container::{Member, Placed, container};
use crate::journal::{EntryRecord, Payload, Record, RunJournal, StagedEntry};
use crate::publish::Publication;
use crate::staging::{Stage, StageRoom};

/// What an interrupted run left.
#[derive(Default)]
pub(crate) struct Resumed {
    /// Members of the container and where they begin.
    pub(crate) placed: Vec<(EntryRecord, u64)>,
    /// Where the last of them ends.
    pub(crate) end: u64,
    /// Entries that wait in files.
    pub(crate) staged: Vec<(StagedEntry, Stage)>,
    /// Entries that had only begun.
    pub(crate) left: Vec<Left>,
    /// Receipts for all that are whole, in the order in which they were closed.
    pub(crate) receipts: Vec<Receipt>,
}

/// Where the container's bytes go.
pub(crate) enum Destination {
    /// Into this file, in place.
    File(File),
    /// Forward only, encrypted if there is an encryptor.
    Forward(Box<dyn Write + Send>, Option<Encryptor>),
}

/// The sink over one container.
pub(crate) struct ArchiveWriter {
    bag: Arc<UnfinishedBag>,
    resumed_receipts: Vec<Receipt>,
    left: Mutex<BTreeMap<BagPath, Left>>,
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
    pub(crate) room: StageRoom,
    pub(crate) resumed: Resumed,
    pub(crate) publication: Publication,
    /// When the first run began: the time of a bag's own files where it holds no others.
    pub(crate) began: Timestamp,
}

impl ArchiveWriter {
    pub(crate) fn new(parts: Parts) -> io::Result<Self> {
        let Resumed {
            placed,
            end,
            staged,
            left,
            receipts,
        } = parts.resumed;
        let output = match parts.destination {
            Destination::File(file) => Output::File(BagFile::after(file, end)?),
            Destination::Forward(output, encryptor) => {
                Output::Forward(Forward::new(forward_stream(output, encryptor)?))
            }
        };
        let bag = UnfinishedBag::new(Setup {
            container: container(parts.format),
            journal: parts.journal,
            payload: parts.payload,
            room: parts.room,
            path: parts.path,
            output,
            taken: receipts
                .iter()
                .map(|r| r.path.clone())
                .collect::<HashSet<_>>(),
            placed: placed
                .into_iter()
                .map(|(record, offset)| placed_again(&parts.top, &record, offset))
                .collect(),
            waiting: staged.into_iter().map(waiting_again).collect(),
            top: parts.top,
        });
        Ok(Self {
            bag,
            resumed_receipts: receipts,
            left: Mutex::new(
                left.into_iter()
                    .map(|left| (left.entry.path.clone(), left))
                    .collect(),
            ),
            publication: parts.publication,
            began: parts.began,
        })
    }

    fn left(&self) -> MutexGuard<'_, BTreeMap<BagPath, Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything after the last payload entry, in one thread: see the module for the order.
    fn finish_here(self, tags: Vec<TagFile>) -> Result<FinishedBag, SinkError> {
        let bag = &self.bag;
        let (claim, mut output) = bag.close_for_good()?;
        let modified = bag.newest().unwrap_or(self.began);
        for tag in tags {
            // Never given back: there is no other try at finishing.
            bag.reserve(&tag.path)?.keep();
            let closed = tag_entry(bag, tag, modified)?;
            claim.watch(|| bag.place_last(&mut output, closed))?;
        }
        let bytes = bag.or_break("write", &bag.path, || {
            output.finish(bag.container, &bag.lock().placed)
        })?;
        claim.watch(|| self.publication.flush(&bag.path))?;
        bag.or_break("write", bag.journal.path(), || {
            bag.journal.commit(vec![Record::Complete { bytes }], 0)
        })?;
        claim.watch(|| self.publication.publish(bytes))
    }
}

#[async_trait]
impl ArchiveSink for ArchiveWriter {
    fn resumed_receipts(&self) -> Vec<Receipt> {
        self.resumed_receipts.clone()
    }

    fn partial_entries(&self) -> Vec<PartialEntry> {
        let left = self.left();
        left.values()
            .map(|left| PartialEntry {
                entry: left.entry.clone(),
                bytes: left.part.bytes,
            })
            .collect()
    }

    fn free_space(&self) -> Option<(u64, PathBuf)> {
        let folder = self.bag.room.path();
        let counts = rustix::fs::statvfs(folder).ok()?;
        // A file system without blocks does not know how much is free: object stores, FUSE.
        if counts.f_blocks == 0 || counts.f_frsize == 0 {
            return None;
        }
        Some((
            counts.f_bavail.saturating_mul(counts.f_frsize),
            folder.to_owned(),
        ))
    }

    async fn open_entry(&self, entry: NewEntry) -> Result<Box<dyn EntryWriter>, SinkError> {
        let reservation = self.bag.reserve(&entry.path)?;
        if let Some(left) = self.left().remove(&entry.path) {
            left.stage.remove();
        }
        if entry.size.is_some_and(|size| size <= SMALL_BYTES) {
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
        let Some(left) = self.left().remove(path) else {
            return Ok(None);
        };
        let reservation = self.bag.reserve(path)?;
        let streamed = streamed::go_on(&self.bag, left, reservation).await?;
        Ok(streamed.map(|streamed| Box::new(streamed) as Box<dyn EntryWriter>))
    }

    async fn finish(self: Box<Self>, tags: Vec<TagFile>) -> Result<FinishedBag, SinkError> {
        tokio::task::spawn_blocking(move || self.finish_here(tags))
            .await
            .unwrap_or(Err(SinkError::Stopped))
    }
}

fn forward_stream(
    output: Box<dyn Write + Send>,
    encryptor: Option<Encryptor>,
) -> io::Result<ForwardStream> {
    let counted = Counted::new(output);
    match encryptor {
        None => Ok(ForwardStream::Plain(counted)),
        Some(encryptor) => encryptor.wrap_output(counted).map(ForwardStream::Sealed),
    }
}

fn placed_again(top: &SafeName, record: &EntryRecord, offset: u64) -> Placed {
    let entry = &record.entry;
    Placed {
        member: Member::new(top, &entry.path, entry.origin.fetched, entry.storage),
        content: record.content(),
        offset,
    }
}

fn waiting_again((entry, stage): (StagedEntry, Stage)) -> Closed {
    Closed {
        record: entry.record,
        body: Body::Staged(stage),
        checksum: entry.checksum,
        safety: Safety::Journalled,
    }
}

/// A tag file is an entry like others, but for its origin, which nothing keeps.
fn tag_entry(bag: &UnfinishedBag, tag: TagFile, modified: Timestamp) -> Result<Closed, SinkError> {
    let entry = NewEntry {
        path: tag.path,
        media_type: String::new(),
        storage: Storage::Compressed,
        size: Some(tag.bytes.len() as u64),
        check: Check::None,
        durability: Durability::AtFinish,
        validator: None,
        origin: Origin {
            section: Section::Profile,
            source: String::new(),
            fetched: modified,
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
    };
    closed(bag, entry, &[tag.bytes])
}
