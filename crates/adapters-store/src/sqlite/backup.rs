//! A copy of the database while a service uses it.

use std::path::{Path, PathBuf};

use adapters_archive::Replace;

use super::error::DatabaseError;
use super::migrate::{STEPS, copy_and_check, inspect, sync_folder_of};

/// Copies a database, in use or not, into a file that only this user can read. The copy has its name only once it is whole, checked
/// and on disk. One of a newer version, a damaged one and another program's are refused.
pub(super) async fn back_up(
    database: &Path,
    copy: &Path,
    replace: Replace,
) -> Result<(), DatabaseError> {
    inspect(database, STEPS).await?;
    if replace == Replace::Refuse && copy.symlink_metadata().is_ok() {
        let path = copy.to_owned();
        return Err(DatabaseError::Exists { path });
    }
    let unfinished = tempfile::Builder::new()
        .prefix(".uforge-export-backup-")
        .tempfile_in(folder_of(copy))
        .map_err(DatabaseError::io("create", copy))?;
    copy_and_check(database, unfinished.path()).await?;
    let named = match replace {
        Replace::Force => unfinished.persist(copy),
        Replace::Refuse => unfinished.persist_noclobber(copy),
    };
    named.map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => DatabaseError::Exists {
            path: copy.to_owned(),
        },
        _ => DatabaseError::io("create", copy)(error.error),
    })?;
    sync_folder_of(copy)
}

/// A name alone is in the working folder.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
