//! Standard error for log lines.

use std::io::{self, Write};

/// Standard error that loses what it cannot take: a full disk, a closed pipe or a terminal that is gone ends no work.
///
/// Whatever writes log lines tends to panic, or to print its complaint to the same place, where a write fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossyStderr;

impl Write for LossyStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}
