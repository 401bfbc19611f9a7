//! Opening a run: a new one, one that goes on, or one that only lacks its name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use domain::ports::{FinishedBag, Recovered};
use jiff::Timestamp;

use super::lock::{lock_journal, same_file};
use super::{Leftover, OpenError, OpenRun, OpenedRun, RunSettings, Target};
use crate::encrypt::{Encryption, StageKey};
use crate::journal::{
    FORMAT_VERSION, Lines, Payload, Replay, RunHeader, RunJournal, begin, replay,
};
use crate::publish::{FilePublication, Publication, Replace, parent_of};
use crate::staging::{Stage, StageRoom, WorkFolder, private_file, remove_if_there, sync_folder};
use crate::writer::{ArchiveWriter, Destination, Parts, Resumed};

/// What stands for standard output in messages.
const STDOUT: &str = "standard output";

/// Opens the bag of this order for writing.
///
/// An interrupted run of the same order is taken up: what its journal does not tell of is cut off. Fails before anything is
/// written where the bag cannot be; another run's files are never touched.
pub fn open_run(settings: RunSettings) -> Result<OpenedRun, OpenError> {
    match settings.target.clone() {
        Target::Stdout => open_stdout(settings).map(OpenedRun::Ready),
        Target::File { path, replace } => open_file(settings, path, replace),
    }
}

fn open_stdout(settings: RunSettings) -> Result<OpenRun, OpenError> {
    open_stream(
        settings,
        stdout().map_err(OpenError::of("write", Path::new(STDOUT)))?,
    )
}

/// Standard output without the line buffer that is for people.
fn stdout() -> io::Result<Box<dyn Write + Send>> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        Ok(Box::new(File::from(
            io::stdout().as_fd().try_clone_to_owned()?,
        )))
    }
    #[cfg(not(unix))]
    Ok(Box::new(io::stdout()))
}

pub(super) fn open_stream(
    settings: RunSettings,
    output: Box<dyn Write + Send>,
) -> Result<OpenRun, OpenError> {
    let path = PathBuf::from(STDOUT);
    let journal = RunJournal::new(
        path.clone(),
        None,
        Payload::FetchedAgain,
        Recovered::default(),
    );
    let encryption = settings.encryption.as_ref();
    let sink = ArchiveWriter::new(Parts {
        format: settings.format,
        top: settings.top,
        path: path.clone(),
        destination: Destination::Forward(
            output,
            encryption.map(Encryption::encryptor).transpose()?,
        ),
        journal: journal.clone(),
        payload: Payload::FetchedAgain,
        room: StageRoom::Nameless {
            folder: std::env::temp_dir(),
            key: encryption.map(|_| StageKey::generate()),
        },
        resumed: Resumed::default(),
        publication: Publication::Stream,
        began: Timestamp::now(),
    })
    .map_err(OpenError::of("write", &path))?;
    Ok(OpenRun {
        sink: Box::new(sink),
        journal: Arc::new(journal),
        resumed: false,
        target: None,
    })
}

fn open_file(
    settings: RunSettings,
    target: PathBuf,
    replace: Replace,
) -> Result<OpenedRun, OpenError> {
    let file_name = file_name(&target)?.to_owned();
    let work = WorkFolder::beside(parent_of(&target), &file_name);
    check_target(&target, replace, &work)?;
    let mut journal = lock_journal(&work, &target)?;
    let publication = FilePublication {
        work,
        target,
        replace,
    };
    let header = RunHeader {
        version: FORMAT_VERSION,
        fingerprint: settings.fingerprint,
        user: settings.user.clone(),
        source: settings.source.clone(),
        format: settings.format,
        top: settings.top.clone(),
        file_name,
        encrypted: settings.encryption.is_some(),
        created: Timestamp::now(),
    };
    if settings.leftover == Leftover::Continue {
        let found =
            replay(&mut journal).map_err(OpenError::of("read", &publication.work.journal()))?;
        if let Some(found) = of_this_order(found, &header, &publication)? {
            return go_on(settings, journal, found, publication);
        }
    }
    refuse_existing(&publication)?;
    begin_anew(settings, journal, &header, publication).map(OpenedRun::Ready)
}

fn file_name(target: &Path) -> Result<&str, OpenError> {
    target
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| OpenError::NoName {
            path: target.to_path_buf(),
        })
}

/// What can be said of the target before anything is touched.
fn check_target(target: &Path, replace: Replace, work: &WorkFolder) -> Result<(), OpenError> {
    let folder = parent_of(target);
    if !folder.is_dir() {
        return Err(OpenError::NoFolder {
            path: folder.to_path_buf(),
        });
    }
    if target.is_dir() {
        return Err(OpenError::IsFolder {
            path: target.to_path_buf(),
        });
    }
    // With a work folder beside it, the file may be what an interrupted run has just published.
    if replace == Replace::Refuse && target.symlink_metadata().is_ok() && !work.path().is_dir() {
        return Err(OpenError::Exists {
            path: target.to_path_buf(),
        });
    }
    Ok(())
}

fn refuse_existing(publication: &FilePublication) -> Result<(), OpenError> {
    let target = &publication.target;
    if publication.replace == Replace::Refuse && target.symlink_metadata().is_ok() {
        return Err(OpenError::Exists {
            path: target.clone(),
        });
    }
    Ok(())
}

/// The interrupted run, where there is one to go on with.
fn of_this_order(
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
        // Killed before its first line: nothing was begun.
        return Ok(None);
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

fn begin_anew(
    settings: RunSettings,
    journal: File,
    header: &RunHeader,
    publication: FilePublication,
) -> Result<OpenRun, OpenError> {
    let work = &publication.work;
    // The old journal goes first: without it the other files mean nothing.
    let lines = begin(journal, header).map_err(OpenError::of("write", &work.journal()))?;
    remove_stages(work, &BTreeSet::new())?;
    remove_if_there(&work.bag()).map_err(OpenError::of("remove", &work.bag()))?;
    writer(
        settings,
        lines,
        Replay::default(),
        header.created,
        publication,
    )
}

fn go_on(
    settings: RunSettings,
    journal: File,
    mut found: Replay,
    publication: FilePublication,
) -> Result<OpenedRun, OpenError> {
    if let Some(bytes) = found.complete {
        let bag = publish_complete(&publication, bytes)?;
        return Ok(OpenedRun::AlreadyComplete {
            bag,
            remembered: found.remembered,
        });
    }
    refuse_existing(&publication)?;
    if settings.encryption.is_some() {
        // Nothing of the payload can be continued: its key is gone.
        (found.placed, found.staged, found.end) = Default::default();
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
    let has_length = |path: &Path| fs::metadata(path).is_ok_and(|file| file.len() == bytes);
    if has_length(&bag) && !same_file(fs::metadata(&bag), fs::metadata(target)) {
        publication.rename().map_err(|error| match error {
            domain::ports::SinkError::Exists { path } => OpenError::Exists { path },
            other => OpenError::Publish(other),
        })?;
    } else if !has_length(target) {
        return Err(OpenError::BagDamaged { path: bag });
    }
    publication.clean_up();
    Ok(FinishedBag {
        path: Some(target.clone()),
        bytes,
        sha256: None,
    })
}

/// The sink and the journal over what `found` says is there.
fn writer(
    settings: RunSettings,
    lines: Lines,
    mut found: Replay,
    began: Timestamp,
    publication: FilePublication,
) -> Result<OpenRun, OpenError> {
    let work = publication.work.clone();
    let payload = match settings.encryption {
        None => Payload::Resumed,
        Some(_) => Payload::FetchedAgain,
    };
    let remembered = std::mem::take(&mut found.remembered);
    let journal = RunJournal::new(work.journal(), Some(lines), payload, remembered);
    let (room, resumed) = take_up(found, &work, payload)?;
    let bag = open_bag(&work, resumed.end)?;
    sync_folder(work.path()).map_err(OpenError::of("flush", work.path()))?;
    let parent = parent_of(&publication.target);
    sync_folder(parent).map_err(OpenError::of("flush", parent))?;
    let destination = match &settings.encryption {
        None => Destination::File(bag),
        Some(encryption) => Destination::Forward(Box::new(bag), Some(encryption.encryptor()?)),
    };
    let target = Some(publication.target.clone());
    let sink = ArchiveWriter::new(Parts {
        format: settings.format,
        top: settings.top,
        path: work.bag(),
        destination,
        journal: journal.clone(),
        payload,
        room,
        resumed,
        publication: Publication::File(publication),
        began,
    })
    .map_err(OpenError::of("write", &work.bag()))?;
    Ok(OpenRun {
        sink: Box::new(sink),
        journal: Arc::new(journal),
        resumed: false,
        target,
    })
}

/// Opens the container and cuts off what lies behind `end`.
fn open_bag(work: &WorkFolder, end: u64) -> Result<File, OpenError> {
    let path = work.bag();
    let bag = private_file(&path).map_err(OpenError::of("open", &path))?;
    let length = bag.metadata().map_err(OpenError::of("open", &path))?.len();
    // What the journal tells of was flushed before.
    if length < end {
        return Err(OpenError::BagDamaged { path });
    }
    bag.set_len(end).map_err(OpenError::of("cut back", &path))?;
    Ok(bag)
}

/// Takes up the files that the journal tells of and removes all others.
fn take_up(
    mut found: Replay,
    work: &WorkFolder,
    payload: Payload,
) -> Result<(StageRoom, Resumed), OpenError> {
    let on_disk = work.stages().map_err(OpenError::of("read", work.path()))?;
    let told = found.staged.iter().map(|staged| staged.stage);
    let next = told.chain(on_disk).max().map_or(0, |last| last + 1);
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
    let kept = found.staged.iter().map(|staged| staged.stage).collect();
    remove_stages(work, &kept)?;
    let resumed = Resumed {
        placed: found.placed,
        end: found.end,
        staged: found.staged.into_iter().zip(stages).collect(),
        receipts,
    };
    Ok((room(work, payload, next), resumed))
}

fn room(work: &WorkFolder, payload: Payload, next: u32) -> StageRoom {
    match payload {
        Payload::Resumed => StageRoom::Named {
            folder: work.clone(),
            next: AtomicU32::new(next),
        },
        Payload::FetchedAgain => StageRoom::Nameless {
            folder: work.path().to_path_buf(),
            key: Some(StageKey::generate()),
        },
    }
}

fn remove_stages(work: &WorkFolder, kept: &BTreeSet<u32>) -> Result<(), OpenError> {
    let stages = work.stages().map_err(OpenError::of("read", work.path()))?;
    for number in stages.into_iter().filter(|number| !kept.contains(number)) {
        let path = work.stage(number);
        remove_if_there(&path).map_err(OpenError::of("remove", &path))?;
    }
    Ok(())
}
