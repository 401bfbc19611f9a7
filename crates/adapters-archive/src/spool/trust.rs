//! Whose a folder or file is, before it is believed or written to.
//!
//! The folder that a bag is written in may be shared: whoever else may write there can put a work folder, or a link of its name, in
//! the way of a run to come. Only what belongs to this user, what nobody else can write to, and what is no link, is used.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a folder or file is not used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Distrust {
    /// It leads elsewhere.
    #[error("`{}` is a symbolic link", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// It is neither a folder nor a regular file, or the wrong one of them.
    #[error("`{}` is not {expected}", path.display())]
    OtherKind {
        /// What is there.
        path: PathBuf,
        /// What has to be there.
        expected: &'static str,
    },
    /// Somebody else's.
    #[error("`{}` belongs to another user (uid {owner})", path.display())]
    OtherOwner {
        /// What is there.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others can write to it.
    #[error("`{}` can be written to by other users (mode {mode:04o})", path.display())]
    WritableByOthers {
        /// What is there.
        path: PathBuf,
        /// Its access rights.
        mode: u32,
    },
    /// It has a second name elsewhere.
    #[error("`{}` is a hard link: the file has another name too", path.display())]
    SeveralNames {
        /// The file.
        path: PathBuf,
    },
}

impl From<Distrust> for io::Error {
    fn from(distrust: Distrust) -> Self {
        Self::other(distrust)
    }
}

impl Distrust {
    /// The reason inside an error, where it is one of these.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// What has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Folder,
    File,
    /// A file that may have its final name beside the one in the work folder: a kill between a link and an unlink leaves both.
    FileOfTwoNames,
}

impl Expected {
    fn words(self) -> &'static str {
        match self {
            Self::Folder => "a folder",
            Self::File | Self::FileOfTwoNames => "a regular file",
        }
    }
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    is_link: bool,
    is_expected: bool,
    owner: u32,
    mode: u32,
    names: u64,
}

/// Who this process is, as the file system shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Own {
    owner: u32,
    /// Whether access rights are kept as they are set: mounts of FAT and SMB show the same for all files.
    keeps_modes: bool,
}

fn judge(path: &Path, expected: Expected, found: Found, own: Own) -> Result<(), Distrust> {
    let path = || path.to_path_buf();
    if found.is_link {
        return Err(Distrust::Link { path: path() });
    }
    if !found.is_expected {
        return Err(Distrust::OtherKind {
            path: path(),
            expected: expected.words(),
        });
    }
    if found.owner != own.owner {
        return Err(Distrust::OtherOwner {
            path: path(),
            owner: found.owner,
        });
    }
    if found.mode & 0o022 != 0 && own.keeps_modes {
        return Err(Distrust::WritableByOthers {
            path: path(),
            mode: found.mode,
        });
    }
    if expected == Expected::File && found.names > 1 {
        return Err(Distrust::SeveralNames { path: path() });
    }
    Ok(())
}

/// Checks what was opened, or looked at without following links.
///
/// The owner is compared with this user. Where they differ, it is compared with the owner of a file that is made beside it now: an
/// NFS server may turn root into somebody else, and a FAT or SMB mount shows one owner for everything.
#[cfg(unix)]
pub(crate) fn check(metadata: &Metadata, path: &Path, expected: Expected) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let found = Found {
        is_link: metadata.is_symlink(),
        is_expected: match expected {
            Expected::Folder => metadata.is_dir(),
            Expected::File | Expected::FileOfTwoNames => metadata.is_file(),
        },
        owner: metadata.uid(),
        mode: metadata.mode() & 0o7777,
        names: metadata.nlink(),
    };
    let usual = Own {
        owner: rustix::process::geteuid().as_raw(),
        keeps_modes: true,
    };
    match judge(path, expected, found, usual) {
        Err(Distrust::OtherOwner { .. } | Distrust::WritableByOthers { .. }) => {
            let own = own_at(path, expected).unwrap_or(usual);
            Ok(judge(path, expected, found, own)?)
        }
        judged => Ok(judged?),
    }
}

/// Systems without owners have nothing to compare.
#[cfg(not(unix))]
pub(crate) fn check(metadata: &Metadata, path: &Path, expected: Expected) -> io::Result<()> {
    let found = Found {
        is_link: metadata.is_symlink(),
        is_expected: match expected {
            Expected::Folder => metadata.is_dir(),
            Expected::File | Expected::FileOfTwoNames => metadata.is_file(),
        },
        owner: 0,
        mode: 0,
        names: 1,
    };
    let own = Own {
        owner: 0,
        keeps_modes: true,
    };
    Ok(judge(path, expected, found, own)?)
}

/// What the file system makes of something that this process makes beside `path`.
#[cfg(unix)]
fn own_at(path: &Path, expected: Expected) -> io::Result<Own> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let parent = super::files::parent_of(path);
    let made = match expected {
        Expected::Folder => tempfile::Builder::new()
            .prefix(".uforge-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)?
            .path()
            .symlink_metadata()?,
        // Not one without a name: its access rights are the umask's, which says nothing of the file system.
        Expected::File | Expected::FileOfTwoNames => tempfile::Builder::new()
            .prefix(".uforge-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(parent)?
            .as_file()
            .metadata()?,
    };
    Ok(Own {
        owner: made.uid(),
        keeps_modes: made.mode() & 0o777 | 0o700 == 0o700,
    })
}

/// Opens a folder of this user's own, following no link.
pub fn open_own_folder(path: &Path) -> io::Result<File> {
    // With a slash behind it, a link would be followed.
    let path: PathBuf = path.components().collect();
    let opened = open_folder(&path);
    let folder = match opened {
        Ok(folder) => folder,
        Err(error) => {
            // What stands there instead says more than the system's word.
            check(&path.symlink_metadata()?, &path, Expected::Folder)?;
            return Err(error);
        }
    };
    check(&folder.metadata()?, &path, Expected::Folder)?;
    Ok(folder)
}

#[cfg(unix)]
fn open_folder(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_folder(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.is_dir() {
        File::open(path)
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read what is there.
    Read,
    /// To read and write what is there.
    Write,
    /// The same, and it is made where it is missing.
    Create,
}

/// Opens a file of this user's own in a folder that was opened before, following no link. What it holds is left alone.
#[cfg(unix)]
pub fn open_own_file(folder: &File, path: &Path, access: Access) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    // Opening a pipe of that name must not block.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = flags
        | match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
            Access::Create => OFlags::RDWR | OFlags::CREATE,
        };
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(folder, name, flags, mode) {
        Ok(file) => {
            let file = File::from(file);
            check(&file.metadata()?, path, Expected::File)?;
            Ok(file)
        }
        Err(rustix::io::Errno::LOOP) => Err(Distrust::Link {
            path: path.to_path_buf(),
        }
        .into()),
        // A pipe without a writer, a socket.
        Err(rustix::io::Errno::NXIO) => Err(Distrust::OtherKind {
            path: path.to_path_buf(),
            expected: Expected::File.words(),
        }
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a file of this user's own, following no link. What it holds is left alone.
#[cfg(not(unix))]
pub fn open_own_file(_folder: &File, path: &Path, access: Access) -> io::Result<File> {
    if let Ok(found) = path.symlink_metadata() {
        check(&found, path, Expected::File)?;
    }
    fs::OpenOptions::new()
        .read(true)
        .write(access != Access::Read)
        .create(access == Access::Create)
        .truncate(false)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 1000;
    const OWN: Own = Own {
        owner: ME,
        keeps_modes: true,
    };
    const MINE: Found = Found {
        is_link: false,
        is_expected: true,
        owner: ME,
        mode: 0o700,
        names: 1,
    };

    fn judged(found: Found, own: Own) -> Result<(), Distrust> {
        judge(Path::new("x"), Expected::File, found, own)
    }

    #[test]
    fn only_what_is_this_user_s_alone_is_trusted() {
        assert_eq!(judged(MINE, OWN), Ok(()));
        let foreign = Found {
            owner: 1001,
            ..MINE
        };
        assert!(matches!(
            judged(foreign, OWN),
            Err(Distrust::OtherOwner { owner: 1001, .. })
        ));
        for mode in [0o720, 0o702, 0o777, 0o1777] {
            let open = Found { mode, ..MINE };
            assert!(matches!(
                judged(open, OWN),
                Err(Distrust::WritableByOthers { .. })
            ));
        }
        let link = Found {
            is_link: true,
            ..MINE
        };
        assert!(matches!(judged(link, OWN), Err(Distrust::Link { .. })));
        let pipe = Found {
            is_expected: false,
            ..MINE
        };
        assert!(matches!(judged(pipe, OWN), Err(Distrust::OtherKind { .. })));
        let named_twice = Found { names: 2, ..MINE };
        assert!(matches!(
            judged(named_twice, OWN),
            Err(Distrust::SeveralNames { .. })
        ));
    }

    #[test]
    fn a_mount_that_shows_one_owner_and_one_mode_for_all_is_used() {
        let squashed = Own {
            owner: 65_534,
            keeps_modes: true,
        };
        let found = Found {
            owner: 65_534,
            ..MINE
        };
        assert_eq!(judged(found, squashed), Ok(()));
        let fat = Own {
            owner: ME,
            keeps_modes: false,
        };
        let found = Found {
            mode: 0o777,
            ..MINE
        };
        assert_eq!(judged(found, fat), Ok(()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_write_to_is_refused_where_access_rights_are_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, "x").unwrap();
        let opened = File::open(folder.path()).unwrap();
        for mode in [0o600, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            open_own_file(&opened, &path, Access::Write).unwrap();
        }
        for mode in [0o666, 0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = open_own_file(&opened, &path, Access::Write).unwrap_err();
            assert!(matches!(
                Distrust::of(&error),
                Some(Distrust::WritableByOthers { .. })
            ));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
