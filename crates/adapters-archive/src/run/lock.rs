//! One run at a time for each bag: the journal file is locked for as long as anything of the run lives.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::OpenError;
use crate::spool::{Access, LockRefused, LockedFile, WorkFolder, parent_of, pause, same_file};

/// How long to wait for a run that was dropped and whose threads are ending.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// Opens the journal in its work folder, which is made if need be, and locks it.
pub(super) fn lock_journal(work: &WorkFolder, target: &Path) -> Result<LockedFile, OpenError> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let refused = match try_lock(work)? {
            Ok(journal) => return Ok(journal),
            Err(refused) => refused,
        };
        if Instant::now() > patience {
            return Err(match refused {
                LockRefused::Claimed { claim, holder } => OpenError::Claimed {
                    path: target.to_path_buf(),
                    claim,
                    holder,
                },
                LockRefused::Held | LockRefused::Io(_) => OpenError::Locked {
                    path: target.to_path_buf(),
                },
            });
        }
        pause(PAUSE);
    }
}

fn try_lock(work: &WorkFolder) -> Result<Result<LockedFile, LockRefused>, OpenError> {
    work.create().map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable {
                path: parent_of(work.path()).to_path_buf(),
                source,
            }
        }
        io::ErrorKind::InvalidFilename => OpenError::NameTooLong {
            path: work.path().to_path_buf(),
        },
        // The run before has just removed it, or this is no file system to make folders in.
        _ => OpenError::of("create", work.path())(source),
    })?;
    let path = work.journal();
    let file = match work.open_file(&path, Access::Create) {
        // The run before has just removed the folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(LockRefused::Held)),
        file => file.map_err(OpenError::of("create", &path))?,
    };
    match LockedFile::try_lock(file, &work.claim()) {
        // A run that ended between opening and locking has removed the file that was locked.
        Ok(file) if is_still(&file, &path) => Ok(Ok(file)),
        Ok(_) => Ok(Err(LockRefused::Held)),
        Err(LockRefused::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Err(LockRefused::Held))
        }
        Err(LockRefused::Io(error)) => Err(OpenError::of("lock", &path)(error)),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Whether the path still names this file.
fn is_still(file: &File, path: &Path) -> bool {
    same_file(file.metadata(), fs::metadata(path))
}
