//! The folder that one running service has for itself.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use adapters_archive::{Access, Distrust, LockRefused, LockedFile, open_own_file, open_own_folder};
use domain::jobs::JobId;
use thiserror::Error;

use crate::sqlite::{HEAD_BYTES, is_ours};

use super::folders::{OWNER_ONLY, make_folder, sync_folder};

/// Says that a folder is one of this service's.
const MARKER: &str = "uforge-export-server";
const MARKER_TEXT: &str =
    "This folder belongs to uforge-export-server. Do not change what is in it.\n";
const LOCK: &str = "lock";
const LOCK_HOLDER: &str = "lock-holder";
/// Made by file systems, in their topmost folder.
const NOBODYS: &str = "lost+found";
const DATABASE: &str = "jobs.sqlite";
/// It and the two files that SQLite keeps beside it.
const DATABASE_FILES: [&str; 3] = [DATABASE, DATABASE_LOG, "jobs.sqlite-shm"];
/// What SQLite keeps beside it: what was written last may be there only.
const DATABASE_LOG: &str = "jobs.sqlite-wal";
const BAGS: &str = "bags";
const INNER_FOLDERS: [&str; 2] = [BAGS, "work"];

/// Why the data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataFolderError {
    /// Another service works in it.
    #[error("another service is using `{}`", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Another service works in it, as a file says: this file system has no locks.
    #[error("another service ({holder}) is using `{}`, as `{}` says: remove that file if it has ended", path.display(), claim.display())]
    Claimed {
        /// The folder.
        path: PathBuf,
        /// The file.
        claim: PathBuf,
        /// The process.
        holder: String,
    },
    /// It holds other things.
    #[error(
        "`{}` holds other things (`{}`): name a new folder, or one that this service made; nothing was changed",
        path.display(),
        other.escape_debug()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Something that is in it.
        other: String,
    },
    /// No service has worked in it.
    #[error("`{}` is not a data folder of this service", path.display())]
    NoData {
        /// The folder.
        path: PathBuf,
    },
    /// Its database is lost, and something else of it is there: with a new one that would be deleted.
    #[error(
        "`{}` is missing, although `{}` is there: put a backup in its place, or move what is left away; nothing was deleted",
        database.display(),
        left.display()
    )]
    LostDatabase {
        /// The database.
        database: PathBuf,
        /// What is left: the folder of archives, or the database's log.
        left: PathBuf,
    },
    /// It, or something in it, is not the service's own.
    #[error(
        "the data folder has to be this user's own, no link, and closed to others (`chmod 700`)"
    )]
    Distrusted(#[source] Distrust),
    /// It cannot be made, read or locked.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// The folder that one running service has for itself. The lock goes with the process, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: LockedFile,
}

impl DataFolder {
    /// Makes the folder where it is missing, closes it to others, and locks it. What somebody else made, or could have put
    /// something into, and what holds other things, is refused and left as it is.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let path = without_slash(path);
        if path.symlink_metadata().is_err() {
            make_folder(&path).map_err(unusable("create the folder", &path))?;
        }
        let folder = open_own_folder(&path).map_err(unusable("open the folder", &path))?;
        let is_marked = is_marked(&folder, &path)?;
        if !is_marked {
            check_is_new(&folder, &path)?;
        }
        for name in INNER_FOLDERS {
            let inner = path.join(name);
            if inner.symlink_metadata().is_ok() {
                open_own_folder(&inner).map_err(unusable("open the folder", &inner))?;
            }
        }
        close_to_others(&folder).map_err(unusable("close to others the folder", &path))?;
        let lock = lock(&folder, &path)?;
        check_database(&path)?;
        if !is_marked {
            mark(&folder, &path).map_err(unusable("write to the folder", &path))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// The database of a folder that a service may be using.
    pub fn database_beside(path: &Path) -> Result<PathBuf, DataFolderError> {
        let path = without_slash(path);
        let folder = open_own_folder(&path).map_err(unusable("open the folder", &path))?;
        let database = path.join(DATABASE);
        if is_marked(&folder, &path)? && database.symlink_metadata().is_ok() {
            Ok(database)
        } else {
            Err(DataFolderError::NoData { path })
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// With a slash behind it, a link would be followed.
fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

fn unusable(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> DataFolderError + use<> {
    let path = path.to_owned();
    move |source| match Distrust::of(&source) {
        Some(distrust) => DataFolderError::Distrusted(distrust.clone()),
        None => DataFolderError::Io {
            action,
            path,
            source,
        },
    }
}

fn is_marked(folder: &fs::File, path: &Path) -> Result<bool, DataFolderError> {
    let marker = path.join(MARKER);
    let file = match open_own_file(folder, &marker, Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(unusable("open", &marker))?,
    };
    let mut text = Vec::new();
    let read = file.take(MARKER_TEXT.len() as u64).read_to_end(&mut text);
    read.map_err(unusable("read", &marker))?;
    // The beginning alone is a mark that a loss of power cut off.
    Ok(MARKER_TEXT.as_bytes().starts_with(&text))
}

/// What is empty is new; so is what a start left that was killed before it set its mark, or an early version, which set none. What
/// holds a database of this service, a backup that was put there, is the service's own.
fn check_is_new(folder: &fs::File, path: &Path) -> Result<(), DataFolderError> {
    let has_database = holds_database(folder, path)?;
    let has_lock = path.join(LOCK).symlink_metadata().is_ok();
    let listed = fs::read_dir(path).map_err(unusable("list the folder", path))?;
    for entry in listed {
        let entry = entry.map_err(unusable("list the folder", path))?;
        let other = entry.file_name().to_string_lossy().into_owned();
        let is_ours = [LOCK, LOCK_HOLDER, NOBODYS].contains(&other.as_str())
            || ((has_lock || has_database) && INNER_FOLDERS.contains(&other.as_str()))
            || (has_database && DATABASE_FILES.contains(&other.as_str()));
        if !is_ours {
            let path = path.to_owned();
            return Err(DataFolderError::NotOurs { path, other });
        }
    }
    Ok(())
}

fn holds_database(folder: &fs::File, path: &Path) -> Result<bool, DataFolderError> {
    let database = path.join(DATABASE);
    if database.symlink_metadata().is_err() {
        return Ok(false);
    }
    let file = open_own_file(folder, &database, Access::Read);
    let file = file.map_err(unusable("open", &database))?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = file.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(unusable("read", &database))?;
    Ok(is_ours(&head))
}

/// Whether a database that is not there was never made, or is lost.
fn check_database(path: &Path) -> Result<(), DataFolderError> {
    let database = path.join(DATABASE);
    match database.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map(drop).map_err(unusable("look at", &database)),
    }
    let (bags, log) = (path.join(BAGS), path.join(DATABASE_LOG));
    let has_log = log.symlink_metadata().is_ok_and(|log| log.len() > 0);
    let left = if has_log {
        log
    } else if holds_archives(&bags).map_err(unusable("list the folder", &bags))? {
        bags
    } else {
        return Ok(());
    };
    Err(DataFolderError::LostDatabase { database, left })
}

/// Whether there is something that is an export's.
fn holds_archives(bags: &Path) -> io::Result<bool> {
    let listed = match fs::read_dir(bags) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        listed => listed?,
    };
    for entry in listed {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| JobId::parse(name).is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn mark(folder: &fs::File, path: &Path) -> io::Result<()> {
    let mut file = open_own_file(folder, &path.join(MARKER), Access::Create)?;
    file.write_all(MARKER_TEXT.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

fn lock(folder: &fs::File, path: &Path) -> Result<LockedFile, DataFolderError> {
    let lock_path = path.join(LOCK);
    let file = open_own_file(folder, &lock_path, Access::Create);
    let file = file.map_err(unusable("open the lock", &lock_path))?;
    match LockedFile::try_lock(file, &path.join(LOCK_HOLDER)) {
        Ok(lock) => {
            if !lock.is_locked_by_system() {
                tracing::warn!(
                    "the file system of `{}` cannot lock: a file says which process uses it",
                    path.display()
                );
            }
            Ok(lock)
        }
        Err(LockRefused::Held) => Err(DataFolderError::InUse {
            path: path.to_owned(),
        }),
        Err(LockRefused::Claimed { claim, holder }) => Err(DataFolderError::Claimed {
            path: path.to_owned(),
            claim,
            holder,
        }),
        Err(LockRefused::Io(source)) => Err(unusable("lock", &lock_path)(source)),
    }
}

/// A file system that does not keep access rights has the same for all files.
fn close_to_others(folder: &fs::File) -> io::Result<()> {
    let now = folder.metadata()?.permissions();
    if now.mode() & 0o7777 == OWNER_ONLY {
        return Ok(());
    }
    match folder.set_permissions(fs::Permissions::from_mode(OWNER_ONLY)) {
        Err(error) if now.mode() & 0o022 == 0 => {
            tracing::warn!(%error, "the data folder cannot be closed to others: they may be able to read it");
            Ok(())
        }
        closed => closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_data_folder_that_is_not_the_service_s_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        set_mode(&elsewhere, 0o755);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        for path in [link.clone(), folder.path().join("link/")] {
            let refused = DataFolder::open(&path);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
        }
        assert_eq!(mode(&elsewhere), 0o755);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        for open in [0o777, 0o775, 0o1777] {
            set_mode(&elsewhere, open);
            let refused = DataFolder::open(&elsewhere);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
            assert_eq!(mode(&elsewhere), open);
        }
        set_mode(&elsewhere, 0o755);
        drop(DataFolder::open(&elsewhere).unwrap());
        assert_eq!(mode(&elsewhere), OWNER_ONLY);
    }

    #[test]
    fn a_folder_that_holds_other_things_is_refused_and_left_as_it_is() {
        for name in ["photo.jpg", "bags", ".profile", "jobs.sqlite"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), "dear to somebody").unwrap();
            set_mode(folder.path(), 0o755);
            let refused = DataFolder::open(folder.path()).unwrap_err();
            assert!(matches!(refused, DataFolderError::NotOurs { .. }), "{name}");
            assert!(refused.to_string().contains(name));
            assert_eq!(mode(folder.path()), 0o755);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_folder_of_the_service_is_used_again_whatever_is_in_it_by_then() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        fs::write(folder.path().join("jobs.sqlite"), "").unwrap();
        fs::write(folder.path().join("a note of the operator"), "").unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        let found = DataFolder::database_beside(folder.path()).unwrap();
        assert_eq!(found, folder.path().join("jobs.sqlite"));
    }

    #[test]
    fn a_backup_that_was_put_into_a_new_folder_makes_it_the_service_s_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut head = b"SQLite format 3\0".to_vec();
        head.resize(68, 0);
        head.extend(b"UFEX");
        head.resize(4096, 0);
        let database = folder.path().join(DATABASE);
        fs::write(&database, &head).unwrap();
        set_mode(&database, 0o600);
        fs::create_dir(folder.path().join("bags")).unwrap();
        fs::write(folder.path().join("photo.jpg"), "").unwrap();
        let refused = DataFolder::open(folder.path());
        assert!(matches!(refused, Err(DataFolderError::NotOurs { .. })));
        fs::remove_file(folder.path().join("photo.jpg")).unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        assert!(folder.path().join(MARKER).exists());
    }

    #[test]
    fn a_start_that_was_killed_before_its_mark_is_made_up_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(LOCK), "").unwrap();
        fs::create_dir(folder.path().join("bags")).unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        assert!(folder.path().join(MARKER).exists());
        let none = DataFolder::database_beside(folder.path());
        assert!(matches!(none, Err(DataFolderError::NoData { .. })));
    }

    #[test]
    fn a_folder_whose_database_is_lost_is_refused_and_left_as_it_is() {
        const ID: &str = "0197a1b2-0000-7000-8000-000000000001";
        for left in [format!("bags/{ID}/bag.zip"), DATABASE_LOG.to_owned()] {
            let folder = tempfile::tempdir().unwrap();
            drop(DataFolder::open(folder.path()).unwrap());
            let left = folder.path().join(left);
            fs::create_dir_all(left.parent().unwrap()).unwrap();
            fs::write(&left, "dear to somebody").unwrap();
            let refused = DataFolder::open(folder.path()).unwrap_err();
            assert!(matches!(refused, DataFolderError::LostDatabase { .. }));
            assert!(refused.to_string().contains(DATABASE), "{refused}");
            assert_eq!(fs::read(&left).unwrap(), b"dear to somebody");
            fs::write(folder.path().join(DATABASE), "a backup").unwrap();
            drop(DataFolder::open(folder.path()).unwrap());
        }
        // Neither is something that a new database would cost.
        let folder = tempfile::tempdir().unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        fs::create_dir_all(folder.path().join("bags").join(NOBODYS)).unwrap();
        fs::write(folder.path().join(DATABASE_LOG), "").unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
    }

    #[test]
    fn links_inside_a_data_folder_are_not_followed() {
        for name in ["lock", "bags", "work", MARKER] {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            drop(DataFolder::open(&data).unwrap());
            let dear = folder.path().join("dear");
            match name {
                "bags" | "work" => fs::create_dir(&dear).unwrap(),
                _ => fs::write(&dear, "dear to somebody").unwrap(),
            }
            fs::remove_file(data.join(name)).ok();
            std::os::unix::fs::symlink(&dear, data.join(name)).unwrap();
            let refused = DataFolder::open(&data);
            assert!(
                matches!(refused, Err(DataFolderError::Distrusted(_))),
                "{name}"
            );
            if dear.is_file() {
                assert_eq!(fs::read(&dear).unwrap(), b"dear to somebody");
            }
        }
    }

    #[test]
    fn a_data_folder_serves_one_service_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        assert_eq!(mode(&path), OWNER_ONLY);
        let second = DataFolder::open(&path);
        assert!(matches!(second, Err(DataFolderError::InUse { .. })));
        drop(first);
        assert!(DataFolder::open(&path).is_ok());
    }
}
