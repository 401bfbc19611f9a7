//! The work folder beside the final file, and the files in it: the unfinished bag, the journal, and bodies that wait
//! ([`Stage`]).
//!
//! Everything in here is its owner's alone (folder 0700, files 0600) whatever the umask is, as far as the file system keeps access
//! rights; what is not this user's own is never used ([`trust`]).

mod abilities;
mod claim;
mod flush;
mod stage;
pub(crate) mod trust;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub(crate) use abilities::{Abilities, Naming, rename_without_replacing};
pub use claim::{LockRefused, LockedFile};
pub(crate) use flush::{is_unsupported, sync_file, sync_folder, sync_whole_file};
pub(crate) use stage::{BodyWriter, NamedStage, Stage, StageRoom};
pub(crate) use trust::{Access, Distrust, Expected};

const SUFFIX: &str = ".uforge-run";
const STAGE: &str = "stage-";
/// How often, and how long apart, the removal of a folder is tried.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// The work folder of a final file: `.<its name>.uforge-run` beside it.
#[derive(Clone, Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    /// The folder itself, once it was found to be this user's own: a name may lead elsewhere later.
    folder: Arc<Mutex<Option<Arc<File>>>>,
}

impl WorkFolder {
    pub(crate) fn beside(parent: &Path, file_name: &str) -> Self {
        Self {
            path: parent.join(format!(".{file_name}{SUFFIX}")),
            folder: Arc::default(),
        }
    }

    /// The name of the final file, where this is the name of a work folder.
    pub(crate) fn final_name(folder_name: &str) -> Option<&str> {
        let name = folder_name.strip_prefix('.')?.strip_suffix(SUFFIX)?;
        (!name.is_empty()).then_some(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bag(&self) -> PathBuf {
        self.path.join("bag")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    pub(crate) fn stage(&self, number: u32) -> PathBuf {
        self.path.join(format!("{STAGE}{number}"))
    }

    /// Says which process writes here, where the file system has no locks.
    pub(crate) fn claim(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The file that a bag replaces, for the moment until the bag has its name.
    pub(crate) fn replaced(&self) -> PathBuf {
        self.path.join("replaced")
    }

    /// Says that an empty file under the final name is this run's own.
    pub(crate) fn placeholder_mark(&self) -> PathBuf {
        self.path.join("name-taken")
    }

    /// Makes the folder unless it is there. One that is not this user's own is refused.
    pub(crate) fn create(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
        let folder = self.open()?;
        restrict(&folder, 0o700)
    }

    /// Opens the folder that is there. One that is not this user's own is refused.
    pub(crate) fn open(&self) -> io::Result<Arc<File>> {
        let folder = Arc::new(trust::open_own_folder(&self.path)?);
        *self.opened() = Some(Arc::clone(&folder));
        Ok(folder)
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Option<Arc<File>>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file in it; what is not this user's own is refused. A new one is its owner's alone.
    pub(crate) fn open_file(&self, path: &Path, access: Access) -> io::Result<File> {
        let opened = self.opened().clone();
        let folder = match opened {
            Some(folder) => folder,
            None => self.open()?,
        };
        let file = trust::open_own_file(&folder, path, access)?;
        if access == Access::Create {
            restrict(&file, 0o600)?;
        }
        Ok(file)
    }

    /// Whether nobody else can read what is in it.
    pub(crate) fn is_private(&self) -> io::Result<bool> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = self.path.symlink_metadata()?.permissions().mode();
            Ok(mode & 0o777 | 0o700 == 0o700)
        }
        #[cfg(not(unix))]
        Ok(true)
    }

    /// Numbers of the stage files that lie in it.
    pub(crate) fn stages(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(STAGE));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        Ok(numbers)
    }

    /// Takes everything away that a run leaves, the journal last: until then the run can still be recognised.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for number in self.stages()? {
            remove_if_there(&self.stage(number))?;
        }
        remove_if_there(&self.bag())?;
        remove_if_there(&self.placeholder_mark())?;
        remove_if_there(&self.replaced())?;
        for probe in abilities::PROBES {
            remove_if_there(&self.path.join(probe))?;
        }
        remove_if_there(&self.journal())?;
        match fs::remove_dir(&self.path) {
            Err(error) if is_held(&error) => Ok(()),
            removed => removed,
        }
    }

    /// Removes the folder once its journal is closed, where it could not be removed before: network file systems keep a file that is
    /// removed while it is open, under another name. One that another run has begun in stays.
    pub(crate) fn remove_emptied(&self) -> io::Result<()> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) if is_held(&error) => {
                    if self.journal().symlink_metadata().is_ok() {
                        return Ok(());
                    }
                    if attempts == 0 {
                        return Err(error);
                    }
                }
                removed => return removed,
            }
            // The system tells the file system of the closing a moment later.
            thread::sleep(PAUSE);
        }
    }
}

/// A folder that something is still in.
fn is_held(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::ResourceBusy
    )
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Access rights as they must be, whatever the umask made of them. A file system that does not keep them has the same for all files:
/// that is no reason to end a run, and is said once ([`Abilities`]).
fn restrict(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o7777 != mode {
            return match file.set_permissions(fs::Permissions::from_mode(mode)) {
                Err(error)
                    if error.kind() == io::ErrorKind::PermissionDenied
                        || is_unsupported(&error) =>
                {
                    Ok(())
                }
                changed => changed,
            };
        }
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

/// Cuts a file off at this length. Nothing is asked of the file system where nothing is to be cut.
pub(crate) fn cut(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() == length {
        return Ok(());
    }
    file.set_len(length)
}
