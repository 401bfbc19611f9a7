//! What the file system of a work folder can do, found out before the first export starts.
//!
//! Network and user-space file systems often lack what a local one has. Each missing ability is replaced by the next best way; one
//! line of the log says once what that means.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use super::files::{parent_of, remove_if_there};
use super::flush::{try_sync_file, try_sync_folder};
use super::work_folder::{PROBES, WorkFolder};

/// How a bag gets its final name without replacing what has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `renameat2` with `RENAME_NOREPLACE`.
    Rename,
    /// A hard link, then the removal of the first name. A kill between leaves both names, which the next run sees.
    Link,
    /// The name is taken by an empty file that nobody had before, which the bag then replaces. A kill between leaves the empty
    /// file; a mark in the work folder says that it is the run's own.
    Placeholder,
    /// The same, where a rename replaces nothing: the empty file is removed just before.
    RemovedPlaceholder,
}

/// What a run has to know of its file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) naming: Naming,
    flushes_files: bool,
    flushes_folders: bool,
    is_private: bool,
}

impl Abilities {
    /// Tries everything out in the work folder. An error means that no bag can be named here.
    pub(crate) fn probe(work: &WorkFolder) -> io::Result<Self> {
        let [first, second] = PROBES.map(|name| work.path().join(name));
        let probed = Self::probe_with(work, &first, &second);
        for path in [first, second] {
            // What cannot be removed now is removed with the work folder.
            let _ = remove_if_there(&path);
        }
        probed
    }

    fn probe_with(work: &WorkFolder, first: &Path, second: &Path) -> io::Result<Self> {
        remove_if_there(first)?;
        remove_if_there(second)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(first)?;
        let flushes_files = try_sync_file(&file)?;
        drop(file);
        Ok(Self {
            naming: naming(first, second)?,
            flushes_files,
            flushes_folders: try_sync_folder(work.path())?
                && try_sync_folder(parent_of(work.path()))?,
            is_private: work.is_private()?,
        })
    }

    /// Says once what is done otherwise than usual here, and what that means.
    pub(crate) fn warn(self, work: &WorkFolder, locks: bool) {
        let mut missing = Vec::new();
        if !locks {
            missing.push("it cannot lock: a file says which process writes, and that is not seen from other machines in time");
        }
        match self.naming {
            Naming::Rename | Naming::Link => {}
            Naming::Placeholder | Naming::RemovedPlaceholder => {
                missing.push("it cannot rename without replacing, nor link: the bag's name is taken by an empty file first");
            }
        }
        if !self.flushes_files {
            missing.push("it cannot flush files: a loss of power may damage the bag");
        } else if !self.flushes_folders {
            missing.push("it cannot flush folders: a loss of power may undo the bag's name");
        }
        if !self.is_private {
            missing.push("it does not keep access rights: other users may be able to read the bag");
        }
        if !missing.is_empty() {
            tracing::warn!(
                "the file system of `{}` can do less than a local one: {}",
                parent_of(work.path()).display(),
                missing.join("; ")
            );
        }
    }
}

/// The first way that works with these two names, of which only the first is a file's.
fn naming(first: &Path, second: &Path) -> io::Result<Naming> {
    if rename_without_replacing(first, second).is_ok() {
        return Ok(Naming::Rename);
    }
    if fs::hard_link(first, second).is_ok() {
        fs::remove_file(first)?;
        return Ok(Naming::Link);
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(second)?;
    if fs::rename(first, second).is_ok() {
        return Ok(Naming::Placeholder);
    }
    fs::remove_file(second)?;
    fs::rename(first, second)?;
    Ok(Naming::RemovedPlaceholder)
}

/// Renames in one step that no other file can come between, where the system and the file system have that.
pub(crate) fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (from, to);
        Err(io::ErrorKind::Unsupported.into())
    }
}
