//! Standard output: what was asked for, and nothing else.

use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use serde::Serialize;

use crate::error::CommandError;

/// Writes what was asked for. A reader that has read enough (`| head`) is no error.
pub(crate) fn write(text: &str) -> Result<(), CommandError> {
    write_bytes(text.as_bytes())
}

/// Writes a path as one line, byte for byte: it may not be Unicode.
pub(crate) fn write_path(path: &Path) -> Result<(), CommandError> {
    write_bytes(&[path.as_os_str().as_encoded_bytes(), b"\n"].concat())
}

fn write_bytes(bytes: &[u8]) -> Result<(), CommandError> {
    if is_read_only() {
        // The standard library drops what is written to such an output without an error.
        return Err(CommandError::Stdout(rustix::io::Errno::BADF.into()));
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CommandError::Stdout),
    }
}

/// Whether a bag that is written there is kept: not if the output is closed.
///
/// Of an output that was closed (`>&-`) the runtime makes the null device, opened to read and to write; a shell's `> /dev/null` is
/// opened to write only.
pub(crate) fn takes_a_bag() -> bool {
    let stdout = io::stdout();
    let is_null = rustix::fs::fstat(&stdout).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == stat.st_rdev)
    });
    match rustix::fs::fcntl_getfl(&stdout) {
        Ok(flags) => {
            let access = flags & OFlags::RWMODE;
            access != OFlags::RDONLY && !(is_null && access == OFlags::RDWR)
        }
        Err(_) => false,
    }
}

fn is_read_only() -> bool {
    rustix::fs::fcntl_getfl(io::stdout())
        .is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY)
}

/// A value as JSON for people and programs, with its line end.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| CommandError::Stdout(error.into()))
}
