//! From a complete container in the work folder to a bag under its final name, in steps that a kill may fall between.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::ports::{FinishedBag, SinkError};
use tempfile::TempPath;

use crate::staging::{WorkFolder, sync_folder};

/// What happens to a file that has the final name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replace {
    /// It stays, and the run is refused.
    #[default]
    Refuse,
    /// It is replaced when the new bag is complete (`--force`).
    Force,
}

/// How a finished container reaches its reader.
#[derive(Clone, Debug)]
pub(crate) enum Publication {
    /// Under this name.
    File(FilePublication),
    /// It went to standard output: there is nothing left to do.
    Stream,
}

/// A bag that is to be a file.
#[derive(Clone, Debug)]
pub(crate) struct FilePublication {
    pub(crate) work: WorkFolder,
    pub(crate) target: PathBuf,
    pub(crate) replace: Replace,
}

impl Publication {
    /// Flushes the whole container.
    pub(crate) fn flush(&self, path: &Path) -> Result<(), SinkError> {
        match self {
            Self::Stream => Ok(()),
            Self::File(_) => File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|source| io_error("flush", path, source)),
        }
    }

    /// After this returns, the bag has its final name for good. The journal stays: see [`crate::Traces`].
    pub(crate) fn publish(&self, bytes: u64) -> Result<FinishedBag, SinkError> {
        let path = match self {
            Self::Stream => None,
            Self::File(file) => {
                file.rename()?;
                Some(file.target.clone())
            }
        };
        Ok(FinishedBag {
            path,
            bytes,
            sha256: None,
        })
    }
}

impl FilePublication {
    /// Gives the container its final name, in one step that no other file can come between.
    pub(crate) fn rename(&self) -> Result<(), SinkError> {
        let bag = self.work.bag();
        let renamed = match self.replace {
            Replace::Force => fs::rename(&bag, &self.target),
            Replace::Refuse => rename_without_replacing(&bag, &self.target),
        };
        renamed.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => SinkError::Exists {
                path: self.target.clone(),
            },
            _ => io_error("rename to", &self.target, source),
        })?;
        let folder = parent_of(&self.target);
        sync_folder(folder).map_err(|source| io_error("flush", folder, source))
    }

    /// The bag is published whether or not this succeeds. Not flushed: a folder that comes back after a loss of power says that
    /// the bag is complete, and the end of the process is not held up when nothing tells of the run any more.
    pub(crate) fn clean_up(&self) {
        if let Err(error) = self.work.remove() {
            tracing::warn!(folder = %self.work.path().display(), %error, "the run's work folder could not be removed");
        }
    }
}

/// `renameat2` with `RENAME_NOREPLACE` where there is one, else a link and an unlink.
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = TempPath::try_from_path(from)?;
    // A refused name must not cost the bag.
    from.disable_cleanup(true);
    from.persist_noclobber(to).map_err(|refused| refused.error)
}

/// The folder that a file is in; `.` for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> SinkError {
    SinkError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
