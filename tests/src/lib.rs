//! The test kit: what the whole-program tests, the contract suites and the chaos suite share.

#![expect(clippy::expect_used, reason = "a test kit fails by panicking")]

pub mod contract;
pub mod kit;
