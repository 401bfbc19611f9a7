//! The exit statuses of the server: nothing else decides one.

use std::process::ExitCode;

use crate::audit::AuditCommandError;
use crate::backup::BackupCommandError;
use crate::launch::StartError;
use crate::migrate::MigrateError;
use crate::sources::GivenError;

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was stopped, or did what was asked: `--help`, `--version`.
    Success,
    /// The machine or the network did not permit it.
    Failed,
    /// The command line, the environment or a file that they name has to be changed.
    WrongUsage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::WrongUsage => 2,
        })
    }
}

/// For a command line that is not a server's: a wrong one, `--help` or `--version`.
pub(crate) fn of_command_line(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        Exit::WrongUsage
    } else {
        Exit::Success
    }
}

/// For a server that cannot be started with what it was given.
pub(crate) fn of_given(error: &GivenError) -> Exit {
    match error {
        GivenError::CommandLine(error) => of_command_line(error),
        GivenError::File(_)
        | GivenError::Variable(_)
        | GivenError::Environment { .. }
        | GivenError::Merge(_) => Exit::WrongUsage,
    }
}

/// For a server that could not start.
pub(crate) fn of_start(error: &StartError) -> Exit {
    if error.is_misconfiguration() {
        Exit::WrongUsage
    } else {
        Exit::Failed
    }
}

/// For an audit trail that could not be printed.
pub(crate) fn of_audit(error: &AuditCommandError) -> Exit {
    match error {
        AuditCommandError::Store(error) if error.is_misconfiguration() => Exit::WrongUsage,
        AuditCommandError::Store(_)
        | AuditCommandError::Trail(_)
        | AuditCommandError::Output(_) => Exit::Failed,
    }
}

/// For a backup that could not be made.
pub(crate) fn of_backup(error: &BackupCommandError) -> Exit {
    match error {
        BackupCommandError::InData { .. } => Exit::WrongUsage,
        BackupCommandError::Store(error) if error.is_misconfiguration() => Exit::WrongUsage,
        BackupCommandError::Store(_) | BackupCommandError::Output(_) => Exit::Failed,
    }
}

/// For stores that could not be copied.
pub(crate) fn of_migration(error: &MigrateError) -> Exit {
    if error.is_misconfiguration() {
        Exit::WrongUsage
    } else {
        Exit::Failed
    }
}
