//! Everything that decides how the service works.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use domain::model::UserId;
use ipnet::IpNet;

use crate::auth::Origin;
use crate::runner::Pace;

/// Which certificates of the UForge are trusted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those that this machine trusts.
    #[default]
    System,
    /// Those, and the ones in this PEM text.
    ExtraCa(Vec<u8>),
    /// Any.
    AcceptAny,
}

/// How many connections there may be, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// At the same time; further ones wait in the system's own queue.
    pub all: NonZeroUsize,
    /// From one address at the same time; further ones are refused.
    pub per_address: NonZeroUsize,
    /// How long a caller may take to send a request's headers, and how long a connection may be idle.
    pub headers_within: Duration,
    /// How long a caller may take nothing of an answer.
    pub nothing_taken_for: Duration,
}

impl Connections {
    /// What is usual.
    pub const USUAL: Self = Self {
        all: NonZeroUsize::new(4_096).unwrap(),
        per_address: NonZeroUsize::new(512).unwrap(),
        headers_within: Duration::from_secs(15),
        nothing_taken_for: Duration::from_mins(2),
    };
}

/// Where the certificate of the service and its key are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate with those that lead to a trusted one, in PEM form.
    pub cert: PathBuf,
    /// Its private key, in PEM form.
    pub key: PathBuf,
    /// How often the files are looked at: they are used again when they have changed.
    pub look_every: Duration,
}

impl TlsFiles {
    /// These files, looked at as often as is usual.
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            look_every: Duration::from_secs(5),
        }
    }
}

/// What a process of a service of many does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// It serves people and programs, and runs exports.
    #[default]
    All,
    /// It serves people and programs.
    Web,
    /// It runs exports.
    Worker,
}

impl Role {
    /// Whether it runs exports.
    pub(crate) fn runs(self) -> bool {
        self != Self::Web
    }

    /// Whether it serves people and programs.
    pub(crate) fn serves(self) -> bool {
        self != Self::Worker
    }
}

/// What a process shares with the others of its service.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// URL of the database, without a password.
    pub database: String,
    /// URL of the store of archives.
    pub store: String,
    /// Where that store is reached, if not at its usual address.
    pub store_endpoint: Option<String>,
    /// What this process does.
    pub role: Role,
    /// What this process is called: no other one is.
    pub process: String,
    /// Exports that run on the platform at the same time, over all workers.
    pub platform_slots: NonZeroUsize,
    /// Requests to the platform a second, over all workers.
    pub platform_rate: Option<NonZeroUsize>,
    /// For how long a worker claims a job, and how long a dead one is waited for.
    pub lease: Duration,
}

/// Everything that decides how the service works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base URL of the UForge.
    pub url: String,
    /// Which of its certificates are trusted.
    pub trust: Trust,
    /// The folder that the service has for itself; of no use where it shares its stores with other processes.
    pub data: PathBuf,
    /// What it shares with other processes instead.
    pub fleet: Option<Fleet>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// What it speaks TLS with; plain HTTP otherwise.
    pub tls: Option<TlsFiles>,
    /// Where metrics are read, if not where it listens.
    pub metrics_listen: Option<SocketAddr>,
    /// Where people reach it, if not there.
    pub public_url: Option<Origin>,
    /// Proxies whose word about callers' addresses counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Logins of its administrators.
    pub administrators: Vec<UserId>,
    /// How many connections there may be, and how long they may keep others waiting.
    pub connections: Connections,
    /// Exports that run at the same time.
    pub jobs: NonZeroUsize,
    /// How long a finished archive is kept.
    pub keep_archive: Duration,
    /// How long an export waits for the platform or for disk space before it is given up.
    pub give_up_after: Duration,
    /// Bytes that all exports together may take on disk.
    pub store_limit: Option<u64>,
    /// A credentials file of the official client: runs sign in with it, for whoever asked.
    pub service_credentials: Option<PathBuf>,
    /// A file with an age identity, to which people's credentials are sealed, so that their exports go on after a restart.
    pub seal_credentials: Option<PathBuf>,
    /// A secret key of minisign, with which receipts are signed.
    pub sign_key: Option<PathBuf>,
    /// A file whose first line opens that key, where it is encrypted.
    pub sign_passphrase_file: Option<PathBuf>,
    /// Times that are seldom changed.
    pub pace: Pace,
}

impl Settings {
    /// The usual settings for this UForge and this folder, on a free port of the loopback interface.
    pub fn new(url: impl Into<String>, data: impl Into<PathBuf>) -> Self {
        const USUAL_JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
        Self {
            url: url.into(),
            trust: Trust::default(),
            data: data.into(),
            fleet: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            metrics_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            administrators: Vec::new(),
            connections: Connections::USUAL,
            jobs: USUAL_JOBS,
            keep_archive: Duration::from_hours(7 * 24),
            give_up_after: Duration::from_hours(24),
            store_limit: None,
            service_credentials: None,
            seal_credentials: None,
            sign_key: None,
            sign_passphrase_file: None,
            pace: Pace::default(),
        }
    }
}
