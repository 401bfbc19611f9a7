//! Flushing, where the file system can.
//!
//! Some (FUSE, SMB, object stores) have no flush of folders, or none at all, and answer with an error of their own for that. What
//! they cannot do is no reason to end a run: a kill of the process loses nothing there either, only a loss of power may.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::io::Errno;

/// Whether a file system says by this error that it does not have the call, not that the call failed.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    let kinds = [
        Errno::INVAL,
        Errno::NOSYS,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
        Errno::NOTTY,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| kinds.contains(&Errno::from_raw_os_error(code)))
}

/// Flushes a file's bytes and length; `false` where the file system cannot.
pub(crate) fn try_sync_file(file: &File) -> io::Result<bool> {
    as_far_as_possible(file.sync_data())
}

/// Flushes a file's bytes and length, where the file system can.
pub(crate) fn sync_file(file: &File) -> io::Result<()> {
    try_sync_file(file).map(drop)
}

/// Lets the disk begin to write these bytes, and does not wait for it. Nothing relies on it: a flush that comes later only has less
/// left to do.
pub(crate) fn begin_flush(file: &File, from: u64, to: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        // Linux begins to write what it is advised to drop, and drops nothing that is not on disk yet.
        let _ = fadvise(
            file,
            from,
            std::num::NonZeroU64::new(to - from),
            Advice::DontNeed,
        );
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, from, to);
}

/// Flushes a file and everything about it, where the file system can.
pub(crate) fn sync_whole_file(file: &File) -> io::Result<()> {
    as_far_as_possible(file.sync_all()).map(drop)
}

/// Flushes a folder's list of names, where the file system can.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    try_sync_folder(path).map(drop)
}

/// Flushes a folder's list of names; `false` where that cannot be done. A folder may allow writing and not reading: then it cannot be
/// opened for this.
pub(crate) fn try_sync_folder(path: &Path) -> io::Result<bool> {
    if cfg!(not(unix)) {
        return Ok(true);
    }
    match File::open(path) {
        Ok(folder) => match folder.sync_all() {
            Err(error) if error.raw_os_error() == Some(Errno::BADF.raw_os_error()) => Ok(false),
            synced => as_far_as_possible(synced),
        },
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => as_far_as_possible(Err(error)),
    }
}

fn as_far_as_possible(synced: io::Result<()>) -> io::Result<bool> {
    match synced {
        Err(error) if is_unsupported(&error) => Ok(false),
        synced => synced.map(|()| true),
    }
}
