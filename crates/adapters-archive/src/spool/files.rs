//! Small steps on files that several modules take.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Cuts a file off at this length. Nothing is asked of the file system where nothing is to be cut.
pub(crate) fn cut(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() <= length {
        return Ok(());
    }
    file.set_len(length)
}

/// The folder that a file is in; `.` for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Whether both are one file.
pub(crate) fn same_file(one: io::Result<fs::Metadata>, other: io::Result<fs::Metadata>) -> bool {
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
