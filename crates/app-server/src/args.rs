//! What was typed.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::{Origin, read_login};
use crate::durations::some_time;
use crate::fleet_args::FleetArgs;
use crate::log::LogFormat;
use crate::settings::Connections;
use clap::{Arg, Command, CommandFactory as _, Parser};
use domain::model::UserId;
use ipnet::IpNet;

/// Lets the people of a UForge AppCenter fetch their own data, on a web page or by API: one checked archive each.
#[derive(Debug, Parser)]
#[command(
    name = "uforge-export-server",
    version,
    max_term_width = 100,
    after_help = "Other commands:\n  \
        uforge-export-server audit --data DIR         Print the audit trail, also while a server runs\n  \
        uforge-export-server backup --data DIR FILE   Copy the database, also while a server runs\n  \
        uforge-export-server migrate-store --from DIR --database URL --store URL   Copy a folder to where many processes share it\n  \
        uforge-export-server config                   Print the effective settings and where each comes from"
)]
pub(crate) struct Args {
    /// Base URL of the UForge, for example <https://uforge.example.com/api>
    #[arg(
        short = 'a',
        long,
        env = "UFORGE_URL",
        value_name = "URL",
        required_unless_present = "demo"
    )]
    pub(crate) url: Option<String>,

    /// Folder for archives; made where it is missing, closed to others, used by one server at a time
    #[arg(
        long,
        env = "UFORGE_EXPORT_DATA",
        value_name = "DIR",
        required_unless_present_any = ["demo", "database"]
    )]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) fleet: FleetArgs,

    /// Try it: serve an embedded UForge that holds nobody's data, from a folder that is removed at the end; on loopback only
    #[arg(long, conflicts_with_all = ["url", "data", "database"])]
    pub(crate) demo: bool,

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

    /// Certificate of this service with those that lead to a trusted one (PEM): it speaks TLS itself, and reads the file again when it changes
    #[arg(
        long,
        env = "UFORGE_EXPORT_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM, without a passphrase)
    #[arg(
        long,
        env = "UFORGE_EXPORT_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub(crate) tls_key: Option<PathBuf>,

    /// Address where `GET /metrics` is answered, instead of where the service listens; port 0 picks a free one
    #[arg(long, env = "UFORGE_EXPORT_METRICS_LISTEN", value_name = "ADDR")]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// Reverse proxies whose `X-Forwarded-For` says where callers are: an address or a network as in 10.0.0.0/8 (repeatable)
    #[arg(
        long,
        env = "UFORGE_EXPORT_TRUSTED_PROXY",
        value_name = "NET",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// Somebody who may read the audit trail and everybody's records, and order campaigns, by UForge login (repeatable)
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

    /// Secret key of minisign: the receipt of every export is signed with it
    #[arg(long, env = "UFORGE_EXPORT_SIGN_KEY", value_name = "KEY")]
    pub(crate) sign_key: Option<PathBuf>,

    /// First line of FILE opens that key, where it is encrypted
    #[arg(
        long,
        env = "UFORGE_EXPORT_SIGN_PASSPHRASE_FILE",
        value_name = "FILE",
        requires = "sign_key"
    )]
    pub(crate) sign_passphrase_file: Option<PathBuf>,

    /// What goes to the log on standard error, as in `info` or `app_server=debug` [default: info; warn with --demo]
    #[arg(long, env = "UFORGE_EXPORT_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// How lines of the log are written
    #[arg(
        long,
        env = "UFORGE_EXPORT_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub(crate) log_format: LogFormat,
}

impl Args {
    /// What goes to the log. Whoever tries the demo reads the one line that says where to go.
    pub(crate) fn log_filter(&self) -> &str {
        let usual = if self.demo { "warn" } else { "info" };
        self.log.as_deref().unwrap_or(usual)
    }
}

/// The flag that names a configuration file. It is no setting itself.
pub(crate) const CONFIG: &str = "config";

/// How the command line of the server is read.
pub(crate) fn command() -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Configuration over the system's and the user's (see `config --help`)");
    Args::command().arg(config)
}

/// How that of `config` is read.
pub(crate) fn config_command() -> Command {
    command()
        .name("uforge-export-server config")
        .about("Prints the effective settings and where each comes from; takes the flags of the server")
        .after_help(CONFIG_HELP)
}

const CONFIG_HELP: &str = "\
Files, lowest first; keys are the long names of the flags:
  /etc/uforge-export/server.toml
  $XDG_CONFIG_HOME/uforge-export/server.toml
  --config FILE
The environment is over the files, and the command line over all.

The output is itself such a file.";

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
        command().debug_assert();
        config_command().debug_assert();
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
            "--tls-cert=cert.pem",
            "--tls-key=key.pem",
            "--metrics-listen=9100",
            "--log-format=xml",
            "--database=postgres://db/exports",
            "--store=s3://bucket",
            "--role=worker",
            "--platform-slots=4",
            "--lease=60s",
            "--worker-jobs=0",
            "--demo",
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
