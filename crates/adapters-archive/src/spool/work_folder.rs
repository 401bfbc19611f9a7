//! The work folder beside the final file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::files::remove_if_there;
use super::flush::is_unsupported;
use super::pause::pause;
use super::trust::{self, Access};

const SUFFIX: &str = ".uforge-run";
const SPOOL_FILE: &str = "spool-";
/// The prefix of spool files that earlier versions of the program wrote. They are removed too.
const SPOOL_FILE_BEFORE: &str = "stage-";
/// What a file system is tried out with.
pub(super) const PROBES: [&str; 2] = ["probe-1", "probe-2"];
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

    pub(crate) fn spool_file(&self, number: u32) -> PathBuf {
        self.path.join(format!("{SPOOL_FILE}{number}"))
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

    /// Numbers of the spool files that are in it.
    pub(crate) fn spool_files(&self) -> io::Result<Vec<u32>> {
        self.numbers_behind(SPOOL_FILE)
    }

    fn numbers_behind(&self, prefix: &str) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(prefix));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        Ok(numbers)
    }

    /// Removes all files of a run, the journal last: until then the run can still be recognised.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for prefix in [SPOOL_FILE, SPOOL_FILE_BEFORE] {
            for number in self.numbers_behind(prefix)? {
                remove_if_there(&self.path.join(format!("{prefix}{number}")))?;
            }
        }
        remove_if_there(&self.bag())?;
        self.restore_name()?;
        remove_if_there(&self.placeholder_mark())?;
        for probe in PROBES {
            remove_if_there(&self.path.join(probe))?;
        }
        remove_if_there(&self.journal())?;
        match fs::remove_dir(&self.path) {
            Err(error) if is_held(&error) => Ok(()),
            removed => removed,
        }
    }

    /// Frees the final name of an empty file that only held it for the bag, and gives a file its name back that was to be replaced: a
    /// kill left them so. Where the name is taken by anything else, that is the bag, and the old file goes.
    fn restore_name(&self) -> io::Result<()> {
        let name = self.path.file_name().and_then(|name| name.to_str());
        let target = name.and_then(Self::final_name);
        let Some(target) = target.map(|name| self.path.with_file_name(name)) else {
            return Ok(());
        };
        let is_empty = |found: fs::Metadata| found.is_file() && found.len() == 0;
        let holds_name = target.symlink_metadata().is_ok_and(is_empty);
        if holds_name && self.placeholder_mark().symlink_metadata().is_ok() {
            remove_if_there(&target)?;
        }
        match target.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match fs::rename(self.replaced(), target) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                    renamed => renamed,
                }
            }
            _ => remove_if_there(&self.replaced()),
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
            // The file system learns a moment later that the journal was closed.
            pause(PAUSE);
        }
    }
}

/// Whether a folder was not removed because something is still in it.
fn is_held(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::ResourceBusy
    )
}

/// Sets access rights, whatever the umask made of them. A file system that does not keep them shows the same for all files: that
/// ends no run, and is said once ([`Abilities`]).
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
