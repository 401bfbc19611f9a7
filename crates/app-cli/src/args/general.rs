//! Flags that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// `--config`, `--log`, `-q`, `-v`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "GENERAL")]
pub(crate) struct GeneralArguments {
    /// Configuration over the system's and the user's (see `config --help`)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// What is logged to standard error, as in `debug` or `app_cli=trace,warn`
    #[arg(long, value_name = "FILTER", global = true)]
    pub(crate) log: Option<String>,
    /// Say nothing but errors, warnings and what is missing
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more: -v what is done, -vv in detail
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}
