//! Going on with an interrupted run: whether it is of this order, what of it is taken up, and what only lacks its name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use domain::ports::{FinishedBag, SinkError};
use jiff::Timestamp;

use super::beginnings::Ground;
use super::lock::same_file;
use super::open::{refuse_existing, writer};
use super::{OpenError, OpenedRun, RunFiles, RunSettings};
use crate::encrypt::StageKey;
use crate::journal::{FORMAT_VERSION, Lines, Payload, Replay, RunHeader, RunJournal};
use crate::publish::FilePublication;
use crate::staging::{
    Distrust, Expected, LockedFile, Stage, StageRoom, WorkFolder, remove_if_there, trust,
};
use crate::writer::{Left, Resumed};

/// The interrupted run, where there is one to go on with.
pub(super) fn of_this_order(
    found: Replay,
    header: &RunHeader,
    publication: &FilePublication,
) -> Result<Option<Replay>, OpenError> {
    let path = publication.work.journal();
    if let Some(damage) = found.damage {
        return Err(OpenError::JournalDamaged {
            path,
            line: damage.line,
        });
    }
    let Some(theirs) = &found.header else {
        // Killed before its first line, nothing was begun: the bag comes after it. Its tickets are unknown otherwise.
        let bag = fs::metadata(publication.work.bag());
        return if bag.is_ok_and(|bag| bag.len() > 0) {
            Err(OpenError::JournalDamaged { path, line: 1 })
        } else {
            Ok(None)
        };
    };
    if theirs.version != FORMAT_VERSION {
        return Err(OpenError::JournalVersion {
            path,
            version: theirs.version,
        });
    }
    match theirs.difference(header) {
        Some(difference) => Err(OpenError::OtherOrder {
            path: publication.target.clone(),
            difference,
        }),
        None => Ok(Some(found)),
    }
}

/// Goes on where the journal ends.
pub(super) fn go_on(
    settings: RunSettings,
    journal: LockedFile,
    mut found: Replay,
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
                    found.checkpoint,
                )),
                publication: Some(publication),
            },
        });
    }
    refuse_existing(&publication)?;
    if settings.encryption.is_some() {
        // Nothing of the payload can be continued: its key is gone.
        (found.placed, found.staged, found.begun, found.end) = Default::default();
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

/// Where bodies wait from now on: under numbers that no file of the interrupted run has.
pub(super) fn stage_room(
    found: &Replay,
    work: &WorkFolder,
    payload: Payload,
) -> Result<StageRoom, OpenError> {
    let on_disk = work.stages().map_err(OpenError::of("read", work.path()))?;
    let told = found.staged.iter().map(|staged| staged.stage);
    let next = told.chain(on_disk).max().map_or(0, |last| last + 1);
    Ok(match payload {
        Payload::Resumed => StageRoom::Named {
            folder: work.clone(),
            next: AtomicU32::new(next),
        },
        Payload::FetchedAgain => StageRoom::Nameless {
            folder: work.path().to_path_buf(),
            key: Some(StageKey::generate()),
        },
    })
}

/// Takes up the files that the journal tells of and removes all others.
pub(super) fn take_up(mut found: Replay, ground: &Ground<'_>) -> Result<Resumed, OpenError> {
    let work = ground.work;
    let mut stages = Vec::new();
    found.staged.retain(|staged| {
        let stage = Stage::reopen(work, staged.stage).ok().filter(|stage| {
            stage
                .measure()
                .is_ok_and(|sums| sums == (staged.record.packed, staged.checksum))
        });
        if stage.is_none() {
            tracing::warn!(path = %staged.record.entry.path, "a file that waited for its place in the bag is damaged: it is fetched again");
        }
        let whole = stage.is_some();
        stages.extend(stage);
        whole
    });
    let receipts = found.receipts();
    let begun = std::mem::take(&mut found.begun);
    let left: Vec<Left> = begun
        .into_iter()
        .filter_map(|begun| ground.take_up(begun))
        .collect();
    let waiting = found.staged.iter().map(|staged| staged.stage);
    let begun = left.iter().filter_map(|left| left.stage.number());
    remove_stages(work, &waiting.chain(begun).collect())?;
    Ok(Resumed {
        placed: found.placed,
        end: found.end,
        staged: found.staged.into_iter().zip(stages).collect(),
        left,
        receipts,
    })
}

/// Removes all stage files but these.
pub(super) fn remove_stages(work: &WorkFolder, kept: &BTreeSet<u32>) -> Result<(), OpenError> {
    let stages = work.stages().map_err(OpenError::of("read", work.path()))?;
    for number in stages.into_iter().filter(|number| !kept.contains(number)) {
        let path = work.stage(number);
        remove_if_there(&path).map_err(OpenError::of("remove", &path))?;
    }
    Ok(())
}
