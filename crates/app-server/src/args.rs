//! What was typed.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Id, Parser};

/// Lets the people of a UForge AppCenter fetch their own data: one checked archive each, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "uforge-export-server", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Base URL of the UForge, for example <https://uforge.example.com/api>
    #[arg(short = 'a', long, env = "UFORGE_URL", value_name = "URL")]
    pub(crate) url: String,

    /// Folder for archives; made where it is missing, closed to others, used by one server at a time
    #[arg(long, env = "UFORGE_EXPORT_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Address to listen on; port 0 picks a free one
    #[arg(
        long,
        env = "UFORGE_EXPORT_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8081"
    )]
    pub(crate) listen: SocketAddr,

    /// A reverse proxy whose `X-Forwarded-For` says where callers are (repeatable)
    #[arg(
        long,
        env = "UFORGE_EXPORT_TRUSTED_PROXY",
        value_name = "IP",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxy: Vec<IpAddr>,

    /// Extra trusted CA of the UForge (PEM)
    #[arg(
        long,
        env = "UFORGE_CACERT",
        value_name = "FILE",
        conflicts_with = "insecure"
    )]
    pub(crate) cacert: Option<PathBuf>,

    /// Accept any certificate of the UForge
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Exports that run at the same time; others wait in a queue
    #[arg(
        short = 'j',
        long,
        env = "UFORGE_EXPORT_JOBS",
        value_name = "N",
        default_value = "2"
    )]
    pub(crate) jobs: NonZeroUsize,

    /// How long a finished archive is kept
    #[arg(long, env = "UFORGE_EXPORT_KEEP_ARCHIVE", value_name = "DURATION", default_value = "7d", value_parser = duration)]
    pub(crate) keep_archive: Duration,

    /// What goes to the log on standard error, as in `info` or `app_server=debug`
    #[arg(
        long,
        env = "UFORGE_EXPORT_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub(crate) log: String,
}

/// Reads the command line and the environment. A variable that is empty counts as not set; one that is no text, where text is
/// wanted, is an error that names it.
pub(crate) fn parse() -> Result<Args, clap::Error> {
    parse_from(std::env::args_os())
}

fn parse_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let mut command = Args::command();
    let variables: Vec<(Id, OsString, OsString)> = command
        .get_arguments()
        .filter_map(|argument| {
            let name = argument.get_env()?;
            let value = std::env::var_os(name)?;
            Some((argument.get_id().clone(), name.to_owned(), value))
        })
        .collect();
    for (id, name, value) in variables {
        if value.is_empty() {
            command = command.mut_arg(&id, |argument| argument.env(None::<&'static str>));
        } else if value.to_str().is_none() && !PATHS.contains(&id.as_str()) {
            let said = format!(
                "the environment variable {} is not text in UTF-8\n",
                name.display()
            );
            return Err(command.error(ErrorKind::InvalidUtf8, said));
        }
    }
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Args::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Settings that name files: those need not be text.
const PATHS: [&str; 2] = ["data", "cacert"];

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn two_flags_are_enough() {
        let args = Args::try_parse_from([
            "uforge-export-server",
            "--url",
            "https://uforge.example.com/api",
            "--data",
            "/srv/exports",
        ])
        .unwrap();
        assert_eq!(args.keep_archive, Duration::from_hours(7 * 24));
        assert!(args.listen.ip().is_loopback());
    }
}
