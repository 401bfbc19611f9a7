//! Why the server cannot be started with what it was given.

use settings_layers::{FileError, MergeError, VariableError};
use thiserror::Error;

/// What is wrong with what the server was given. Nothing was done.
#[derive(Debug, Error)]
pub(crate) enum GivenError {
    /// A command line that is wrong, or that asks for help or the version.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A configuration file that cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// An environment variable that is no text.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// An environment variable with a wrong value.
    #[error("the environment variable {name} is wrong")]
    Environment {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// What the sources say cannot be put together.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

/// What is wrong with a key or its value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum KeyError {
    /// No flag has this name.
    #[error("there is no key `{key}`; there are {known}")]
    Unknown {
        /// What stands there.
        key: String,
        /// The names that there are.
        known: String,
    },
    /// The value cannot be meant.
    #[error("`{key}` cannot be {value}: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What stands there.
        value: String,
        /// Why not.
        problem: String,
    },
}
