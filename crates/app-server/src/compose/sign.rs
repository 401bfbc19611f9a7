//! Signs receipts as `minisign` does.

use std::path::Path;

use adapters_archive::{SecretKeyFile, SigningKey};
use secrecy::SecretString;

use super::{ComposeError, first_line};
use crate::settings::Settings;
use crate::sign::{SignError, Signer};

/// A secret key that is open.
pub(super) struct MinisignSigner(SigningKey);

impl MinisignSigner {
    /// Opens the key that the settings name.
    pub(super) fn open(settings: &Settings) -> Result<Option<Self>, ComposeError> {
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

fn passphrase(path: &Path) -> Result<SecretString, ComposeError> {
    let line = first_line(path).map_err(|source| ComposeError::SignPassphrase {
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
