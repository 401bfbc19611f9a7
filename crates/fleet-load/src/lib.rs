//! PostgreSQL as Debian brings it and an S3 server of somebody else's, started for a while: for tests, and for `cargo xtask fleet`.

#![expect(
    clippy::expect_used,
    reason = "what is missing here ends a test or a measurement, and is said"
)]

mod postgres;
mod s3;

pub use postgres::Postgres;
pub use s3::S3;
