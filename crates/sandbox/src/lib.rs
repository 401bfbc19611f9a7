//! A UForge AppCenter of its own: in memory behind the port, and as an HTTP server on loopback.
//!
//! [`Scenario`] says what it is to be, [`serve`] puts it on a socket, [`Platform`] lets tests look behind it.

mod archive;
mod document;
mod http;
mod platform;
pub mod scenario;

pub use archive::OutputFormat;
pub use http::{Announcement, Running, serve, serve_platform};
pub use platform::{ArchiveFacts, Clock, Platform, Representation, RequestRecord, TicketFacts};
pub use scenario::{Scenario, ScenarioError};
