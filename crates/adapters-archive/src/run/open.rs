//! Opening a run: a new one, an interrupted one, or one whose bag only lacks its name.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use domain::ports::JournalState;
use jiff::Timestamp;

use super::assemble::{open_run_of, refuse_existing, writer};
use super::error::OpenError;
use super::lock::lock_journal;
use super::resume::{of_this_order, resume};
use super::reuse::remove_spool_files;
use super::{OpenRun, OpenedRun, RunSettings, Target, UnfinishedPolicy};
use crate::encrypt::{Encryption, SpoolKey};
use crate::journal::{
    Checkpoint, FORMAT_VERSION, Payload, RunHeader, RunJournal, begin, read_checkpoint,
};
use crate::publish::{FilePublication, Publication, Replace, other_than_file};
use crate::spool::{
    Abilities, LockedFile, Naming, Spool, WorkFolder, is_unsupported, parent_of, remove_if_there,
};
use crate::writer::{ArchiveWriter, Destination, Parts, Resumed};

/// What stands for standard output in messages.
const STDOUT: &str = "standard output";

/// Opens the bag of this order for writing.
///
/// An interrupted run of the same order is resumed: what its journal does not record is cut off. Fails before anything is
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
fn stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

pub(super) fn open_stream(settings: RunSettings, output: File) -> Result<OpenRun, OpenError> {
    let path = PathBuf::from(STDOUT);
    let temporary = std::env::temp_dir();
    tempfile::tempfile_in(&temporary).map_err(|source| OpenError::NoTemporary {
        path: temporary.clone(),
        source,
    })?;
    let journal = RunJournal::new(
        path.clone(),
        None,
        Payload::FetchedAgain,
        JournalState::default(),
    );
    let encryption = settings.encryption.as_ref();
    let sink = ArchiveWriter::new(Parts {
        format: settings.format,
        top: settings.top,
        path: path.clone(),
        destination: Destination::Forward(
            output,
            encryption.map(Encryption::encryptor).transpose()?,
            settings.whole_sum,
        ),
        journal: journal.clone(),
        payload: Payload::FetchedAgain,
        spool: Spool::Nameless {
            folder: temporary,
            key: encryption.map(|_| SpoolKey::generate()),
        },
        resumed: Resumed::default(),
        publication: Publication::Stream,
        began: Timestamp::now(),
    })
    .map_err(OpenError::of("write", &path))?;
    Ok(open_run_of(sink, journal, None))
}

fn open_file(
    settings: RunSettings,
    target: PathBuf,
    replace: Replace,
) -> Result<OpenedRun, OpenError> {
    let file_name = file_name(&target)?.to_owned();
    let work = WorkFolder::beside(parent_of(&target), &file_name);
    refuse_impossible(&target, replace, &work)?;
    let mut journal = lock_journal(&work, &target)?;
    let publication = FilePublication {
        naming: probe(&work, &journal)?,
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
    if settings.unfinished == UnfinishedPolicy::Resume {
        let found = read_checkpoint(&mut journal)
            .map_err(OpenError::of("read", &publication.work.journal()))?;
        if let Some(found) = of_this_order(found, &header, &publication)? {
            return resume(settings, journal, found, publication);
        }
        // There is nothing to resume: the work folder that was made for the lock is removed again.
        if let Err(refused) = refuse_existing(&publication) {
            publication.clean_up(journal);
            return Err(refused);
        }
    }
    refuse_existing(&publication)?;
    begin_anew(settings, journal, &header, publication).map(OpenedRun::Ready)
}

/// What the file system can do is known, and said once, before anything is asked of the platform.
fn probe(work: &WorkFolder, journal: &LockedFile) -> Result<Naming, OpenError> {
    let abilities = match Abilities::probe(work) {
        Ok(abilities) => abilities,
        // A bag that is complete only lacks its name: that may be possible on a full disk.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            return Ok(Naming::Rename);
        }
        Err(source) if is_unsupported(&source) || is_not_permitted(&source) => {
            return Err(OpenError::CannotRename {
                path: parent_of(work.path()).to_path_buf(),
                source,
            });
        }
        // A disk that fails says nothing of what the file system can do.
        Err(source) => return Err(OpenError::of("try out files in", work.path())(source)),
    };
    abilities.warn(work, journal.is_locked_by_system());
    Ok(abilities.naming)
}

fn is_not_permitted(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices
    )
}

fn file_name(target: &Path) -> Result<&str, OpenError> {
    target
        .file_name()
        .and_then(|name| name.to_str())
        // A bag's path is shown in one line.
        .filter(|name| !name.contains(char::is_control))
        .ok_or_else(|| OpenError::NoName {
            path: target.to_path_buf(),
        })
}

/// Refuses a final name that no bag can have, before anything is touched, asked or sent.
pub fn check_target(target: &Path, replace: Replace) -> Result<(), OpenError> {
    let work = WorkFolder::beside(parent_of(target), file_name(target)?);
    refuse_impossible(target, replace, &work)
}

fn refuse_impossible(target: &Path, replace: Replace, work: &WorkFolder) -> Result<(), OpenError> {
    let folder = parent_of(target);
    if folder.to_string_lossy().contains(['\n', '\r']) {
        return Err(OpenError::NoName {
            path: target.to_path_buf(),
        });
    }
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
    let found = match target.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
            return Err(OpenError::NameTooLong {
                path: target.to_path_buf(),
            });
        }
        Err(_) => return Ok(()),
    };
    if let Some(kind) = other_than_file(found.file_type()) {
        return Err(OpenError::NotAFile {
            path: target.to_path_buf(),
            kind,
        });
    }
    // With a work folder beside it, the file may be what an interrupted run has just published.
    if replace == Replace::Refuse && work.path().symlink_metadata().is_err() {
        return Err(OpenError::Exists {
            path: target.to_path_buf(),
        });
    }
    Ok(())
}

fn begin_anew(
    settings: RunSettings,
    journal: LockedFile,
    header: &RunHeader,
    publication: FilePublication,
) -> Result<OpenRun, OpenError> {
    let work = &publication.work;
    // The journal is replaced first: without its lines the other files mean nothing, and a kill in between leaves a run that
    // records nothing instead of one whose files are missing.
    let lines = begin(journal, header).map_err(OpenError::of("write", &work.journal()))?;
    remove_spool_files(work, &BTreeSet::new())?;
    remove_if_there(&work.bag()).map_err(OpenError::of("remove", &work.bag()))?;
    writer(
        settings,
        lines,
        Checkpoint::default(),
        header.created,
        publication,
    )
}
