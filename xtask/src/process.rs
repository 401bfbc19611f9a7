//! Running other programs, and saying which.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Writes to standard error; a closed one is nobody's loss.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Where Cargo builds, and where everything lies that the chores install for themselves.
pub(crate) fn target() -> Result<PathBuf, String> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::path::absolute(&target).map_err(|error| format!("{}: {error}", target.display()))
}

/// Whether a program is on this machine. Those of administrators are not on everybody's path.
pub(crate) fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let mut folders = folders.chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.any(|folder| folder.join(program).is_file())
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

    /// Cargo itself, the one that runs us, without what it says to us of our own package: build scripts that look at these variables
    /// would run again whenever a chore and a plain `cargo` take turns.
    pub(crate) fn cargo<Arguments>(arguments: Arguments) -> Self
    where
        Arguments: IntoIterator,
        Arguments::Item: AsRef<OsStr>,
    {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut chore = Self::new(program, arguments);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                chore.0.env_remove(&name);
            }
        }
        chore
    }

    /// The same, with the signals that end programs in their default state, where `env` can do that. Started in the background or with
    /// `nohup` this process ignores some of them, and so would the programs that tests send them to.
    pub(crate) fn with_default_signals(self) -> Self {
        const DEFAULTS: &str = "--default-signal=HUP,INT,QUIT";
        let tried = Command::new("env").args([DEFAULTS, "true"]).output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            return self;
        }
        let mut command = Command::new("env");
        command.arg(DEFAULTS);
        command.arg(self.0.get_program()).args(self.0.get_args());
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        Self(command)
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args<Arguments>(mut self, arguments: Arguments) -> Self
    where
        Arguments: IntoIterator,
        Arguments::Item: AsRef<OsStr>,
    {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn within(mut self, folder: impl AsRef<std::path::Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end; anything but success is an error.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let line = shown(&self.0);
        say(&format!("xtask: {line}\n"));
        match self.0.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{line} ended with {status}")),
            Err(error) => Err(format!("{line} could not be run: {error}")),
        }
    }

    /// Runs it to its end and takes its standard output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let line = shown(&self.0);
        say(&format!("xtask: {line}\n"));
        let output = self.0.stderr(Stdio::inherit()).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => Err(format!("{line} ended with {}", output.status)),
            Err(error) => Err(format!("{line} could not be run: {error}")),
        }
    }
}

/// As one would type it.
fn shown(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.display(), value.display()))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| word.display().to_string());
    set.chain(words).collect::<Vec<_>>().join(" ")
}
