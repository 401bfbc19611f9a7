//! OUTPUT: where the bag goes, how it is made, what is shown meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::model::BagFormat;

use crate::settings::{Layer, ProgressMode};

fn formats() -> impl TypedValueParser<Value = BagFormat> {
    PossibleValuesParser::new(["zip", "tar", "tar.gz"]).map(|name| match name.as_str() {
        "tar" => BagFormat::Tar,
        "tar.gz" => BagFormat::TarGz,
        _ => BagFormat::Zip,
    })
}

/// The flags under OUTPUT.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "OUTPUT")]
pub(crate) struct OutputArguments {
    /// File, folder (a name is made up inside it; an unfinished run of the same
    /// order found there is continued), or '-' for standard output
    /// [default: the working directory]
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Container of the bag [default: from PATH's ending, else zip]
    #[arg(short, long, value_name = "zip|tar|tar.gz", hide_possible_values = true, value_parser = formats())]
    pub(crate) format: Option<BagFormat>,
    /// Encrypt the bag for an age or SSH recipient, or for those in a file
    /// (repeatable)
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase_file")]
    pub(crate) encrypt_to: Option<Vec<String>>,
    /// Encrypt the bag with the first line of FILE; '-' is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Exports asked for on the server at the same time [default: 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(Layer::JOBS))]
    pub(crate) jobs: Option<u64>,
    /// Downloads at the same time [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(Layer::DOWNLOADS))]
    pub(crate) downloads: Option<u64>,
    /// Leave the export tickets on the server
    #[arg(long)]
    pub(crate) keep_tickets: bool,
    /// Give up on one export without progress for this long [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) max_wait: Option<Duration>,
    /// Discard what an interrupted run left, instead of resuming it
    #[arg(long)]
    pub(crate) restart: bool,
    /// Write a record of what was delivered once the bag is there: its SHA-256,
    /// whose data it holds, and how much of it
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Sign the receipt with this minisign secret key, into FILE.minisig
    #[arg(long, value_name = "KEY", requires = "receipt")]
    pub(crate) sign_key: Option<PathBuf>,
    /// First line of FILE opens the secret key ('-': standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_passphrase_file: Option<PathBuf>,
    /// auto|bar|plain|json|none: how progress is shown [default: auto]
    #[arg(long, value_name = "HOW", hide_possible_values = true, value_enum)]
    pub(crate) progress: Option<ProgressMode>,
}

impl OutputArguments {
    pub(crate) fn fill(self, layer: &mut Layer) {
        layer.output = self.output;
        layer.force = self.force.then_some(true);
        layer.format = self.format;
        layer.encrypt_to = self.encrypt_to;
        layer.passphrase_file = self.passphrase_file;
        layer.jobs = self.jobs;
        layer.downloads = self.downloads;
        layer.keep_tickets = self.keep_tickets.then_some(true);
        layer.max_wait = self.max_wait;
        layer.restart = self.restart.then_some(true);
        layer.receipt = self.receipt;
        layer.sign_key = self.sign_key;
        layer.sign_passphrase_file = self.sign_passphrase_file;
        layer.progress = self.progress;
    }
}
