//! The test kit: what the whole-program tests, the contract suites and the chaos suite share.

pub mod contract;
pub mod kit;
