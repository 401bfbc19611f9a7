//! One run at a time for each bag: the journal file is locked for as long as anything of the run lives.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::OpenError;
use crate::staging::{WorkFolder, private_file};

/// A run that was dropped may still be taking its last entries back.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// Opens the journal in its work folder, which is made if need be, and locks it.
pub(super) fn lock_journal(work: &WorkFolder, target: &Path) -> Result<File, OpenError> {
    let patience = Instant::now() + PATIENCE;
    loop {
        if let Some(journal) = try_lock(work)? {
            return Ok(journal);
        }
        if Instant::now() > patience {
            return Err(OpenError::Locked {
                path: target.to_path_buf(),
            });
        }
        thread::sleep(PAUSE);
    }
}

fn try_lock(work: &WorkFolder) -> Result<Option<File>, OpenError> {
    work.create().map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable {
                path: crate::publish::parent_of(work.path()).to_path_buf(),
                source,
            }
        }
        _ => OpenError::of("create", work.path())(source),
    })?;
    let path = work.journal();
    let file = match private_file(&path) {
        // The run before has just removed the folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(OpenError::of("create", &path))?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(path = %path.display(), "this file system cannot lock: do not start a second run for this bag");
        }
        Err(TryLockError::Error(error)) => return Err(OpenError::of("lock", &path)(error)),
    }
    // A run that ended between opening and locking has removed the file that was locked.
    Ok(is_still(&file, &path).then_some(file))
}

/// Whether the path still names this file.
fn is_still(file: &File, path: &Path) -> bool {
    same_file(file.metadata(), fs::metadata(path))
}

/// Whether both are one file.
pub(super) fn same_file(one: io::Result<fs::Metadata>, other: io::Result<fs::Metadata>) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        matches!((one, other), (Ok(one), Ok(other)) if one.dev() == other.dev() && one.ino() == other.ino())
    }
    #[cfg(not(unix))]
    {
        one.is_ok() && other.is_ok()
    }
}
