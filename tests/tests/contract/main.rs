//! The contract suites, run by every implementation of each port.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod archive;
mod clock;
mod imports;
mod memory;
mod postgres;
mod postgres_connections;
mod ropes;
mod stores;
mod table;
mod user_data_api;
