//! The folder that one running service has for itself: closed to others, locked, and trusted only where nobody else made it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use adapters_archive::{Access, Distrust, LockRefused, LockedFile, open_own_file, open_own_folder};
use thiserror::Error;

/// The access rights of every folder of the service.
pub(super) const OWNER_ONLY: u32 = 0o700;

/// Why the data folder cannot be used.
#[derive(Debug, Error)]
pub(crate) enum DataFolderError {
    /// Another service works in it.
    #[error("another service is using `{}`", path.display())]
    InUse { path: PathBuf },
    /// Another service works in it, as a file says: this file system has no locks.
    #[error("another service ({holder}) is using `{}`, as `{}` says: remove that file if it has ended", path.display(), claim.display())]
    Claimed {
        path: PathBuf,
        claim: PathBuf,
        holder: String,
    },
    /// It, or something in it, is not the service's own.
    #[error(
        "the data folder has to be this user's own, no link, and closed to others (`chmod 700`)"
    )]
    Distrusted(#[source] Distrust),
    /// It cannot be made, read or locked.
    #[error("could not {action} `{}`", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The folder that one running service has for itself. The lock goes with the process, however it ends.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: LockedFile,
}

impl DataFolder {
    /// Makes the folder where it is missing, closes it to others, and locks it. What somebody else made, or could have put
    /// something into, is refused.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        // With a slash behind it, a link would be followed.
        let path: PathBuf = path.components().collect();
        if path.symlink_metadata().is_err() {
            make_folder(&path).map_err(unusable("create the folder", &path))?;
        }
        let folder = open_own_folder(&path).map_err(unusable("open the folder", &path))?;
        close_to_others(&folder).map_err(unusable("close to others the folder", &path))?;
        let bags = path.join("bags");
        if bags.symlink_metadata().is_ok() {
            open_own_folder(&bags).map_err(unusable("open the folder", &bags))?;
        }
        let lock_path = path.join("lock");
        let lock = open_own_file(&folder, &lock_path, Access::Create)
            .map_err(unusable("open the lock", &lock_path))?;
        match LockedFile::try_lock(lock, &path.join("lock-holder")) {
            Ok(lock) => {
                if !lock.is_locked_by_system() {
                    tracing::warn!(
                        "the file system of `{}` cannot lock: a file says which process uses it",
                        path.display()
                    );
                }
                Ok(Self { path, _lock: lock })
            }
            Err(LockRefused::Held) => Err(DataFolderError::InUse { path }),
            Err(LockRefused::Claimed { claim, holder }) => Err(DataFolderError::Claimed {
                path,
                claim,
                holder,
            }),
            Err(LockRefused::Io(source)) => Err(unusable("lock", &lock_path)(source)),
        }
    }

    /// Where bags are.
    pub(crate) fn bags(&self) -> PathBuf {
        self.path.join("bags")
    }
}

fn unusable(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataFolderError {
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

/// Makes a folder that is its owner's alone.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY)
        .create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_that_is_not_the_service_s_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        for path in [link.clone(), folder.path().join("link/")] {
            let refused = DataFolder::open(&path);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&elsewhere), 0o755);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        for open in [0o777, 0o775, 0o1777] {
            fs::set_permissions(&elsewhere, fs::Permissions::from_mode(open)).unwrap();
            let refused = DataFolder::open(&elsewhere);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
            assert_eq!(mode(&elsewhere), open);
        }
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        drop(DataFolder::open(&elsewhere).unwrap());
        assert_eq!(mode(&elsewhere), OWNER_ONLY);
    }

    #[test]
    fn links_inside_a_data_folder_are_not_followed() {
        for name in ["lock", "bags"] {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            drop(DataFolder::open(&data).unwrap());
            let dear = folder.path().join("dear");
            match name {
                "lock" => fs::write(&dear, "dear to somebody").unwrap(),
                _ => fs::create_dir(&dear).unwrap(),
            }
            fs::remove_file(data.join(name)).ok();
            std::os::unix::fs::symlink(&dear, data.join(name)).unwrap();
            let refused = DataFolder::open(&data);
            assert!(matches!(refused, Err(DataFolderError::Distrusted(_))));
            if name == "lock" {
                assert_eq!(fs::read(&dear).unwrap(), b"dear to somebody");
            }
        }
    }

    #[test]
    fn a_data_folder_serves_one_service_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        let second = DataFolder::open(&path);
        assert!(matches!(second, Err(DataFolderError::InUse { .. })));
        drop(first);
        assert!(DataFolder::open(&path).is_ok());
    }
}
