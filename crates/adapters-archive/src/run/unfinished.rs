//! Unfinished runs: finding them, reading their headers, removing them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::ports::Journal;

use super::error::OpenError;
use super::lock::lock_journal;
use crate::journal::{Lines, Payload, RunHeader, RunJournal, read_checkpoint, read_first};
use crate::spool::{Access, WorkFolder, parent_of, sync_folder};

/// An interrupted run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The final name of its bag.
    pub path: PathBuf,
    /// What it says of itself.
    pub header: RunHeader,
}

/// The interrupted runs whose bags were to be in this folder, the last begun first. Work folders without a readable header
/// are left out.
pub fn find_unfinished(folder: &Path) -> io::Result<Vec<UnfinishedRun>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(final_name) = name.to_str().and_then(WorkFolder::final_name) else {
            continue;
        };
        let path = folder.join(final_name);
        if let Ok(Some(header)) = read_header(&path) {
            found.push(UnfinishedRun { path, header });
        }
    }
    found.sort_by_key(|unfinished| std::cmp::Reverse(unfinished.header.created));
    Ok(found)
}

/// What the interrupted run for the bag of this final name says of itself; `None` where there is none, or none that began.
pub fn read_header(path: &Path) -> Result<Option<RunHeader>, OpenError> {
    let Some(work) = work_folder(path) else {
        return Ok(None);
    };
    // What another user put there is no run of ours.
    match work
        .open()
        .and_then(|_| work.open_file(&work.journal(), Access::Read))
    {
        Ok(mut journal) => read_first(&mut journal).map_err(OpenError::of("read", &work.journal())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::of("open", &work.journal())(error)),
    }
}

/// Whether another bag, or another run, has this final name.
pub fn is_taken(path: &Path) -> bool {
    let work = work_folder(path);
    path.symlink_metadata().is_ok()
        || work.is_some_and(|work| work.path().symlink_metadata().is_ok())
}

/// An interrupted run that is to be given up: what it recorded, until it is removed.
pub struct LockedRun {
    /// What it says of itself, where that can be read.
    pub header: Option<RunHeader>,
    /// What it recorded, as far as that can be read; its tickets may still be on the server.
    pub journal: Arc<dyn Journal>,
    /// Whether it had finished its bag, which may have its name by now.
    pub complete: bool,
    work: WorkFolder,
}

/// Locks the interrupted run for the bag of this final name; `None` where there is none. A damaged journal is no error here.
pub fn lock_unfinished(path: &Path) -> Result<Option<LockedRun>, OpenError> {
    let Some(work) = work_folder(path).filter(|work| work.path().symlink_metadata().is_ok()) else {
        return Ok(None);
    };
    work.open().map_err(OpenError::of("open", work.path()))?;
    let mut file = lock_journal(&work, path)?;
    let journal_path = work.journal();
    let found = read_checkpoint(&mut file).map_err(OpenError::of("read", &journal_path))?;
    // A damaged journal is not written to: which tickets were abandoned is then known until the end of this process only.
    let lines = match found.damage {
        None => Lines::after(file, found.lines, found.lines_end)
            .map_err(OpenError::of("open", &journal_path))?,
        Some(_) => Lines::locked_only(file),
    };
    Ok(Some(LockedRun {
        header: found.header,
        complete: found.complete.is_some(),
        journal: Arc::new(RunJournal::new(
            journal_path,
            Some(lines),
            Payload::FetchedAgain,
            found.facts,
        )),
        work,
    }))
}

impl LockedRun {
    /// Removes its files: the unfinished bag, the spool files, and the journal.
    pub fn remove(self) -> Result<(), OpenError> {
        let folder = self.work.path();
        let parent = parent_of(folder);
        self.work
            .remove()
            .map_err(OpenError::of("remove", folder))?;
        drop(self.journal);
        self.work
            .remove_emptied()
            .map_err(OpenError::of("remove", folder))?;
        sync_folder(parent).map_err(OpenError::of("flush", parent))
    }
}

/// Removes what an interrupted run left beside the bag of this final name; nothing where there is nothing.
pub fn remove_unfinished(path: &Path) -> Result<(), OpenError> {
    lock_unfinished(path)?.map_or(Ok(()), LockedRun::remove)
}

/// The final name of the bag whose work folder this is; `None` where it is none by its name.
pub fn bag_of_work_folder(path: &Path) -> Option<PathBuf> {
    let name = WorkFolder::final_name(path.file_name()?.to_str()?)?;
    Some(path.with_file_name(name))
}

fn work_folder(path: &Path) -> Option<WorkFolder> {
    let name = path.file_name()?.to_str()?;
    Some(WorkFolder::beside(parent_of(path), name))
}
