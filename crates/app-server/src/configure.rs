//! From the command line to settings, checked before anything begins.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::args::Args;
use crate::auth::Origin;
use crate::compose::{TextFileError, read_pem};
use crate::runner::Pace;
use crate::settings::{Connections, Fleet, Role, Settings, TlsFiles, Trust};

/// CA files have a few KiB; a whole system's bundle has some 250.
const CA_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// What is usual where many processes share their stores.
const JOBS_AMONG_MANY: NonZeroUsize = NonZeroUsize::new(8).unwrap();
const SLOTS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
const LEASE: Duration = Duration::from_mins(1);

/// A name that no other process has, and that its operator finds again.
fn process_name(role: Role) -> String {
    let role = if role.serves() { "web" } else { "worker" };
    let host = std::env::var("HOSTNAME").unwrap_or_default();
    let drawn = uuid::Uuid::now_v7().simple().to_string();
    let drawn = drawn.get(20..).unwrap_or_default();
    let pid = std::process::id();
    match host.as_str() {
        "" => format!("{role}-{pid}-{drawn}"),
        host => format!("{role}-{host}-{pid}-{drawn}"),
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The CA file cannot be read, or holds no certificate.
    #[error("the CA file `{}` cannot be used", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TextFileError,
    },
    /// Passwords would cross the network unencrypted.
    #[error(
        "`{listen}` can be reached from other machines, and people's passwords would come in unencrypted"
    )]
    PlainHttp {
        /// The address.
        listen: SocketAddr,
    },
    /// The embedded UForge's passwords are known to everybody.
    #[error("the demo cannot listen on `{listen}`: its passwords are known to everybody")]
    DemoListen {
        /// The address.
        listen: SocketAddr,
    },
    /// A worker would have nobody's credentials.
    #[error("a service of many processes needs credentials that each of them has")]
    FleetCredentials,
    /// Browsers would be sent to where nobody speaks their language.
    #[error("the public URL `{url}` is not encrypted, and this service speaks TLS only")]
    PublicUrl {
        /// The URL.
        url: Origin,
    },
}

impl SettingsError {
    /// What to do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::CaFile { .. } => None,
            Self::PlainHttp { .. } => Some(
                "give it a certificate (`--tls-cert`, `--tls-key`), or put a proxy with TLS in front of it and name the proxy with `--trusted-proxy`",
            ),
            Self::DemoListen { .. } => Some("listen on loopback, as in `--listen 127.0.0.1:8081`"),
            Self::FleetCredentials => Some(
                "name a file with `--service-credentials`, or with `--seal-credentials` one that is the same everywhere",
            ),
            Self::PublicUrl { .. } => Some("name one that begins with `https://`"),
        }
    }
}

impl Args {
    /// Refuses what must not be served, before anything happens.
    fn check_exposure(&self) -> Result<(), SettingsError> {
        let listen = self.listen;
        let is_loopback = listen.ip().to_canonical().is_loopback();
        if self.demo && !is_loopback {
            return Err(SettingsError::DemoListen { listen });
        }
        let has_tls = self.tls_cert.is_some();
        let serves = self.fleet.role.unwrap_or_default().serves();
        if serves && !is_loopback && !has_tls && self.trusted_proxy.is_empty() {
            return Err(SettingsError::PlainHttp { listen });
        }
        match &self.public_url {
            Some(url) if has_tls && !url.is_https() => {
                Err(SettingsError::PublicUrl { url: url.clone() })
            }
            _ => Ok(()),
        }
    }

    /// What a process shares with others.
    fn shared(&self) -> Result<Option<Fleet>, SettingsError> {
        let Some((database, store)) = self.fleet.database.as_ref().zip(self.fleet.store.as_ref())
        else {
            return Ok(None);
        };
        if self.service_credentials.is_none() && self.seal_credentials.is_none() {
            return Err(SettingsError::FleetCredentials);
        }
        let role = self.fleet.role.unwrap_or_default();
        Ok(Some(Fleet {
            database: database.clone(),
            store: store.clone(),
            store_endpoint: self.fleet.store_endpoint.clone(),
            role,
            process: process_name(role),
            platform_slots: self.fleet.platform_slots.unwrap_or(SLOTS),
            platform_rate: self.fleet.platform_rate,
            lease: self.fleet.lease.unwrap_or(LEASE),
        }))
    }

    /// The settings of a server. Those of a demo lack its UForge and its folder.
    pub(crate) fn into_settings(self) -> Result<Settings, SettingsError> {
        self.check_exposure()?;
        let fleet = self.shared()?;
        let pace = fleet
            .as_ref()
            .map_or_else(Pace::default, |fleet| Pace::among_many(fleet.lease));
        let usual_jobs = if fleet.is_some() {
            JOBS_AMONG_MANY
        } else {
            self.jobs
        };
        let trust = match (self.cacert, self.insecure) {
            (Some(path), _) => Trust::ExtraCa(
                read_pem(&path, CA_LIMIT_BYTES)
                    .map_err(|source| SettingsError::CaFile { path, source })?,
            ),
            (None, true) => Trust::AcceptAny,
            (None, false) => Trust::System,
        };
        if matches!(trust, Trust::AcceptAny) {
            tracing::warn!(
                "any certificate of the UForge is accepted: passwords can be read by whoever stands between"
            );
        }
        if !self.trusted_proxy.is_empty() && self.public_url.is_none() {
            tracing::warn!(
                "where the proxy speaks TLS, forms of the page are refused until `--public-url` says where people reach it"
            );
        }
        let tls = self.tls_cert.zip(self.tls_key);
        Ok(Settings {
            url: self.url.unwrap_or_default(),
            trust,
            data: self.data.unwrap_or_default(),
            fleet,
            listen: self.listen,
            tls: tls.map(|(cert, key)| TlsFiles::new(cert, key)),
            metrics_listen: self.metrics_listen,
            public_url: self.public_url,
            trusted_proxies: self.trusted_proxy,
            administrators: self.admin,
            connections: Connections {
                all: self.connections,
                per_address: self.connections_per_address,
                ..Connections::USUAL
            },
            jobs: self.fleet.worker_jobs.unwrap_or(usual_jobs),
            keep_archive: self.keep_archive,
            give_up_after: self.give_up_after,
            store_limit: self.store_limit,
            service_credentials: self.service_credentials,
            seal_credentials: self.seal_credentials,
            sign_key: self.sign_key,
            sign_passphrase_file: self.sign_passphrase_file,
            pace,
        })
    }
}
