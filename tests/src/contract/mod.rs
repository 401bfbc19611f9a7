//! The ports' promises as functions: every implementation of a port runs the same ones.

pub mod archive_sink;
pub mod clock;
pub mod journal;
pub mod user_data_api;
