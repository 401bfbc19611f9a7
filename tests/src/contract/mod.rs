//! The ports' promises as functions: every implementation of a port runs the same ones. [`table`] names them all.

pub mod archive_sink;
pub mod audit_log;
pub mod bag_reader;
pub mod bag_store;
mod campaign_retry;
pub mod campaign_store;
pub mod clock;
pub mod copied;
pub mod idempotency_keys;
pub mod import_api;
pub mod import_journal;
pub mod job_store;
pub mod journal;
pub mod known_length;
pub mod progress;
pub mod ropes;
pub mod run_records;
pub mod run_store;
pub mod sealed_credentials;
pub mod slots;
pub mod table;
pub mod tag_files;
pub mod user_data_api;
