//! What is meant, checked before anything begins.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::args::Args;
use crate::compose::{TextFileError, read_pem};

/// CA files have a few KiB; a whole system's bundle has some 250.
const CA_LIMIT_BYTES: usize = 4 * 1024 * 1024;

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

/// Everything that decides how the service works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base URL of the UForge.
    pub url: String,
    /// Which of its certificates are trusted.
    pub trust: Trust,
    /// The folder that the service has for itself.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Proxies whose word about callers' addresses counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// Exports that run at the same time.
    pub jobs: NonZeroUsize,
    /// How long a finished archive is kept.
    pub keep_archive: Duration,
}

impl Settings {
    /// The usual settings for this UForge and this folder, on a free port of the loopback interface.
    pub fn new(url: impl Into<String>, data: impl Into<PathBuf>) -> Self {
        const USUAL_JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
        Self {
            url: url.into(),
            trust: Trust::default(),
            data: data.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            trusted_proxies: Vec::new(),
            jobs: USUAL_JOBS,
            keep_archive: Duration::from_hours(7 * 24),
        }
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
}

impl Args {
    pub(crate) fn into_settings(self) -> Result<Settings, SettingsError> {
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
        if !self.listen.ip().is_loopback() {
            tracing::warn!(
                listen = %self.listen,
                "passwords come in unencrypted: put a proxy with TLS in front of this service"
            );
        }
        Ok(Settings {
            url: self.url,
            trust,
            data: self.data,
            listen: self.listen,
            trusted_proxies: self.trusted_proxy,
            jobs: self.jobs,
            keep_archive: self.keep_archive,
        })
    }
}
