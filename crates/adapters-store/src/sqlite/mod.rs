//! SQLite: one file, one writing connection, a few that read.

mod audit;
mod backup;
mod changes;
mod claims;
mod credentials;
mod database;
mod error;
mod free_pages;
mod jobs;
mod keys;
mod migrate;
mod statements;
mod transaction;
mod writer;

pub use audit::SqliteAudit;
pub use credentials::SqliteCredentials;
pub use database::Database;
pub use error::DatabaseError;
pub use jobs::SqliteJobStore;
pub use keys::SqliteKeys;
pub(crate) use migrate::{HEAD_BYTES, is_ours};
