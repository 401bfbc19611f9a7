//! A certificate and its key, read from files.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::settings::TlsFiles;

/// A chain of certificates has some 10 KiB, a key 3.
const LIMIT_BYTES: usize = 1024 * 1024;

/// Why a certificate or its key cannot be used. What is in a key is never repeated.
#[derive(Debug, Error)]
pub(crate) enum TlsFileError {
    /// Not there, or not for us to read.
    #[error("the TLS {what} file `{}` cannot be read", path.display())]
    Unreadable {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Something else.
    #[error("the TLS {what} file `{}` is larger than {} KiB", path.display(), LIMIT_BYTES / 1024)]
    TooLarge { what: &'static str, path: PathBuf },
    /// No certificate in PEM form, or one that is cut.
    #[error("the TLS certificate file `{}` holds no certificate in PEM form", path.display())]
    NoCertificate { path: PathBuf },
    /// No private key in PEM form, or one that wants a passphrase.
    #[error("the TLS key file `{}` holds no private key in PEM form that can be used without a passphrase", path.display())]
    NoKey { path: PathBuf },
    /// Nothing that TLS can use.
    #[error("the TLS certificate file `{}` holds a certificate that cannot be used", path.display())]
    BadCertificate {
        path: PathBuf,
        #[source]
        source: rustls::Error,
    },
    /// Of a kind that TLS does not use.
    #[error("the TLS key file `{}` holds a key that cannot be used", path.display())]
    BadKey {
        path: PathBuf,
        #[source]
        source: rustls::Error,
    },
    /// They belong to different pairs.
    #[error(
        "the key in `{}` does not fit the first certificate in `{}`",
        key.display(),
        cert.display()
    )]
    NotAPair { cert: PathBuf, key: PathBuf },
}

/// The bytes of both files.
pub(super) struct Read {
    cert: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

/// What says whether files have changed.
pub(super) type Sum = [u8; 32];

impl Read {
    pub(super) fn files(files: &TlsFiles) -> Result<Self, TlsFileError> {
        Ok(Self {
            cert: read("certificate", &files.cert)?,
            key: read("key", &files.key)?,
        })
    }

    /// The same for the same bytes.
    pub(super) fn sum(&self) -> Sum {
        let sums = [Sha256::digest(&*self.cert), Sha256::digest(&*self.key)];
        Sha256::digest(sums.concat()).into()
    }

    /// The pair in them.
    pub(super) fn pair(&self, files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsFileError> {
        let path = || files.cert.clone();
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsFileError::NoCertificate { path: path() })?;
        if chain.is_empty() {
            return Err(TlsFileError::NoCertificate { path: path() });
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsFileError::NoKey {
            path: files.key.clone(),
        })?;
        let provider = rustls::crypto::ring::default_provider();
        // A key that cannot be used is not the certificate's fault.
        let usable = provider.key_provider.load_private_key(key.clone_key());
        usable.map_err(|source| TlsFileError::BadKey {
            path: files.key.clone(),
            source,
        })?;
        let pair = CertifiedKey::from_der(chain, key, &provider);
        pair.map(Arc::new).map_err(|source| match source {
            rustls::Error::InconsistentKeys(_) => TlsFileError::NotAPair {
                cert: path(),
                key: files.key.clone(),
            },
            source => TlsFileError::BadCertificate {
                path: path(),
                source,
            },
        })
    }
}

/// Whether anybody on this machine can read the key; a group's access is how operators share a key with a proxy.
pub(super) fn is_open_to_all(key: &Path) -> bool {
    std::fs::metadata(key).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

fn read(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFileError> {
    let unreadable = |source| TlsFileError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
    let mut limited = file.take(LIMIT_BYTES as u64 + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LIMIT_BYTES {
        let path = path.to_owned();
        return Err(TlsFileError::TooLarge { what, path });
    }
    Ok(bytes)
}
