//! The contract suites, run by every implementation of each port.

mod archive;
mod clock;
mod memory;
mod user_data_api;
