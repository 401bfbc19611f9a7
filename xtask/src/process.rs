//! Running other programs, and saying which.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::Command;

/// Writes to standard error; a closed one is nobody's loss.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// One program to run.
pub(crate) struct Chore(Command);

impl Chore {
    pub(crate) fn new<Arguments>(program: impl AsRef<OsStr>, arguments: Arguments) -> Self
    where
        Arguments: IntoIterator,
        Arguments::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(program);
        command.args(arguments);
        Self(command)
    }

    /// Cargo itself, the one that runs us.
    pub(crate) fn cargo<Arguments>(arguments: Arguments) -> Self
    where
        Arguments: IntoIterator,
        Arguments::Item: AsRef<OsStr>,
    {
        Self::new(
            std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            arguments,
        )
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn within(mut self, folder: impl AsRef<std::path::Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end; anything but success is told.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let line = format!("{:?}", self.0);
        say(&format!("xtask: {line}\n"));
        match self.0.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{line} ended with {status}")),
            Err(error) => Err(format!("{line} could not be run: {error}")),
        }
    }

    /// Runs it to its end and takes its standard output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let line = format!("{:?}", self.0);
        say(&format!("xtask: {line}\n"));
        let output = self.0.stderr(std::process::Stdio::inherit()).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => Err(format!("{line} ended with {}", output.status)),
            Err(error) => Err(format!("{line} could not be run: {error}")),
        }
    }
}
