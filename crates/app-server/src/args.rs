//! What was typed.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::{Origin, read_login};
use crate::settings::Connections;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Id, Parser};
use domain::model::UserId;
use ipnet::IpNet;

/// Lets the people of a UForge AppCenter fetch their own data, on a web page or by API: one checked archive each.
#[derive(Debug, Parser)]
#[command(
    name = "uforge-export-server",
    version,
    max_term_width = 100,
    after_help = "Other commands:\n  uforge-export-server audit --data DIR   Print the audit trail, also while a server runs"
)]
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

    /// Where people reach this service, for example <https://exports.example.com>, if not at the address it listens on
    #[arg(long, env = "UFORGE_EXPORT_PUBLIC_URL", value_name = "URL", value_parser = Origin::parse)]
    pub(crate) public_url: Option<Origin>,

    /// Reverse proxies whose `X-Forwarded-For` says where callers are: an address or a network as in 10.0.0.0/8 (repeatable)
    #[arg(
        long,
        env = "UFORGE_EXPORT_TRUSTED_PROXY",
        value_name = "NET",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// Somebody who may read the audit trail and everybody's records, by UForge login (repeatable)
    #[arg(
        long,
        env = "UFORGE_EXPORT_ADMIN",
        value_name = "LOGIN",
        value_delimiter = ',',
        value_parser = administrator
    )]
    pub(crate) admin: Vec<UserId>,

    /// Connections at the same time; further ones wait
    #[arg(
        long,
        env = "UFORGE_EXPORT_CONNECTIONS",
        value_name = "N",
        default_value_t = Connections::USUAL.all
    )]
    pub(crate) connections: NonZeroUsize,

    /// Connections of one address at the same time, those of trusted proxies excepted; further ones are refused
    #[arg(
        long,
        env = "UFORGE_EXPORT_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = Connections::USUAL.per_address
    )]
    pub(crate) connections_per_address: NonZeroUsize,

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
    #[arg(long, env = "UFORGE_EXPORT_KEEP_ARCHIVE", value_name = "DURATION", default_value = "7d", value_parser = some_time)]
    pub(crate) keep_archive: Duration,

    /// How long an export waits for the platform or for disk space before it is given up
    #[arg(long, env = "UFORGE_EXPORT_GIVE_UP_AFTER", value_name = "DURATION", default_value = "1d", value_parser = some_time)]
    pub(crate) give_up_after: Duration,

    /// Bytes that all archives and unfinished exports together may take on disk, as in `200G`; exports that would take more wait
    #[arg(long, env = "UFORGE_EXPORT_STORE_LIMIT", value_name = "SIZE", value_parser = size)]
    pub(crate) store_limit: Option<u64>,

    /// Credentials file of the official client (.yml or .json): exports sign in with it, for whoever asked, also after a restart
    #[arg(long, env = "UFORGE_EXPORT_SERVICE_CREDENTIALS", value_name = "FILE")]
    pub(crate) service_credentials: Option<PathBuf>,

    /// File with an age identity (mode 0600, not in the data folder): people's credentials are kept sealed to it until their exports
    /// are over, so that these go on after a restart
    #[arg(long, env = "UFORGE_EXPORT_SEAL_CREDENTIALS", value_name = "KEYFILE")]
    pub(crate) seal_credentials: Option<PathBuf>,

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
const PATHS: [&str; 4] = ["data", "cacert", "service_credentials", "seal_credentials"];

/// A duration that can be meant: something, and no more than a person's life.
fn some_time(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time > LONGEST {
        return Err("it has to be more than nothing and at most 100 years".to_owned());
    }
    Ok(time)
}

/// A network or a single address. One that holds every address would let everybody say where they are.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text
        .parse::<IpAddr>()
        .map(|address| IpNet::from(address.to_canonical()))
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| "it should be an address or a network, as in `10.0.0.0/8`".to_owned())?;
    if network.prefix_len() == 0 {
        return Err("it holds every address: anybody could say where they are".to_owned());
    }
    Ok(network)
}

/// A login that somebody can sign in with.
fn administrator(text: &str) -> Result<UserId, String> {
    if text.trim().is_empty() {
        return Err("a login cannot be empty".to_owned());
    }
    read_login(text).map_err(|error| error.0.to_owned())
}

/// Bytes, as in `1500000`, `500M`, `20GiB` (powers of 1024) or `20GB` (powers of 1000).
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "it should look like `500M`, `20GiB` or `20GB`".to_owned();
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_ascii_lowercase();
    let (letter, base) = match unit.as_bytes() {
        [] | [b'b'] => (b'b', 1_u64),
        [letter] | [letter, b'i', b'b'] => (*letter, 1024),
        [letter, b'b'] => (*letter, 1000),
        _ => return Err(wrong()),
    };
    let power = match letter {
        b'b' => 0,
        b'k' => 1,
        b'm' => 2,
        b'g' => 3,
        b't' => 4,
        b'p' => 5,
        _ => return Err(wrong()),
    };
    let bytes = base
        .checked_pow(power)
        .and_then(|unit| number.checked_mul(unit));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(wrong)
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

    #[test]
    fn nothing_and_nonsense_are_no_time() {
        for text in ["", "0s", "0", "soon", "-1d", "1000000y"] {
            assert!(some_time(text).is_err(), "{text}");
        }
        assert_eq!(some_time("90m"), Ok(Duration::from_mins(90)));
    }

    fn with(more: &[&str]) -> Result<Args, clap::Error> {
        let needed = [
            "uforge-export-server",
            "--url",
            "http://x/api",
            "--data",
            "/x",
        ];
        Args::try_parse_from(needed.iter().chain(more))
    }

    #[test]
    fn proxies_administrators_and_the_public_address_have_to_make_sense() {
        let args = with(&[
            "--trusted-proxy",
            "10.0.0.0/8,192.0.2.7",
            "--trusted-proxy=fd00::/8",
            "--admin=root",
            "--admin=mary",
            "--public-url=https://exports.example.com/",
        ])
        .unwrap();
        let networks: Vec<_> = args.trusted_proxy.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]);
        assert_eq!(args.admin.len(), 2);
        for nonsense in [
            "--trusted-proxy=proxy",
            "--trusted-proxy=10.0.0.0/33",
            "--trusted-proxy=0.0.0.0/0",
            "--trusted-proxy=",
            "--admin=",
            "--admin=a\nb",
            "--admin=root\\john",
            "--public-url=exports.example.com",
            "--public-url=ftp://exports.example.com",
            "--public-url=https://exports.example.com/path",
            "--keep-archive=0s",
            "--keep-archive=soon",
            "--connections=0",
            "--connections-per-address=0",
        ] {
            let error = with(&[nonsense]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{nonsense}");
        }
    }

    #[test]
    fn sizes_are_written_as_usual() {
        for (text, bytes) in [
            ("1500000", 1_500_000),
            ("2k", 2_048),
            ("500M", 500 * 1024 * 1024),
            ("20GiB", 20 << 30),
            ("20 gb", 20_000_000_000),
            ("1T", 1 << 40),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "G", "-1G", "1.5G", "1X", "1GiBs", "99999999P"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
