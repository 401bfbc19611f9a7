//! PostgreSQL: one database that the processes of a service share.
//!
//! Statements stand for themselves, or are one transaction on a task of its own ([`PostgresDatabase`] says why). What a run writes carries the
//! token of its lease and locks the job's row for the moment of the write: a late write and the next claim never pass each other.

mod agreed;
mod claims;
mod database;
mod error;
mod jobs;
mod migrate;
mod records;
mod sessions;
mod signals;
mod slots;
mod statements;
mod transaction;
mod url;

pub use agreed::Process;
pub use database::PostgresDatabase;
pub use error::PostgresError;
pub use jobs::PostgresJobStore;
pub use records::PostgresRunRecords;
pub use sessions::{PostgresSessions, SessionTerms};
pub use slots::PostgresSlots;
pub use url::DatabaseUrl;

use crate::audit::SqlAudit;
use crate::credentials::SqlCredentials;
use crate::keys::SqlKeys;

/// The audit trail of a [`PostgresDatabase`].
pub type PostgresAudit = SqlAudit<PostgresDatabase>;
/// The sealed credentials of a [`PostgresDatabase`].
pub type PostgresCredentials = SqlCredentials<PostgresDatabase>;
/// The idempotency keys of a [`PostgresDatabase`].
pub type PostgresKeys = SqlKeys<PostgresDatabase>;
