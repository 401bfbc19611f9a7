//! Standard output: what was asked for, and nothing else.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CommandError;

/// Writes what was asked for. A reader that has read enough (`| head`) is no error.
pub(crate) fn write(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CommandError::Stdout),
    }
}

/// A value as JSON for people and programs, with its line end.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| CommandError::Stdout(error.into()))
}
