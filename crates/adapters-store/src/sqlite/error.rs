//! Why a database cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use adapters_archive::Distrust;
use domain::jobs::JobStoreError;
use sqlx::Sqlite;
use thiserror::Error;

use crate::columns::RowError;
use crate::failure::{Engine, said_once};

/// Why a database cannot be opened, or copied.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// A newer version of this program made it.
    #[error(
        "`{}` was written by a newer version of this program (format {found}, known is {known}): use that version; nothing was changed",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// It is not whole, or no database.
    #[error(
        "`{}` is damaged ({detail}): put a backup in its place; nothing was changed",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// It is the database of another program.
    #[error("`{}` is not a database of this program; nothing was changed", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// An older version made it, and it is only to be read.
    #[error(
        "`{}` was written by an older version of this program (format {found}): start the service once, which migrates it",
        path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// It, or its folder, is not the service's own.
    #[error("the database has to be this user's own file, no link, and closed to others")]
    Distrusted(#[source] Distrust),
    /// Where a copy was to be made, there is a file already.
    #[error("`{}` exists already: name a new file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses something.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// SQLite refuses something.
    #[error("could not {action} `{}`", path.display())]
    Sqlite {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        #[source]
        source: RowError,
    },
}

impl DatabaseError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match Distrust::of(&source) {
            Some(distrust) => Self::Distrusted(distrust.clone()),
            None => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    pub(super) fn sqlite(action: &'static str, path: &Path) -> impl FnOnce(sqlx::Error) -> Self {
        let path = path.to_owned();
        move |source| match damage(&source) {
            Some(detail) => Self::Damaged { path, detail },
            None => Self::Sqlite {
                action,
                path,
                source: said_once(source),
            },
        }
    }
}

/// What statements about jobs fail with.
pub(super) type Failure = crate::failure::Failure<Sqlite, JobStoreError>;

impl Engine for Sqlite {
    /// `SQLITE_FULL`, and what the system says where SQLite has no word of its own for it.
    fn is_full(error: &sqlx::Error) -> bool {
        if let sqlx::Error::Io(error) = error {
            return matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            );
        }
        code(error).is_some_and(|code| code & 0xff == 13)
    }
}

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// What SQLite says of a file that is no whole database: `SQLITE_CORRUPT` and `SQLITE_NOTADB`, in their extended forms too.
fn damage(error: &sqlx::Error) -> Option<String> {
    let message = error.as_database_error()?.message();
    matches!(code(error)? & 0xff, 11 | 26).then(|| message.to_owned())
}
