//! `uforge-export-server migrate-store`: from one process and its folder to stores that many processes share.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Parser;
use serde_json::json;
use thiserror::Error;

use crate::compose::{MoveError, move_stores};

/// Copies what a server keeps in its folder into the database and the store that many processes share. The folder stays as it is.
#[derive(Debug, Parser)]
#[command(
    name = "uforge-export-server migrate-store",
    version,
    max_term_width = 100,
    after_help = "\
Stop the server first, when no export is under way, and start no process on the database before this has ended. Where it is \
interrupted, the same command goes on. Failed exports cannot be retried afterwards: what they had begun stays in the folder.\n\n\
The last line on standard output says how much was copied, as JSON.\n\n\
Exit status: 0 everything is there, 1 it could not be copied, 2 wrong usage."
)]
pub(crate) struct MigrateArgs {
    /// Folder of the server
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,

    /// `PostgreSQL` database, as of a server
    #[arg(long, env = "UFORGE_EXPORT_DATABASE", value_name = "URL")]
    pub(crate) database: String,

    /// Store of archives, as of a server
    #[arg(long, env = "UFORGE_EXPORT_STORE", value_name = "URL")]
    pub(crate) store: String,

    /// Where that store is reached, if not at its usual address
    #[arg(long, env = "UFORGE_EXPORT_STORE_ENDPOINT", value_name = "URL")]
    pub(crate) store_endpoint: Option<String>,
}

/// Why not everything was copied.
#[derive(Debug, Error)]
pub(crate) enum MigrateError {
    /// The stores.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// Standard output takes nothing.
    #[error("could not write to standard output")]
    Output(#[from] io::Error),
}

impl MigrateError {
    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Move(error) => error.hint(),
            Self::Output(_) => None,
        }
    }

    /// Whether other arguments would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Move(error) => error.is_misconfiguration(),
            Self::Output(_) => false,
        }
    }
}

/// Copies everything, and says how much that was.
pub(crate) async fn run(args: &MigrateArgs) -> Result<(), MigrateError> {
    let moved = move_stores(
        &args.from,
        &args.database,
        &args.store,
        args.store_endpoint.as_deref(),
    )
    .await?;
    let line = json!({ "exports": moved.jobs, "archives": moved.archives, "audit": moved.audit });
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        MigrateArgs::command().debug_assert();
    }
}
