//! TLS of the service's own: a certificate that is read again when its files change, and handshakes that end.

mod pair;

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::ports::Clock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::causes::Causes;
use crate::settings::TlsFiles;
use pair::{Read, Sum, TlsFileError};

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The files cannot be used.
    #[error(transparent)]
    Files(#[from] TlsFileError),
    /// The library refuses its own settings.
    #[error("TLS cannot be set up")]
    SetUp(#[from] rustls::Error),
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// What speaks TLS with callers.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
    seen: Sum,
}

impl Tls {
    /// Reads the certificate and its key.
    pub(crate) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = Read::files(files)?;
        if pair::is_open_to_all(&files.key) {
            tracing::warn!(
                key = %files.key.display(),
                "everybody on this machine can read the TLS key: `chmod o-rwx` takes that away"
            );
        }
        let current = Arc::new(Current(RwLock::new(read.pair(files)?)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            files: files.clone(),
            seen: read.sum(),
        })
    }

    /// A caller's connection, encrypted. Who is silent, or slow, is given up.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        within: Duration,
    ) -> io::Result<TlsStream<S>> {
        let accepted = tokio::time::timeout(within, self.acceptor.accept(stream)).await;
        accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Uses the files again whenever they have changed, until `stopping`. Files that cannot be used change nothing, and the log
    /// says so once.
    pub(crate) async fn watch(mut self, clock: Arc<dyn Clock>, stopping: CancellationToken) {
        let mut trouble = None;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = clock.sleep(self.files.look_every) => {}
            }
            match self.look().await {
                Ok(is_new) => {
                    trouble = None;
                    if is_new {
                        tracing::info!("the TLS certificate was read again");
                    }
                }
                Err(error) => {
                    let said = Causes(&error).to_string();
                    if trouble.as_ref() != Some(&said) {
                        tracing::error!(error = said, "the TLS certificate stays as it was");
                        trouble = Some(said);
                    }
                }
            }
        }
    }

    /// Whether there is a new pair, which new connections get from now on.
    async fn look(&mut self) -> Result<bool, TlsFileError> {
        let files = self.files.clone();
        let read = spawn_blocking(move || Read::files(&files)).await;
        // A look that was lost with the runtime is the last one.
        let Ok(read) = read else { return Ok(false) };
        let read = read?;
        let sum = read.sum();
        if sum == self.seen {
            return Ok(false);
        }
        let pair = read.pair(&self.files)?;
        self.seen = sum;
        *self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
