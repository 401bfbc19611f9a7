//! `--since`: the earlier bag, opened and read before anything is sent.

use std::path::{Path, PathBuf};

use domain::workflow::{Earlier, Since, read_earlier};

use crate::args::SinceArguments;
use crate::compose::{self, BagArchives};
use crate::credentials::CredentialsError;
use crate::error::{CommandError, EarlierBagProblem};
use crate::settings::{ConnectionSettings, Inputs, SettingsError};
use crate::signals::Signals;

/// An earlier bag, and what it says of itself.
pub(super) struct EarlierBagFile {
    bag: BagArchives,
    earlier: Earlier,
}

/// A bag that was opened and not read yet.
pub(super) struct OpenedBag {
    path: PathBuf,
    bag: BagArchives,
}

/// Opens the bag of `--since`, where there is one.
pub(super) fn open(
    arguments: &SinceArguments,
    inputs: &Inputs,
) -> Result<Option<OpenedBag>, CommandError> {
    let Some(path) = arguments.since.clone() else {
        return Ok(None);
    };
    if arguments.reads_standard_input() && inputs.read_standard_input() {
        return Err(SettingsError::from(CredentialsError::StandardInputTwice).into());
    }
    let opened = compose::unlock(arguments.opening())
        .and_then(|unlock| compose::archives(&path, unlock))
        .map_err(|error| unusable(&path, EarlierBagProblem::Open(error)))?;
    Ok(Some(OpenedBag { path, bag: opened }))
}

impl OpenedBag {
    /// Reads what it says of itself. A bag of somebody else, or of another platform, is refused.
    pub(super) async fn read(
        self,
        signals: &mut Signals,
        connection: &ConnectionSettings,
    ) -> Result<EarlierBagFile, CommandError> {
        let Self { path, bag } = self;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let reading = read_earlier(&bag, name, &connection.user, &connection.server.url);
        let read = signals.or(reading).await;
        let earlier = read
            .map_err(CommandError::Interrupted)?
            .map_err(|error| unusable(&path, error.into()))?;
        Ok(EarlierBagFile { bag, earlier })
    }
}

impl EarlierBagFile {
    /// As the workflow wants it.
    pub(super) fn since(&self) -> Since<'_> {
        Since {
            bag: &self.bag,
            earlier: &self.earlier,
        }
    }

    pub(super) fn earlier(&self) -> &Earlier {
        &self.earlier
    }
}

/// Reads the bag that was opened, where there is one.
pub(super) async fn read(
    opened: Option<OpenedBag>,
    signals: &mut Signals,
    connection: &ConnectionSettings,
) -> Result<Option<EarlierBagFile>, CommandError> {
    Ok(match opened {
        Some(opened) => Some(opened.read(signals, connection).await?),
        None => None,
    })
}

fn unusable(path: &Path, source: EarlierBagProblem) -> CommandError {
    CommandError::EarlierBag {
        bag: path.to_owned(),
        source: Box::new(source),
    }
}
