//! What the service keeps: jobs, the audit trail, idempotency keys and sealed credentials in SQLite, bags as files.
//!
//! [`DataFolder`] comes first: it makes sure that the folder is this user's own and that one service uses it. [`Database`] is
//! opened inside of it, and the stores behind the ports of `domain::jobs` are made of it. Another engine is another module
//! beside these, behind the same ports.

mod files;
mod late;
mod sqlite;

pub use files::{DataFolder, DataFolderError, DiskBags};
pub use late::LateAudit;
pub use sqlite::{
    Database, DatabaseError, SqliteAudit, SqliteCredentials, SqliteJobStore, SqliteKeys,
};
