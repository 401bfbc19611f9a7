//! From a complete container in the work folder to a bag under its final name, in steps that a kill may fall between.

use std::fs::{self, FileType, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use domain::model::Sha256;
use domain::ports::{FinishedBag, SinkError};

use crate::spool::{
    Access, Naming, WorkFolder, parent_of, remove_if_there, rename_without_replacing, sync_folder,
    sync_whole_file,
};

/// What happens to a file that has the final name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replace {
    /// It stays, and the run is refused.
    #[default]
    Refuse,
    /// It is replaced when the new bag is complete (`--force`).
    Force,
}

/// Whether the SHA-256 of the whole bag is wanted. It costs a second reading where the bag is not written from its first byte to its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WholeSum {
    /// Nobody asks for it.
    #[default]
    None,
    /// It is summed up on the way, where that is possible.
    OnTheWay,
}

/// What is known of a container once its last byte is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// Its length.
    pub(crate) bytes: u64,
    /// Its sum, where it was summed up on the way.
    pub(crate) sha256: Option<Sha256>,
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
    /// What the file system can do.
    pub(crate) naming: Naming,
}

impl Publication {
    /// Flushes the whole container.
    pub(crate) fn flush(&self, path: &Path) -> Result<(), SinkError> {
        match self {
            Self::Stream => Ok(()),
            Self::File(file) => file
                .work
                .open_file(path, Access::Read)
                .and_then(|bag| sync_whole_file(&bag))
                .map_err(|source| io_error("flush", path, source)),
        }
    }

    /// After this returns, the bag has its final name for good. The journal stays: see [`crate::RunFiles`].
    pub(crate) fn publish(&self, whole: Whole) -> Result<FinishedBag, SinkError> {
        let path = match self {
            Self::Stream => None,
            Self::File(file) => {
                file.rename()?;
                Some(file.target.clone())
            }
        };
        let Whole { bytes, sha256 } = whole;
        Ok(FinishedBag {
            path,
            bytes,
            sha256,
        })
    }
}

impl FilePublication {
    /// Gives the container its final name, in one step that no other file can come between.
    pub(crate) fn rename(&self) -> Result<(), SinkError> {
        let bag = self.work.bag();
        let renamed = match self.replace {
            Replace::Force => self.replace(&bag),
            Replace::Refuse => self.name(&bag),
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

    /// Replaces a regular file, and nothing else, in one step where the file system can.
    fn replace(&self, bag: &Path) -> io::Result<()> {
        let target = &self.target;
        let Ok(found) = target.symlink_metadata() else {
            return self.name(bag);
        };
        if let Some(kind) = other_than_file(found.file_type()) {
            return Err(io::Error::other(format!("it is {kind} by now")));
        }
        match fs::rename(bag, target) {
            // Some network file systems rename to free names only. The old file is removed once the new one has its name.
            Err(_) if self.naming == Naming::RemovedPlaceholder => {
                let aside = self.work.replaced();
                fs::rename(target, &aside)?;
                self.name(bag)
                    .inspect_err(|_| drop(fs::rename(&aside, target)))?;
                remove_if_there(&aside)
            }
            renamed => renamed,
        }
    }

    /// Gives the bag a name that nothing has.
    fn name(&self, bag: &Path) -> io::Result<()> {
        let target = &self.target;
        match self.naming {
            // A run before this one was killed with the name taken.
            Naming::Rename | Naming::Link
                if self.work.placeholder_mark().symlink_metadata().is_ok() =>
            {
                self.take_name(|| fs::rename(bag, target))
            }
            Naming::Rename => rename_without_replacing(bag, target),
            Naming::Link => {
                fs::hard_link(bag, target)?;
                fs::remove_file(bag)
            }
            Naming::Placeholder => self.take_name(|| fs::rename(bag, target)),
            Naming::RemovedPlaceholder => self.take_name(|| {
                fs::remove_file(target)?;
                fs::rename(bag, target)
            }),
        }
    }

    /// Takes the name with an empty file, which `rename` then replaces. Only one process can make that file, and nothing else is
    /// replaced: a file with content is somebody else's, and it is looked at right before.
    fn take_name(&self, rename: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mark = self.work.placeholder_mark();
        // A run that was killed in between has the name already; or it was killed before, and the name may be free.
        let was_begun = mark.symlink_metadata().is_ok();
        drop(self.work.open_file(&mark, Access::Create)?);
        sync_folder(self.work.path())?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && was_begun => {}
            Err(error) => {
                remove_if_there(&mark)?;
                return Err(error);
            }
            Ok(_) => {}
        }
        let is_placeholder = |found: fs::Metadata| found.is_file() && found.len() == 0;
        if !self.target.symlink_metadata().is_ok_and(is_placeholder) {
            remove_if_there(&mark)?;
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        rename()?;
        remove_if_there(&mark)
    }

    /// The bag is published whether or not this succeeds. Nothing is flushed, so that the process ends at once: should the folder be
    /// there again after a loss of power, its journal says that the bag is complete.
    ///
    /// `held` is what keeps the journal open and locked: only when it is closed can every file system remove the folder.
    pub(crate) fn clean_up<T>(&self, held: T) {
        let removed = self.work.remove();
        drop(held);
        if let Err(error) = removed.and_then(|()| self.work.remove_emptied()) {
            tracing::warn!(folder = %self.work.path().display(), %error, "the run's work folder could not be removed");
        }
    }
}

/// What this is, where it is no regular file.
pub(crate) fn other_than_file(found: FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_char_device() || found.is_block_device() {
            return Some("a device");
        }
        if found.is_fifo() {
            return Some("a pipe");
        }
        if found.is_socket() {
            return Some("a socket");
        }
    }
    if found.is_symlink() {
        Some("a symbolic link")
    } else if found.is_dir() {
        Some("a folder")
    } else {
        (!found.is_file()).then_some("no regular file")
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> SinkError {
    SinkError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
