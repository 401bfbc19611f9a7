//! What the service keeps: jobs, the audit trail, idempotency keys and sealed credentials in SQLite, bags as files.
//!
//! [`DataFolder`] comes first: it makes sure that the folder is this user's own and that one service uses it. [`Database`] is
//! opened inside of it, and the stores behind the ports of `domain::jobs` are made of it. [`PostgresDatabase`] is the engine for many
//! processes: another module, behind the same ports.

mod audit;
mod columns;
mod credentials;
mod database;
mod dialect;
mod failure;
mod files;
mod jobs;
mod keys;
mod late;
mod moments;
mod moving;
mod postgres;
mod rows;
mod s3;
mod sqlite;
mod statement;
mod statements;
mod steps;
mod token;
mod work;

pub use files::{DataFolder, DataFolderError, DiskBags, DiskRuns};
pub use late::LateAudit;
pub use moving::{Copied, CopyError, copy_records};
pub use postgres::{
    DatabaseUrl, PostgresAudit, PostgresCredentials, PostgresDatabase, PostgresError,
    PostgresJobStore, PostgresKeys, PostgresRunRecords, PostgresSessions, PostgresSlots, Process,
    SessionTerms,
};
pub use s3::{S3Store, S3StoreError};
pub use sqlite::{
    Database, DatabaseError, SqliteAudit, SqliteCredentials, SqliteJobStore, SqliteKeys,
};
