//! Standard output: what was asked for, and nothing else.

use std::io::{self, Write};

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
