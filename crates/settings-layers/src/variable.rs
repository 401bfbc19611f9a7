//! Environment variables: one that is empty counts as not set.

use std::ffi::OsString;

use thiserror::Error;

/// A variable that is no text where text is needed. Its value may be a secret: it is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the environment variable {name} is not text in UTF-8")]
pub struct VariableError {
    /// Its name.
    pub name: String,
}

/// What a variable says, if anything. `read` is `std::env::var_os` in a program.
pub fn variable(name: &str, read: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    read(name).filter(|value| !value.is_empty())
}

/// The same as text. One that is no text is an error: as one that is not set, it would let a lower layer decide.
pub fn variable_text(
    name: &str,
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<String>, VariableError> {
    let value = variable(name, read).map(OsString::into_string).transpose();
    value.map_err(|_| VariableError {
        name: name.to_owned(),
    })
}
