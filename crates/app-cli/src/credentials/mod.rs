//! Secrets: where they are read from, and which of them is meant. From here on they are [`SecretString`]s, never printed, wiped
//! after use.

mod method;
mod read;
pub(crate) mod terminal;

use std::path::PathBuf;

use secrecy::SecretString;
use thiserror::Error;

#[cfg(feature = "testing")]
pub(crate) use crate::compose::OfficialLanguage as Language;
pub(crate) use crate::compose::{OfficialFile, OfficialFileError};
pub(crate) use method::{Method, SecretSource, choose};
pub(crate) use read::{PASSPHRASE, first_line, read};

/// How to sign in.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    /// A password.
    Password(SecretString),
    /// An API key pair.
    KeyPair {
        /// The public key.
        public: String,
        /// The secret key.
        secret: SecretString,
    },
}

/// Why nobody can sign in. Nothing was sent.
#[derive(Debug, Error)]
pub(crate) enum CredentialsError {
    /// The official client's file.
    #[error(transparent)]
    OfficialFile(#[from] OfficialFileError),
    /// The official client's file is somebody else's.
    #[error("the credentials file `{}` is for the login `{theirs}`, not for `{wanted}`", path.display())]
    OtherUser {
        path: PathBuf,
        theirs: String,
        wanted: String,
    },
    /// The official client's file is for another platform.
    #[error("the credentials file `{}` is for `{theirs}`, not for `{wanted}`", path.display())]
    OtherPlatform {
        path: PathBuf,
        theirs: String,
        wanted: String,
    },
    /// Both a password and a key pair, from the same source.
    #[error("both a password and an API key pair are given (from: {origin})")]
    Both { origin: crate::settings::Origin },
    /// A secret key without its public key.
    #[error("a secret key is given without its public key")]
    NoPublicKey,
    /// A public key without its secret key.
    #[error("the secret key of `{publickey}` is missing")]
    NoSecretKey { publickey: String },
    /// Neither.
    #[error("the password of `{user}` is missing")]
    NoPassword { user: String },
    /// A file that holds a secret.
    #[error("could not read the {what} from `{}`", path.display())]
    Unreadable {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A file that should hold a secret.
    #[error("the first line of `{}` is no {what}: it is {problem}", path.display())]
    Wrong {
        what: &'static str,
        path: PathBuf,
        problem: String,
    },
    /// Enter, and nothing before it.
    #[error("no {what} was typed")]
    NothingTyped { what: &'static str },
    /// The terminal went away, or was left with Ctrl-C.
    #[error("could not ask for the {what}")]
    Prompt {
        what: &'static str,
        #[source]
        source: std::io::Error,
    },
    /// Standard input can be read once.
    #[error("standard input can only give one secret")]
    StandardInputTwice,
}
