//! Resuming an interrupted run: whether it is of this order, and whether its bag only lacks its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use domain::ports::{FinishedBag, SinkError};
use jiff::Timestamp;

use super::assemble::{refuse_existing, writer};
use super::error::OpenError;
use super::{OpenedRun, RunFiles, RunSettings};
use crate::journal::{Checkpoint, FORMAT_VERSION, Lines, Payload, RunHeader, RunJournal};
use crate::publish::FilePublication;
use crate::spool::{Distrust, Expected, LockedFile, same_file, trust};

/// The interrupted run, where there is one that this order can resume.
pub(super) fn of_this_order(
    found: Checkpoint,
    header: &RunHeader,
    publication: &FilePublication,
) -> Result<Option<Checkpoint>, OpenError> {
    let path = publication.work.journal();
    // Before anything else: to this version, lines of another form look like damage.
    if let Some(other) = found
        .header
        .as_ref()
        .filter(|theirs| theirs.version != FORMAT_VERSION)
    {
        return Err(OpenError::JournalVersion {
            path,
            version: other.version,
        });
    }
    if let Some(damage) = found.damage {
        return Err(OpenError::JournalDamaged {
            path,
            line: damage.line,
        });
    }
    let Some(theirs) = &found.header else {
        // The container is made after the journal's first line is flushed. One with content beside a journal without a line
        // means that the journal was lost, and with it which tickets are open.
        let bag = fs::metadata(publication.work.bag());
        return if bag.is_ok_and(|bag| bag.is_file() && bag.len() > 0) {
            Err(OpenError::JournalDamaged { path, line: 1 })
        } else {
            Ok(None)
        };
    };
    match theirs.difference(header) {
        Some(difference) => Err(OpenError::OtherOrder {
            path: publication.target.clone(),
            difference,
        }),
        None => Ok(Some(found)),
    }
}

/// Resumes the run where its journal ends.
pub(super) fn resume(
    settings: RunSettings,
    journal: LockedFile,
    mut found: Checkpoint,
    publication: FilePublication,
) -> Result<OpenedRun, OpenError> {
    if let Some(bytes) = found.complete {
        let bag = publish_complete(&publication, bytes)?;
        let lines = Some(Lines::locked_only(journal));
        let path = publication.work.journal();
        return Ok(OpenedRun::AlreadyComplete {
            bag,
            run_files: RunFiles {
                journal: Arc::new(RunJournal::new(
                    path,
                    lines,
                    Payload::FetchedAgain,
                    found.facts,
                )),
                publication: Some(publication),
            },
        });
    }
    refuse_existing(&publication)?;
    if settings.encryption.is_some() {
        // The key of the payload was never written down: all of it is fetched again.
        found.forget_payload();
    }
    let work = &publication.work;
    let lines = Lines::after(journal, found.lines, found.lines_end)
        .map_err(OpenError::of("cut back", &work.journal()))?;
    let began = found
        .header
        .as_ref()
        .map_or_else(Timestamp::now, |header| header.created);
    let mut run = writer(settings, lines, found, began, publication)?;
    run.resumed = true;
    Ok(OpenedRun::Ready(run))
}

/// A bag that was complete before the kill: gives it its name, unless it has it already.
fn publish_complete(publication: &FilePublication, bytes: u64) -> Result<FinishedBag, OpenError> {
    let (bag, target) = (publication.work.bag(), &publication.target);
    let has_length = |path: &Path| {
        path.symlink_metadata()
            .is_ok_and(|file| file.is_file() && file.len() == bytes)
    };
    if let Ok(found) = bag.symlink_metadata() {
        trust::check(&found, &bag, Expected::FileOfTwoNames)
            .map_err(OpenError::of("publish", &bag))?;
    }
    if has_length(&bag) && !same_file(bag.symlink_metadata(), target.symlink_metadata()) {
        publication.rename().map_err(|error| match error {
            SinkError::Exists { path } => OpenError::Exists { path },
            SinkError::Io { path, source, .. } if Distrust::of(&source).is_some() => {
                OpenError::of("publish", &path)(source)
            }
            other => OpenError::Publish(other),
        })?;
    } else if !has_length(target) {
        return Err(OpenError::BagDamaged { path: bag });
    }
    Ok(FinishedBag {
        path: Some(target.clone()),
        bytes,
        sha256: None,
    })
}
