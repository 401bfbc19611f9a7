//! The work folder beside the final file, and the files in it: the unfinished bag, the journal, and bodies that wait
//! ([`Stage`]).
//!
//! Everything in here is its owner's alone (folder 0700, files 0600) whatever the umask is.

mod stage;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use stage::{BodyWriter, NamedStage, Stage, StageRoom};

const SUFFIX: &str = ".uforge-run";
const STAGE: &str = "stage-";

/// The work folder of a final file: `.<its name>.uforge-run` beside it.
#[derive(Clone, Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    pub(crate) fn beside(parent: &Path, file_name: &str) -> Self {
        Self {
            path: parent.join(format!(".{file_name}{SUFFIX}")),
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

    /// Makes the folder unless it is there.
    pub(crate) fn create(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.path.is_dir() => {}
            result => result?,
        }
        restrict(&self.path, 0o700)
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
        remove_if_there(&self.journal())?;
        fs::remove_dir(&self.path)
    }
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file to read and write, makes it where it is not there, and leaves what it holds alone.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    restrict(path, 0o600)?;
    Ok(file)
}

/// Access rights as they must be, whatever the umask made of them.
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o7777 != mode {
            return fs::set_permissions(path, fs::Permissions::from_mode(mode));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Flushes a folder's list of names.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}
