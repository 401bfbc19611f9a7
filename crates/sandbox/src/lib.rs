//! A UForge AppCenter of its own: in memory behind the port, and as an HTTP server on loopback.
//!
//! [`Scenario`] says what it is to be, [`serve`] puts it on a socket, [`Platform`] lets tests look behind it.

mod archive;
mod damage;
mod document;
mod hexadecimal;
mod http;
mod platform;
mod port;
pub mod scenario;

pub use domain::model::{OutputFormat, Representation};
pub use http::{Announcement, Running, serve, serve_platform};
pub use platform::{ArchiveFacts, ImportFacts, Platform, RequestRecord, SystemClock, TicketFacts};
pub use port::InProcess;
pub use scenario::{Scenario, ScenarioError};
