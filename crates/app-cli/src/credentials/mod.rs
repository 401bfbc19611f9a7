//! Secrets: where they are read from, and what can be wrong with them. From here on they are
//! [`secrecy::SecretString`]s, never printed, wiped after use.

mod error;
mod method;
mod read;
pub(crate) mod terminal;

pub(crate) use error::CredentialsError;
pub(crate) use method::{Method, Secret, SecretSource};
pub(crate) use read::{PASSPHRASE, first_line, key_passphrase, read};

#[cfg(feature = "testing")]
pub(crate) use crate::compose::process::OfficialLanguage as Language;
pub(crate) use crate::compose::process::{OfficialFile, OfficialFileError};
