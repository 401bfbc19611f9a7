//! What a user's data is, how it is exported, and what the bag and the report say.
//!
//! This crate is the core of the hexagon. It opens no file and no socket, asks no system clock, spawns nothing and draws no
//! unseeded randomness: all of that comes through [`ports`]. Data flows one way, in [`workflow`]:
//! selection → survey → plan → fetch → sink → report.
//!
//! Read [`workflow::export`] first, then the ports it speaks to.

pub mod bag;
pub mod jobs;
pub mod model;
pub mod object;
pub mod ports;
pub mod progress;
pub mod redact;
pub mod report;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod view;
pub mod workflow;
