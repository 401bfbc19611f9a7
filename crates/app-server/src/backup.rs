//! `uforge-export-server backup`: a copy of the database, also while a server runs. Nothing of the server's is changed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use thiserror::Error;

use crate::compose::{StoreError, back_up};

/// Copies the database of a server into one file, also while the server runs, and checks the copy.
#[derive(Debug, Parser)]
#[command(
    name = "uforge-export-server backup",
    version,
    max_term_width = 100,
    after_help = "\
The copy holds every record, the audit trail, idempotency keys and, with --seal-credentials, sealed credentials, which nobody \
can open without the key file. It holds no password and no archive: copy the folder `bags` of the data folder beside it, in \
any way that copies files, after the backup. The key file and the service's own credentials are not in the data folder; keep \
copies of them elsewhere.\n\n\
To restore, stop the server, put the copy as `jobs.sqlite` and the copied `bags` into a new folder that is closed to others \
(mode 0700), and start the server with --data on it.\n\n\
Exit status: 0 the copy is there, 1 it could not be made, 2 wrong usage: FILE exists and --force is not given, FILE is in the \
data folder, or DIR is no data folder."
)]
pub(crate) struct BackupArgs {
    /// Folder of the server
    #[arg(long, env = "UFORGE_EXPORT_DATA", value_name = "DIR")]
    data: PathBuf,

    /// Where the copy goes
    file: PathBuf,

    /// Replace FILE where it exists
    #[arg(long)]
    force: bool,
}

/// Why there is no backup.
#[derive(Debug, Error)]
pub(crate) enum BackupCommandError {
    /// The database cannot be copied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would be lost together with what it is a copy of.
    #[error("`{}` is in the data folder: a backup belongs elsewhere", file.display())]
    InData {
        /// Where the copy was to go.
        file: PathBuf,
    },
    /// Standard output takes nothing.
    #[error("could not write to standard output")]
    Output(#[from] io::Error),
}

impl BackupCommandError {
    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) if error.is_copy_there() => {
                Some("name another file, or replace it with `--force`")
            }
            _ => None,
        }
    }
}

/// Makes the copy, and says where it is.
pub(crate) async fn run(args: &BackupArgs) -> Result<(), BackupCommandError> {
    if is_in(&args.file, &args.data) {
        let file = args.file.clone();
        return Err(BackupCommandError::InData { file });
    }
    back_up(&args.data, &args.file, args.force).await?;
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", args.file.display()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a file that need not exist would be somewhere in this folder.
fn is_in(file: &Path, folder: &Path) -> bool {
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (Ok(parent), Ok(folder)) = (parent.canonicalize(), folder.canonicalize()) else {
        return false;
    };
    parent.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        BackupArgs::command().debug_assert();
    }

    #[test]
    fn a_file_below_the_data_folder_is_found_by_any_way_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("bags")).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        for inside in [
            data.join("copy"),
            data.join("bags/copy"),
            link.join("jobs.sqlite"),
            folder.path().join("data/../data/copy"),
        ] {
            assert!(is_in(&inside, &data), "{}", inside.display());
        }
        assert!(!is_in(&folder.path().join("data-copy"), &data));
    }
}
