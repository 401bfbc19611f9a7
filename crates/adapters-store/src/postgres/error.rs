//! Why the database cannot be used.

use domain::jobs::JobStoreError;
use sqlx::Postgres;
use thiserror::Error;

use crate::columns::RowError;
use crate::failure::{Engine, said_once};

/// Why a database of a service cannot be opened.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// The URL cannot be used.
    #[error("the URL of the database cannot be used: {reason}")]
    Url {
        /// What is wrong with it, without its content.
        reason: String,
    },
    /// The file of passwords cannot be read.
    #[error("the file of passwords `{}` cannot be read", path.display())]
    PassFile {
        /// Which.
        path: std::path::PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read the file of passwords.
    #[error("the file of passwords `{}` may be read by others than its owner", path.display())]
    OpenPassFile {
        /// Which.
        path: std::path::PathBuf,
    },
    /// It cannot be reached, or lets nobody in.
    #[error("could not connect to the database at `{place}`")]
    Unreachable {
        /// Where it should be: a host or a folder of sockets, and a port.
        place: String,
        /// What it, or the network, says.
        #[source]
        source: RowError,
    },
    /// It refuses something.
    #[error("could not {action} the database")]
    Database {
        /// What was being done: a verb.
        action: &'static str,
        /// Its error.
        #[source]
        source: RowError,
    },
    /// A newer version of this program made its tables.
    #[error(
        "the database was written by a newer version of this program (format {found}, known is {known}): use that version; nothing was changed"
    )]
    Newer {
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// Another process of the service was started with another value.
    #[error("the other processes of this service have {key} `{agreed}`, and this one `{wanted}`")]
    Disagrees {
        /// Which setting, as its flag is called.
        key: &'static str,
        /// What the database holds.
        agreed: String,
        /// What this process wants.
        wanted: String,
    },
}

impl PostgresError {
    /// Whether other settings would help, and nothing else.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Url { .. }
            | Self::PassFile { .. }
            | Self::OpenPassFile { .. }
            | Self::Disagrees { .. } => true,
            Self::Unreachable { .. } | Self::Database { .. } | Self::Newer { .. } => false,
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Url { .. } => Some(
                "it looks like `postgres://user@host/database?sslmode=verify-full` or `postgres:///database?host=/socket/folder&user=name`; a password comes from PGPASSWORD or from `passfile=FILE`",
            ),
            Self::Disagrees { .. } => Some(
                "start all processes of a service with the same value, or change it when none of them runs",
            ),
            Self::OpenPassFile { .. } => Some("take the rights of others away: `chmod 600 FILE`"),
            Self::PassFile { .. }
            | Self::Unreachable { .. }
            | Self::Database { .. }
            | Self::Newer { .. } => None,
        }
    }

    pub(super) fn of(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database {
            action,
            source: said_once(source),
        }
    }
}

/// What statements about jobs fail with.
pub(super) type Failure = crate::failure::Failure<Postgres, JobStoreError>;

impl Engine for Postgres {
    /// `disk_full` (PostgreSQL, appendix A).
    fn is_full(error: &sqlx::Error) -> bool {
        code(error).is_some_and(|code| code == "53100")
    }
}

/// Whether a database that does not let anybody in starts, or is about to: it is asked again.
pub(super) fn may_be_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        error => error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_transient_in_connect_phase),
    }
}

/// Whether it is a matter of the moment: the connection, or a database that stops or starts.
pub(super) fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        // Connections, resources, an operator's shutdown, and a transaction that has to be tried again.
        error => code(error).is_some_and(|code| {
            ["08", "53", "57", "40"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
    }
}

/// Whether a rule of the tables was broken by somebody who was faster.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code == "23505" || code.starts_with("40"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}
