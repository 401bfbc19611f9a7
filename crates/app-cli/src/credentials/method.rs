//! How to sign in, and where the secret is read from.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where a secret is to be read from.
#[derive(Clone, Debug)]
pub(crate) enum SecretSource {
    /// The first line of a file; `-` is standard input.
    File(PathBuf),
    /// It is here already.
    Known(SecretString),
    /// A person at a terminal.
    Prompt,
}

/// How to sign in, before any secret is read.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// Basic authentication.
    Password(SecretSource),
    /// Signed requests.
    KeyPair {
        public: String,
        secret: SecretSource,
    },
}

/// What proves who signs in.
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
