//! Signs receipts as `minisign` does.

use std::path::{Path, PathBuf};

use adapters_archive::{SecretKeyFile, SigningKey, SigningKeyError};
use adapters_process::{TextFileError, first_line};
use secrecy::SecretString;
use thiserror::Error;

use crate::settings::Settings;
use crate::sign::{SignError, Signer};

/// Why receipts cannot be signed.
#[derive(Debug, Error)]
pub(crate) enum SignerError {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// Its passphrase cannot be read.
    #[error("could not read the passphrase of the secret key from `{}`", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TextFileError,
    },
}

impl SignerError {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Key(error) => error.hint(),
            Self::Passphrase { .. } => None,
        }
    }
}

/// A secret key that is open.
pub(super) struct MinisignSigner(SigningKey);

impl MinisignSigner {
    /// Opens the key that the settings name.
    pub(super) fn open(settings: &Settings) -> Result<Option<Self>, SignerError> {
        let Some(path) = &settings.sign_key else {
            return Ok(None);
        };
        let file = SecretKeyFile::read(path)?;
        let passphrase = match &settings.sign_passphrase_file {
            Some(from) if file.is_encrypted() => Some(passphrase(from)?),
            _ => None,
        };
        let key = file.open(passphrase.as_ref())?;
        tracing::info!(key = key.id(), "receipts are signed");
        Ok(Some(Self(key)))
    }
}

fn passphrase(path: &Path) -> Result<SecretString, SignerError> {
    let line = first_line(path).map_err(|source| SignerError::Passphrase {
        path: path.to_owned(),
        source,
    })?;
    Ok(SecretString::from(line.as_str()))
}

impl Signer for MinisignSigner {
    fn sign(&self, document: &[u8], trusted_comment: &str) -> Result<String, SignError> {
        self.0.sign(document, trusted_comment).map_err(SignError)
    }
}
