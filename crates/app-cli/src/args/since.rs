//! The earlier bag that unchanged archives are taken from.

use std::path::PathBuf;

use clap::Args;

use super::OpeningArguments;

/// `--since` and what opens that bag. It is one bag of one command: no configuration file names it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "SELECTION")]
pub(crate) struct SinceArguments {
    /// Take archives that have not changed since this earlier bag from it,
    /// instead of exporting them again
    #[arg(long, value_name = "BAG")]
    pub(crate) since: Option<PathBuf>,
    /// age or SSH private key that opens the earlier bag (repeatable)
    #[arg(long, value_name = "FILE", requires = "since")]
    since_identity: Vec<PathBuf>,
    /// First line of FILE opens the earlier bag ('-': standard input)
    #[arg(
        long,
        value_name = "FILE",
        requires = "since",
        conflicts_with = "since_identity"
    )]
    since_passphrase_file: Option<PathBuf>,
}

impl SinceArguments {
    /// Whether its passphrase comes from standard input.
    pub(crate) fn reads_standard_input(&self) -> bool {
        let file = self.since_passphrase_file.as_deref();
        file.is_some_and(|file| file.as_os_str() == "-")
    }

    /// How the bag is opened.
    pub(crate) fn opening(&self) -> OpeningArguments {
        OpeningArguments {
            identities: self.since_identity.clone(),
            passphrase_file: self.since_passphrase_file.clone(),
        }
    }
}
