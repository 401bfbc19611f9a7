//! The state file of an import.

use std::path::{Path, PathBuf};

use domain::model::{ImportOrder, Sha256};
use domain::ports::ImportJournal as _;

use crate::args::ImportArguments;
use crate::commands::session::Session;
use crate::compose::{self, ImportFile, ImportHeader};
use crate::error::CommandError;
use crate::render::printable;

/// `.<bag>.uforge-import` beside the bag.
fn beside(bag: &Path) -> PathBuf {
    let named = match bag.file_name() {
        Some(_) => bag.to_owned(),
        // As in `..`.
        None => bag.canonicalize().unwrap_or_else(|_| bag.to_owned()),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(named.file_name().unwrap_or_default());
    name.push(".uforge-import");
    named.with_file_name(name)
}

/// Opens what an interrupted import of the same order left, or begins anew.
pub(super) fn open(
    arguments: &ImportArguments,
    order: &ImportOrder,
    fingerprint: Sha256,
) -> Result<ImportFile, CommandError> {
    let path = match &arguments.state {
        Some(path) => path.clone(),
        None => beside(&arguments.bag),
    };
    let header = ImportHeader {
        fingerprint,
        user: order.order.user.clone(),
        source: order.order.source.clone(),
    };
    Ok(compose::import_file(&path, &header)?)
}

/// Nothing is left to do.
pub(super) fn remove(file: ImportFile) -> Result<(), CommandError> {
    file.remove().map_err(compose::ComposeError::from)?;
    Ok(())
}

/// Says after an interruption what the same command does.
pub(super) fn say_kept(session: &Session, file: ImportFile) -> Result<(), CommandError> {
    if file.checkpoint().is_empty() {
        session
            .messages
            .info("Interrupted. Nothing was sent, and nothing was left behind.");
        return remove(file);
    }
    let path = file.path().display().to_string();
    session.messages.info(&format!(
        "Interrupted. The same command resumes it, from `{}`.",
        printable(&path)
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_lies_beside_the_bag() {
        for (bag, state) in [
            ("john.zip", ".john.zip.uforge-import"),
            (
                "/backup/john.tar.gz.age",
                "/backup/.john.tar.gz.age.uforge-import",
            ),
            ("folder/", ".folder.uforge-import"),
        ] {
            assert_eq!(beside(Path::new(bag)), Path::new(state));
        }
    }
}
