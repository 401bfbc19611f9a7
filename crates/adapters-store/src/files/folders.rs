//! Folders and files that only the service's own user can read.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Access rights of every folder.
pub(super) const OWNER_ONLY: u32 = 0o700;

/// Makes a folder where it is missing, and those above it.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY)
        .create(path)
}

/// After this returns the names in the folder survive a loss of power. A file system that cannot flush folders needs no flush.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Removes a folder with all that is in it; a link is removed itself. Nothing there is success.
pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Bytes of all files below a folder. Links are not followed; what is removed meanwhile is not counted.
pub(super) fn bytes_below(path: &Path) -> io::Result<u64> {
    let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let entries = match fs::read_dir(path) {
        Err(error) if missing(&error) => return Ok(0),
        entries => entries?,
    };
    let mut sum = 0_u64;
    for entry in entries {
        let entry = entry?;
        let bytes = match entry.metadata() {
            Err(error) if missing(&error) => 0,
            Err(error) => return Err(error),
            Ok(found) if found.is_dir() => bytes_below(&entry.path())?,
            Ok(found) => found.len(),
        };
        sum = sum.saturating_add(bytes);
    }
    Ok(sum)
}
