//! Why nobody can sign in.

use std::path::PathBuf;

use thiserror::Error;

use super::OfficialFileError;

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
    /// Neither a password nor a key pair.
    #[error("the password of `{user}` is missing")]
    NoPassword { user: String },
    /// The secret key that signs is encrypted.
    #[error("the passphrase of the secret key `{}` is missing", key.display())]
    NoKeyPassphrase { key: PathBuf },
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
    /// Only Enter was typed.
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
