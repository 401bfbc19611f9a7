//! SQLite: one file, one writing connection, a few that read.

mod backup;
mod changes;
mod claims;
#[cfg(test)]
mod credentials_tests;
mod database;
mod error;
mod free_pages;
mod jobs;
mod migrate;
mod statements;
mod transaction;
mod writer;

pub use database::Database;
pub use error::DatabaseError;
pub use jobs::SqliteJobStore;
pub(crate) use migrate::{HEAD_BYTES, is_ours};

use crate::audit::SqlAudit;
use crate::credentials::SqlCredentials;
use crate::keys::SqlKeys;

/// The audit trail of a [`Database`].
pub type SqliteAudit = SqlAudit<Database>;
/// The sealed credentials of a [`Database`].
pub type SqliteCredentials = SqlCredentials<Database>;
/// The idempotency keys of a [`Database`].
pub type SqliteKeys = SqlKeys<Database>;
