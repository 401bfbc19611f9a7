//! From the command line to settings, checked before anything begins.

use std::path::PathBuf;

use thiserror::Error;

use crate::args::Args;
use crate::compose::{TextFileError, read_pem};
use crate::runner::Pace;
use crate::settings::{Connections, Settings, Trust};

/// CA files have a few KiB; a whole system's bundle has some 250.
const CA_LIMIT_BYTES: usize = 4 * 1024 * 1024;

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
            public_url: self.public_url,
            trusted_proxies: self.trusted_proxy,
            administrators: self.admin,
            connections: Connections {
                all: self.connections,
                per_address: self.connections_per_address,
                ..Connections::USUAL
            },
            jobs: self.jobs,
            keep_archive: self.keep_archive,
            give_up_after: self.give_up_after,
            store_limit: self.store_limit,
            service_credentials: self.service_credentials,
            seal_credentials: self.seal_credentials,
            pace: Pace::default(),
        })
    }
}
