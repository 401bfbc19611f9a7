//! The sink and the journal of a run, put together over what a checkpoint says is on disk.

use std::fs::File;
use std::sync::Arc;

use domain::ports::Journal;
use jiff::Timestamp;

use super::error::OpenError;
use super::partial::PartialEntries;
use super::reuse::{reuse, spool_after};
use super::{OpenRun, RunFiles, RunSettings};
use crate::container::container;
use crate::journal::{Checkpoint, Lines, Payload, RunJournal};
use crate::publish::{FilePublication, Publication, Replace};
use crate::spool::{Access, WorkFolder, cut, parent_of, sync_folder};
use crate::writer::{ArchiveWriter, Destination, Parts};

/// Refuses a final name that is taken: the last check before anything is written.
pub(super) fn refuse_existing(publication: &FilePublication) -> Result<(), OpenError> {
    let target = &publication.target;
    if publication.replace == Replace::Refuse && target.symlink_metadata().is_ok() {
        return Err(OpenError::Exists {
            path: target.clone(),
        });
    }
    Ok(())
}

/// The sink and the journal over what `found` says is there.
pub(super) fn writer(
    settings: RunSettings,
    lines: Lines,
    mut found: Checkpoint,
    began: Timestamp,
    publication: FilePublication,
) -> Result<OpenRun, OpenError> {
    let work = publication.work.clone();
    let payload = match settings.encryption {
        None => Payload::Resumed,
        Some(_) => Payload::FetchedAgain,
    };
    let facts = std::mem::take(&mut found.facts);
    let journal = RunJournal::new(work.journal(), Some(lines), payload, facts);
    let spool = spool_after(&found, &work, payload)?;
    let partial_entries = PartialEntries {
        container: container(settings.format),
        top: &settings.top,
        work: &work,
        journal: &journal,
        spool: &spool,
        end: found.end(),
    };
    let placed_end = found.end();
    let resumed = reuse(found, &partial_entries)?;
    let bag = open_bag(&work, placed_end, resumed.end)?;
    // From the inside out: a folder that survives a loss of power must have the container and the journal in it.
    sync_folder(work.path()).map_err(OpenError::of("flush", work.path()))?;
    let parent = parent_of(&publication.target);
    sync_folder(parent).map_err(OpenError::of("flush", parent))?;
    let destination = match &settings.encryption {
        None => Destination::File(bag),
        Some(encryption) => {
            Destination::Forward(bag, Some(encryption.encryptor()?), settings.whole_sum)
        }
    };
    let sink = ArchiveWriter::new(Parts {
        format: settings.format,
        top: settings.top,
        path: work.bag(),
        destination,
        journal: journal.clone(),
        payload,
        spool,
        resumed,
        publication: Publication::File(publication.clone()),
        began,
    })
    .map_err(OpenError::of("write", &work.bag()))?;
    Ok(open_run_of(sink, journal, Some(publication)))
}

pub(super) fn open_run_of(
    sink: ArchiveWriter,
    journal: RunJournal,
    publication: Option<FilePublication>,
) -> OpenRun {
    let journal: Arc<dyn Journal> = Arc::new(journal);
    OpenRun {
        sink: Box::new(sink),
        journal: Arc::clone(&journal),
        resumed: false,
        target: publication.as_ref().map(|file| file.target.clone()),
        run_files: RunFiles {
            journal,
            publication,
        },
    }
}

/// Opens the container and cuts off what is after `end`. It has to be as long as the journal says at least.
fn open_bag(work: &WorkFolder, placed_end: u64, end: u64) -> Result<File, OpenError> {
    let path = work.bag();
    let bag = work
        .open_file(&path, Access::Create)
        .map_err(OpenError::of("open", &path))?;
    let length = bag.metadata().map_err(OpenError::of("open", &path))?.len();
    // What the journal records was flushed before: a shorter container has been altered.
    if length < placed_end {
        return Err(OpenError::BagDamaged { path });
    }
    cut(&bag, end).map_err(OpenError::of("cut back", &path))?;
    Ok(bag)
}
