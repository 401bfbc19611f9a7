//! Why a run cannot begin or go on.

use std::io;
use std::path::{Path, PathBuf};

use domain::ports::SinkError;
use thiserror::Error;

use crate::encrypt::EncryptionError;
use crate::spool::Distrust;

/// Why the bag cannot be opened for writing.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder that the bag is to be in does not exist.
    #[error("the folder `{}` does not exist", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The bag's name is a folder's.
    #[error("`{}` is a folder", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The bag's name is none: it ends in `..`, or is not Unicode.
    #[error("`{}` cannot be the name of a bag", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The final name is taken.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder cannot be written to.
    #[error("cannot write in `{}`", path.display())]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The disk or the quota is full.
    #[error("no space left for `{}`", path.display())]
    NoSpace {
        /// What was to be written.
        path: PathBuf,
    },
    /// Another process writes this bag.
    #[error("another run is writing `{}`", path.display())]
    Locked {
        /// The bag.
        path: PathBuf,
    },
    /// A process of another machine writes this bag, or did when it was cut off: the file system cannot lock.
    #[error("another run ({holder}) is writing `{}`, as `{}` says", path.display(), claim.display())]
    Claimed {
        /// The bag.
        path: PathBuf,
        /// The file that says so.
        claim: PathBuf,
        /// The process.
        holder: String,
    },
    /// What has the final name is no file that could be replaced: a device, a pipe, a socket, a link.
    #[error("`{}` is {kind}: no bag can be written there", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The work folder, or something in it, is not this user's own.
    #[error("`{}` is not used", path.display())]
    Distrusted {
        /// The work folder, or what is in it.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Distrust,
    },
    /// The file system does not take so long a name.
    #[error("the name `{}` is too long", path.display())]
    NameTooLong {
        /// The name of the work folder.
        path: PathBuf,
    },
    /// The file system cannot rename: no bag could be given its final name.
    #[error("files cannot be renamed in `{}`", path.display())]
    CannotRename {
        /// The folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Nothing can be kept beside what goes to standard output.
    #[error("cannot write in `{}`, the folder for temporary files", path.display())]
    NoTemporary {
        /// The folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// What an interrupted run left belongs to another order.
    #[error("an unfinished run for `{}` is of {difference}", path.display())]
    OtherOrder {
        /// The bag.
        path: PathBuf,
        /// In what they differ.
        difference: &'static str,
    },
    /// The journal of an interrupted run is damaged.
    #[error("line {line} of the journal `{}` is damaged", path.display())]
    JournalDamaged {
        /// The journal.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// The journal of an interrupted run was written by another version of the program.
    #[error("the journal `{}` has the form {version}, which this program does not read", path.display())]
    JournalVersion {
        /// The journal.
        path: PathBuf,
        /// The form it says it has.
        version: u32,
    },
    /// The unfinished bag is not what its journal says.
    #[error("the unfinished bag `{}` is not what its journal says", path.display())]
    BagDamaged {
        /// The unfinished bag.
        path: PathBuf,
    },
    /// The bag cannot be encrypted as asked.
    #[error("the bag cannot be encrypted")]
    Encryption(#[from] EncryptionError),
    /// A complete bag of an interrupted run could not be given its final name.
    #[error("the finished bag could not be published")]
    Publish(#[source] SinkError),
    /// Something else of the disk.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => {
                Some("use `--force` to replace it, or another name with `--output`")
            }
            Self::OtherOrder { .. } => Some(
                "repeat the command that was interrupted, use `--restart` to begin anew, or another name with `--output`",
            ),
            Self::JournalDamaged { .. } | Self::JournalVersion { .. } | Self::BagDamaged { .. } => {
                Some("use `--restart` to begin anew; nothing under the final name is touched")
            }
            Self::Locked { .. } => Some("wait until it ends, or use another name with `--output`"),
            Self::NoFolder { .. } | Self::IsFolder { .. } | Self::NoName { .. } => {
                Some("name a file, or a folder that exists, with `--output`")
            }
            Self::NotWritable { .. } => Some("name a folder that you may write to with `--output`"),
            Self::Claimed { .. } => Some(
                "if that process has ended, remove the file that says so, and repeat the command",
            ),
            Self::NotAFile { .. } => {
                Some("name a file with `--output`; `--output -` is standard output")
            }
            Self::Distrusted { .. } => Some(
                "only what is yours alone is written to: name another file with `--output`, or look who made it and remove it",
            ),
            Self::NameTooLong { .. } => Some("name a shorter one with `--output`"),
            Self::CannotRename { .. } => Some(
                "name a folder on another file system with `--output`, and copy the bag from there",
            ),
            Self::NoTemporary { .. } => {
                Some("set TMPDIR to a folder that exists and that you may write to")
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::IsADirectory => Some(
                "a folder is where the run has to keep a file: look who made it and remove it, or name another file with `--output`",
            ),
            Self::NoSpace { .. } | Self::Encryption(_) | Self::Publish(_) | Self::Io { .. } => None,
        }
    }

    /// Maps the system's word to what it means here.
    pub(super) fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            _ if Distrust::of(&source).is_some() => Self::distrusted(path, &source),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace {
                path: path.to_path_buf(),
            },
            _ => Self::Io {
                action,
                path: path.to_path_buf(),
                source,
            },
        }
    }

    fn distrusted(path: &Path, error: &io::Error) -> Self {
        match Distrust::of(error) {
            Some(source) => Self::Distrusted {
                path: path.to_path_buf(),
                source: source.clone(),
            },
            None => Self::Io {
                action: "use",
                path: path.to_path_buf(),
                source: io::Error::new(error.kind(), error.to_string()),
            },
        }
    }
}
